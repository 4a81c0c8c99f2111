"""The loop of every study: each row of each block is one artifact of the store, methods are watched by the canary.

    jobs      the rows of one (task, supervisors, student): its baselines, and the methods after the ceiling
    row       one row of one block, computed or out of the store
    compute   all rows of all blocks, in this process or in several, side by side

What was stopped goes on where it was, since what a run writes is made of artifacts alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, final

import numpy as np

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.methods import Method
from outgrow.metrics.controls import CanaryResult
from outgrow.metrics.pgr import counted
from outgrow.pipeline import canary, executors
from outgrow.pipeline.baselines import Baseline
from outgrow.pipeline.cell import Predictions, StoredCell
from outgrow.store import Artifact

if TYPE_CHECKING:
    from outgrow.pipeline.keeper import Keeper

METHODS = ("method", "gold")
"""Kinds of rows that are methods'."""


@final
@dataclass(frozen=True)
class Job:
    """A row that is to be computed for every block.

    Args:
        name: of the row.
        kind: floor, ceiling, method, gold, control, contrast or curve.
        fit: from a cell to a fitted student, to predictions, or to None where the cell lacks a resource.
        made_of: what its artifacts depend on beside their cells.
        resources: what a method asks for, with its description.
        trains: whether its seconds are a cost.
    """

    name: str
    kind: str
    fit: Callable[[Any], Any]
    made_of: Mapping[str, Any]
    resources: Mapping[str, str] = field(default_factory=dict)
    trains: bool = True


@final
@dataclass(frozen=True)
class StudyRows:
    """Everything that one (task, supervisors, student) produced, all replicates together.

    Args:
        cells: the blocks.
        kinds: the kind of each row, in the order of the report; without the gold curve.
        predictions: (R, n, C) probabilities or (R, n) answers by row.
        curve: predictions of students that learned from so many gold items.
        made: the artifacts of each row, a block each.
        of: what the floor is, and who the best member, in words.
        costs: seconds and model FLOPs by stage and row.
        left_out: methods that lack something, and what.
        bought: gold labels or verdicts that a method bought, mean over replicates.
        canary: what the canary says of each method.
        seeds: number of replicates.
        not_kept: by method why its student is not kept, of those that come before the one that is.
    """

    cells: Sequence[Any]
    kinds: dict[str, str]
    predictions: dict[str, np.ndarray]
    curve: dict[int, np.ndarray]
    made: dict[str, list[Artifact]]
    of: dict[str, str]
    costs: list[dict[str, Any]]
    left_out: dict[str, list[str]]
    bought: dict[str, float]
    canary: dict[str, CanaryResult]
    seeds: int
    not_kept: dict[str, str] = field(default_factory=dict)

    @property
    def cell(self) -> Any:
        """Block 0, for what does not depend on the replicate."""
        return self.cells[0]

    def joined(self, of: Callable[[Any], Any]) -> np.ndarray:
        """What `of` says of each cell, replicate by replicate, cut to the replicates asked for."""
        return np.concatenate([of(cell) for cell in self.cells])[: self.seeds]

    @property
    def sizes(self) -> tuple[float, float, float]:
        """Mean items whose gold the supervisors know, of weak-train, and of transfer."""
        known, weak_train, transfer = np.stack([np.concatenate(part)[: self.seeds] for part in self._sides]).mean(1)
        return float(known), float(weak_train), float(transfer)

    @property
    def _sides(self) -> list[tuple[np.ndarray, ...]]:
        return list(zip(*(cell.sizes for cell in self.cells), strict=True))

    def array(self, name: str, key: str, axis: int = 0) -> np.ndarray | None:
        """An array beside the predictions of a row, all replicates together; None where it has none."""
        parts = [made.arrays[key] for made in self.made[name] if key in made.arrays]
        if len(parts) < len(self.cells):
            return None
        return np.concatenate(parts, axis).take(range(self.seeds), axis)


