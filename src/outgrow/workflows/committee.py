"""Committees: several samples of weak models for every item, a verifier that selects one, and its value against gold.

    task -> samples of weak and strong models -> verdicts -> choices among k of them -> figures, by gold -> report

A choice sees the answers and the fields `shown` of an item; `pipeline/choices.py` compares it with gold.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.pipeline import bench
from outgrow.pipeline.choices import facts_of
from outgrow.runs import committee as records
from outgrow.runs import folder as claims
from outgrow.runs.answers import answer_table
from outgrow.store import Store, disk
from outgrow.tasks import generation
from outgrow.tasks.prompting import AUTO
from outgrow.tasks.tables import recorded_answers
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.frames import opened
from outgrow.tasks.tables.prompts import Columns
from outgrow.verifiers import VERIFIERS


@final
@dataclass(frozen=True)
class CommitteeResult:
    """A finished committee."""

    facts: dict[str, Any]
    """What committee.json holds."""
    folder: Path
    page: Path
    table: Any = field(repr=False)
    """A row an answer (polars)."""

    def _repr_html_(self) -> str:
        from outgrow.report.sheets import notebook

        return notebook(self.folder, "committee")


def committee(
    source: Any,
    *,
    weak: Sequence[str] = (),
    strong: str | None = None,
    draws: int = 8,
    verifier: Any = (),
    judge: str | None = None,
    items: int | None = None,
    temperature: float = 1.0,
    answers: Sequence[str] = (),
    columns: Columns | None = None,
    rounds: int = 0,
    prompting: str = AUTO,
    seed: int = 0,
    out: Path | None = None,
    overwrite: bool = False,
    store: Store | None = None,
) -> CommitteeResult:
    """Let a committee of weak models answer the items of a task, or take recorded answers, and select by verifiers.

    Args:
        source: the name of a generation task; or a table of prompts or of recorded answers, its path or a data frame.
        weak: models that answer.
        strong: a model to compare with.
        draws: samples of each model for each item.
        verifier: names (`outgrow list verifiers`) or functions of attempts; the task's own check where none is given.
        judge: the model that verifiers ask which need one; the first of `weak` where none is given.
        items: at most so many items.
        temperature: of sampling; 0 gives the likeliest answer alone.
        answers: columns of a wide table that hold recorded answers, a model each.
        columns: which columns of a table play which role, and how answers are sampled and compared.
        rounds: rounds of self-training of the one weak model.
        prompting: how models are asked: chat, plain, or auto, which is chat where a model has a chat template.
        seed: names samples and intervals.
        out: the folder of committee.json, answers.parquet and committee.html; by default in runs.
        overwrite: another result in the folder may be replaced.
        store: where samples and verdicts are kept.

    Raises:
        UserError: there is something that the user can mend.

    Example:
        >>> committee("sudoku", verifier=["sudoko"])
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: unknown verifier 'sudoko': did you mean 'sudoku'?
    """
    from outgrow.report import committee as page
    from outgrow.workflows import self_training

    source, store, columns = opened(source), store or Store.default(), columns or Columns()
    sides = {"weak": list(weak), "strong": [strong] if strong else []}
    with ExitStack() as stack:
        checks = VERIFIERS.lend(stack, verifier)
        bench.check(draws, temperature, checks, columns, {**sides, "judge": [judge] if judge else []})
        recorded = recorded_answers.of_source(source, answers, columns, models=bool(weak or strong))
        if recorded is not None:
            task, gold = (
                replace(recorded.task, prompting=replace(recorded.task.prompting, form=prompting)),
                recorded.gold,
            )
            given = {"weak": bench.AnswerSet(recorded.models, recorded.answers, correct=recorded.correct)}
        elif not weak and not strong:
            raise UserError("who answers? Name models with `weak` or `strong`, or give a table of recorded answers")
        else:
            task, gold = generation.load(source, items, seed, columns, prompting=prompting)
            given = {
                side: bench.sampled(names, task, draws, temperature, seed, store)
                for side, names in sides.items()
                if names
            }
        checks = list(dict.fromkeys(checks or ([task.verifier] if task.verifier else [])))
        judge = judge or next(iter(weak), None)
        named = source.source if isinstance(source, TableFile) else source
        asked = {"source": named, "weak": list(weak), "strong": strong, "draws": draws, "verifiers": checks}
        asked |= {"judge": judge if bench.asks_model(checks, judge) else None}
        how = {"items": items, "temperature": temperature, "prompting": prompting, "seed": seed}
        more = {"answers": list(answers), "columns": asdict(columns), "rounds": rounds}
        folder = Path(out) if out is not None else Path("runs") / f"committee-{Path(task.name).stem.replace(':', '-')}"
        claims.claim(folder, "committee", {**asked, "source": claims.content(source), **how, **more}, overwrite)
        benches = [bench.bench(side, task, gold, said, checks, judge, store) for side, said in given.items()]
        facts = facts_of(task, benches, seed)
        forms = {name: form for said in given.values() for name, form in said.forms.items()}
        for member in facts["members"]:
            member["prompting"] = forms.get(member["name"])
        if rounds:
            model = weak[0] if len(weak) == 1 and recorded is None else None
            facts["rounds"] = self_training.of_committee(
                task, gold, model, checks, rounds=rounds, draws=draws, temperature=temperature, seed=seed, store=store
            )
        facts |= {"compared": records.compared(task, columns), "asked": {**asked, **how}}
        facts |= {"versions": records.versions()}
        table = answer_table(task, benches)
    records.write(folder, facts, table)
    disk.write(folder / "committee.html", page.render(facts))
    return CommitteeResult(facts, folder, folder / "committee.html", table)
