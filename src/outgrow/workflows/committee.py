"""Committees: several samples of weak models for every item, a verifier that selects one, and its value against gold.

    task -> samples of weak and strong models -> verdicts -> choices among k of them -> figures, by gold -> report

A choice sees the answers and the fields `shown` of an item; `pipeline/choices.py` compares it with gold.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

from outgrow import verifiers
from outgrow.core.errors import UserError, unknown
from outgrow.core.records import dump, load
from outgrow.generation.candidates.forms import FORMS
from outgrow.pipeline import bench, scoring
from outgrow.pipeline.choices import facts_of
from outgrow.runs import folder as claims
from outgrow.runs import schema
from outgrow.runs.answers import answer_table
from outgrow.runs.schema.committee import CommitteeFile
from outgrow.store import Store, disk
from outgrow.tasks import generation as writing
from outgrow.tasks.prompting import AUTO
from outgrow.tasks.tables import recorded_answers
from outgrow.tasks.tables.files import READERS, read_file
from outgrow.tasks.tables.prompts import Columns
from outgrow.tasks.task import GenerationGold, GenerationTask


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


def committee(
    source: str,
    *,
    weak: Sequence[str] = (),
    strong: str | None = None,
    draws: int = 8,
    verifier: Sequence[str] = (),
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
    """Run a committee on a task or on recorded answers; write committee.json, answers.parquet and committee.html.

    Raises:
        UserError: the user can mend it.
    """
    from outgrow.report import committee as page

    if draws < 1:
        raise UserError(f"`draws` = {draws}: give a number above 0")
    if temperature < 0:
        raise UserError(f"`temperature` = {temperature}: give 0 or more")
    known = verifiers.registry()
    for name in verifier:
        if name not in known:
            raise unknown("verifier", name, known)
    columns = columns or Columns()
    if columns.scorer:
        scoring.check(columns.scorer)
    if columns.form and columns.form not in FORMS:
        raise unknown("form", columns.form, FORMS)
    store = store or Store.default()
    recorded = _recorded(source, weak, strong, answers, columns)
    if recorded is not None:
        task, gold = recorded.task, recorded.gold
        given = {"weak": bench.AnswerSet(recorded.models, recorded.answers, correct=recorded.correct)}
    else:
        if not weak and not strong:
            raise UserError("who answers? Name models with `weak` or `strong`, or give a table of recorded answers")
        task, gold = writing.load(source, items, seed, columns, prompting=prompting)
        sides = {"weak": list(weak), "strong": [strong] if strong else []}
        given = {
            who: bench.sampled(names, task, draws, temperature, seed, store) for who, names in sides.items() if names
        }
    forms = {name: form for answers_of in given.values() for name, form in answers_of.forms.items()}
    names = tuple(dict.fromkeys(verifier or ([task.verifier] if task.verifier else [])))
    judging = [name for name in names if "model" in known[name].needs]
    judge = judge or next(iter(weak), None)
    if judging and judge is None:
        raise UserError(f"verifier {judging[0]!r} asks a model: name it with `judge`")
    asked = {
        "source": source,
        "weak": list(weak),
        "strong": strong,
        "draws": draws,
        "verifiers": list(names),
        "judge": judge if judging else None,
    }
    folder = Path(out) if out is not None else Path("runs") / f"committee-{Path(task.name).stem.replace(':', '-')}"
    more = {
        "items": items,
        "temperature": temperature,
        "prompting": prompting,
        "answers": list(answers),
        "columns": asdict(columns or Columns()),
        "rounds": rounds,
        "seed": seed,
    }
    claims.claim(folder, "committee", {**asked, "source": claims.content(source), **more}, overwrite)
    benches = [bench.bench(who, task, gold, written, names, judge, store) for who, written in given.items()]
    facts = facts_of(task, benches, seed)
    if rounds:
        facts["rounds"] = _improved(
            task, gold, list(weak) if recorded is None else [], names, rounds, draws, temperature, seed, store
        )
    for member in facts["members"]:
        member["prompting"] = forms.get(member["name"])
    facts["compared"] = {
        "form": task.form,
        "by_default": [name for name, value in (("scorer", columns.scorer), ("form", columns.form)) if value is None],
    }
    facts = {
        **facts,
        "asked": {**asked, "items": items, "temperature": temperature, "prompting": prompting, "seed": seed},
        "versions": _versions(),
    }
    table = answer_table(task, benches)
    schema.write(folder / "committee.json", load(CommitteeFile, facts, "committee.json"))
    disk.write(folder / "answers.parquet", table.write_parquet)
    disk.write(folder / "committee.html", page.render(facts))
    return CommitteeResult(facts, folder, folder / "committee.html", table)


@final
@dataclass(frozen=True)
class Several:
    """Committees side by side."""

    facts: tuple[dict[str, Any], ...]
    page: Path


def committees(sources: Sequence[str], *, out: Path | None = None, overwrite: bool = False, **asked: Any) -> Several:
    """One committee, or several in folders of their own and one page with one picture of all.

    A source that is the folder of a finished committee is read.

    Raises:
        UserError: the user can mend it.
    """
    from outgrow.report import committee as page

    if len(sources) == 1 and not Path(sources[0]).is_dir():
        found = committee(sources[0], out=out, overwrite=overwrite, **asked)
        return Several((found.facts,), found.page)
    folder = Path(out) if out is not None else Path("runs") / "committees"
    plain = {name: value for name, value in asked.items() if name != "store"}
    finished = {source: _finished(source) for source in sources if Path(source).is_dir()}
    claims.claim(
        folder,
        "committee",
        {"sources": list(sources), **plain, "columns": asdict(asked.get("columns") or Columns())},
        overwrite,
    )
    every = [
        finished[source] if source in finished
        else committee(source, out=folder / Path(source).stem.replace(":", "-"), overwrite=overwrite, **asked).facts
        for source in sources
    ]  # fmt: skip
    disk.write(folder / "committees.html", page.render_several(every))
    return Several(tuple(every), folder / "committees.html")


def _finished(source: str) -> dict[str, Any]:
    """The facts of a finished committee."""
    try:
        return dump(schema.read(Path(source) / "committee.json", CommitteeFile))
    except OSError:
        raise UserError(
            f"{source} holds no committee.json: name a folder that `outgrow committee` wrote, or a task"
        ) from None


def _recorded(
    source: str, weak: Sequence[str], strong: str | None, names: Sequence[str], columns: Columns
) -> recorded_answers.RecordedAnswers | None:
    """The recorded answers in a table; None where `source` is a task."""
    if Path(source).suffix.lower() not in READERS:
        if names:
            raise UserError(
                f"`answers` names columns of a table, and {source!r} is none: give a .parquet, .csv or .jsonl file"
            )
        return None
    table = read_file(Path(source).expanduser())
    if not names and (weak or strong or not recorded_answers.is_long(table)):
        return None
    if weak or strong:
        raise UserError("the answers are recorded already: leave `weak` and `strong` out")
    return recorded_answers.wide(table, names, columns) if names else recorded_answers.long(table, columns)


def _improved(
    task: GenerationTask,
    gold: GenerationGold,
    weak: Sequence[str],
    names: Sequence[str],
    rounds: int,
    draws: int,
    temperature: float,
    seed: int,
    store: Store,
) -> list[dict[str, Any]]:
    from outgrow.generation.local import Local
    from outgrow.training.names import named
    from outgrow.workflows import self_training

    model = named(weak[0], store) if len(weak) == 1 else None
    if not isinstance(model, Local) or not names:
        raise UserError(
            "`rounds` tunes one model on answers that a verifier keeps: "
            "name one local model in `weak`, and a `verifier`"
        )
    found, groups = self_training.improve(
        task, gold, model.model, names[0], rounds=rounds, draws=draws, temperature=temperature, seed=seed, store=store
    )
    return self_training.facts_of(found, groups, seed)


def _versions() -> dict[str, str]:
    return {"outgrow": version("outgrow"), "python": platform.python_version(), "numpy": version("numpy")}
