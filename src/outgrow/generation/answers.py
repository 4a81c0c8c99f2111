"""Answers drawn from a language model, kept in the store as they come: a killed run goes on, and nothing is drawn or paid for twice.

    drawn = draw(model, prompts, 8, Sampling(), seed=0, store=store)
    drawn.answers[i][k]                                             the k-th answer to prompt i
    table(items, prompts, model, drawn).write_parquet("a.parquet")  which "answers:a.parquet" reads

The k-th answer depends on the study's seed, the prompt and k: its generator is derived from them. A model in this process draws units of
some prompts and at most DRAWS answers to each, which the list that is asked for fixes, whatever of it is there already. A server, which
is a model that has `ask`, is asked for single answers, some at a time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, final

import numpy as np

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import derive
from outgrow.generation import Answer, LanguageModel, Sampling
from outgrow.generation.records import RecordedModel
from outgrow.store import Artifact, Store

if TYPE_CHECKING:
    import polars as pl

DRAWS = 8
"""Answers to one prompt that are kept together, so that more of them later reuse those that are there."""
ROWS = 128
"""Answers that are drawn together from a model that names no number of its own."""
FLIGHT = 8
"""Requests to a server at a time."""
COLUMNS = ("item", "prompt", "model", "draw", "answer", "logprob", "seed", "ended", "engine")


@final
@dataclass(frozen=True)
class SamplingCost:
    """What answers took, whenever they were drawn."""

    seconds: float = 0.0
    """Of computing or waiting; those of requests in flight together add up."""
    tokens: int = 0
    """Of the answers."""
    prompt_tokens: int = 0
    """That a server read; 0 in this process."""
    requests: int = 0
    """To a server, those in vain among them."""

    def __add__(self, other: SamplingCost) -> SamplingCost:
        return SamplingCost(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(SamplingCost)))


@final
@dataclass(frozen=True)
class Paid:
    """One answer of a server, what its `ask(prompt, how, seed)` returns. The answer may have failed, and cost nevertheless."""

    answer: Answer
    cost: SamplingCost


@final
@dataclass(frozen=True)
class Drawn:
    """Answers to a list of prompts."""

    answers: list[list[Answer]]
    """[i][k]: the k-th to prompt i."""
    cost: SamplingCost
    """Of all of them, whenever they were drawn; what is asked twice counts once."""
    now: SamplingCost
    """The part of it that this call added."""
    failures: int
    """Answers that an endpoint did not give; they are asked for again next time."""

    @property
    def seconds(self) -> float:
        """What drawing them took, whenever that was."""
        return self.cost.seconds

    @property
    def tokens(self) -> int:
        """Of the answers."""
        return self.cost.tokens

    @property
    def cached(self) -> bool:
        """Nothing had to be drawn this time."""
        return self.now == SamplingCost()


def draw(model: LanguageModel, prompts: Sequence[str], n: int, how: Sampling, seed: int, store: Store) -> Drawn:
    """n answers to each prompt. A prompt that comes twice gets the same ones; at temperature 0 all n are one."""
    if isinstance(model, RecordedModel):
        return Drawn(model.draw(prompts, n, how, []), SamplingCost(), SamplingCost(), 0)
    different = n if how.temperature else 1
    seeds = {prompt: [_seed(seed, prompt, k) for k in range(different)] for prompt in prompts}
    units = list(_units(model, list(seeds), different))
    known = {
        "code": fingerprint("answers", *computing(model)),
        "model": model.digest,
        "engine": model.engine,
        "how": asdict(how),
        "seed": seed,
    }
    found: dict[tuple[str, int], Answer] = {}
    cost, now = SamplingCost(), SamplingCost()

    def take(unit: _Unit, answers: Sequence[Answer]) -> None:
        found.update(zip(unit.rows(), answers, strict=True))

    missing = []
    for unit in units:
        kept = store.get("answers", {**known, **unit.made()})
        if kept is None:
            missing.append(unit)
        else:
            take(unit, _unpacked(kept, unit, seeds))
            cost += SamplingCost(**kept.meta["cost"])
    if missing:
        with progress.track(f"drawing answers from {model.name}", sum(map(len, missing))) as bar:
            for unit, answers, paid in _fresh(model, missing, seeds, how, store, known):
                take(unit, answers)
                cost, now = cost + paid, now + paid
                bar.advance(len(unit))
    failures = sum(answer.ended == "failed" for answer in found.values())
    if hasattr(model, "ask") and missing:
        progress.say(_bill(model.name, cost, now, failures))
        if failures == len(found):
            raise UserError(
                f"{model.name} gave none of the {failures} answers asked for: see its log, and run the same command again"
            )
    answers = [
        [found[prompt, k] for k in range(different)] * (n // different if different else 1) for prompt in prompts
    ]
    return Drawn(answers, cost, now, failures)


def computing(model: LanguageModel) -> tuple[type, ...]:
    """The classes that answer: its own, and those of the models that it is made of."""
    return type(model), *map(type, getattr(model, "parts", ()))


def _bill(name: str, cost: SamplingCost, now: SamplingCost, failures: int) -> str:
    """What a server was paid, in one line."""
    took, added = (
        f"{one.requests:,} requests, {one.prompt_tokens:,} prompt tokens, {one.tokens:,} answer tokens, {one.seconds:.1f} s"
        for one in (cost, now)
    )
    failed = f"; {failures:,} answers failed and are asked for again next time" if failures else ""
    return f"answers of {name} cost {took}; of these now {added}{failed}"


def _seed(seed: int, prompt: str, draw: int) -> int:
    # Some servers take no more than 31 bits.
    return int(derive(seed, "answer", prompt, draw).integers(2**31))


@final
@dataclass(frozen=True)
class _Unit:
    """Some prompts and a range of their draws, which are drawn and kept together."""

    prompts: tuple[str, ...]
    first: int
    past: int

    def __len__(self) -> int:
        return len(self.prompts) * (self.past - self.first)

    def rows(self) -> list[tuple[str, int]]:
        return [(prompt, k) for prompt in self.prompts for k in range(self.first, self.past)]

    def made(self) -> dict[str, Any]:
        return {"prompts": list(self.prompts), "draws": [self.first, self.past]}


def _units(model: LanguageModel, prompts: Sequence[str], n: int) -> Iterator[_Unit]:
    """What is drawn together: prompts of like length, since they stand side by side in memory."""
    if hasattr(model, "ask"):
        yield from (_Unit((prompt,), k, k + 1) for prompt in prompts for k in range(n))
        return
    many = max(1, getattr(model, "rows", ROWS) // max(min(n, DRAWS), 1))
    order = sorted(prompts, key=lambda prompt: (-len(prompt), prompt))
    for start in range(0, len(order), many):
        for first in range(0, n, DRAWS):
            yield _Unit(tuple(order[start : start + many]), first, min(n, first + DRAWS))


def _fresh(
    model: Any, units: Sequence[_Unit], seeds: dict[str, list[int]], how: Sampling, store: Store, known: dict[str, Any]
) -> Iterator[tuple[_Unit, list[Answer], SamplingCost]]:
    """Draws the units and keeps each as soon as it is there; yields them as they come."""

    def one(unit: _Unit) -> tuple[list[Answer], SamplingCost]:
        drawn: list[Any] = []

        def build() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
            drawn.extend(_drawn(model, unit, seeds, how))
            if any(answer.ended == "failed" for answer in drawn[0]):
                raise _Failed
            return _packed(*drawn)

        try:
            kept = store.make("answers", {**known, **unit.made()}, build)
        except _Failed:
            return drawn[0], drawn[1]
        # Another process may have drawn it meanwhile.
        return _unpacked(kept, unit, seeds), drawn[1] if drawn else SamplingCost()

    if not hasattr(model, "ask"):
        for unit in units:
            yield unit, *one(unit)
        return
    with ThreadPoolExecutor(FLIGHT) as pool:
        futures = {pool.submit(one, unit): unit for unit in units}
        try:
            for future in as_completed(futures):
                yield futures[future], *future.result()
        except UserError as error:
            pool.shutdown(cancel_futures=True)
            kept = sum(store.get("answers", {**known, **unit.made()}) is not None for unit in units)
            raise UserError(
                f"{error}: {kept} of the {len(units)} answers asked for are kept, the same command goes on from there"
            ) from None
        finally:
            # Those in flight are paid for: they are waited for and kept.
            pool.shutdown(cancel_futures=True)


class _Failed(Exception):
    """An endpoint did not answer: nothing is kept."""


def _drawn(model: Any, unit: _Unit, seeds: dict[str, list[int]], how: Sampling) -> tuple[list[Answer], SamplingCost]:
    if hasattr(model, "ask"):
        paid = [model.ask(prompt, how, seeds[prompt][k]) for prompt, k in unit.rows()]
        return [one.answer for one in paid], sum((one.cost for one in paid), SamplingCost())
    began = time.monotonic()
    rows = model.draw(
        unit.prompts, unit.past - unit.first, how, [seeds[p][unit.first : unit.past] for p in unit.prompts]
    )
    answers = [answer for row in rows for answer in row]
    return answers, SamplingCost(time.monotonic() - began, sum(len(answer.logprobs) for answer in answers))


def _packed(answers: Sequence[Answer], cost: SamplingCost) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    arrays = {}
    for name, kind in (("logprobs", np.float64), ("tokens", np.int64)):
        parts = [np.array(getattr(answer, name), kind) for answer in answers]
        arrays[name] = np.concatenate(parts)
        arrays[f"{name}_each"] = np.array([len(part) for part in parts], np.int64)
    facts = {
        "texts": [one.text for one in answers],
        "ended": [one.ended for one in answers],
        "seeds": [one.seed for one in answers],
    }
    return arrays, {**facts, "cost": asdict(cost)}


def _unpacked(kept: Artifact, unit: _Unit, seeds: dict[str, list[int]]) -> list[Answer]:
    columns = []
    for name in ("logprobs", "tokens"):
        ends = np.cumsum(kept.arrays[f"{name}_each"])[:-1]
        columns.append([tuple(part.tolist()) for part in np.split(np.array(kept.arrays[name]), ends)])
    rows = zip(kept.meta["texts"], *columns, kept.meta["ended"], unit.rows(), strict=True)
    return [Answer(text, logprobs, tokens, ended, seeds[p][k]) for text, logprobs, tokens, ended, (p, k) in rows]


def table(items: Sequence[str], prompts: Sequence[str], model: LanguageModel, drawn: Drawn) -> pl.DataFrame:
    """A row an answer, with COLUMNS; `logprob` is the sum over its tokens, null where a server told none."""
    import polars as pl

    rows = [
        (
            item,
            prompt,
            model.name,
            k,
            one.text,
            sum(one.logprobs) if one.logprobs else None,
            one.seed,
            one.ended,
            model.engine,
        )
        for item, prompt, answers in zip(items, prompts, drawn.answers, strict=True)
        for k, one in enumerate(answers)
    ]
    return pl.DataFrame(
        rows,
        schema=dict(
            zip(COLUMNS, (*[pl.String] * 3, pl.Int64, pl.String, pl.Float64, pl.Int64, *[pl.String] * 2), strict=True)
        ),
        orient="row",
    )
