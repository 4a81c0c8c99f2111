"""steer.json: a frozen strong model steered by a small tuned one, against tuning the strong one itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from outgrow.core.records import absent
from outgrow.metrics.gap import Closed
from outgrow.metrics.pgr import Interval


@final
@dataclass(frozen=True)
class TaughtLabels:
    """What was taught."""

    kind: str
    """"gold" or "weak"."""
    name: str | None = absent()
    """The weak model."""
    right: float | None = absent()
    """Share of its answers that are right."""
    cut: int | None = absent()
    """Answers that ended at the token limit."""


@final
@dataclass(frozen=True)
class SteeringModel:
    """A model before tuning."""

    name: str
    revision: str
    parameters: int
    prompting: str | None = absent()
    """"chat" or "plain": how it was asked."""


@final
@dataclass(frozen=True)
class KnowledgeFacts:
    """What asks for knowledge."""

    task: str
    pairs: int
    """Of a true and a false statement."""


@final
@dataclass(frozen=True)
class SteeringRow:
    """One model: score on the test half, and what it knows."""

    name: str
    score: float
    score_ci: Interval | None
    knowledge: float
    knowledge_ci: Interval | None
    knowledge_change: float | None
    knowledge_change_ci: Interval | None
    """Against the same model before it was tuned or steered."""
    seconds: float
    tokens: int
    """Of its answers."""


@final
@dataclass(frozen=True)
class GainFacts:
    """A difference of scores."""

    value: float
    ci: Interval | None


@final
@dataclass(frozen=True)
class TrainingSpent:
    """What tuning took, all seeds together."""

    seconds: float
    tokens: int


@final
@dataclass(frozen=True)
class SteeringExample:
    """A test item, and what every model answers."""

    prompt: str
    gold: str
    answers: dict[str, str]


@final
@dataclass(frozen=True)
class SteerFile:
    """steer.json."""

    task: str
    source: str
    metric: str
    train: int
    test: int
    """Items of the two halves."""
    labels: TaughtLabels
    alpha: float
    seed: int
    seeds: int
    models: dict[str, SteeringModel]
    knowledge: KnowledgeFacts
    rows: tuple[SteeringRow, ...]
    closed: Closed
    proxy_over_tuned_small: GainFacts
    trained: dict[str, TrainingSpent]
    examples: tuple[SteeringExample, ...]
    engine: str
    machine: str
