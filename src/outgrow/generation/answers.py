"""Sampled answers of a language model, kept in the store as they come.

A killed run resumes, and nothing is sampled or paid for twice.

    samples = sample(model, prompts, 8, Sampling(), seed=0, store=store)
    samples.answers[i][k]                                               the k-th answer to prompt i
    table(items, prompts, model, samples).write_parquet("a.parquet")    which "answers:a.parquet" reads

The generator of the k-th answer is derived from the study's seed, the prompt and k alone. A model in this process
samples units of some prompts and at most `SAMPLES` answers to each; the requested list fixes the units, whatever of it
is kept already. A server (a `PaidModel`) is asked for single answers, some at a time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, final, runtime_checkable

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

SAMPLES = 8
"""Answers to one prompt that are kept together, so that a later request for more reuses those that are there."""
ROWS = 128
"""Answers that a model samples together, unless it is a `BatchModel`."""
FLIGHT = 8
"""Requests to a server at a time."""
COLUMNS = ("item", "prompt", "model", "draw", "answer", "logprob", "seed", "ended", "engine")


@final
@dataclass(frozen=True)
class SamplingCost:
    """The cost of answers, whenever they were sampled."""

    seconds: float = 0.0
    """Of computing or waiting; those of simultaneous requests are added."""
    tokens: int = 0
    """Of the answers."""
    prompt_tokens: int = 0
    """Read by a server; 0 in this process."""
    requests: int = 0
    """To a server, failed ones included."""

    def __add__(self, other: SamplingCost) -> SamplingCost:
        return SamplingCost(
            self.seconds + other.seconds,
            self.tokens + other.tokens,
            self.prompt_tokens + other.prompt_tokens,
            self.requests + other.requests,
        )


@final
@dataclass(frozen=True)
class PaidAnswer:
    """One answer of a server, with its cost, which a failed answer has too."""

    answer: Answer
    cost: SamplingCost


@runtime_checkable
class PaidModel(Protocol):
    """A language model whose answers are requested one by one, at a price."""

    def ask(self, prompt: str, how: Sampling, seed: int) -> PaidAnswer:
        """One answer, which may have failed. Raises UserError where no more can be had."""
        ...


@runtime_checkable
class BatchModel(Protocol):
    """A language model that says how many answers it samples together."""

    rows: int


@runtime_checkable
class CompositeModel(Protocol):
    """A language model that is made of others."""

    parts: Sequence[LanguageModel]


@final
@dataclass(frozen=True)
class Samples:
    """Sampled answers to a list of prompts."""

    answers: list[list[Answer]]
    """[i][k]: the k-th to prompt i."""
    cost: SamplingCost
    """Of all of them, whenever they were sampled; a prompt that is listed twice counts once."""
    now: SamplingCost
    """The part of `cost` that this call added."""
    failures: int
    """Answers that a server did not give; the next call requests them again."""

    @property
    def seconds(self) -> float:
        """Seconds of sampling, whenever that was."""
        return self.cost.seconds

    @property
    def tokens(self) -> int:
        """Tokens of the answers."""
        return self.cost.tokens

    @property
    def cached(self) -> bool:
        """Whether nothing had to be sampled this time."""
        return self.now == SamplingCost()


def sample(model: LanguageModel, prompts: Sequence[str], n: int, how: Sampling, seed: int, store: Store) -> Samples:
    """n answers to each prompt, from the store where they are there.

    Args:
        model: any back end.
        prompts: texts; a prompt that is listed twice gets the same answers.
        n: answers to each; at temperature 0 all n are one.
        how: token limit, temperature, ...
        seed: the study's.
        store: where answers are kept.

    Raises:
        UserError: a server gave none of the answers, or a file of recorded answers has too few.
    """
    if isinstance(model, RecordedModel):
        return Samples(model.sample(prompts, n, how, []), SamplingCost(), SamplingCost(), 0)
    different = n if how.temperature else 1
    seeds = {prompt: [_seed(seed, prompt, k) for k in range(different)] for prompt in prompts}
    units = list(_units(model, list(seeds), different))
    known = {
        "code": fingerprint("answers", *classes_of(model)),
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
        with progress.track(f"sampling answers from {model.name}", sum(map(len, missing))) as bar:
            for unit, answers, paid in _fresh(model, missing, seeds, how, store, known):
                take(unit, answers)
                cost, now = cost + paid, now + paid
                bar.advance(len(unit))
    failures = sum(answer.ended == "failed" for answer in found.values())
    if isinstance(model, PaidModel) and missing:
        progress.say(_bill(model.name, cost, now, failures))
        if failures == len(found):
            raise UserError(
                f"{model.name} gave none of the {failures} requested answers: see its log, "
                "and run the same command again"
            )
    copies = n // different if different else 1
    return Samples([[found[p, k] for k in range(different)] * copies for p in prompts], cost, now, failures)


def classes_of(model: LanguageModel) -> tuple[type, ...]:
    """The classes that compute a model's answers: its own, and those of its parts."""
    return type(model), *map(type, model.parts if isinstance(model, CompositeModel) else ())


