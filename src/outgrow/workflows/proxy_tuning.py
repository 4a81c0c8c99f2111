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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from outgrow import tasks
from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.core.fingerprint import fingerprint
from outgrow.core.records import load
from outgrow.core.seeding import derive, hashed
from outgrow.generation import Answer, LanguageModel, Sampling, answers
from outgrow.metrics import text as written
from outgrow.metrics.accuracy import Score
from outgrow.metrics.gap import Resamples
from outgrow.pipeline import scoring
from outgrow.runs import folder as claims
from outgrow.runs import schema
from outgrow.runs.schema.steering import SteerFile
from outgrow.store import Store
from outgrow.tasks import generation
from outgrow.tasks.task import FREE, POOL, TEST, GenerationGold, GenerationTask
from outgrow.training import pruned

if TYPE_CHECKING:
    from outgrow.models import Model
    from outgrow.training.causal import Example

ROWS = ("strong", "small", "tuned small", "proxy", "tuned strong")
BEFORE = {"tuned small": "small", "proxy": "strong", "tuned strong": "strong"}
"""What each was before it was taught or steered."""
SHARE = 2 / 3
"""Of the strong model's blocks are the sibling's, where no small model is named."""
STATEMENTS = 200
"""Pairs of statements that ask for knowledge."""
EPOCHS = 3
FEWEST = 20
"""Items of a half, and pairs of statements, at least."""
SHOWN = 4
"""Test items whose answers are shown."""


@final
@dataclass(frozen=True)
class Steered:
    """What a study of steering came to."""

    facts: dict[str, Any]
    """What steer.json holds."""
    page: Path


@final
@dataclass(frozen=True)
class Statements:
    """n pairs that begin alike and of which one is true."""

    name: str
    beginnings: tuple[str, ...]
    true: tuple[str, ...]
    false: tuple[str, ...]
    groups: np.ndarray


@final
@dataclass(frozen=True)
class Heard:
    """What one model said."""

    answers: tuple[Answer, ...]
    """To the test items."""
    seconds: float
    tokens: int
    known: np.ndarray
    """(n,) of each pair of statements: 1 where the true one is likelier, .5 in a tie."""


