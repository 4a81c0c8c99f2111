"""Committees: several samples of weak models for every item, a verifier that selects one, and its value against gold.

    task -> samples of weak and strong models -> verdicts -> choices among k of them -> figures, by gold -> report

A choice sees the answers and the fields `shown` of an item; `pipeline/choices.py` compares it with gold.
"""

from __future__ import annotations

import itertools
import json
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow import verifiers
from outgrow.core import progress
from outgrow.core.errors import UserError, unknown
from outgrow.core.fingerprint import fingerprint
from outgrow.core.records import dump, load
from outgrow.core.seeding import hashed
from outgrow.generation import candidates
from outgrow.generation.answers import classes_of
from outgrow.generation.candidates import Candidates
from outgrow.generation.candidates.choice import SOUND, UNSOUND, UNTOLD, VerdictTable
from outgrow.generation.candidates.forms import FORMS
from outgrow.pipeline import scoring
from outgrow.pipeline.choices import Bench, ChoiceCost, facts_of
from outgrow.runs import folder as claims
from outgrow.runs import schema
from outgrow.runs.schema.committee import CommitteeFile
from outgrow.store import Store, disk
from outgrow.tasks import generation as writing
from outgrow.tasks.tables import recorded_answers
from outgrow.tasks.tables.files import READERS, read_file
from outgrow.tasks.tables.prompts import Columns
from outgrow.tasks.task import GenerationGold, GenerationTask
from outgrow.verifiers import Attempt, Verdict

UNIT = 256
"""Answers that are checked, and kept, together, whole items at a time."""
STANDING = {True: SOUND, None: UNTOLD, False: UNSOUND}
SOUNDNESS = {standing: sound for sound, standing in STANDING.items()}


@final
@dataclass(frozen=True)
class AnswerSet:
    """Answers of J models to all items."""

    models: tuple[str, ...]
    texts: list[list[list[str]]]
    """[j][i][k]"""
    logprobs: list[list[list[float]]] | None = None
    correct: list[list[list[bool]]] | None = None
    """Where a table says so; None: gold is to be asked."""
    cost: tuple[ChoiceCost, ...] = ()
    cut: list[list[list[bool]]] | None = None
    """Which were cut at the token limit; None where nobody knows."""


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
        given = {"weak": AnswerSet(recorded.models, recorded.answers, correct=recorded.correct)}
    else:
        if not weak and not strong:
            raise UserError("who answers? Name models with `weak` or `strong`, or give a table of recorded answers")
        task, gold = writing.load(source, items, seed, columns)
        sides = {"weak": list(weak), "strong": [strong] if strong else []}
        given = {who: _drawn(names, task, draws, temperature, seed, store) for who, names in sides.items() if names}
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
        "answers": list(answers),
        "columns": asdict(columns or Columns()),
        "rounds": rounds,
        "seed": seed,
    }
    claims.claim(folder, "committee", {**asked, "source": claims.content(source), **more}, overwrite)
    benches = [_bench(who, task, gold, written, names, judge, store) for who, written in given.items()]
    facts = facts_of(task, benches, seed)
    if rounds:
        facts["rounds"] = _improved(
            task, gold, list(weak) if recorded is None else [], names, rounds, draws, temperature, seed, store
        )
    facts["compared"] = {
        "form": task.form,
        "by_default": [name for name, value in (("scorer", columns.scorer), ("form", columns.form)) if value is None],
    }
    facts = {
        **facts,
        "asked": {**asked, "items": items, "temperature": temperature, "seed": seed},
        "versions": _versions(),
    }
    table = _table(task, benches)
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


def _drawn(
    names: Sequence[str], task: GenerationTask, draws: int, temperature: float, seed: int, store: Store
) -> AnswerSet:
    """Answers of models to the items."""
    from outgrow.generation import Sampling, answers
    from outgrow.generation.local import Local
    from outgrow.training.names import named

    how = Sampling(tokens=task.tokens, temperature=temperature, stop=task.stop, chat=task.chat)
    texts, logprobs, costs, cut = [], [], [], []
    for name in names:
        model = named(name, store)
        drawn = answers.sample(model, task.prompts, draws, how, seed, store)
        texts.append([[a.text for a in row] for row in drawn.answers])
        cut.append([[a.cut for a in row] for row in drawn.answers])
        logprobs.append([[float(np.sum(a.logprobs)) if a.logprobs else np.nan for a in row] for row in drawn.answers])
        parameters = model.model.parameters if isinstance(model, Local) else None
        flops = 2.0 * parameters * drawn.tokens if parameters else None
        costs.append(ChoiceCost(f"{name} writes", draws * len(task), drawn.tokens, drawn.seconds, flops))
    return AnswerSet(tuple(names), texts, logprobs, cost=tuple(costs), cut=cut)


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


