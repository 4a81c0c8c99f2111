"""A study of answers in words: the stages of `study.py`, for tasks that are written instead of classified.

    task -> split -> supervisors -> their beams on the transfer half -> method -> a tuned student -> its answers to the test items -> measures

The floor is the supervisor's answers to the test items, the ceiling those of the same student tuned on the transfer half's gold.
Every trained model, every set of answers and every row of a replicate is an artifact in the store, so a killed study goes on where it
was. A replicate's models are let go of once all its answers are there: they are large, and nothing asks for them again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow import models, progress, report, results, scored, sequences, verifiers
from outgrow.errors import UserError, unknown
from outgrow.generation import Answer, Sampling
from outgrow.measures import written as scorers
from outgrow.measures.accuracy import Score
from outgrow.measures.controls import Verdict
from outgrow.measures.intervals import Table, shared_pool
from outgrow.measures.pgr import summarise
from outgrow.measures.power import power
from outgrow.models import Model
from outgrow.report.runs import safe
from outgrow.rng import derive, hashed
from outgrow.sequences import WeakAnswers
from outgrow.sequences._writers import Student, Writers, epochs, training_seed
from outgrow.split import draw
from outgrow.store import Store
from outgrow.study import Result
from outgrow.tasks import writing
from outgrow.tasks.reading import Reading
from outgrow.tasks.structured import LAYOUTS
from outgrow.tasks.writing import Writing, WritingGold
from outgrow.verifiers import Asked
from outgrow.verifiers import Verdict as Checked

CODE = ("split.py", "written.py", "sequences/__init__.py", "sequences/_writers.py", "sequences/naive.py")
"""What every row depends on beside its method's own file, the models and the answers, which carry their own versions."""
WIDTH = 5
"""Beams of a supervisor (Cui et al. 2025, section 4)."""
SHOTS = 8
"""Gold examples before the prompt of a supervisor that is shown some."""
SKILL = 64
"""Weak-train items on which several supervisors are compared."""
KINDS = ("lora", "full")
COMMON = 20
"""Commonest gold answers that a constant answer is chosen from."""


@final
@dataclass(frozen=True)
class Supervisor:
    """A weak model that answers."""

    name: str
    model: Model
    before: Model
    """Its checkpoint before it learned from gold."""
    prefix: str
    """What stands before every prompt: examples, of a supervisor that is shown some instead of learning from them."""

    def ask(self, prompts: Sequence[str]) -> list[str]:
        return [self.prefix + prompt for prompt in prompts]


@final
class Executor:
    """Whether answers to transfer items are right, by gold, each asked for at a counted price."""

    def __init__(self, right: Callable[[Sequence[int], Sequence[str]], np.ndarray]):
        self._right = right
        self._asked: set[tuple[int, str]] = set()

    def __call__(self, items: Sequence[int], texts: Sequence[str]) -> np.ndarray:
        """(answers,) bool for answers to transfer items by their numbers."""
        self._asked |= set(zip(items, texts, strict=True))
        return self._right(items, texts)

    @property
    def spent(self) -> int:
        """Verdicts asked for."""
        return len(self._asked)


