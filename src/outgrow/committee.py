"""Committees: several answers of weak models to every item, a verifier that picks one, and what that is worth against gold.

    task -> answers of weak and strong models -> verdicts -> choices among k of them -> figures, gold opened by them alone -> report

Who chooses sees the answers and what `shown` says of an item; `scored.py` compares with gold what was chosen.
"""

from __future__ import annotations

import itertools
import json
import math
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow import candidates, progress, scored, verifiers
from outgrow.candidates import Candidates, choice
from outgrow.candidates.choice import SOUND, UNSOUND, UNTOLD, Verdicts
from outgrow.errors import UserError, unknown
from outgrow.measures import coverage
from outgrow.measures.coverage import Figure, Resampled
from outgrow.rng import derive, hashed
from outgrow.store import Store, disk
from outgrow.tasks import answered, writing
from outgrow.tasks.table import READERS, read_file
from outgrow.tasks.writing import Columns, Writing, WritingGold
from outgrow.verifiers import Asked, Verdict

VERSION = 1
"""Goes up when the same answers would be checked in another way."""
UNIT = 256
"""Answers that are checked, and kept, together, whole items at a time."""
STANDING = {True: SOUND, None: UNTOLD, False: UNSOUND}
SOUNDNESS = {standing: sound for sound, standing in STANDING.items()}
SAID = {SOUND: "sound", UNTOLD: "cannot tell", UNSOUND: "unsound"}
TOGETHER = 1 << 21
"""Places in sets of answers that are chosen from at a time."""
TIE = "of equally common answers those of the model named first, else of the next, then any alike"


@final
@dataclass(frozen=True)
class Cost:
    """What a part of the work took, whenever it was done."""

    what: str
    answers: int
    tokens: int | None = None
    """Of answers; None where nobody counted."""
    seconds: float | None = None
    flops: float | None = None
    """2 x parameters x tokens of the answers; None where the model is not known."""


@final
@dataclass(frozen=True)
class Bench:
    """Answers to the items, what is true of them, and what verifiers say."""

    who: str
    """"weak" or "strong"."""
    answers: Candidates
    right: np.ndarray
    """(A,) bool: by gold."""
    shown: np.ndarray | None
    """(A,) bool: by the task's own check of what is shown; None where it has none."""
    verdicts: dict[str, Verdicts]
    cost: tuple[Cost, ...]


@final
@dataclass(frozen=True)
class Result:
    """What a committee came to."""

    facts: dict[str, Any]
    """What committee.json holds."""
    folder: Path
    page: Path
    table: Any = field(repr=False)
    """A row an answer (polars)."""


def committee(
    source: str, *, weak: Sequence[str] = (), strong: str | None = None, draws: int = 8, verifier: Sequence[str] = (), judge: str | None = None,
    items: int | None = None, temperature: float = 1.0, answers: Sequence[str] = (), columns: Columns | None = None, rounds: int = 0, seed: int = 0,
    out: Path | None = None, store: Store | None = None,
) -> Result:  # fmt: skip
    """Run a committee on a task, or on answers that were recorded, and write committee.json, answers.parquet and committee.html.

    Raises UserError, one line, for what the user can mend.
    """
    from outgrow.report import committee as page

    if draws < 1:
        raise UserError(f"--draws {draws}: give a number above 0")
    if temperature < 0:
        raise UserError(f"--temperature {temperature}: give 0 or more")
    known = verifiers.registry()
    for name in verifier:
        if name not in known:
            raise unknown("verifier", name, known)
    store = store or Store.default()
    recorded = _recorded(source, weak, strong, answers, columns)
    if recorded is not None:
        task, gold = recorded.task, recorded.gold
        given = {"weak": (recorded.models, recorded.answers, None, ())}
    else:
        if not weak and not strong:
            raise UserError("who answers? Name models with --weak or --strong, or give a table of recorded answers")
        task, gold = writing.load(source, items, seed, columns)
        sides = {"weak": list(weak), "strong": [strong] if strong else []}
        given = {who: _drawn(names, task, draws, temperature, seed, store) for who, names in sides.items() if names}
    names = tuple(dict.fromkeys(verifier or ([task.verifier] if task.verifier else [])))
    judging = [name for name in names if "model" in known[name].needs]
    judge = judge or next(iter(weak), None)
    if judging and judge is None:
        raise UserError(f"verifier {judging[0]!r} asks a model: name it with --judge")
    benches = [
        _bench(who, task, gold, models, texts, logprobs, costs, names, judge, store, recorded.correct if recorded else None)
        for who, (models, texts, logprobs, costs) in given.items()
    ]
    asked = {"source": source, "weak": list(weak), "strong": strong, "draws": draws, "verifiers": list(names), "judge": judge if judging else None}
    facts = facts_of(task, benches, seed)
    if rounds:
        facts["rounds"] = _improved(task, gold, recorded is None and list(weak), names, rounds, draws, temperature, seed, store)
    facts = {**facts, "asked": {**asked, "items": items, "temperature": temperature, "seed": seed}, "versions": _versions()}
    folder = Path(out) if out is not None else Path("runs") / f"committee-{Path(task.name).stem.replace(':', '-')}"
    table = _table(task, benches)
    disk.folder(folder)
    with disk.guarded(folder):
        (folder / "committee.json").write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        table.write_parquet(folder / "answers.parquet")
        (folder / "committee.html").write_text(page.render(facts), encoding="utf-8")
    return Result(facts, folder, folder / "committee.html", table)


