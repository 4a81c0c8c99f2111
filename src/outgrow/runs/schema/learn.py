"""learn.json: a student of the user's own votes, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from outgrow.audits import Finding
from outgrow.core.records import absent, renamed, versioned
from outgrow.metrics.calibration import Bin
from outgrow.metrics.more_gold import MoreGold
from outgrow.metrics.pgr import Interval


@final
@dataclass(frozen=True)
class LearnedTask:
    """The user's table."""

    name: str
    classes: tuple[str, ...]
    counts: dict[str, int]
    source: str


@final
@dataclass(frozen=True)
class AnnotatorRow:
    """An annotator by what needs no gold."""

    name: str
    votes: int
    coverage: float
    """Share of items with its vote."""
    says: dict[str, float]
    """Class -> share of its votes."""
    estimated: float | None
    estimated_ci: Interval | None
    """Accuracy, from agreement alone."""
    student: float | None
    """Share of its votes that the student repeats on items that did not teach it."""
    suspected: float | None = absent()
    """Share of its votes that are probably wrong, as the student sees it."""


@final
@dataclass(frozen=True)
class AnnotatorFacts:
    """The annotators; rows are of those with the most votes."""

    count: int
    rows: tuple[AnnotatorRow, ...]
    same: tuple[tuple[float | None, ...], ...]
    """Share of items on which two annotators agree, a row and a column for each of the first."""
    together: tuple[tuple[int, ...], ...]
    """Number of items that both voted on."""
    covered: float
    twice: float
    """Share of items with one vote, and with two, at least."""


@final
@dataclass(frozen=True)
class TrustBin:
    """Items on which the student is about as sure."""

    sure: float
    same: float
    """Share of them on which the label model says the same."""
    count: int


@final
@dataclass(frozen=True)
class TrustFacts:
    """Agreement of the student with the label model on items that did not teach it."""

    same: float
    same_ci: Interval | None
    items: int
    silent: int
    """Items on which the label model abstains."""
    bins: tuple[TrustBin, ...]
    commonest: float
    """Share of the label model's commonest class."""
    labels: dict[str, float]
    heard: dict[str, float]
    votes: dict[str, float]
    """Class -> share of the student's labels, of the label model's, of all votes."""
    lost: tuple[str, ...]
    """Classes that the student hardly ever gives."""


@final
@dataclass(frozen=True)
class SpokenOn:
    """Scores on the items on which a labeller does not abstain."""

    accuracy: float
    student: float
    gain: float
    gain_ci: Interval | None


@final
@dataclass(frozen=True)
class ClassMeasure:
    """A measure other than accuracy, with how far the student is ahead of this labeller by it, paired by item."""

    value: float
    ci: Interval | None
    gain: float | None = absent()
    gain_ci: Interval | None = absent()


@final
@dataclass(frozen=True)
class LabellerRow:
    """Student, floor, label model, annotator or another baseline against gold."""

    kind: str
    """"student", "floor", "majority", "label model", "other label model", "annotator"; "best annotator", chosen without
    the gold that judges; "tfidf", "zero-shot"; "gold" or "ceiling", a student of gold alone. "voter" in files of before
    version 2."""
    name: str
    accuracy: float
    accuracy_ci: Interval | None
    gain: float | None = None
    gain_ci: Interval | None = None
    """Of the student over this labeller."""
    spoke: float | None = None
    """Share of judged items on which it does not abstain."""
    needed: int | None = absent()
    """Gold labels that would resolve the gain."""
    as_guess: float | None = absent()
    as_commonest: float | None = absent()
    """Its score with an abstention as a guess, and as the commonest class."""
    where: SpokenOn | None = absent()
    macro_f1: ClassMeasure | None = absent()
    """Mean F1 over the classes that gold names."""
    recall: dict[str, ClassMeasure] | None = absent()
    average_precision: ClassMeasure | None = absent()
    """Mean over the rare classes; only where there are any."""

    def __post_init__(self) -> None:
        if self.kind == "voter":
            object.__setattr__(self, "kind", "annotator")


@final
@dataclass(frozen=True)
class Repeats:
    """Share of the label model's right and of its wrong labels that the student repeats."""

    right: float | None
    wrong: float | None


@final
@dataclass(frozen=True)
class LearnCalibration:
    """How sure the student is against how often it is right."""

    ece: float | None
    bins: tuple[Bin, ...]


@final
@dataclass(frozen=True)
class ConfusedPair:
    """How often the student gives a class to items of a class; ties shared."""

    gold: str
    given: str
    items: float