@final
@dataclass(frozen=True)
class Replicate:
    """One replicate of one (task, supervisors, student), everything made on first use. Gold is in here: no method gets it."""

    task: Writing
    gold: WritingGold
    weak_name: str
    strong: Model
    number: int
    seed: int
    weak_gold: int | None
    kind: str
    writers: Writers
    bases: tuple[tuple[str, Model, bool], ...]
    """Of each supervisor its name, its checkpoint, and whether it is shown examples instead of being tuned on gold."""
    made_of: Mapping[str, Any]

    @cached_property
    def halves(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Item numbers of weak-train, transfer and test."""
        splits = draw(self.task, self.seed, [self.number])  # type: ignore[arg-type]
        weak, transfer, test = (np.flatnonzero(mask[0]) for mask in (splits.weak_train, splits.transfer, splits.test))
        return weak, transfer, test

    @cached_property
    def known(self) -> np.ndarray:
        """The weak-train items whose gold the supervisors learn from: whole groups, smaller sets inside larger ones."""
        weak = self.halves[0]
        if self.weak_gold is None:
            return weak
        groups = self.task.groups[weak]
        order = derive(self.seed, self.task.name, "few", self.number).permutation(np.unique(groups))
        sizes = np.array([(groups == group).sum() for group in order])
        return weak[np.isin(groups, order[: int(np.searchsorted(np.cumsum(sizes), self.weak_gold)) + 1])]

    def prompts(self, items: np.ndarray) -> tuple[str, ...]:
        return tuple(self.task.prompts[i] for i in items)

    @cached_property
    def supervisors(self) -> tuple[Supervisor, ...]:
        """Each tuned on the gold of `known`, or shown some of it."""
        from outgrow.generation.tuning import Example, tune

        made = []
        for name, base, shown in self.bases:
            if shown:
                few = derive(self.seed, self.task.name, "shots", self.number).permutation(self.known)[:SHOTS]
                prefix = "".join(f"{self.task.prompts[i]}{self.gold.answers[i]}\n\n" for i in few)
                made.append(Supervisor(name, base, base, prefix))
                continue
            examples = [Example(self.task.prompts[i], self.gold.answers[i]) for i in self.known]
            seed = self._seed("supervisor", name)
            passes = epochs(sum(len(one.prompt) + len(one.answer) for one in examples))
            tuned = tune(base, examples, kind=self.kind, seed=seed, store=self.writers.store, chat=self.task.chat, epochs=passes)
            made.append(Supervisor(name, tuned, base, ""))
        return tuple(made)

    @cached_property
    def skill(self) -> np.ndarray:
        """(J,) of several: what each earns on weak-train items whose gold it has not seen; ones where there is none such."""
        if len(self.bases) == 1:
            return np.ones(1)
        fresh = np.setdiff1d(self.halves[0], self.known)[:SKILL]
        if not len(fresh):
            return np.ones(len(self.bases))
        answers = [self.writers.likeliest(s.model, s.ask(self.prompts(fresh))) for s in self.supervisors]
        return np.array([next(iter(scores(self.task, self.gold, fresh, [row]).values())).value for row in answers])

    @cached_property
    def weak(self) -> WeakAnswers:
        """What the supervisors write to the transfer items."""
        prompts = self.prompts(self.halves[1])
        beams = tuple(tuple(self.writers.beams(s.model, s.ask(prompts), WIDTH)) for s in self.supervisors)

        def score(items: Sequence[int], texts: Sequence[str]) -> np.ndarray:
            asked = [prompts[i] for i in items]
            return np.stack([self.writers.score(s.model, s.ask(asked), texts) for s in self.supervisors])

        return WeakAnswers(prompts, tuple(s.name for s in self.supervisors), beams, self.skill, score)

    def _seed(self, *names: str) -> int:
        return training_seed(self.seed, self.task.name, *names, self.number)

    @property
    def seeds(self) -> set[int]:
        """Of all trainings of this replicate."""
        return {self._seed("student"), *(self._seed("supervisor", name) for name, _, _ in self.bases)}

    @property
    def committee(self) -> WeakAnswers | None:
        return self.weak if len(self.bases) > 1 else None

    @property
    def aligned(self) -> tuple[Model, Model] | None:
        """The best supervisor's checkpoint after and before it was tuned, where it and the student have the same vocabulary."""
        one = self.supervisors[int(self.skill.argmax())]
        same = self.writers(one.before).vocabulary == self.writers(self.strong).vocabulary
        return (one.model, one.before) if same and one.model is not one.before else None

    @property
    def bridge(self) -> Callable[[int, Sequence[int], Sequence[str]], list[np.ndarray]]:
        """What a supervisor says of the tokens of answers to transfer items, as the student cuts them: p (T,) each."""
        from outgrow.generation.bridge import across

        prompts = self.weak.prompts

        def over(j: int, items: Sequence[int], texts: Sequence[str]) -> list[np.ndarray]:
            one, asked = self.supervisors[j], [prompts[i] for i in items]
            said, own = self.writers.each(one.model, one.ask(asked), texts), self.writers.each(self.strong, asked, texts)
            weak, strong = self.writers(one.model), self.writers(self.strong)
            return [np.exp(across(text, weak, a[:-1], strong, b[:-1])) for text, a, b in zip(texts, said, own, strict=True)]

        return over

    @cached_property
    def student(self) -> Student:
        return Student(self.strong, self.prompts(self.halves[1]), self.kind, self._seed("student"), self.writers)

    @property
    def verify(self) -> Callable[[Sequence[int], Sequence[str]], list[Checked]] | None:
        """The task's own check of answers to transfer items; None where it has none."""
        found = verifiers.registry().get(self.task.verifier)
        transfer = self.halves[1]
        if found is None:
            return None

        def check(items: Sequence[int], texts: Sequence[str]) -> list[Checked]:
            rows = [int(transfer[i]) for i in items]
            return found.run([Asked(self.task.prompts[i], text, self.task.shown[i]) for i, text in zip(rows, texts, strict=True)])

        return check

    @cached_property
    def executor(self) -> Executor:
        transfer = self.halves[1]

        def right(items: Sequence[int], texts: Sequence[str]) -> np.ndarray:
            rows = [int(transfer[i]) for i in items]
            return scored.right(self.task.scorer, [self.task.prompts[i] for i in rows], texts, [self.gold.keys[i] for i in rows])

        return Executor(right)

    def tested(self, model: Model) -> list[str]:
        """A model's answers to the test items."""
        return self.writers.likeliest(model, self.prompts(self.halves[2]))

    def told(self, answers: Sequence[str]) -> WeakAnswers:
        """These answers to the transfer items in the place of the supervisors'."""
        beams = tuple((Answer(text, (), (), "stop", 0),) for text in answers)
        return replace(self.weak, names=("given",), beams=(beams,), skill=np.ones(1))


def floor(replicate: Replicate) -> list[str]:
    """The answers of the supervisor that is best on weak-train."""
    return supervisor(replicate, int(replicate.skill.argmax()))


def supervisor(replicate: Replicate, j: int) -> list[str]:
    """The answers of supervisor j."""
    one = replicate.supervisors[j]
    return replicate.writers.likeliest(one.model, one.ask(replicate.prompts(replicate.halves[2])))


def ceiling(replicate: Replicate) -> Model:
    """The student tuned on the transfer half's gold."""
    return on_gold(replicate, replicate.halves[1])


def gold_few(replicate: Replicate) -> Model | None:
    """The student tuned on the gold that the supervisors learned from; None where a supervisor is just that."""
    tuned = {base.digest for _, base, shown in replicate.bases if not shown}
    return None if replicate.strong.digest in tuned else on_gold(replicate, replicate.known)


def on_gold(replicate: Replicate, items: np.ndarray) -> Model:
    from outgrow.generation.tuning import Example

    examples = [Example(replicate.task.prompts[i], replicate.gold.answers[i]) for i in items]
    return replicate.student.tune(examples)


def untrained(replicate: Replicate) -> Model:
    """The student before any training."""
    return replicate.strong


def shuffled(replicate: Replicate) -> Model:
    """Naive on answers that are dealt out to the wrong items: nothing about an item can be learned."""
    order = derive(replicate.seed, replicate.task.name, "shuffled", replicate.number).permutation(len(replicate.weak.best))
    return _naive(replicate, [replicate.weak.best[i].text for i in order])


def gold_naive(replicate: Replicate) -> Model:
    """Gold in the place of weak answers, through naive: the ceiling, to the letter."""
    return _naive(replicate, [replicate.gold.answers[i] for i in replicate.halves[1]])


def _naive(replicate: Replicate, answers: Sequence[str]) -> Model:
    return sequences.find("naive").run(replicate.told(answers), replicate.student)


CONTROLS = {"shuffled": shuffled, "gold-naive": gold_naive}
CONTRASTS = {"untrained": untrained, "gold-few": gold_few}


@final
@dataclass(frozen=True)
class Rows:
    """Everything one (task, supervisors, student) produced."""

    first: Replicate
    kinds: dict[str, str]
    answers: dict[str, list[list[str]]]
    """[replicate][test item] by row name."""
    costs: list[dict[str, Any]]
    bought: dict[str, float]
    """Verdicts of the executor that a method asked for, mean over replicates."""
    left_out: dict[str, list[str]]
    sizes: tuple[float, float]
    """Mean items that the supervisors learn from, and of transfer."""
    halves: tuple[float, float]


@final
@dataclass(frozen=True, kw_only=True)
class Written:
    """What to run, in the words of `Study`; `run()` goes on where an earlier run of the same study stopped."""

    tasks: Sequence[str]
    weak: Sequence[str] = ("smollm2-135m",)
    """Supervisors: a model that is tuned on weak-train gold, or shots:MODEL, which is shown some of it; a+b: together."""
    strong: str | Sequence[str] = "smollm2-135m"
    methods: Sequence[str] = ()
    seeds: int = 4
    seed: int = 0
    weak_gold: int | None = None
    student: str = "lora"
    reading: Reading = field(default_factory=Reading)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    out: Path | None = None

    def run(self) -> Result:
        """Compute what is missing, write the run folder, return the result. Raises UserError for what the user can mend."""
        chosen = self._methods()
        if not 1 <= self.seeds <= 1000:
            raise UserError(f"seeds = {self.seeds}: give 1 to 1000 replicates")
        if self.weak_gold is not None and self.weak_gold < 2:
            raise UserError(f"weak gold = {self.weak_gold}: a supervisor needs at least 2 gold items")
        if self.student not in KINDS:
            raise unknown("kind of student that writes", self.student, KINDS)
        for name in (*self._strong(), *(base for weak in self.weak for _, base, _ in parse(weak))):
            models.check(name)
        began = time.time()
        store = Store.default()
        loaded = [load(name, self.reading, self.seed) for name in self.tasks]
        out = self.folder()
        results.claim(out)
        done = [
            self._rows(task, gold, weak, models.resolve(strong, store), store, chosen)
            for task, gold in loaded for strong in self._strong() for weak in self.weak
        ]  # fmt: skip
        write(out, self, chosen, done, began)
        return Result(out)

    def folder(self) -> Path:
        """Where the results go: `out`, or a name made from what is asked."""
        if self.out is not None:
            return Path(self.out)
        words = ["+".join(Path(name).stem if "." in name else name for name in self.tasks), "+".join(self.weak), "+".join(self._strong())]
        tag = hashed(json.dumps(self.asked() | {"out": None}, sort_keys=True, default=str))[:6]
        return Path("runs") / "-".join([*(safe(word) for word in words), tag])

    def asked(self) -> dict[str, Any]:
        """The arguments as plain data."""
        plain = asdict(self) | {"out": self.out and str(self.out), "strong": self._strong()}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}

    def _strong(self) -> list[str]:
        return [self.strong] if isinstance(self.strong, str) else list(self.strong)

    def _methods(self) -> dict[str, dict[str, Any]]:
        known = sequences.registry()
        names = [n for name in self.methods for n in (known if name == "all" else [name])] or [n for n in known if known[n].usual]
        for name in self.parameters:
            sequences.find(name)
        chosen = {name: sequences.find(name).configured(dict(self.parameters.get(name, {}))) for name in names}
        return {"naive": {}} | chosen

    def _rows(self, task: Writing, gold: WritingGold, weak: str, strong: Model, store: Store, chosen: dict[str, dict]) -> Rows:
        writers = Writers(store, Sampling(tokens=task.tokens, stop=task.stop, chat=task.chat))
        bases = tuple((name, models.resolve(base, store), shown) for name, base, shown in parse(weak))
        made_of = {
            "task": task.digest, "seed": self.seed, "weak": [(name, base.digest, shown) for name, base, shown in bases], "weak_gold": self.weak_gold,
            "strong": strong.digest, "student": self.student, "code": code(),
        }  # fmt: skip
        all_ = [
            Replicate(task, gold, weak, strong, r, self.seed, self.weak_gold, self.student, writers, bases, made_of | {"replicate": r})
            for r in range(self.seeds)
        ]
        jobs: dict[str, tuple[str, Callable[[Replicate], Any], dict[str, Any]]] = {"floor": ("floor", floor, {})}
        if len(bases) > 1:
            jobs |= {f"supervisor:{name}": ("contrast", partial(supervisor, j=j), {"supervisor": j}) for j, (name, _, _) in enumerate(bases)}
        jobs["ceiling"] = ("ceiling", ceiling, {})
        for name, parameters in chosen.items():
            found = sequences.find(name)
            jobs[name] = ("method", partial(found.fit, **parameters), {"parameters": parameters, "source": source(name)})
        jobs |= {name: ("control", build, {}) for name, build in CONTROLS.items()}
        jobs |= {name: ("contrast", build, {}) for name, build in CONTRASTS.items()}
        progress.say(_plan(all_[0], len(jobs), self.seeds))
        made: dict[str, list[dict[str, Any]]] = {name: [] for name in jobs}
        with progress.track(f"{task.name}, {weak} -> {strong.name}", len(jobs) * self.seeds) as bar:
            for replicate in all_:
                for name, (_, build, extra) in jobs.items():
                    made[name].append(_row(replicate, name, build, extra))
                    bar.advance()
                _let_go(replicate)
        return _gathered(all_, {name: kind for name, (kind, _, _) in jobs.items()}, made)