@final
@dataclass(frozen=True)
class Several:
    """Committees side by side."""

    facts: tuple[dict[str, Any], ...]
    page: Path


def committees(sources: Sequence[str], *, out: Path | None = None, **asked: Any) -> Several:
    """One committee as `committee` runs it; of several sources each in a folder of its own, and one page with one picture of all.

    A source that is the folder of a finished committee is read. Raises UserError, one line, for what the user can mend.
    """
    from outgrow.report import committee as page

    if len(sources) == 1 and not Path(sources[0]).is_dir():
        found = committee(sources[0], out=out, **asked)
        return Several((found.facts,), found.page)
    folder = Path(out) if out is not None else Path("runs") / "committees"
    every = []
    for source in sources:
        if not Path(source).is_dir():
            every.append(committee(source, out=folder / Path(source).stem.replace(":", "-"), **asked).facts)
            continue
        try:
            every.append(json.loads((Path(source) / "committee.json").read_text(encoding="utf-8")))
        except (OSError, ValueError):
            raise UserError(f"{source} holds no committee.json: name a folder that `outgrow committee` wrote, or a task") from None
    disk.folder(folder)
    with disk.guarded(folder):
        (folder / "committees.html").write_text(page.render_several(every), encoding="utf-8")
    return Several(tuple(every), folder / "committees.html")


def _recorded(source: str, weak: Sequence[str], strong: str | None, names: Sequence[str], columns: Columns | None) -> answered.Answered | None:
    """The recorded answers in a table; None where `source` is a task."""
    if Path(source).suffix.lower() not in READERS:
        if names:
            raise UserError(f"--answers names columns of a table, and {source!r} is none: give a .parquet, .csv or .jsonl file")
        return None
    table = read_file(Path(source).expanduser())
    if not names and (weak or strong or not answered.is_long(table)):
        return None
    if weak or strong:
        raise UserError("--answers are there already: leave --weak and --strong out")
    return answered.wide(table, names, columns or Columns()) if names else answered.long(table, columns or Columns())


def _drawn(names: Sequence[str], task: Writing, draws: int, temperature: float, seed: int, store: Store) -> tuple:
    """Answers of models to the items: names, texts [j][i][k], log-probabilities, costs."""
    from outgrow import generation
    from outgrow.generation import Sampling, answers

    how = Sampling(tokens=task.tokens, temperature=temperature, stop=task.stop, chat=task.chat)
    texts, logprobs, costs = [], [], []
    for name in names:
        model = generation.named(name, store)
        drawn = answers.draw(model, task.prompts, draws, how, seed, store)
        texts.append([[a.text for a in row] for row in drawn.answers])
        logprobs.append([[float(np.sum(a.logprobs)) if a.logprobs else np.nan for a in row] for row in drawn.answers])
        parameters = getattr(getattr(model, "model", None), "parameters", None)
        flops = 2.0 * parameters * drawn.tokens if parameters else None
        costs.append(Cost(f"{name} writes", draws * len(task), drawn.tokens, drawn.seconds, flops))
    return tuple(names), texts, logprobs, tuple(costs)


