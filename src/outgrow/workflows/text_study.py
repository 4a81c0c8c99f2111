"""A study of answers in words: the stages of `study.py`, for tasks that are written instead of classified.

    task -> split -> supervisors -> their beams on the transfer half -> method -> a tuned student -> its answers to the test items -> measures

The floor is the answers to the test items of what taught (of several supervisors `replicate.floor` chooses), the ceiling those of the same student tuned on the transfer half's gold.
Every trained model, every set of answers and every row of a replicate is an artifact in the store, so a killed study goes on where it
was. A replicate's models are let go of once all its answers are there: they are large, and nothing asks for them again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, final

import numpy as np

from outgrow import models, report
from outgrow.core import progress
from outgrow.core.errors import UserError, unknown
from outgrow.core.fingerprint import fingerprint
from outgrow.generation import Sampling
from outgrow.methods import text as sequences
from outgrow.metrics import text as scorers
from outgrow.metrics.controls import CanaryResult
from outgrow.metrics.pgr import counted
from outgrow.models import Model
from outgrow.pipeline import canary
from outgrow.pipeline import executors as workers
from outgrow.pipeline.text_replicate import (
    CONTRASTS,
    CONTROLS,
    Replicate,
    TaughtAnswers,
    best_member,
    ceiling,
    checks,
    floor,
    scores,
    supervisor,
)
from outgrow.runs import write as results
from outgrow.runs.text import TextRows, write
from outgrow.store import Store
from outgrow.students.generator import Writers, epochs
from outgrow.supervisors.text import parse
from outgrow.tasks import generation
from outgrow.tasks.generation import Writing, WritingGold
from outgrow.tasks.reading import Reading
from outgrow.tasks.structured import LAYOUTS
from outgrow.training.classifier import KINDS
from outgrow.training.pruned import PREFIX, resolve
from outgrow.workflows.request import Request
from outgrow.workflows.result import Result

__all__ = ["TextStudy", "load", "parse"]

UNTRAINED = ("floor", "best member", "untrained", "gold-naive")
"""Rows that take no training of their own; gold through naive is the ceiling's."""
EARNED = {"row": "what supervisors' answers earn"}
"""What is kept beside the rows of a replicate."""

Jobs = dict[str, tuple[str, Callable[[Replicate], Any], dict[str, Any]]]
"""By the name of a row its kind, what makes it, and what it is made of beside its replicate."""


@final
@dataclass(frozen=True, kw_only=True)
class TextStudy(Request):
    """What to run, in the words of `Study`; `run()` goes on where an earlier run of the same study stopped. Supervisors are those of `supervisors.py`."""

    seeds: int = 4
    student: str = "lora"
    """How the student learns: "lora", by low-rank updates, or "full"."""

    WEAK = "sibling:smollm2-135m:12"
    KNOWN = sequences

    def run(self, overwrite: bool = False) -> Result:
        """Compute what is missing, write the run folder, return the result; `overwrite`: another result in it may go.

        Raises UserError for what the user can mend.
        """
        chosen = self.chosen()
        if self.student not in KINDS:
            raise unknown("kind of student that writes", self.student, KINDS)
        named = [one for weak in self.weak for one in parse(weak)]
        for name in (*self.students, *(one.of for one in named if one.kind != "column")):
            models.check(name.removeprefix(PREFIX).rpartition(":")[0] if name.startswith(PREFIX) else name)
        began = time.time()
        store = Store.default()
        votes = tuple(dict.fromkeys((*self.reading.votes, *(one.of for one in named if one.kind == "column"))))
        loaded = [load(name, replace(self.reading, votes=votes), self.seed) for name in self.tasks]
        out = self.folder()
        results.claim(out, self, [task for task, _ in loaded], overwrite)
        done = [
            self._rows(task, gold, weak, resolve(strong, store), store, chosen)
            for task, gold in loaded for strong in self.students for weak in self.weak
        ]  # fmt: skip
        write(out, self, chosen, done, began)
        report.write(out)
        return Result(out)

    def _rows(
        self, task: Writing, gold: WritingGold, weak: str, strong: Model, store: Store, chosen: dict[str, dict]
    ) -> TextRows:
        all_, jobs = self._begun(task, gold, weak, strong, store, chosen)
        progress.say(_plan(all_[0], list(jobs), self.seeds))
        models_ = [strong, *(base for _, base in all_[0].bases if base is not None)]
        missing = [replicate.number for replicate in all_ if not _kept(replicate, jobs)]
        processes = workers.count(models_, len(missing))
        with progress.track(f"{task.name}, {weak} -> {strong.name}", len(jobs) * max(len(missing), 1)) as bar:
            given = (self, task, gold, weak, strong, store, chosen)
            for _ in workers.side_by_side(_computed, given, missing, processes):
                bar.advance()
        made = {
            name: [_row(replicate, name, build, extra, kind == "method") for replicate in all_]
            for name, (kind, build, extra) in jobs.items()
        }
        return _gathered(
            all_, {name: kind for name, (kind, _, _) in jobs.items()}, made, [_covered(replicate) for replicate in all_]
        )

    def _begun(
        self, task: Writing, gold: WritingGold, weak: str, strong: Model, store: Store, chosen: dict[str, dict]
    ) -> tuple[list[Replicate], Jobs]:
        """All replicates, nothing of them computed, and the rows that each is to have."""
        writers = Writers(store, Sampling(tokens=task.tokens, stop=task.stop, chat=task.chat))
        bases = tuple((one, None if one.kind == "column" else resolve(one.of, store)) for one in parse(weak))
        made_of = {
            "task": task.digest,
            "seed": self.seed,
            "weak": [(asdict(one), base and base.digest) for one, base in bases],
            "weak_gold": self.weak_gold,
            "strong": strong.digest,
            "student": self.student,
            "code": fingerprint("written", *checks(task)),
        }
        all_ = [
            Replicate(
                task,
                gold,
                weak,
                strong,
                r,
                self.seed,
                self.weak_gold,
                self.student,
                writers,
                bases,
                made_of | {"replicate": r},
            )
            for r in range(self.seeds)
        ]
        jobs: Jobs = {"floor": ("floor", floor, _by(floor))}
        if len(bases) > 1:
            jobs["best member"] = ("contrast", best_member, _by(best_member))
            jobs |= {
                f"supervisor:{one.name}": ("contrast", partial(supervisor, j=j), {"supervisor": j} | _by(supervisor))
                for j, (one, _) in enumerate(bases)
            }
        jobs["ceiling"] = ("ceiling", ceiling, _by(ceiling))
        for name, parameters in chosen.items():
            found = sequences.find(name)
            jobs[name] = ("method", partial(found.fit, **parameters), {"parameters": parameters} | _by(found.run))
        jobs |= {name: ("control", build, _by(build)) for name, build in CONTROLS.items()}
        jobs |= {name: ("contrast", build, _by(build)) for name, build in CONTRASTS.items()}
        return all_, jobs