def parse(weak: str) -> list[tuple[str, str, bool]]:
    """Of each supervisor named in "a+b" its name, its model, and whether it is shown examples. Raises UserError, one line."""
    found = []
    for name in weak.split("+"):
        kind, colon, model = name.partition(":")
        if not (model or not colon) or not kind:
            raise UserError(f"supervisor {name!r}: give a model, or shots:MODEL")
        found.append((name, model, True) if colon and kind == "shots" else (name, name, False))
    return found


def load(name: str, reading: Reading, seed: int) -> tuple[Writing, WritingGold]:
    """The task of that name. Raises UserError, one line."""
    if reading.scorer is None:
        extra = [flag for flag in reading.given() if flag != "--items"]
        if extra:
            raise UserError(f"{extra[0]} is for tables; {name!r} is built in and takes --items only")
        return writing.load(name, reading.items, seed)
    scorers.metrics(reading.scorer)
    takes = {"--scorer", "--items"} | (set() if reading.scorer in LAYOUTS else {"--prompt", "--answer"})
    if extra := [flag for flag in reading.given() if flag not in takes]:
        raise UserError(f"{extra[0]} says nothing to --scorer {reading.scorer}: leave it out")
    asked = {"prompt": reading.prompt, "gold": reading.answer}
    columns = writing.Columns(scorer=reading.scorer, **{key: value for key, value in asked.items() if value is not None})
    return writing.load(name, reading.items, seed, columns)