def _bench(
    who: str,
    task: GenerationTask,
    gold: GenerationGold,
    written: AnswerSet,
    names: Sequence[str],
    judge: str | None,
    store: Store,
) -> Bench:
    """The answers, checked and compared with gold."""
    gathered = candidates.gather(written.texts, written.models, task.form, written.logprobs)
    if written.correct is not None:
        right = np.array(
            [
                written.correct[j][i][k]
                for i, j, k in zip(gathered.item, gathered.supervisor, gathered.sample, strict=True)
            ],
            bool,
        )
    else:
        right = _right(
            task.scorer,
            [task.prompts[i] for i in gathered.item],
            gathered.texts,
            [gold.keys[i] for i in gathered.item],
            store,
        )
    verdicts, costs = {}, list(written.cost)
    combine = [name for name in names if "verdicts" in verifiers.registry()[name].needs]
    for name in dict.fromkeys((*(n for n in names if n not in combine), *([task.verifier] if task.verifier else []))):
        verdicts[name], seconds = verdicts_of(name, task, gathered, judge, store)
        costs.append(ChoiceCost(f"{name} checks", len(gathered.item), seconds=seconds))
    for name in combine:
        others = {other: verdicts[other] for other in names if other not in combine}
        verdicts[name] = _combined(name, task, gathered, others)
    shown = verdicts[task.verifier].standing == SOUND if task.verifier else None
    cut = None
    if written.cut is not None:
        cut = np.array(
            [written.cut[j][i][k] for i, j, k in zip(gathered.item, gathered.supervisor, gathered.sample, strict=True)],
            bool,
        )
    return Bench(who, gathered, right, shown, {name: verdicts[name] for name in names}, tuple(costs), cut)


def _right(scorer: str, prompts: Sequence[str], texts: Sequence[str], keys: Sequence[Any], store: Store) -> np.ndarray:
    """(A,) bool by gold, each different answer once; checks that run code are kept, like verdicts."""
    if scorer not in verifiers.registry():
        return scoring.right(scorer, prompts, texts, keys)
    made = {"code": fingerprint("scored", verifiers.registry()[scorer].run), "scorer": scorer}
    found = []
    with progress.track(f"comparing with gold by {scorer}", len(texts)) as bar:
        for start in range(0, len(texts), UNIT):
            part = slice(start, start + UNIT)
            rows = list(zip(prompts[part], texts[part], map(_text, keys[part]), strict=True))
            different = list(dict.fromkeys(rows))
            first = {row: start + at for at, row in reversed(list(enumerate(rows)))}
            at = [first[row] for row in different]

            def build(at: list[int] = at) -> tuple[dict, dict]:
                right = scoring.right(scorer, [prompts[i] for i in at], [texts[i] for i in at], [keys[i] for i in at])
                return {"right": right}, {}

            right = store.make(
                "scored", {**made, "rows": hashed(*(part for row in different for part in row))}, build
            ).arrays["right"]
            number = {row: n for n, row in enumerate(different)}
            found.append(right[[number[row] for row in rows]])
            bar.advance(len(rows))
    return np.concatenate(found)