def _improved(
    task: Writing, gold: WritingGold, weak: list[str] | bool, names: Sequence[str], rounds: int, draws: int, temperature: float, seed: int, store: Store
) -> list[dict[str, Any]]:
    from outgrow import generation, improving

    model = getattr(generation.named(weak[0], store), "model", None) if weak and len(weak) == 1 else None
    if model is None or not names:
        raise UserError("--rounds tunes one model on answers that a verifier keeps: name one --weak of this machine, and a --verifier")
    found, groups = improving.improve(task, gold, model, names[0], rounds=rounds, draws=draws, temperature=temperature, seed=seed, store=store)
    return improving.facts_of(found, groups, seed)


def _bench(
    who: str, task: Writing, gold: WritingGold, models: Sequence[str], texts: list, logprobs: list | None, costs: Sequence[Cost],
    names: Sequence[str], judge: str | None, store: Store, correct: list | None,
) -> Bench:  # fmt: skip
    gathered = candidates.gather(texts, models, task.form, logprobs)
    prompts = [task.prompts[i] for i in gathered.item]
    if correct is not None:
        right = np.array([correct[j][i][k] for i, j, k in zip(gathered.item, gathered.supervisor, gathered.draw, strict=True)], bool)
    else:
        right = _right(task.scorer, prompts, gathered.texts, [gold.keys[i] for i in gathered.item], store)
    verdicts, costs = {}, list(costs)
    combine = [name for name in names if "verdicts" in verifiers.registry()[name].needs]
    for name in dict.fromkeys((*(n for n in names if n not in combine), *([task.verifier] if task.verifier else []))):
        verdicts[name], seconds = verdicts_of(name, task, gathered, judge, store)
        costs.append(Cost(f"{name} checks", len(gathered.item), seconds=seconds))
    for name in combine:
        others = {other: verdicts[other] for other in names if other not in combine}
        verdicts[name] = _combined(name, task, gathered, others)
    shown = verdicts[task.verifier].standing == SOUND if task.verifier else None
    return Bench(who, gathered, right, shown, {name: verdicts[name] for name in names}, tuple(costs))


def _right(scorer: str, prompts: Sequence[str], texts: Sequence[str], keys: Sequence[Any], store: Store) -> np.ndarray:
    """(A,) bool by gold, each different answer once; checks that run code are kept, like verdicts."""
    if scorer not in verifiers.registry():
        return scored.right(scorer, prompts, texts, keys)
    made = {"version": VERSION, "checks": _checks(), "scorer": scorer}
    found = []
    with progress.track(f"comparing with gold by {scorer}", len(texts)) as bar:
        for start in range(0, len(texts), UNIT):
            part = slice(start, start + UNIT)
            rows = list(zip(prompts[part], texts[part], map(_text, keys[part]), strict=True))
            different = list(dict.fromkeys(rows))
            first = {row: start + at for at, row in reversed(list(enumerate(rows)))}
            at = [first[row] for row in different]

            def build(at: list[int] = at) -> tuple[dict, dict]:
                right = scored.right(scorer, [prompts[i] for i in at], [texts[i] for i in at], [keys[i] for i in at])
                return {"right": right}, {}

            right = store.make("scored", {**made, "rows": hashed(*(part for row in different for part in row))}, build).arrays["right"]
            number = {row: n for n, row in enumerate(different)}
            found.append(right[[number[row] for row in rows]])
            bar.advance(len(rows))
    return np.concatenate(found)


