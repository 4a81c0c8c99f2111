"""Proxy-tuning: a frozen strong model is steered by a tuned small one, against tuning the strong one itself.

    task -> halves -> labels of the training half -> small and strong model tuned on them
         -> answers to the test half -> score, knowledge, speed

    strong          as it is                         before
    small           as it is
    tuned small     tuned on the training half
    proxy           strong + alpha (tuned small - small); no weight of the strong model is trained
    tuned strong    tuned on the same                the largest gain

    gap closed = (proxy - strong) / (tuned strong - strong)

Knowledge is measured by choices: which of a true and a false statement with the same prefix has the larger likelihood?
Chance is one half.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from outgrow.core.errors import UserError
from outgrow.core.records import load
from outgrow.core.seeding import derive
from outgrow.generation import PLAIN, chats
from outgrow.pipeline import knowledge as knowledge_of
from outgrow.pipeline import steering
from outgrow.runs import folder as claims
from outgrow.runs import schema
from outgrow.runs.schema.steering import SteerFile
from outgrow.store import Store
from outgrow.tasks import generation
from outgrow.tasks.prompting import AUTO, CHAT
from outgrow.training import names, pruned

if TYPE_CHECKING:
    from outgrow.models import Model

SHARE = 2 / 3
"""Of the strong model's blocks are the sibling's, where no small model is named."""
EPOCHS = 3


@final
@dataclass(frozen=True)
class Steered:
    """What a study of steering came to."""

    facts: dict[str, Any]
    """What steer.json holds."""
    page: Path


def steer(
    task: str,
    *,
    strong: str = "smollm2-135m",
    small: str = "sibling",
    weak: str | None = None,
    alpha: float = 1.0,
    seeds: int = 1,
    knowledge: str = "cities",
    prompting: str = AUTO,
    items: int | None = None,
    seed: int = 0,
    out: Path | None = None,
    overwrite: bool = False,
) -> Steered:
    """Tune, steer, compare, and write steer.json and steer.html into the folder `out`.

    Raises:
        UserError: the user can mend it.
    """
    from outgrow.generation.local import Local
    from outgrow.generation.proxy import ProxyTuned
    from outgrow.report import proxy_tuning as page
    from outgrow.training import causal

    if seeds < 1:
        raise UserError(f"`seeds` = {seeds}: give a number above 0")
    pruned.check(strong, "model for `strong`")
    if small != "sibling":
        pruned.check(small, "model for `small`", ("sibling", pruned.USAGE))
    if weak is not None:
        names.check(weak, "model for `weak`")
    store = Store.default()
    written_task, gold = generation.load(task, items, seed, prompting=prompting)
    train, test = steering.halves(written_task, seed)
    asked = knowledge_of.statements(knowledge)
    folder = Path(out) if out is not None else Path("runs") / f"{task.replace(':', '-')}-steer"
    given = {"strong": strong, "small": small, "weak": weak, "alpha": alpha, "seeds": seeds, "seed": seed}
    given |= {"task": claims.content(task), "knowledge": knowledge, "prompting": prompting, "items": items}
    claims.claim(folder, "steer", given, overwrite)
    big = pruned.resolve(strong, store)
    little = (
        pruned.sibling(big, max(2, round(SHARE * big.depth)), store)
        if small == "sibling"
        else pruned.resolve(small, store)
    )
    bare = {"strong": Local(big), "small": Local(little)}
    if not all(chats(model, written_task.prompting) for model in bare.values()):
        # One without a chat template: both are asked alike, or what is tuned is not what steers.
        written_task = replace(written_task, prompting=replace(written_task.prompting, form=PLAIN.form))
    # Models that cannot be added up are refused before anything is tuned.
    ProxyTuned(bare["strong"], bare["small"], bare["small"], alpha)
    lessons, labels = steering.lessons(written_task, gold, train, weak, seed, store)
    outcomes: dict[str, list[steering.ModelOutcome]] = {
        name: [steering.outcome(model, written_task, test, asked, seed, store)] for name, model in bare.items()
    }
    trained: dict[str, list[causal.Spent]] = {}
    for replicate in range(seeds):
        drawn = int(derive(seed, "steer", replicate).integers(2**31))
        made: dict[str, Model] = {}
        for name, base in (("tuned small", little), ("tuned strong", big)):
            made[name] = causal.tune(
                base, lessons, seed=drawn, store=store, prompting=written_task.prompting, epochs=EPOCHS
            )
            trained.setdefault(name, []).append(causal.spent(made[name]))
        tuned: dict[str, Local | ProxyTuned] = {name: Local(model) for name, model in made.items()}
        tuned["proxy"] = ProxyTuned(bare["strong"], tuned["tuned small"], bare["small"], alpha)
        for name, model in tuned.items():
            outcomes.setdefault(name, []).append(steering.outcome(model, written_task, test, asked, seed, store))
    facts = {
        "task": written_task.name,
        "source": written_task.source,
        "train": len(lessons),
        "labels": labels,
        "alpha": alpha,
        "seed": seed,
        "seeds": seeds,
        "models": {
            name: {
                "name": model.name,
                "revision": model.revision,
                "parameters": model.parameters,
                "prompting": CHAT if chats(bare[name], written_task.prompting) else PLAIN.form,
            }
            for name, model in (("strong", big), ("small", little))
        },
        **steering.facts_of(written_task, gold, test, asked, outcomes, trained, derive(seed, "steer", "resamples")),
        "engine": bare["strong"].engine,
        "machine": platform.processor() or platform.machine(),
    }
    schema.write(folder / "steer.json", load(SteerFile, facts, "steer.json"))
    return Steered(facts, page.write(facts, folder))