def chosen(
    kind: ModuleType, methods: Sequence[str], parameters: Mapping[str, Mapping[str, Any]]
) -> list[tuple[Method, dict[str, Any]]]:
    """Naive and the methods asked for, each with all its hyper-parameters.

    Args:
        kind: `outgrow.methods` or `outgrow.methods.text`.
        methods: names; none: the usual ones; "all": every one.
        parameters: hyper-parameters by the names of methods.

    Raises:
        UserError: there is no such method or hyper-parameter.
    """
    known, find = kind.registry(), kind.find
    names = [n for name in methods for n in (known if name == "all" else [name])]
    names = names or [name for name in known if known[name].usual]
    for name in parameters:
        find(name)
    asked: dict[str, dict[str, Any]] = {"naive": {}}
    asked |= {name: dict(parameters.get(name, {})) for name in names}
    for name in asked:
        find(name).check(kind.RESOURCES)
    return [(find(name), find(name).configured(given)) for name, given in asked.items()]


def jobs(
    cells: Sequence[StoredCell],
    baselines: Mapping[str, Baseline],
    chosen: Sequence[tuple[Method, Mapping[str, Any]]],
    described: Mapping[str, str],
    heard: Mapping[str, Any],
    found: Sequence[Callable[..., Any]] = (),
    needed: Mapping[str, Any] | None = None,
) -> list[Job]:
    """The rows of a study of these cells.

    Args:
        cells: its blocks.
        baselines: by name, in order.
        chosen: methods, with all their hyper-parameters.
        described: the resources of methods, in words.
        heard: what all rows depend on that hear the supervisors.
        found: functions found by name that such rows call.
        needed: by resource what a method depends on that asks for it.
    """
    code, made = cells[0].code, []
    rows = {name for one in baselines.values() for name in one.named(cells)}
    if taken := next((method.name for method, _ in chosen if method.name in rows), None):
        raise UserError(f"method {taken!r} has the name of a row that every study has: give it another name")
    for one in baselines.values():
        calls = one.calls() if one.calls else ()
        extra = {"code": code(one.run, *found, *calls), **heard} if one.heard else {"code": code(one.run)}
        for name, parameters in one.named(cells).items():
            told = extra | ({"parameters": dict(parameters)} if parameters else {})
            made.append(Job(name, one.kind, partial(one.fit, **parameters), told, trains=one.trains))
        if one.kind == "ceiling":
            for method, parameters in chosen:
                told = {"parameters": dict(parameters), "code": code(method.run, *found), **heard}
                told |= {name: it for name, it in (needed or {}).items() if name in method.resources}
                asked = {name: described[name] for name in method.resources}
                made.append(Job(method.name, method.kind, partial(method.fit, **parameters), told, asked))
    return made


def row(cell: StoredCell, job: Job, then: Callable[[StoredCell, Any], None] | None = None) -> Artifact:
    """One artifact: predictions of one row of one block for the test items.

    Args:
        cell: the block.
        job: the row; a method's block 0 comes with the canary's result.
        then: called with the cell and the fitted student, where the row is not in the store.
    """

    def build() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        cell.prepare()
        cell.forget()
        began = time.perf_counter()
        fitted = job.fit(cell)
        if fitted is None:
            lacks = [name for name in job.resources if getattr(cell, name) is None]
            return {}, {"applies": False, "lacks": lacks, "read": cell.costs()}
        predicted = cell.predicted(fitted)
        arrays, meta = cell.packed(fitted, predicted)
        meta |= {"applies": True, "seconds": time.perf_counter() - began, "read": cell.costs()}
        if then is not None:
            then(cell, fitted)
        if isinstance(fitted, Predictions) and fitted.of:
            meta["of"] = list(fitted.of)
        if cell.account is not None and any(sold := cell.account.sold):
            meta["sold"] = sold
        if job.kind in METHODS and cell.block == 0:
            meta["canary"] = canary.watched(cell, job.fit, job.name, predicted[cell.COMPARED])
        return arrays, meta

    return cell.make({"row": job.name, **job.made_of}, build)