def _computed(
    study: TextStudy,
    task: Writing,
    gold: WritingGold,
    weak: str,
    strong: Model,
    store: Store,
    chosen: dict[str, dict],
    number: int,
) -> Iterator[None]:
    """Puts all rows of one replicate into the store; yields after each."""
    all_, jobs = study._begun(task, gold, weak, strong, store, chosen)
    replicate = all_[number]
    for name, (kind, build, extra) in jobs.items():
        _row(replicate, name, build, extra, watched=kind == "method")
        yield
    _covered(replicate)
    _let_go(replicate)


def load(name: str, reading: Reading, seed: int) -> tuple[Writing, WritingGold]:
    """The task of that name. Raises UserError, one line."""
    if reading.scorer is None:
        extra = [flag for flag in reading.given() if flag != "--items"]
        if extra:
            raise UserError(f"{extra[0]} is for tables; {name!r} is built in and takes --items only")
        return generation.load(name, reading.items, seed)
    scorers.metrics(reading.scorer)
    takes = {"--scorer", "--items", "--votes", "--skip-bad-rows"} | (
        set() if reading.scorer in LAYOUTS else {"--prompt", "--answer"}
    )
    if extra := [flag for flag in reading.given() if flag not in takes]:
        raise UserError(f"{extra[0]} says nothing to --scorer {reading.scorer}: leave it out")
    asked = {"prompt": reading.prompt, "gold": reading.answer}
    columns = generation.Columns(
        scorer=reading.scorer,
        skip_bad_rows=reading.skip_bad_rows,
        **{key: value for key, value in asked.items() if value is not None},
    )
    return generation.load(name, reading.items, seed, columns, reading.votes)


def _plan(first: Replicate, rows: Sequence[str], seeds: int) -> str:
    """What a study is about to do, in tokens, so that who waits can tell for how long."""
    weak, transfer, test = (len(half) for half in first.halves)
    letters = int(
        np.mean([len(p) + len(a) for p, a in zip(first.task.prompts, first.gold.answers, strict=True)]) * transfer
    )
    learn = [name for name in rows if name not in UNTRAINED and not name.startswith("supervisor:")]
    trainings = sum(one.kind == "tuned" for one, _ in first.bases) + len(learn)
    read = int(trainings * seeds * epochs(letters) * letters / 4)
    taught = (
        f"{len(first.known)} of {weak} items teach the supervisor"
        if first.learn
        else f"{len(first.known)} of {weak} items have gold"
    )
    return (
        f"{first.task.name}: {taught}, {transfer} the student, {test} test both; up to {trainings} trainings a replicate, {seeds} replicates, "
        f"some {round(read, -3):,} tokens in all to learn from, and as many answers as {len(rows) * seeds * test:,}"
    )


def _by(build: Callable[..., Any]) -> dict[str, str]:
    return {"by": fingerprint("written", build)}


