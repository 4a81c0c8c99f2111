"""A study: the only place where the stages meet.

    task -> split -> supervisors -> weak labels -> method -> predictions -> measures -> report

Every (pair, row, block of eight replicates) is one artifact in the store; what a run writes is derived from these, so
a study that was stopped goes on where it was and ends with the same bytes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow import label_models, methods, models, supervisors, tasks
from outgrow.core import progress
from outgrow.core.errors import UserError, unknown
from outgrow.core.fingerprint import fingerprint
from outgrow.label_models import WeakLabels
from outgrow.metrics.controls import CanaryResult
from outgrow.metrics.pgr import counted
from outgrow.models import scratch
from outgrow.pipeline import canary
from outgrow.pipeline.baselines import CONTRASTS, CONTROLS, CURVE, ceiling, floor, gold_curve
from outgrow.pipeline.pair import STUDENTS, Pair, Spaces, block_of
from outgrow.store import Store
from outgrow.supervisors.column import cast
from outgrow.tasks import Reading
from outgrow.tasks.splits import FEWEST, draw
from outgrow.tasks.task import Gold, Task
from outgrow.workflows.request import Request


@final
@dataclass(frozen=True)
class Block:
    """What one row of one block produced."""

    probs: np.ndarray
    """(replicates of a block, n_test, C) float32."""
    path: np.ndarray
    """(points, replicates of a block, n_test) uint8: the likeliest class at points of training; no points where nothing was trained."""
    meta: dict[str, Any]


@final
@dataclass(frozen=True)
class ClassRows:
    """Everything one (task, weak, strong) produced, all replicates together."""

    pair: Pair
    """Block 0, for what does not depend on the replicate."""
    kinds: dict[str, str]
    probs: dict[str, np.ndarray]
    """(R, n_test, C) by row name."""
    paths: dict[str, tuple[list[float], np.ndarray]]
    curve: dict[int, np.ndarray]
    settings: dict[str, list[dict[str, Any]]]
    costs: list[dict[str, Any]]
    sizes: tuple[float, float]
    """Mean items of weak-train and transfer."""
    left_out: dict[str, list[str]]
    """Methods that lack something, and what."""
    bought: dict[str, float]
    """Gold labels that a method bought, mean over replicates."""
    sung: dict[str, CanaryResult]
    """What the canary says of each method."""
    of: dict[str, str]
    """What the floor is, and who the best member."""
    bare: np.ndarray
    """(R, n_test, C) the floor, NaN where it is silent."""
    common: np.ndarray
    """(R,) the commonest class of the weak-train gold that is known."""


@final
@dataclass(frozen=True, kw_only=True)
class Study(Request):
    """What to run. `run()` goes on where an earlier run of the same study stopped."""

    tasks: Sequence[str] = ("cities",)
    seeds: int = 16
    student: str = "linear"
    """How the student learns: "linear" or "mlp", a head on frozen features without or with a hidden layer; "lora" or "full",
    the model itself, fine-tuned by low-rank updates or all of it."""
    label_model: str = "mean"
    """What makes one belief of several supervisors."""
    ladder: Sequence[str] = ()
    """Models between the supervisor and the student, the weakest first, for methods that climb."""
    auxiliary: Sequence[str] = ()
    """Other tasks whose gold methods may use."""

    WEAK = "minilm-l6"
    KNOWN = methods

    def run(self, overwrite: bool = False) -> Result:
        """Compute what is missing, write the run folder, return the result; `overwrite`: another result in it may go.

        Raises UserError for what the user can mend.
        """
        from outgrow import report
        from outgrow.audits import examine_all
        from outgrow.report.audit import keep
        from outgrow.runs import write
        from outgrow.runs.evidence import of_folder

        chosen = self.chosen()
        if self.student not in STUDENTS:
            raise unknown("kind of student", self.student, STUDENTS)
        label_models.find(self.label_model)
        if self.student != "linear" and (new := [name for name in self.students if scratch.named(name)]):
            raise UserError(
                f"student {self.student!r}: {new[0]} is trained from scratch whatever the kind of student: leave --student out"
            )
        named = [a for name in self.weak for kind, a in supervisors.parse(name) if kind.argument == "model"]
        for model in (*named, *self.students, *self.ladder):
            models.check(model)
        began = time.time()
        store = Store.default()
        loaded = [
            (task, gold, Spaces(task, store))
            for task, gold in (tasks.load(name, self._reading()) for name in self.tasks)
        ]
        others = tuple((task, gold, Spaces(task, store)) for task, gold in map(tasks.load, self.auxiliary))
        # What does not fit in a column of votes or a file of features is said before any model reads.
        for task, _, spaces in loaded:
            pool = ~draw(task, self.seed, range(1)).test[0]
            for name in self.weak:
                _enough(task, supervisors.spread(name, task), pool)
            for file in filter(models.files.named, (*named, *self.students, *self.ladder)):
                spaces(file, pool)
        for task, _, spaces in others:
            for known, _, _ in loaded:
                _apart(known, task)
            for file in filter(models.files.named, self.students):
                spaces(file, np.ones(len(task), bool))
        out = self.folder()
        write.claim(out, self, [task for task, _, _ in loaded], overwrite)
        done = []
        for task, gold, spaces in loaded:
            for strong in self.students:
                done += [
                    self._rows(task, gold, supervisors.spread(weak, task), strong, spaces, others, chosen)
                    for weak in self.weak
                ]
        write.write(out, self, chosen, done, began)
        keep(str(out), examine_all(of_folder(out)), out)
        report.write(out)
        return Result(out)

    def _reading(self) -> Reading:
        """Columns of votes that a supervisor names are read without being asked for twice."""
        named = [a for name in self.weak for kind, a in supervisors.parse(name) if kind.name == "column"]
        missing = tuple(a for a in named if a not in self.reading.votes)
        return replace(self.reading, votes=(*self.reading.votes, *missing)) if missing else self.reading

    def pair(self, task: Task, gold: Gold, weak: str, strong: str, spaces: Spaces, others: tuple = ()) -> Pair:
        """Block 0 of one (task, weak, strong)."""
        student = "scratch" if scratch.named(strong) else self.student
        made_of = {
            "task": task.digest, "seed": self.seed, "student": student, "strong": model_digest(strong, spaces.store),
            "weak models": [model_digest(a, spaces.store) for k, a in supervisors.parse(weak) if k.argument == "model"],
        }  # fmt: skip
        return Pair(
            task, gold, weak, strong, 0, self.seed, self.weak_gold, spaces, made_of, student, self.label_model,
            tuple(self.ladder), others,
        )  # fmt: skip

    def _rows(
        self, task: Task, gold: Gold, weak: str, strong: str, spaces: Spaces, others: tuple, chosen: dict[str, dict]
    ) -> ClassRows:
        """All rows of one (task, weak, strong)."""
        first = self.pair(task, gold, weak, strong, spaces, others)
        pairs = [replace(first, block=b) for b in range(math.ceil(self.seeds / block_of(first.kind)))]
        needed = {
            "ladder": [model_digest(name, spaces.store) for name in self.ladder],
            "auxiliary": [task.digest for task, _, _ in others],
        }
        taught = {"code": fingerprint("block", ceiling, gold_curve)}
        heard = {"label_model": self.label_model}

        def code(build: Callable[..., Any]) -> dict[str, Any]:
            named = (label_models.find(name) for name in (self.label_model, WeakLabels.model))
            return {"code": fingerprint("block", build, *named, *(kind.label for kind, _ in first.members))}

        jobs: dict[str, tuple[str, Callable[[Pair], Any], dict[str, Any]]] = {"ceiling": ("ceiling", ceiling, taught)}
        for name, parameters in chosen.items():
            found = methods.find(name)
            extra = {"parameters": parameters} | heard | code(found.run)
            extra |= {key: needed[key] for key in found.resources if key in needed}
            jobs[name] = ("method", partial(found.fit, **parameters), extra)
        jobs |= {name: ("control", build, heard | code(build)) for name, build in CONTROLS.items()}
        jobs |= {name: ("contrast", build, heard | code(build)) for name, build in CONTRASTS.items()}
        fewest = min(int(pair.splits.transfer.sum(1).min()) for pair in pairs)
        for n in CURVE:
            if n < fewest:
                jobs[f"gold:{n}"] = ("curve", lambda pair, n=n: gold_curve(pair, n), taught)

        made: dict[str, list[Block]] = {}
        with progress.track(f"{task.name}, {weak} -> {strong}", len(jobs) * len(pairs)) as bar:
            for name, (kind, build, extra) in jobs.items():
                made[name] = []
                for pair in pairs:
                    made[name].append(_block(pair, name, build, extra, watched=kind == "method" and pair.block == 0))
                    bar.advance()
        return self._gather(pairs, {name: kind for name, (kind, _, _) in jobs.items()}, made, fewest)

    def _gather(self, pairs: list[Pair], kinds: dict[str, str], made: dict[str, list[Block]], fewest: int) -> ClassRows:
        """Blocks side by side, cut to the replicates asked for."""
        first = pairs[0]
        weak = np.concatenate([first.task.even(pair.labels[:, :, first.test], first.test) for pair in pairs])[
            : self.seeds
        ]
        floors = [floor(pair) for pair in pairs]
        probs = {"floor": np.concatenate([one.probs for one in floors])[: self.seeds]}
        bare = np.concatenate([one.bare for one in floors])[: self.seeds]
        common = np.concatenate([one.common for one in floors])[: self.seeds]
        row_kinds, of = (
            {"floor": "floor"},
            {"floor": counted([name for one in floors for name in one.names][: self.seeds])},
        )
        if len(first.names) > 1:
            if all(one.best is not None for one in floors):
                best = np.concatenate([one.best for one in floors])[: self.seeds]
                probs["best member"], row_kinds["best member"] = weak[np.arange(len(best)), best], "contrast"
                of["best member"] = counted([first.names[j] for j in best])
            for name in label_models.registry():
                key = f"label-model:{name}"
                probs[key] = np.concatenate([first.task.even(pair.believed(name), first.test) for pair in pairs])[
                    : self.seeds
                ]
                row_kinds[key] = "contrast"
        if len(first.names) > 1 or not np.array_equal(bare, probs["floor"], equal_nan=True):
            for j, name in enumerate(first.names):
                probs[f"supervisor:{name}"], row_kinds[f"supervisor:{name}"] = weak[:, j], "contrast"
        paths, curve, settings, left_out, bought, sung = {}, {}, {}, {}, {}, {}
        read = {key: cost for parts in made.values() for block in parts for key, cost in block.meta["read"].items()}
        costs = [
            dict(zip(("stage", "what"), key.split(" ", 1), strict=True), seconds=s, flops=f)
            for key, (s, f) in read.items()
        ]
        for name, parts in made.items():
            blocks = [block for block in parts if block.meta["applies"]]
            if not blocks:
                if kinds[name] == "method":
                    left_out[name] = methods.find(name).lacks(first)
                continue
            if "canary" in blocks[0].meta:
                sung[name] = CanaryResult(**blocks[0].meta["canary"])
            if "gold" in blocks[0].meta:
                bought[name] = float(np.concatenate([b.meta["gold"] for b in blocks])[: self.seeds].mean())
            together = np.concatenate([block.probs for block in blocks])[: self.seeds]
            costs.append(
                {"stage": "heads", "what": name, "seconds": sum(b.meta["seconds"] for b in blocks), "flops": None}
            )
            if kinds[name] == "curve":
                curve[int(name.partition(":")[2])] = together
                continue
            probs[name], row_kinds[name] = together, kinds[name]
            if blocks[0].meta["progress"]:
                paths[name] = (blocks[0].meta["progress"], np.concatenate([b.path for b in blocks], 1)[:, : self.seeds])
            settings[name] = [s for b in blocks for s in b.meta["settings"]][: self.seeds]
        sizes = tuple(
            float(np.concatenate([rows.sum(1) for rows in side])[: self.seeds].mean())
            for side in ([p.splits.weak_train for p in pairs], [p.splits.transfer for p in pairs])
        )
        return ClassRows(
            first, row_kinds, probs, paths, curve, settings, costs, sizes, left_out, bought, sung, of, bare, common
        )


@final
class Result:
    """A finished study: its run folder, and what it says.

    Example:
        >>> Result(Path("runs/cities")).path.name        # of a study that was run before
        'cities'
    """

    def __init__(self, path: Path):
        self.path = Path(path)

    @property
    def summary(self):
        """The rows of summary.json as a polars data frame."""
        import polars

        return polars.read_json(self.path / "summary.json", infer_schema_length=None).drop("version", strict=False)

    @property
    def cells(self):
        """The rows of cells.parquet as a polars data frame."""
        import polars

        return polars.read_parquet(self.path / "cells.parquet", glob=False)

    def report(self, path: Path | str | None = None) -> Path:
        """Write the report (default: report.html in the run folder) and say where it is."""
        from outgrow import report

        return report.write(self.path, None if path is None else Path(path))


def _enough(task: Task, name: str, pool: np.ndarray) -> None:
    """Raises UserError where supervisors are columns of votes, and have too few on items that are not test."""
    members = supervisors.parse(name)
    if any(kind.name != "column" for kind, _ in members):
        return
    heard = np.any([~np.isnan(cast(task, column)).any(-1) for _, column in members], 0)
    if (heard & pool).sum() < 2 * FEWEST:
        raise UserError(
            f"{task.name}: {(heard & pool).sum()} items outside the test split have a vote of {name!r}: give at least {2 * FEWEST}, half of which teach"
        )


def _apart(task: Task, auxiliary: Task) -> None:
    """Raises UserError where an auxiliary task, whose gold methods may read, has items of the task itself."""
    its, others = (set(zip(one.texts, one.images or [None] * len(one), strict=True)) for one in (task, auxiliary))
    if shared := len(its & others):
        raise UserError(
            f"--auxiliary {auxiliary.name}: {shared:,} of its items are items of {task.name}, whose gold is sealed: name another task"
        )


def _block(pair: Pair, name: str, build: Callable[[Pair], Any], extra: dict[str, Any], watched: bool = False) -> Block:
    """One artifact: the test predictions of one row; `watched`: with what the canary says of it."""

    def predicted(fitted: Any) -> np.ndarray:
        return pair.task.even(fitted if isinstance(fitted, np.ndarray) else fitted.predict(pair.test), pair.test)

    def make() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        _ = pair.student, pair.weak  # what is read or labelled for all rows is not this row's time
        pair.account.reopen()
        began = time.perf_counter()
        fitted = build(pair)
        if fitted is None:
            return {}, {"applies": False, "read": pair.spaces.costs()}
        probs, points, settings = predicted(fitted), [], []
        if not isinstance(fitted, np.ndarray):
            points = fitted.path(pair.test) if hasattr(fitted, "path") else []
            settings = fitted.chosen() if hasattr(fitted, "chosen") else []
        points = [(at, pair.task.even(p, pair.test)) for at, p in points]
        path = (
            np.stack([p.argmax(-1).astype(np.uint8) for _, p in points])
            if points
            else np.empty((0, *probs.shape[:2]), np.uint8)
        )
        meta = {
            "applies": True,
            "seconds": time.perf_counter() - began,
            "progress": [p for p, _ in points],
            "settings": settings,
        }
        meta["read"] = pair.spaces.costs()
        if (spent := pair.account.asked.sum(1)).any():
            meta["gold"] = spent.tolist()
        if watched:
            pair.account.reopen()
            meta["canary"] = canary.sung(
                pair.seal, ~pair.known[0], lambda: predicted(build(pair))[0], probs[0], pair.seed, pair.task.name, name
            )
        return {"probs": np.ascontiguousarray(probs, np.float32), "path": path}, meta

    made_of = {
        **pair.made_of,
        "weak": pair.weak_name,
        "weak_gold": pair.weak_gold,
        "block": pair.block,
        "row": name,
        **extra,
    }
    artifact = pair.spaces.store.make("block", made_of, make)
    empty = np.empty(0, np.float32)
    return Block(artifact.arrays.get("probs", empty), artifact.arrays.get("path", empty), artifact.meta)


def model_digest(name: str, store: Store) -> str:
    """The bytes that a model's name means."""
    return models.resolve(name, store).digest