def verdicts_of(name: str, task: Writing, gathered: Candidates, judge: str | None, store: Store) -> tuple[Verdicts, float]:
    """What a verifier says of every answer, and the seconds it took whenever that was; kept in the store unit by unit."""
    from outgrow import generation

    check = verifiers.registry()[name]
    made: dict[str, Any] = {"version": VERSION, "checks": _checks(), "verifier": name}
    given: dict[str, Any] = {}
    if "model" in check.needs:
        given["model"] = generation.named(judge, store)
        made |= {"judge": given["model"].digest, "engine": given["model"].engine}
    said: list[Verdict] = []
    seconds = 0.0
    with progress.track(f"{name} checks answers", len(gathered.item)) as bar:
        for low, high in _units(gathered):
            asked = _asked(task, gathered, range(*np.searchsorted(gathered.item, [low, high])))

            def build(asked: list[Asked] = asked) -> tuple[dict, dict]:
                began = time.monotonic()
                found = check.run(asked, **given)
                return {}, {"said": [(v.sound, v.why, v.score) for v in found], "seconds": time.monotonic() - began}

            what = hashed(*(part for one in asked for part in (one.prompt, one.answer, _text(one.shown))))
            kept = store.make("verdicts", {**made, "asked": what}, build).meta
            said += [Verdict(*one) for one in kept["said"]]
            seconds += kept["seconds"]
            bar.advance(len(asked))
    return _noted(said), seconds


def _combined(name: str, task: Writing, gathered: Candidates, others: dict[str, Verdicts]) -> Verdicts:
    """What a verifier makes of what others said of all answers."""
    said = {
        other: [Verdict(SOUNDNESS[int(standing)], score=None if given.silent else float(score)) for standing, score in zip(given.standing, given.score, strict=True)]
        for other, given in others.items()
    }
    return _noted(verifiers.registry()[name].run(_asked(task, gathered, range(len(gathered.item))), said))


def _asked(task: Writing, gathered: Candidates, rows: Iterable[int]) -> list[Asked]:
    return [Asked(task.prompts[gathered.item[r]], gathered.texts[r], task.shown[gathered.item[r]]) for r in rows]


def _noted(said: Sequence[Verdict]) -> Verdicts:
    """Verdicts as arrays; those without a score stand below all that have one."""
    standing = np.array([STANDING[v.sound] for v in said], np.int8)
    scores = np.array([np.nan if v.score is None else v.score for v in said], np.float64)
    lacks = np.isnan(scores)
    scores[lacks] = 0.0 if lacks.all() else scores[~lacks].min() - 1
    return Verdicts(standing, scores, tuple(v.why for v in said), bool(lacks.all()))


def _units(gathered: Candidates) -> list[tuple[int, int]]:
    """Ranges of items with about UNIT answers each."""
    first = np.searchsorted(gathered.item, np.arange(gathered.items + 1))
    cuts = [0]
    for item in range(1, gathered.items + 1):
        if first[item] - first[cuts[-1]] >= UNIT or item == gathered.items:
            cuts.append(item)
    return list(itertools.pairwise(cuts))


def _checks() -> str:
    """Pins the code of all verifiers: one that has changed is asked again."""
    return hashed(*(path.read_text(encoding="utf-8") for path in sorted(Path(verifiers.__file__).parent.glob("*.py"))))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


@final
@dataclass(frozen=True)
class Curve:
    """What a choice earns at k, an item at a time."""

    choice: str
    verifier: str | None
    k: int
    right: np.ndarray
    """(N,) expected, by gold."""
    shown: np.ndarray | None
    """(N,) by the task's own check."""


