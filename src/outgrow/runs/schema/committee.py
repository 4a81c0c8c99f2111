"""committee.json: what samples of weak models, and verifiers that choose among them, are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from outgrow.core.records import absent
from outgrow.metrics.pgr import Interval


@final
@dataclass(frozen=True)
class FigureFacts:
    """A share of items and its 95% interval."""

    value: float | None
    ci: Interval | None


@final
@dataclass(frozen=True)
class EnoughFacts:
    """Whether there is enough to choose from."""

    coverage: float
    single: float
    least: float
    """The coverage that there should be."""
    times: float
    """How many times a single sample's score it should be."""
    holds: bool


@final
@dataclass(frozen=True)
class ChoiceFigure:
    """What a choice among k samples scores."""

    who: str
    """"weak" or "strong"."""
    choice: str
    """"single", "majority", "verified", "voted" or "coverage"."""
    verifier: str | None
    k: int
    right: FigureFacts
    shown: FigureFacts | None
    """By the task's own check."""


@final
@dataclass(frozen=True)
class ChoiceGap:
    """What a choice gains."""

    who: str
    choice: str
    verifier: str | None
    k: int
    gap: FigureFacts
    """Over a single sample."""
    relative: FigureFacts
    """The same, as a share of what there is to gain."""
    over_majority: FigureFacts
    left: FigureFacts
    """To coverage."""


@final
@dataclass(frozen=True)
class AgainstStrong:
    """What a choice among weak samples scores beyond one sample of the strong model, item by item."""

    choice: str
    verifier: str | None
    k: int
    ahead: FigureFacts


@final
@dataclass(frozen=True)
class MemberFacts:
    """A model of the committee."""

    who: str
    name: str
    right: FigureFacts
    answers: int
    cut: int | None = None
    """Samples that ended at the token limit."""
    prompting: str | None = absent()
    """"chat" or "plain": how it was asked."""


@final
@dataclass(frozen=True)
class AgreementLevel:
    """Items whose commonest answer has so many samples, and how often it is right."""

    votes: int
    items: int
    right: float


@final
@dataclass(frozen=True)
class VerdictQuality:
    """How often the samples are right of which a verifier says the same."""

    who: str
    verifier: str
    says: str
    answers: int
    share: float
    right: float | None
    shown: float | None


@final
@dataclass(frozen=True)
class CommitteeCost:
    """What a part of the work took."""

    who: str
    what: str
    answers: int
    tokens: int | None
    seconds: float | None
    flops: float | None


@final
@dataclass(frozen=True)
class RoundFacts:
    """A round of self-improvement."""

    by: str
    """What keeps answers."""
    round: int
    kept: int
    kept_right: float | None
    single: FigureFacts
    covered: FigureFacts
    gained: FigureFacts | None
    """Over the model as it came."""


@final
@dataclass(frozen=True)
class ComparedBy:
    """How answers are compared with one another and with gold."""

    form: str
    by_default: tuple[str, ...]
    """Which of scorer and form nobody named."""


@final
@dataclass(frozen=True)
class CommitteeAsked:
    """The arguments."""

    source: str
    weak: tuple[str, ...]
    strong: str | None
    draws: int
    verifiers: tuple[str, ...]
    judge: str | None
    items: int | None
    temperature: float
    seed: int
    prompting: str | None = absent()
    """"auto", "chat" or "plain"."""


@final
@dataclass(frozen=True)
class CommitteeFile:
    """committee.json."""

    task: str
    of: str
    """Where the task came from."""
    items: int
    groups: int
    counts: dict[str, int]
    scorer: str
    own_check: str | None
    """The task's own verifier."""
    tie: str
    digest: str
    most: int
    """The largest k."""
    enough: EnoughFacts
    figures: tuple[ChoiceFigure, ...]
    gaps: tuple[ChoiceGap, ...]
    members: tuple[MemberFacts, ...]
    independent: float | None
    """Coverage, were the errors of the members independent."""
    agreement: tuple[AgreementLevel, ...]
    quality: tuple[VerdictQuality, ...]
    cost: tuple[CommitteeCost, ...]
    rounds: tuple[RoundFacts, ...] | None = absent()
    compared: ComparedBy | None = absent()
    against: tuple[AgainstStrong, ...] | None = absent()
    asked: CommitteeAsked | None = absent()
    versions: dict[str, str] | None = absent()