def compute(cells: Sequence[StoredCell], todo: Sequence[Job], seeds: int, keeper: Keeper | None = None) -> StudyRows:
    """All rows of all blocks: those that are missing side by side where models are trained, the rest in this process.

    `keeper` saves a student of block 0.
    """
    missing = [b for b, cell in enumerate(cells) if cell.models and not _complete(cell, todo)]
    title = f"{cells[0].task.name}, {cells[0].weak_name} -> {cells[0].strong_name}"
    made: dict[str, list[Artifact]] = {job.name: [] for job in todo}
    with progress.track(title, len(todo) * max(len(missing) or len(cells), 1)) as bar:
        if missing:
            processes = executors.count(cells[0].models, len(missing))
            for _ in executors.side_by_side(block, (cells, todo, keeper), missing, processes):
                bar.advance()
        for cell in cells:
            for job in todo:
                made[job.name].append(row(cell, job, _then(cell, job, keeper)))
                if not missing:
                    bar.advance()
    return _gathered(cells, todo, made, seeds)


def block(cells: Sequence[StoredCell], todo: Sequence[Job], keeper: Keeper | None, number: int) -> Iterator[None]:
    """Puts all rows of one block into the store; yields after each."""
    for job in todo:
        row(cells[number], job, _then(cells[number], job, keeper))
        yield
    cells[number].finish()


def _then(cell: StoredCell, job: Job, keeper: Keeper | None) -> Callable[[StoredCell, Any], None] | None:
    return partial(keeper, job.name) if keeper and job.kind in METHODS and cell.block == 0 else None


def _complete(cell: StoredCell, todo: Sequence[Job]) -> bool:
    """Whether all that is asked of a block is in the store."""
    return cell.finished and all(cell.has({"row": job.name, **job.made_of}) for job in todo)


def _gathered(
    cells: Sequence[StoredCell], todo: Sequence[Job], made: dict[str, list[Artifact]], seeds: int
) -> StudyRows:
    """Blocks side by side, cut to the replicates asked for."""
    read = {key: cost for parts in made.values() for one in parts for key, cost in one.meta["read"].items()}
    costs = [
        dict(zip(("stage", "what"), key.split(" ", 1), strict=True), seconds=s, flops=f) for key, (s, f) in read.items()
    ]
    out = StudyRows(cells, {}, {}, {}, {}, {}, costs, {}, {}, {}, seeds)
    for job in todo:
        parts = made[job.name]
        if not all(one.meta["applies"] for one in parts):
            if job.kind in METHODS:
                lacks = next(one.meta["lacks"] for one in parts if not one.meta["applies"])
                out.left_out[job.name] = [f"{name}: {job.resources[name]}" for name in lacks]
            continue
        out.made[job.name] = parts
        predicted = np.concatenate([cell.unpacked(one) for cell, one in zip(cells, parts, strict=True)])[:seeds]
        if job.kind == "curve":
            out.curve[int(job.name.partition(":")[2])] = predicted
        else:
            out.kinds[job.name], out.predictions[job.name] = job.kind, predicted
        if all("of" in one.meta for one in parts):
            out.of[job.name] = counted([name for one in parts for name in one.meta["of"]][:seeds])
        if any("sold" in one.meta for one in parts):
            sold = [one.meta.get("sold", [0] * len(cell.replicates)) for cell, one in zip(cells, parts, strict=True)]
            out.bought[job.name] = float(np.concatenate(sold)[:seeds].mean())
        if "canary" in parts[0].meta:
            out.canary[job.name] = CanaryResult(**parts[0].meta["canary"])
        if job.trains:
            seconds = sum(one.meta["seconds"] for one in parts)
            out.costs.append({"stage": cells[0].STAGE, "what": job.name, "seconds": seconds, "flops": None})
    return out