def curves(bench: Bench, seed: int) -> list[Curve]:
    """Every choice among k of the answers to an item, k = 1, 2, 4, ...; an item with fewer answers gives all it has."""
    answers = bench.answers
    sizes = np.bincount(answers.item, minlength=answers.items)
    starts = np.searchsorted(answers.item, np.arange(answers.items))
    names = [("single", None), ("majority", None), *((how, v) for v in bench.verdicts for how in ("verified", "voted")), ("coverage", None)]
    truths = np.stack([bench.right] + ([bench.shown] if bench.shown is not None else [])).astype(np.float64)
    ladder = coverage.ladder(int(sizes.max()))
    value = np.zeros((len(ladder), len(names), len(truths), answers.items))
    with progress.track("choosing", answers.items * len(ladder)) as bar:
        for step, k in enumerate(ladder):
            for n in sorted(set(sizes.tolist()) - {0}):
                among = coverage.subsets(n, min(k, n), derive(seed, "sets", k, n))
                items = np.flatnonzero(sizes == n)
                for part in np.array_split(items, math.ceil(len(items) * among.size / TOGETHER)):
                    rows = starts[part][:, None] + np.arange(n)
                    form, supervisor = answers.form[rows], answers.supervisor[rows]
                    picks = [choice.majority(among, form, supervisor)]
                    for verdicts in bench.verdicts.values():
                        mine = verdicts.at(rows)
                        picks += [choice.verified(among, mine, form, supervisor), choice.voted(among, mine, form, supervisor)]
                    for c, pick in enumerate(picks, 1):
                        value[step, c][:, part] = np.einsum("mn,tmn->tm", pick.mean(1), truths[:, rows])
                    # These two are exact without sets.
                    value[step, 0][:, part] = truths[:, rows].mean(-1)
                    value[step, -1][:, part] = coverage.pass_at_k(n, truths[:, rows].sum(-1).astype(int), min(k, n))
                    bar.advance(len(part))
    return [
        Curve(how, v, k, value[step, c, 0], value[step, c, 1] if len(truths) > 1 else None)
        for step, k in enumerate(ladder)
        for c, (how, v) in enumerate(names)
    ]


def facts_of(task: Writing, benches: Sequence[Bench], seed: int) -> dict[str, Any]:
    """Everything committee.json says, from answers, verdicts and what gold says of them."""
    values: dict[str, np.ndarray] = {}
    found: list[tuple[str, Curve]] = []
    for bench in benches:
        for curve in curves(bench, seed):
            found.append((bench.who, curve))
            values[_key(bench.who, curve)] = curve.right
            if curve.shown is not None:
                values[_key(bench.who, curve) + "/shown"] = curve.shown
        for j, name in enumerate(bench.answers.supervisors):
            values[f"{bench.who}/member/{name}"] = _member(bench, j)
    resampled = coverage.resample(values, task.groups, derive(seed, "intervals"))
    main = benches[0]
    most = max(curve.k for who, curve in found if who == main.who)
    at = {c.choice: resampled.value[_key(main.who, c)] for who, c in found if who == main.who and c.k == most and c.verifier is None}
    return {
        "task": task.name, "of": task.source, "items": len(task), "groups": len(np.unique(task.groups)), "counts": dict(task.counts),
        "scorer": task.scorer, "own_check": task.verifier, "tie": TIE, "digest": task.digest,
        "most": most,
        "enough": {"coverage": at["coverage"], "single": at["single"], "least": coverage.COVERED, "times": coverage.TIMES, "holds": coverage.counts(at["single"], at["coverage"])},
        "figures": [
            {"who": who, "choice": c.choice, "verifier": c.verifier, "k": c.k, "right": _plain(resampled.figure(_key(who, c))),
             "shown": _plain(resampled.figure(_key(who, c) + "/shown")) if c.shown is not None else None}
            for who, c in found
        ],
        "gaps": [_gap(who, c, resampled) for who, c in found if c.choice != "single"],
        "members": [
            {"who": b.who, "name": name, "right": _plain(resampled.figure(f"{b.who}/member/{name}")), "answers": int((b.answers.supervisor == j).sum())}
            for b in benches for j, name in enumerate(b.answers.supervisors)
        ],
        "independent": _independent(main),
        "agreement": _agreement(main),
        "quality": [row for bench in benches for row in _quality(bench)],
        "cost": [{"who": b.who, **asdict(c), "seconds": round(c.seconds, 3) if c.seconds is not None else None} for b in benches for c in b.cost],
    }  # fmt: skip


def _key(who: str, curve: Curve) -> str:
    return f"{who}/{curve.choice}/{curve.verifier}/{curve.k}"


def _member(bench: Bench, supervisor: int) -> np.ndarray:
    """(N,) the mean score of one model's answers; its own mean where it gave none."""
    mine = bench.answers.supervisor == supervisor
    said = np.bincount(bench.answers.item[mine], minlength=bench.answers.items)
    right = np.bincount(bench.answers.item[mine], bench.right[mine], bench.answers.items)
    return np.divide(right, said, out=np.full(len(said), bench.right[mine].mean()), where=said > 0)