def verdicts_of(
    name: str, task: GenerationTask, gathered: Candidates, judge: str | None, store: Store
) -> tuple[VerdictTable, float]:
    """The verdicts of a verifier on every answer, and their cost in seconds; kept in the store unit by unit."""
    from outgrow.training.names import named

    check = verifiers.registry()[name]
    made: dict[str, Any] = {"code": fingerprint("verdicts", check.run), "verifier": name}
    given: dict[str, Any] = {}
    if "model" in check.needs:
        assert judge is not None
        given["model"] = named(judge, store)
        made |= {"judge": given["model"].digest, "engine": given["model"].engine}
        made["code"] = fingerprint("verdicts", check.run, *classes_of(given["model"]))
    said: list[Verdict] = []
    seconds = 0.0
    with progress.track(f"{name} checks answers", len(gathered.item)) as bar:
        for low, high in _units(gathered):
            asked = _asked(task, gathered, range(*np.searchsorted(gathered.item, [low, high])))

            def build(asked: list[Attempt] = asked) -> tuple[dict, dict]:
                began = time.monotonic()
                found = check.run(asked, **given)
                return {}, {"said": [(v.sound, v.why, v.score) for v in found], "seconds": time.monotonic() - began}

            what = hashed(*(part for one in asked for part in (one.prompt, one.answer, _text(one.shown))))
            kept = store.make("verdicts", {**made, "asked": what}, build).meta
            said += [Verdict(*one) for one in kept["said"]]
            seconds += kept["seconds"]
            bar.advance(len(asked))
    return _noted(said), seconds


def _combined(name: str, task: GenerationTask, gathered: Candidates, others: dict[str, VerdictTable]) -> VerdictTable:
    """The verdicts of a verifier that combines the verdicts of others."""
    said = {
        other: [
            Verdict(SOUNDNESS[int(standing)], score=None if given.silent else float(score))
            for standing, score in zip(given.standing, given.score, strict=True)
        ]
        for other, given in others.items()
    }
    return _noted(verifiers.registry()[name].run(_asked(task, gathered, range(len(gathered.item))), said))


def _asked(task: GenerationTask, gathered: Candidates, rows: Iterable[int]) -> list[Attempt]:
    return [Attempt(task.prompts[gathered.item[r]], gathered.texts[r], task.shown[gathered.item[r]]) for r in rows]


def _noted(said: Sequence[Verdict]) -> VerdictTable:
    """Verdicts as arrays; those without a score stand below all that have one."""
    standing = np.array([STANDING[v.sound] for v in said], np.int8)
    scores = np.array([np.nan if v.score is None else v.score for v in said], np.float64)
    lacks = np.isnan(scores)
    scores[lacks] = 0.0 if lacks.all() else scores[~lacks].min() - 1
    return VerdictTable(standing, scores, tuple(v.why for v in said), bool(lacks.all()))


def _units(gathered: Candidates) -> list[tuple[int, int]]:
    """Ranges of items with about UNIT answers each."""
    first = np.searchsorted(gathered.item, np.arange(gathered.items + 1))
    cuts = [0]
    for item in range(1, gathered.items + 1):
        if first[item] - first[cuts[-1]] >= UNIT or item == gathered.items:
            cuts.append(item)
    return list(itertools.pairwise(cuts))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _table(task: GenerationTask, benches: Sequence[Bench]) -> Any:
    """A data frame with a row for each answer: whether it is right, and every verdict on it."""
    import polars as pl

    names = tuple(dict.fromkeys(name for b in benches for name in b.verdicts))
    frames = []
    for b in benches:
        a = b.answers
        columns: dict[str, Any] = {
            "item": [task.ids[i] for i in a.item],
            "prompt": [task.prompts[i] for i in a.item],
            "model": [a.supervisors[j] for j in a.supervisor],
            "draw": a.sample,
            "answer": list(a.texts),
            "logprob": [None if np.isnan(x) else float(x) for x in a.logprob],
            "correct": b.right,
            "shown": b.shown if b.shown is not None else [None] * len(b.right),
            "cut": b.cut if b.cut is not None else [None] * len(b.right),
        }
        for name in names:
            columns |= {
                f"{name}": [SOUNDNESS[s] for s in b.verdicts[name].standing.tolist()],
                f"{name}_why": list(b.verdicts[name].why),
            }
        schema = {
            "logprob": pl.Float64,
            "correct": pl.Boolean,
            "shown": pl.Boolean,
            "cut": pl.Boolean,
            **{name: pl.Boolean for name in names},
        }
        frames.append(pl.DataFrame(columns, schema_overrides=schema))
    return pl.concat(frames)


def _versions() -> dict[str, str]:
    return {"outgrow": version("outgrow"), "python": platform.python_version(), "numpy": version("numpy")}
