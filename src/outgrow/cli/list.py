"""outgrow list"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from outgrow.cli.output import SPOKEN, Spoken
from outgrow.core.errors import unknown
from outgrow.core.progress import emit

if TYPE_CHECKING:
    from outgrow.core.registry import Registry
    from outgrow.methods import Method

Row = tuple[str, ...]


def list_(what: str | None = None, /, *, output: Spoken = SPOKEN) -> None:
    """What there is to choose from: tasks, models, methods, text-methods (for generation tasks), label-models, losses,
    selections, supervisors, audits, verifiers, charts.

    Parameters
    ----------
    what
        One of these words; without it, the names of everything.
    """
    output.begin()
    if what is not None and what not in LISTS:
        raise unknown("list", what, LISTS)
    if output.json:
        output.show({name: list(rows()) for name, rows in LISTS.items() if what in (None, name)})
        return
    if what is None:
        for name, rows in LISTS.items():
            emit(f"{name + ':':14}{', '.join(row[0] for row in rows())}")
        emit("\noutgrow list WHAT says more about each.")
        return
    _print(LISTS[what]())


def _print(rows: Iterable[Row]) -> None:
    """Columns as wide as they need to be, the last one free."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        emit("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _tasks() -> Iterable[Row]:
    from outgrow.tasks import names
    from outgrow.tasks.source import TASKS, generation_sources

    yield from names()
    for one in generation_sources():
        yield one.name + (f":{one.dial.what.upper()}" if one.dial else ""), f"generation task: {one.what}"
    for name, why in TASKS.broken().items():
        yield name, f"broken: {why}"


def _models() -> Iterable[Row]:
    from outgrow.models import catalogue

    for model in catalogue():
        parameters = f"{model.parameters / 1e6:.{1 if model.parameters < 1e7 else 0}f}M"
        yield model.name, parameters, f"{model.size / 1e6:.0f} MB", model.licence, model.what
    yield (
        "convnet",
        "0.1M",
        "0 MB",
        "-",
        "no checkpoint: a small network that is trained from scratch on images (convnet:WIDTH)",
    )
    yield (
        "patches",
        "0.04M",
        "0 MB",
        "-",
        "no checkpoint: kinds of patches found in the pool's images, without labels (patches:K)",
    )
    yield "chess", "0M", "0 MB", "-", "no checkpoint: features of moves of chess (chess:planes, chess:tactics)"


def _rows(registry: Registry[Any], row: Callable[[Any], Row], blank: Row = ()) -> Iterable[Row]:
    """A row for each member, and one for each plug-in that cannot be used, whose columns `blank` stay empty."""
    yield from map(row, registry.all().values())
    for name, why in registry.broken().items():
        yield name, *blank, f"broken: {why}"


def _method(method: Method) -> Row:
    parameters = ", ".join(f"{name}={value}" for name, value in method.parameters.items())
    differs = f"; differs: {method.differs}" if method.differs else ""
    return method.name, parameters, f"{method.line} [{method.paper}{differs}]"


def _methods() -> Iterable[Row]:
    from outgrow.methods import METHODS

    return _rows(METHODS, _method, blank=("",))


def _text_methods() -> Iterable[Row]:
    from outgrow.methods.text import TEXT_METHODS

    return _rows(TEXT_METHODS, _method, blank=("",))


def _label_models() -> Iterable[Row]:
    from outgrow.label_models import LABEL_MODELS

    return _rows(LABEL_MODELS, lambda one: (one.name, one.line))


def _losses() -> Iterable[Row]:
    from outgrow.losses import LOSSES

    return _rows(LOSSES, lambda one: (one.name, one.line))


def _selections() -> Iterable[Row]:
    from outgrow.selection import SELECTIONS

    return _rows(SELECTIONS, lambda one: (one.name, one.line))


def _supervisors() -> Iterable[Row]:
    from outgrow.supervisors import SUPERVISORS

    return _rows(
        SUPERVISORS, lambda one: (f"{one.name}:{one.argument.upper()}" if one.argument else one.name, one.line)
    )


def _audits() -> Iterable[Row]:
    from outgrow.audits import AUDITS

    return _rows(AUDITS, lambda one: (one.name, f"{one.question} {one.line}"))


def _verifiers() -> Iterable[Row]:
    from outgrow.verifiers import VERIFIERS

    return _rows(VERIFIERS, lambda one: (one.name, one.line + (f" [{one.paper}]" if one.paper else "")))


def _charts() -> Iterable[Row]:
    from outgrow.report.charts import CHARTS

    return _rows(CHARTS, lambda one: (one.name, one.title))


LISTS: dict[str, Callable[[], Iterable[Row]]] = {
    "tasks": _tasks,
    "models": _models,
    "methods": _methods,
    "text-methods": _text_methods,
    "label-models": _label_models,
    "losses": _losses,
    "selections": _selections,
    "supervisors": _supervisors,
    "audits": _audits,
    "verifiers": _verifiers,
    "charts": _charts,
}