def _bill(name: str, cost: SamplingCost, now: SamplingCost, failures: int) -> str:
    """The cost of a server's answers in one line."""
    total, added = (
        f"{one.requests:,} requests, {one.prompt_tokens:,} prompt tokens, "
        f"{one.tokens:,} answer tokens, {one.seconds:.1f} s"
        for one in (cost, now)
    )
    failed = f"; {failures:,} answers failed and are requested again next time" if failures else ""
    return f"answers of {name} cost {total}; of these now {added}{failed}"


def _seed(seed: int, prompt: str, k: int) -> int:
    # Some servers take no more than 31 bits.
    return int(derive(seed, "answer", prompt, k).integers(2**31))


@final
@dataclass(frozen=True)
class _Unit:
    """Some prompts and a range of samples, which are computed and kept together."""

    prompts: tuple[str, ...]
    first: int
    past: int

    def __len__(self) -> int:
        return len(self.prompts) * (self.past - self.first)

    def rows(self) -> list[tuple[str, int]]:
        """(prompt, index of the sample) of each answer."""
        return [(prompt, k) for prompt in self.prompts for k in range(self.first, self.past)]

    def made(self) -> dict[str, Any]:
        """The unit's part of its key in the store."""
        return {"prompts": list(self.prompts), "samples": [self.first, self.past]}


def _units(model: LanguageModel, prompts: Sequence[str], n: int) -> Iterator[_Unit]:
    """The units of n answers to each prompt; prompts of similar length go together, since they share a batch."""
    if isinstance(model, PaidModel):
        yield from (_Unit((prompt,), k, k + 1) for prompt in prompts for k in range(n))
        return
    many = max(1, (model.rows if isinstance(model, BatchModel) else ROWS) // max(min(n, SAMPLES), 1))
    order = sorted(prompts, key=lambda prompt: (-len(prompt), prompt))
    for start in range(0, len(order), many):
        for first in range(0, n, SAMPLES):
            yield _Unit(tuple(order[start : start + many]), first, min(n, first + SAMPLES))


def _fresh(
    model: LanguageModel,
    units: Sequence[_Unit],
    seeds: dict[str, list[int]],
    how: Sampling,
    store: Store,
    known: dict[str, Any],
) -> Iterator[tuple[_Unit, list[Answer], SamplingCost]]:
    """Samples units and keeps each as soon as it is there; yields them as they come."""

    def one(unit: _Unit) -> tuple[list[Answer], SamplingCost]:
        fresh: list[tuple[list[Answer], SamplingCost]] = []

        def build() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
            answers, cost = _sampled(model, unit, seeds, how)
            fresh.append((answers, cost))
            if any(answer.ended == "failed" for answer in answers):
                raise _Failed
            return _packed(answers, cost)

        try:
            kept = store.make("answers", {**known, **unit.made()}, build)
        except _Failed:
            return fresh[0]
        # Another process may have sampled it meanwhile.
        return _unpacked(kept, unit, seeds), fresh[0][1] if fresh else SamplingCost()

    if not isinstance(model, PaidModel):
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
                f"{error}: {kept} of the {len(units)} requested answers are kept, the same command resumes from there"
            ) from None
        finally:
            # Requests in flight are paid for: their answers are waited for and kept.
            pool.shutdown(cancel_futures=True)


class _Failed(Exception):
    """A server gave no answer: nothing is kept."""


def _sampled(
    model: LanguageModel, unit: _Unit, seeds: dict[str, list[int]], how: Sampling
) -> tuple[list[Answer], SamplingCost]:
    if isinstance(model, PaidModel):
        paid = [model.ask(prompt, how, seeds[prompt][k]) for prompt, k in unit.rows()]
        return [one.answer for one in paid], sum((one.cost for one in paid), SamplingCost())
    began = time.monotonic()
    own = [seeds[prompt][unit.first : unit.past] for prompt in unit.prompts]
    rows = model.sample(unit.prompts, unit.past - unit.first, how, own)
    answers = [answer for row in rows for answer in row]
    return answers, SamplingCost(time.monotonic() - began, sum(len(answer.logprobs) for answer in answers))


def _packed(answers: Sequence[Answer], cost: SamplingCost) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Answers as arrays and facts for the store."""
    columns: dict[str, list[np.ndarray]] = {
        "logprobs": [np.array(one.logprobs, np.float64) for one in answers],
        "tokens": [np.array(one.tokens, np.int64) for one in answers],
    }
    arrays = {}
    for name, parts in columns.items():
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


def table(items: Sequence[str], prompts: Sequence[str], model: LanguageModel, samples: Samples) -> pl.DataFrame:
    """A table of answers for a file.

    Args:
        items: ids, one for each prompt.
        prompts: the prompts of `samples`.
        model: who answered.
        samples: the answers.

    Returns:
        A row for each answer, with `COLUMNS`; "draw" is the index of the sample, "logprob" the sum over its tokens,
        null where a server gave none.
    """
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
        for item, prompt, answers in zip(items, prompts, samples.answers, strict=True)
        for k, one in enumerate(answers)
    ]
    kinds = (*[pl.String] * 3, pl.Int64, pl.String, pl.Float64, pl.Int64, *[pl.String] * 2)
    return pl.DataFrame(rows, schema=dict(zip(COLUMNS, kinds, strict=True)), orient="row")
