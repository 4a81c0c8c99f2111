"""study.json and details.json; summary.json has rows `metrics.pgr.SummaryRow`, comparison.json is a `Comparison`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

from outgrow.core.records import absent
from outgrow.metrics.calibration import Bin
from outgrow.metrics.controls import ControlVerdict
from outgrow.metrics.gold_worth import Worth
from outgrow.metrics.pgr import Interval
from outgrow.metrics.power import Power


@final
@dataclass(frozen=True, kw_only=True)
class StageCost:
    """What one stage took."""

    task: str | None = absent()
    weak: str | None = absent()
    strong: str | None = absent()
    """Whose stage it is; none for what all pairs share."""
    stage: str
    what: str
    seconds: float
    flops: float | None
    cached: bool | None = absent()
    """Whether it came out of the store; version 0 alone."""


@final
@dataclass(frozen=True)
class StudyFile:
    """study.json: the study as it was asked for, and what it came from."""

    asked: dict[str, Any]
    """The arguments of the study."""
    resolved: dict[str, Any]
    """What they stood for: digests of tasks and models, methods with all parameters, seeds, the code's fingerprint."""
    command: str | None
    """The command line; None where Python called."""
    versions: dict[str, str | None]
    """Of packages and of Python."""
    machine: dict[str, str | int | None] | None = absent()
    """System, processor and number of cores."""
    seconds: float | None = absent()
    costs: tuple[StageCost, ...] | None = absent()


@final
@dataclass(frozen=True)
class AgreementEntry:
    """How often a student answers as its supervisor does."""

    method: str
    when_right: float | None
    when_right_ci: Interval | None
    """Share of items on which the supervisor is right."""
    when_wrong: float | None
    when_wrong_ci: Interval | None
    """The same where it is wrong."""


@final
@dataclass(frozen=True)
class TrainingCurve:
    """Mean test accuracy at points of training."""

    method: str
    progress: tuple[float, ...]
    """From 0 to 1."""
    accuracy: tuple[float | None, ...]


@final
@dataclass(frozen=True, kw_only=True)
class CalibrationEntry:
    """How sure a student is against how often it is right."""

    method: str
    equal_width: float | None = None
    equal_mass: float | None = None
    ece: float | None
    ece_ci: Interval | None
    bins: tuple[Bin, ...]


@final
@dataclass(frozen=True)
class GoldPoint:
    """The student trained on so many gold labels."""

    n: int
    value: float | None
    value_ci: Interval | None


@final
@dataclass(frozen=True)
class ChosenSettings:
    """What a method's replicates chose: setting -> number of replicates."""

    method: str
    layers: dict[str, int]
    ridge: dict[str, int]
    poolings: dict[str, int] | None = absent()


@final
@dataclass(frozen=True)
class ItemExample:
    """A test item on which the student is right and its supervisor wrong."""

    text: str
    gold: str
    weak: float
    student: float
    """Probabilities of the gold class."""


@final
@dataclass(frozen=True)
class LeftOut:
    """A method that was not run."""

    method: str
    lacks: tuple[str, ...]


@final
@dataclass(frozen=True)
class TransferCoverage:
    """What the supervisors' samples of the transfer items score in a study of texts."""

    first: float
    """The best supervisor's first samples."""
    best: float
    """The best of all supervisors' samples."""
    cut: float = 0.0
    """Share of the first samples that ended at the token limit."""


@final
@dataclass(frozen=True, kw_only=True)
class PairDetails:
    """What the report shows of one (task, weak, strong) beside its rows of summary.json."""

    task: str
    weak: str
    strong: str
    replicates: int
    n_weak_train: float
    n_transfer: float
    """Means over replicates."""
    n_test: int
    majority: float | None = absent()
    """Score of the test items' commonest class."""
    agreement: tuple[AgreementEntry, ...] | None = absent()
    training: tuple[TrainingCurve, ...] | None = absent()
    calibration: tuple[CalibrationEntry, ...] | None = absent()
    gold_curve: tuple[GoldPoint, ...] | None = absent()
    worth: Worth | None = absent()
    """How many gold labels teach as much as the weak labels do."""
    settings: tuple[ChosenSettings, ...] | None = absent()
    controls: tuple[ControlVerdict, ...] = ()
    power: Power | None = None
    """What would resolve the gap; None where it is resolved."""
    examples: tuple[ItemExample, ...] | None = absent()
    left_out: tuple[LeftOut, ...] | None = absent()
    bought: dict[str, float] | None = absent()
    """Gold labels, or verdicts of the executor, that a method asked for; mean over replicates."""
    coverage: TransferCoverage | None = absent()
    constant: float | None = absent()
    """Score of the best of the commonest gold answers, given to every test item of a generation task."""
    lacks: tuple[str, ...] | None = absent()
    """Baselines that the design cannot give, and what they need."""


@final
@dataclass(frozen=True)
class TaskSample:
    """An item as a reader sees it."""

    text: str
    gold: str


@final
@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """A task of the study."""

    kind: str
    classes: tuple[str, ...]
    """Empty for generation tasks."""
    items: int
    groups: int
    counts: dict[str, int]
    """What was read and what was left out."""
    source: str
    template: str | None = absent()
    samples: tuple[TaskSample, ...]
    digest: str | None = absent()


@final
@dataclass(frozen=True)
class ModelFacts:
    """A checkpoint of the study."""

    kind: str
    parameters: int | None
    width: int
    depth: int
    licence: str
    revision: str | None
    size_bytes: int
    digest: str
    prompting: str | None = absent()
    """"chat" or "plain": how it was asked in a study of texts."""


@final
@dataclass(frozen=True)
class MethodFacts:
    """A method as it was run."""

    line: str
    paper: str
    differs: str
    parameters: dict[str, Any]
    resources: tuple[str, ...] = ()


@final
@dataclass(frozen=True)
class DetailsFile:
    """details.json."""

    pairs: tuple[PairDetails, ...] = ()
    tasks: dict[str, TaskFacts] = field(default_factory=dict)
    models: dict[str, ModelFacts] = field(default_factory=dict)
    methods: dict[str, MethodFacts] = field(default_factory=dict)
    costs: tuple[StageCost, ...] = ()