def steer(
    task: str,
    *,
    strong: str = "smollm2-135m",
    small: str = "sibling",
    weak: str | None = None,
    alpha: float = 1.0,
    seeds: int = 1,
    knowledge: str = "cities",
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
    store = Store.default()
    written_task, gold = generation.load(task, items, seed)
    train, test = halves(written_task, seed)
    asked = statements(knowledge)
    folder = Path(out) if out is not None else Path("runs") / f"{task.replace(':', '-')}-steer"
    given = {
        "task": claims.content(task),
        "strong": strong,
        "small": small,
        "weak": weak,
        "alpha": alpha,
        "seeds": seeds,
    }
    claims.claim(folder, "steer", {**given, "knowledge": knowledge, "items": items, "seed": seed}, overwrite)
    big = pruned.resolve(strong, store)
    little = (
        pruned.sibling(big, max(2, round(SHARE * big.depth)), store)
        if small == "sibling"
        else pruned.resolve(small, store)
    )
    bare = {"strong": Local(big), "small": Local(little)}
    ProxyTuned(
        bare["strong"], bare["small"], bare["small"], alpha
    )  # refuses what cannot be added up before anything is tuned
    lessons, labels = _lessons(written_task, gold, train, weak, seed, store)
    heard: dict[str, list[Heard]] = {
        name: [_heard(model, written_task, test, asked, seed, store)] for name, model in bare.items()
    }
    trained: dict[str, list[causal.Spent]] = {}
    for replicate in range(seeds):
        drawn = int(derive(seed, "steer", replicate).integers(2**31))
        made: dict[str, Model] = {}
        for name, base in (("tuned small", little), ("tuned strong", big)):
            made[name] = causal.tune(base, lessons, seed=drawn, store=store, chat=written_task.chat, epochs=EPOCHS)
            trained.setdefault(name, []).append(causal.spent(made[name]))
        tuned: dict[str, Local | ProxyTuned] = {name: Local(model) for name, model in made.items()}
        tuned["proxy"] = ProxyTuned(bare["strong"], tuned["tuned small"], bare["small"], alpha)
        for name, model in tuned.items():
            heard.setdefault(name, []).append(_heard(model, written_task, test, asked, seed, store))
    scores = {name: _score(written_task, gold, test, heard[name]) for name in ROWS}
    known = {
        name: Score(np.stack([one.known for one in heard[name]]), np.ones(len(asked.groups)), asked.groups)
        for name in ROWS
    }
    facts = {
        "task": written_task.name,
        "source": written_task.source,
        "metric": _metric(written_task),
        "train": len(lessons),
        "test": len(test),
        "labels": labels,
        "alpha": alpha,
        "seed": seed,
        "seeds": seeds,
        "models": {
            name: {"name": model.name, "revision": model.revision, "parameters": model.parameters}
            for name, model in (("strong", big), ("small", little))
        },
        "knowledge": {"task": asked.name, "pairs": len(asked.groups)},
        **_figures(scores, known, heard, derive(seed, "steer", "resamples")),
        "trained": {
            name: {"seconds": sum(s.seconds for s in spent), "tokens": sum(s.tokens for s in spent)}
            for name, spent in trained.items()
        },
        "examples": _examples(written_task, gold, test, heard),
        "engine": bare["strong"].engine,
        "machine": platform.processor() or platform.machine(),
    }
    schema.write(folder / "steer.json", load(SteerFile, facts, "steer.json"))
    return Steered(facts, page.write(facts, folder))


def halves(task: GenerationTask, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of training and test items: whole groups; the data's own test split is the test half.

    Raises:
        UserError: a half would have fewer than FEWEST items.
    """
    names, where = np.unique(task.groups, return_inverse=True)
    side = np.full(len(names), FREE)
    np.maximum.at(side, where, task.side)
    if not (side == TEST).any():
        order = derive(seed, task.name, "steer").permutation(np.flatnonzero(side == FREE))
        sizes = np.bincount(where)[order]
        side[order[np.cumsum(sizes) > sizes.sum() / 2]] = TEST
    side[side == FREE] = POOL
    train, test = np.flatnonzero(side[where] == POOL), np.flatnonzero(side[where] == TEST)
    if min(len(train), len(test)) < FEWEST:
        raise UserError(
            f"task {task.name!r} has {len(train)} items to train on and {len(test)} to test on: "
            f"give at least {FEWEST} for each"
        )
    return train, test


def _lessons(
    task: GenerationTask, gold: GenerationGold, train: np.ndarray, weak: str | None, seed: int, store: Store
) -> tuple[list[Example], dict[str, Any]]:
    """What is taught, and what it is: gold, or what a weak model answers, where it answers anything."""
    from outgrow.training.causal import Example
    from outgrow.training.names import named

    if weak is None:
        return [Example(task.prompts[i], gold.answers[i]) for i in train], {"kind": "gold"}
    how = Sampling(tokens=task.tokens, temperature=0, stop=task.stop, chat=task.chat)
    drawn = answers.sample(named(weak, store), [task.prompts[i] for i in train], 1, how, seed, store)
    said = {
        int(i): one.text
        for i, (one,) in zip(train, drawn.answers, strict=True)
        if one.ended == "stop" and one.text.strip()
    }
    cut = sum(one.cut for (one,) in drawn.answers)
    if len(said) < FEWEST:
        raise UserError(
            f"{weak!r} finished an answer to {len(said)} of {len(train)} training items: "
            f"at least {FEWEST} are needed to learn from"
        )
    right = scoring.right(
        task.scorer, [task.prompts[i] for i in said], list(said.values()), [gold.keys[i] for i in said]
    )
    return [Example(task.prompts[i], text) for i, text in said.items()], {
        "kind": "weak",
        "name": weak,
        "right": float(right.mean()),
        "cut": cut,
    }


def statements(name: str) -> Statements:
    """The pairs of a built-in task of true and false statements. Raises UserError for another task."""
    task, gold = tasks.load(name, tasks.Reading(items=2 * STATEMENTS))
    found: dict[str, dict[str, tuple[str, int]]] = {}
    for (text, *_), label, group in zip(task.texts, gold.labels.tolist(), task.groups.tolist(), strict=True):
        begun, verb, rest = text.rpartition(" is ")
        if verb:
            found.setdefault(f"{begun} is", {})[task.classes[label]] = (f" {rest}", group)
    pairs = {begun: two for begun, two in found.items() if set(two) == {"true", "false"}}
    if len(pairs) < FEWEST:
        raise UserError(
            f"`knowledge` = {name}: its items are not pairs of a true and a false statement; "
            "give cities or translations"
        )
    return Statements(
        task.name,
        tuple(pairs),
        tuple(two["true"][0] for two in pairs.values()),
        tuple(two["false"][0] for two in pairs.values()),
        np.array([two["true"][1] for two in pairs.values()]),
    )


def _heard(
    model: LanguageModel, task: GenerationTask, test: np.ndarray, asked: Statements, seed: int, store: Store
) -> Heard:
    how = Sampling(tokens=task.tokens, temperature=0, stop=task.stop, chat=task.chat)
    drawn = answers.sample(model, [task.prompts[i] for i in test], 1, how, seed, store)
    return Heard(tuple(one for (one,) in drawn.answers), drawn.seconds, drawn.tokens, knows(model, asked, store))


def knows(model: LanguageModel, asked: Statements, store: Store) -> np.ndarray:
    """(n,) of each pair: 1 where the model holds the true statement likelier, .5 in a tie."""

    def build() -> tuple[Mapping[str, np.ndarray], Mapping]:
        sums = []
        with progress.track(f"asking {model.name} about {asked.name}", 2 * len(asked.groups)) as bar:
            for texts in (asked.true, asked.false):
                found: list[float] = []
                for start in range(0, len(texts), 64):
                    some = slice(start, start + 64)
                    found += [
                        float(one.astype(np.float64).sum())
                        for one in model.logprobs(asked.beginnings[some], texts[some])
                    ]
                    bar.advance(len(texts[some]))
                sums.append(np.array(found))
        return {"known": (sums[0] > sums[1]) + 0.5 * (sums[0] == sums[1])}, {}

    made = {
        "code": fingerprint("knowledge", *answers.classes_of(model)),
        "model": model.digest,
        "engine": model.engine,
        "statements": hashed(*asked.beginnings, *asked.true, *asked.false),
    }
    return np.array(store.make("knowledge", made, build).arrays["known"])


def _metric(task: GenerationTask) -> str:
    return next(iter(written.metrics(task.scorer))) if task.scorer in written.SCORERS else "accuracy"


def _score(task: GenerationTask, gold: GenerationGold, test: np.ndarray, heard: Sequence[Heard]) -> Score:
    texts, keys, groups = (
        [[a.text for a in one.answers] for one in heard],
        [gold.keys[i] for i in test],
        task.groups[test],
    )
    if task.scorer in written.SCORERS:
        return written.scores(task.scorer, texts, keys, groups)[_metric(task)]
    right = [scoring.right(task.scorer, [task.prompts[i] for i in test], said, keys) for said in texts]
    return Score(np.array(right, np.float64), np.ones(len(test)), groups)


def _figures(
    scores: Mapping[str, Score],
    known: Mapping[str, Score],
    heard: Mapping[str, Sequence[Heard]],
    rng: np.random.Generator,
) -> dict[str, Any]:
    test, facts = Resamples(scores, rng), Resamples(known, rng)
    rows = []
    for name in ROWS:
        lost = {name: 1.0, BEFORE[name]: -1.0} if name in BEFORE else None
        rows.append({
            "name": name, "score": scores[name].value, "score_ci": test.ci({name: 1.0}),
            "knowledge": known[name].value, "knowledge_ci": facts.ci({name: 1.0}),
            "knowledge_change": lost and facts.mean(lost), "knowledge_change_ci": lost and facts.ci(lost),
            "seconds": sum(one.seconds for one in heard[name]), "tokens": sum(one.tokens for one in heard[name]),
        })  # fmt: skip
    against = test.ci({"proxy": 1.0, "tuned small": -1.0})
    return {
        "rows": rows,
        "closed": asdict(test.closed("proxy", "strong", "tuned strong")),
        "proxy_over_tuned_small": {"value": test.mean({"proxy": 1.0, "tuned small": -1.0}), "ci": against},
    }


def _examples(
    task: GenerationTask, gold: GenerationGold, test: np.ndarray, heard: Mapping[str, Sequence[Heard]]
) -> list[dict[str, Any]]:
    """The first test items: what was asked, what is right, and what each said."""
    return [
        {
            "prompt": task.prompts[i],
            "gold": gold.answers[i],
            "answers": {name: heard[name][0].answers[at].text for name in ROWS},
        }
        for at, i in enumerate(test[:SHOWN])
    ]