@final
@dataclass(frozen=True)
class LearnVerdict:
    """What gold says; rows and what follows them only where there is enough of it."""

    gold: int
    judged: int
    """Items with gold, and those of them that judge."""
    own_split: bool
    """Whether these are the data's own test items."""
    differ: float
    """Share of items on which student and label model differ."""
    gain: float
    """The gain for which `needed` says how much gold would show it."""
    needed: int | None = absent()
    rows: tuple[LabellerRow, ...] | None = absent()
    best: str | None = absent()
    """The best annotator."""
    commonest: float | None = absent()
    """Share of gold's commonest class."""
    repeats: Repeats | None = absent()
    calibration: LearnCalibration | None = absent()
    rare: tuple[str, ...] | None = absent()
    """Classes with less than half of an even share of gold."""
    confused: tuple[ConfusedPair, ...] | None = absent()
    lacks: dict[str, str] | None = absent()
    """Baseline -> why it is not to be had."""


@final
@dataclass(frozen=True)
class SuggestedItem:
    """An item whose gold would help."""

    id: str | int | float | None
    row: int
    """Its number in the table, from 1."""
    text: str
    score: float
    student: str
    label_model: str


@final
@dataclass(frozen=True)
class DisagreedItem:
    """An item on which student and label model disagree."""

    id: str | int | float | None
    row: int
    """Its number in the table, from 1."""
    text: str
    """Its beginning."""
    student: dict[str, float]
    label_model: dict[str, float]
    """Class -> probability, of the likeliest classes."""
    votes: dict[str, str]
    """Annotator -> class, of the first votes."""
    gold: str | None


@final
@dataclass(frozen=True)
class SuspectVote:
    """A vote that is probably wrong."""

    id: str | int | float | None
    row: int
    text: str
    annotator: str
    given: str
    probably: str
    student: dict[str, float]
    votes: dict[str, str]
    gold: str | None


@final
@dataclass(frozen=True)
class SuspectFacts:
    """Votes that are probably wrong, by the student as the judge."""

    share: float
    """Estimated share of votes that are wrong."""
    count: int
    checked: int
    confirmed: int
    """Suspected votes; those on items with gold; those of these that gold calls wrong."""
    votes_with_gold: int
    wrong_by_gold: int
    """Votes on items with gold, and those of them that are wrong."""
    rows: tuple[SuspectVote, ...]
    """The most suspect first."""


@final
@dataclass(frozen=True)
class LearnCost:
    """What the student and its report took."""

    votes: int
    gold: int
    """Labels: of annotators, and of gold."""
    seconds: dict[str, float]
    tokens: dict[str, int]
    """By stage; reading took its seconds when it was done, which may have been an earlier run."""


@final
@dataclass(frozen=True)
class CanaryFacts:
    """Whether the method read gold that it must not see; the figures are absent where the canary was not run."""

    passed: bool | None
    says: str
    permuted: int | None = absent()
    changed: float | None = absent()
    raised: str | None = absent()
    seconds: float | None = absent()


@final
@dataclass(frozen=True)
class LearnSettings:
    """How the student was taught."""

    strong: str
    revision: str
    layers: tuple[int, ...]
    heads: int
    head: str
    method: str
    named: bool
    """Whether the user named the method."""
    about: str
    paper: str
    label_model: str
    taught: int
    """Items that taught it."""
    seconds: float


@final
@dataclass(frozen=True)
class GoldRow:
    """A student of one of both sources, on the items that judge."""

    name: str
    """"gold alone" or "weak labels alone"."""
    accuracy: float
    accuracy_ci: Interval | None
    gain: float
    gain_ci: Interval | None
    """Of the student of both over this one."""


@final
@dataclass(frozen=True)
class GoldFacts:
    """What gold was for; the rest only where it taught a student of heads and there is enough of it."""

    use: str
    """"judges", "weighs" or "teaches"."""
    labels: int
    taught: bool
    """Whether the student learned from it."""
    says: str
    rows: tuple[GoldRow, ...] | None = absent()
    more: MoreGold | None = absent()
    """What more gold would add; None where half of it is too little to teach."""


@final
@versioned(3)
@dataclass(frozen=True)
class LearnFile:
    """learn.json; annotators were called voters before version 2, and measures by class came with version 3."""

    task: LearnedTask
    annotators: AnnotatorFacts = field(metadata=renamed("voters"))
    trust: TrustFacts
    verdict: LearnVerdict
    suggest: tuple[SuggestedItem, ...]
    findings: tuple[Finding, ...]
    canary: CanaryFacts | None = absent()
    """None in files of before there was a canary."""
    gold: GoldFacts | None = absent()
    """None in files of before gold could teach."""
    how: LearnSettings | None = absent()
    disagreements: tuple[DisagreedItem, ...] | None = absent()
    suspects: SuspectFacts | None = absent()
    cost: LearnCost | None = absent()