def _gap(who: str, curve: Curve, resampled: Resampled) -> dict[str, Any]:
    single, majority, covered = (f"{who}/{choice}/None/{curve.k}" for choice in ("single", "majority", "coverage"))
    return {
        "who": who, "choice": curve.choice, "verifier": curve.verifier, "k": curve.k,
        "gap": _plain(resampled.difference(_key(who, curve), single)),
        "relative": _plain(resampled.relative_gap(_key(who, curve), single)),
        "over_majority": _plain(resampled.difference(_key(who, curve), majority)),
        "left": _plain(resampled.difference(covered, _key(who, curve))),
    }  # fmt: skip


def _plain(figure: Figure) -> dict[str, Any]:
    return {"value": figure.value if np.isfinite(figure.value) else None, "ci": figure.ci}


def _independent(bench: Bench) -> float | None:
    """Coverage, were the errors of the members independent: 1 - prod (1 - a)^draws; None for one member."""
    counts = np.bincount(bench.answers.supervisor) / bench.answers.items
    if len(counts) < 2:
        return None
    accuracy = np.array([bench.right[bench.answers.supervisor == j].mean() for j in range(len(counts))])
    return float(1 - np.prod((1 - accuracy) ** counts))


def _agreement(bench: Bench) -> list[dict[str, Any]]:
    """How often the majority of all answers is right, by how many gave it."""
    answers, votes, right = bench.answers, [], []
    for i in range(answers.items):
        rows = answers.rows(i)
        form = answers.form[rows]
        if not len(form):
            continue
        pick = choice.majority(np.ones((1, len(form)), bool), form[None], answers.supervisor[rows][None])[0, 0]
        votes.append(int((form == form[pick.argmax()]).sum()) if form[pick.argmax()] >= 0 else 0)
        right.append(float(pick @ bench.right[rows]))
    votes, right = np.array(votes), np.array(right)
    return [{"votes": int(m), "items": int((votes == m).sum()), "right": float(right[votes == m].mean())} for m in sorted(set(votes.tolist()), reverse=True)]


def _quality(bench: Bench) -> list[dict[str, Any]]:
    """Of what a verifier says of answers: how many it says it of, and how often these are right."""
    return [
        {
            "who": bench.who, "verifier": name, "says": said, "answers": int(at.sum()), "share": float(at.mean()),
            "right": float(bench.right[at].mean()) if at.any() else None,
            "shown": float(bench.shown[at].mean()) if bench.shown is not None and at.any() else None,
        }
        for name, verdicts in bench.verdicts.items() for standing, said in SAID.items() for at in [verdicts.standing == standing]
    ]  # fmt: skip


def _table(task: Writing, benches: Sequence[Bench]) -> Any:
    """A row an answer, with what is true of it and what was said."""
    import polars as pl

    names = tuple(dict.fromkeys(name for b in benches for name in b.verdicts))
    frames = []
    for b in benches:
        a = b.answers
        columns: dict[str, Any] = {
            "item": [task.ids[i] for i in a.item], "prompt": [task.prompts[i] for i in a.item], "model": [a.supervisors[j] for j in a.supervisor],
            "draw": a.draw, "answer": list(a.texts), "logprob": [None if np.isnan(x) else float(x) for x in a.logprob], "correct": b.right,
            "shown": b.shown if b.shown is not None else [None] * len(b.right),
        }  # fmt: skip
        for name in names:
            columns |= {f"{name}": [SOUNDNESS[s] for s in b.verdicts[name].standing.tolist()], f"{name}_why": list(b.verdicts[name].why)}
        schema = {"logprob": pl.Float64, "correct": pl.Boolean, "shown": pl.Boolean, **{name: pl.Boolean for name in names}}
        frames.append(pl.DataFrame(columns, schema_overrides=schema))
    return pl.concat(frames)


def _versions() -> dict[str, str]:
    return {"outgrow": version("outgrow"), "python": platform.python_version(), "numpy": version("numpy")}