def _plan(first: Replicate, rows: int, seeds: int) -> str:
    """What a study is about to do, in tokens, so that who waits can tell for how long."""
    weak, transfer, test = (len(half) for half in first.halves)
    letters = int(np.mean([len(p) + len(a) for p, a in zip(first.task.prompts, first.gold.answers, strict=True)]) * transfer)
    read = int(rows * seeds * epochs(letters) * letters / 4)
    return (
        f"{first.task.name}: {len(first.known)} of {weak} items teach the supervisor, {transfer} the student, {test} test both; about {rows} trainings a "
        f"replicate, {seeds} replicates, some {round(read, -3):,} tokens in all to learn from, and as many answers as {rows * seeds * test:,}"
    )


def _row(replicate: Replicate, name: str, build: Callable[[Replicate], Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """One artifact: the test answers of one row of one replicate."""

    def make() -> tuple[dict, dict]:
        began = time.perf_counter()
        spent = replicate.executor.spent
        built = build(replicate)
        if built is None:
            return {}, {"applies": False}
        answers = replicate.tested(built) if isinstance(built, Model) else built
        return {}, {"applies": True, "answers": answers, "seconds": time.perf_counter() - began, "bought": replicate.executor.spent - spent}

    return replicate.writers.store.make("written", {**replicate.made_of, "row": name, **extra}, make).meta


def _let_go(replicate: Replicate) -> None:
    """Removes the models that were trained for this replicate."""
    folder = replicate.writers.store.root / "tuned"
    for file in sorted(folder.glob("*/record.json")) if folder.is_dir() else ():
        made = json.loads(file.read_bytes())["made_of"]
        if made.get("seed") in replicate.seeds:
            replicate.writers.store.drop("tuned", made)


def _gathered(all_: Sequence[Replicate], kinds: dict[str, str], made: dict[str, list[dict[str, Any]]]) -> Rows:
    answers, costs, bought, left_out = {}, [], {}, {}
    for name, rows in made.items():
        if not all(row["applies"] for row in rows):
            if kinds[name] == "method":
                lacks = [need for need in sequences.find(name).resources if getattr(all_[0], need) is None]
                left_out[name] = [f"{need}: {sequences.RESOURCES[need]}" for need in lacks]
            continue
        answers[name] = [row["answers"] for row in rows]
        costs.append({"stage": "tuning and answers", "what": name, "seconds": sum(row["seconds"] for row in rows), "flops": None})
        if any(row["bought"] for row in rows):
            bought[name] = float(np.mean([row["bought"] for row in rows]))
    sizes, halves = (
        (float(np.mean([len(part(r)) for r in all_])), float(np.mean([len(r.halves[1]) for r in all_])))
        for part in (lambda r: r.known, lambda r: r.halves[0])
    )
    return Rows(all_[0], {name: kinds[name] for name in answers}, answers, costs, bought, left_out, sizes, halves)


def scores(task: Writing, gold: WritingGold, items: np.ndarray, answers: Sequence[Sequence[str]]) -> dict[str, Score]:
    """By metric what R x n answers to these items earn."""
    keys, groups = [gold.keys[i] for i in items], task.groups[items]
    if task.scorer in scorers.SCORERS:
        return scorers.scores(task.scorer, answers, keys, groups)
    prompts = [task.prompts[i] for i in items]
    right = np.array([scored.right(task.scorer, prompts, row, keys) for row in answers], np.float64)
    return {"accuracy": Score(right, np.ones(right.shape[1]), groups)}


def write(folder: Path, study: Written, chosen: dict[str, dict[str, Any]], done: Sequence[Rows], began: float) -> None:
    """Everything a run folder holds."""
    import polars as pl

    cells, summary, pairs = [], [], []
    for rows in done:
        by_row = {name: scores(rows.first.task, rows.first.gold, rows.first.halves[2], answers) for name, answers in rows.answers.items()}
        named = {"task": rows.first.task.name, "weak": rows.first.weak_name, "strong": rows.first.strong.name}
        kappa = shared_pool(*rows.halves)
        for metric in by_row["floor"]:
            scored_ = {name: of[metric] for name, of in by_row.items()}
            for name, score in scored_.items():
                cells.append(pl.DataFrame({
                    **named, "method": name, "kind": rows.kinds[name], "replicate": np.arange(len(score.values)), "n_test": len(score), "metric": metric,
                    "value": score.values, "floor": scored_["floor"].values, "ceiling": scored_["ceiling"].values,
                }))  # fmt: skip
            summary += [asdict(row) for row in summarise(scored_, rows.kinds, kappa, metric=metric, **named)]  # type: ignore[arg-type]
        main = {name: next(iter(of.values())) for name, of in by_row.items()}
        needed = power(Table.of({name: main[name] for name in ("floor", "ceiling")}, kappa))
        pairs.append({
            **named, "replicates": study.seeds, "n_weak_train": rows.sizes[0], "n_transfer": rows.sizes[1], "n_test": len(rows.first.halves[2]),
            "controls": [asdict(verdict) for verdict in _verdicts(rows, main, kappa)], "power": needed and asdict(needed), "bought": rows.bought,
            "left_out": [{"method": name, "lacks": lacks} for name, lacks in rows.left_out.items()],
        })  # fmt: skip
        _answers(folder, rows)
    costs = [{"task": r.first.task.name, "weak": r.first.weak_name, "strong": r.first.strong.name, **cost} for r in done for cost in r.costs]
    used = {model.name: model for r in done for model in (r.first.strong, *(base for _, base, _ in r.first.bases))}
    facts = {name: {key: getattr(model, key) for key in FACTS} for name, model in used.items()}
    about = {r.first.task.name: _about(r.first.task, r.first.gold) for r in done}
    details = {"pairs": pairs, "tasks": about, "models": facts, "methods": {name: _method(name, p) for name, p in chosen.items()}, "costs": costs}
    resolved = {
        "tasks": {r.first.task.name: r.first.task.digest for r in done}, "methods": chosen, "seeds": study.seeds, "seed": study.seed,
        "models": {name: model.digest for name, model in used.items()}, "code": code(),
    }  # fmt: skip
    results.save(folder / "cells.parquet", lambda at: pl.concat(cells).write_parquet(at))
    results.save_json(folder / "summary.json", summary)
    results.save_json(folder / "details.json", details)
    results.save_json(folder / "study.json", results.record(study.asked(), resolved, began, costs))
    report.write(folder)


FACTS = ("kind", "parameters", "width", "depth", "licence", "revision", "size_bytes", "digest")


def _verdicts(rows: Rows, main: Mapping[str, Score], kappa: float) -> list[Verdict]:
    """Answers dealt out to the wrong items teach nothing of any item; gold through naive is the ceiling."""
    table = Table.of(main, kappa)
    value, gold = (table.estimate(table.weights({name: 1})) for name in CONTROLS)
    blind = _blind(rows)
    known = value.ci is not None
    says = f"scores {value.value:.3f}; the best answer that is the same for all items {blind:.3f}"
    says += "" if known else ": no interval to judge by"
    same = rows.answers["gold-naive"] == rows.answers["ceiling"]
    return [
        Verdict("shuffled", "student of answers dealt out to the wrong items, against the best constant answer", value.value, value.ci, blind,
                value.ci[0] <= blind if value.ci else None, says),
        Verdict("gold-naive", "gold answers through naive, against the ceiling, letter by letter", gold.value, gold.ci, "the ceiling", same,
                "the same answers as the ceiling" if same else "answers differ from the ceiling's"),
    ]  # fmt: skip


def _blind(rows: Rows) -> float:
    """What the best of the commonest gold answers scores when it is given to every test item."""
    first = rows.first
    test = first.halves[2]
    told = [first.gold.answers[i] for i in first.halves[1]]
    common = sorted(set(told), key=lambda answer: (-told.count(answer), answer))[:COMMON]
    return max(next(iter(scores(first.task, first.gold, test, [[answer] * len(test)]).values())).value for answer in common)


def _answers(folder: Path, rows: Rows) -> None:
    """Per test item and replicate what each row answers, and gold beside it, so that anyone can recompute every figure."""
    import polars as pl

    task, gold, test = rows.first.task, rows.first.gold, rows.first.halves[2]
    base = folder / "predictions" / safe(task.name)
    place = base / safe(f"{rows.first.weak_name}--{rows.first.strong.name}")
    place.mkdir(parents=True, exist_ok=True)
    ids = [task.ids[i] for i in test]
    for name, answers in rows.answers.items():
        frame = pl.DataFrame({
            "id": ids * len(answers), "replicate": np.repeat(np.arange(len(answers), dtype=np.int32), len(ids)), "answer": [a for row in answers for a in row],
        })  # fmt: skip
        results.save(place / f"{safe(name)}.parquet", lambda at, frame=frame: frame.write_parquet(at))
    keys = [json.dumps(gold.keys[i]) for i in test]
    frame = pl.DataFrame({"id": ids, "answer": [gold.answers[i] for i in test], "key": keys, "group": task.groups[test]})
    results.save(base / "gold.parquet", lambda at: frame.write_parquet(at))


def _about(task: Writing, gold: WritingGold) -> dict[str, Any]:
    samples = [{"text": task.prompts[i], "gold": gold.answers[i]} for i in range(min(4, len(task)))]
    return {
        "kind": f"generate ({task.scorer})", "classes": [], "items": len(task), "groups": len(np.unique(task.groups)), "counts": dict(task.counts),
        "source": task.source, "samples": samples, "digest": task.digest,
    }  # fmt: skip


def _method(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    found = sequences.find(name)
    return {"line": found.line, "paper": found.paper, "differs": found.differs, "parameters": dict(parameters), "resources": list(found.resources)}


@cache
def code() -> str:
    """sha256 over the sources named in CODE."""
    here = Path(__file__).parent
    return hashlib.sha256(b"".join(part.encode() + b"\0" + (here / part).read_bytes() for part in CODE)).hexdigest()


def source(method: str) -> str:
    """sha256 of the file that holds a method."""
    import inspect

    file = inspect.getsourcefile(sequences.find(method).run)
    assert file is not None
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