def _kept(replicate: Replicate, jobs: Jobs) -> bool:
    """Whether all that is asked of a replicate is in the store."""
    rows = [{"row": name, **extra} for name, (_, _, extra) in jobs.items()]
    return all(
        replicate.writers.store.get("written", {**replicate.made_of, **row}) is not None for row in [*rows, EARNED]
    )


def _hidden(replicate: Replicate) -> np.ndarray:
    """(N,) bool: the items whose gold its supervisors have not learned from."""
    return ~np.isin(np.arange(len(replicate.task)), replicate.known)


def _row(
    replicate: Replicate, name: str, build: Callable[[Replicate], Any], extra: Mapping[str, Any], watched: bool = False
) -> dict[str, Any]:
    """One artifact: the test answers of one row of one replicate; `watched`: of replicate 0 with what the canary says of it."""

    def told(built: Any) -> list[str]:
        if isinstance(built, Model):
            return replicate.tested(built)
        return built.answers if isinstance(built, TaughtAnswers) else built

    def make() -> tuple[dict, dict]:
        began = time.perf_counter()
        replicate.verdicts.reopen()
        built = build(replicate)
        if built is None:
            return {}, {"applies": False, "lacks": replicate.lacks(name)}
        answers = told(built)
        of = built.of if isinstance(built, TaughtAnswers) else None
        meta = {
            "applies": True,
            "answers": answers,
            "of": of,
            "seconds": time.perf_counter() - began,
            "bought": replicate.verdicts.spent,
        }
        if watched and replicate.number == 0:
            replicate.verdicts.reopen()
            meta["canary"] = canary.sung(
                replicate.seal,
                _hidden(replicate),
                lambda: np.array(told(build(replicate)), object),
                np.array(answers, object),
                replicate.seed,
                replicate.task.name,
                name,
            )
        return {}, meta

    return replicate.writers.store.make("written", {**replicate.made_of, "row": name, **extra}, make).meta


def _covered(replicate: Replicate) -> dict[str, float]:
    """What the best supervisor's first answers to the transfer items earn, what the best of all supervisors' answers to each would, and the share of the first that was cut."""

    def make() -> tuple[dict, dict]:
        weak, transfer = replicate.weak, replicate.halves[1]
        pools = [[first.text, *pool] for first, pool in zip(weak.best, weak.pooled, strict=True)]
        ends = np.cumsum([len(pool) for pool in pools])
        items = np.repeat(transfer, [len(pool) for pool in pools])
        score = next(
            iter(scores(replicate.task, replicate.gold, items, [[text for pool in pools for text in pool]]).values())
        )
        num, den = score.num[0], np.broadcast_to(score.den, score.num.shape)[0]
        share = np.divide(num, den, out=np.ones(len(num)), where=den > 0)
        firsts = ends - [len(pool) for pool in pools]
        bests = [start + int(share[start:end].argmax()) for start, end in zip(firsts, ends, strict=True)]
        earned = {
            name: float(num[at].sum() / max(den[at].sum(), 1e-9)) for name, at in (("first", firsts), ("best", bests))
        }
        return {}, {**earned, "cut": float(np.mean([answer.cut for answer in weak.best]))}

    return replicate.writers.store.make("written", {**replicate.made_of, **EARNED}, make).meta


def _let_go(replicate: Replicate) -> None:
    """Removes the models that were trained for this replicate."""
    store = replicate.writers.store
    for made in store.records("tuned"):
        if made.get("seed") in replicate.seeds:
            store.drop("tuned", made)


def _gathered(
    all_: Sequence[Replicate],
    kinds: dict[str, str],
    made: dict[str, list[dict[str, Any]]],
    covered: Sequence[dict[str, float]],
) -> TextRows:
    answers, costs, bought, left_out, sung, of = {}, [], {}, {}, {}, {}
    for name, rows in made.items():
        if not all(row["applies"] for row in rows):
            if kinds[name] == "method":
                left_out[name] = [
                    f"{need}: {sequences.RESOURCES[need]}"
                    for need in next(row["lacks"] for row in rows if not row["applies"])
                ]
            continue
        answers[name] = [row["answers"] for row in rows]
        if rows[0]["of"] is not None:
            of[name] = counted([row["of"] for row in rows])
        costs.append(
            {"stage": "tuning and answers", "what": name, "seconds": sum(row["seconds"] for row in rows), "flops": None}
        )
        if "canary" in rows[0]:
            sung[name] = CanaryResult(**rows[0]["canary"])
        if any(row["bought"] for row in rows):
            bought[name] = float(np.mean([row["bought"] for row in rows]))
    sizes, halves = (
        (float(np.mean([len(part(r)) for r in all_])), float(np.mean([len(r.halves[1]) for r in all_])))
        for part in (lambda r: r.known, lambda r: r.halves[0])
    )
    coverage = {key: float(np.mean([one[key] for one in covered])) for key in ("first", "best", "cut")}
    return TextRows(
        all_[0],
        {name: kinds[name] for name in answers},
        answers,
        costs,
        bought,
        left_out,
        sizes,
        halves,
        coverage,
        sung,
        of,
    )
