"""outgrow list"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from outgrow.core.errors import unknown
from outgrow.core.progress import emit

Row = tuple[str, ...]


def list_(what: str | None = None, /) -> None:
    """What there is to choose from: tasks, models, methods, sequences (methods for answers in words), label-models, losses, selections,
    supervisors, audits, verifiers.

    Parameters
    ----------
    what
        One of these words; without it, the names of everything.
    """
    if what is None:
        for name, rows in LISTS.items():
            emit(f"{name + ':':14}{', '.join(row[0] for row in rows())}")
        emit("\noutgrow list WHAT says more about each.")
        return
    if what not in LISTS:
        raise unknown("list", what, LISTS)
    _print(LISTS[what]())


def _print(rows: Iterable[Row]) -> None:
    """Columns as wide as they need to be, the last one free."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        emit("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _tasks() -> Iterable[Row]:
    from outgrow.tasks import names
    from outgrow.tasks.generation import sources

    yield from names()
    for one in sources():
        yield one.name + (f":{one.dial.what.upper()}" if one.dial else ""), f"answered in words: {one.what}"


def _models() -> Iterable[Row]:
    from outgrow.models import catalogue

    for model in catalogue():
        yield model.name, f"{model.parameters / 1e6:.0f}M", f"{model.size / 1e6:.0f} MB", model.licence, model.what
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


def _methods() -> Iterable[Row]:
    from outgrow.methods import registry

    for method in registry().values():
        parameters = ", ".join(f"{name}={value}" for name, value in method.parameters.items())
        differs = f"; differs: {method.differs}" if method.differs else ""
        yield method.name, parameters, f"{method.line} [{method.paper}{differs}]"


def _sequences() -> Iterable[Row]:
    from outgrow.methods.text import registry

    for method in registry().values():
        parameters = ", ".join(f"{name}={value}" for name, value in method.parameters.items())
        yield (
            method.name,
            parameters,
            f"{method.line} [{method.paper}{f'; differs: {method.differs}' if method.differs else ''}]",
        )


def _label_models() -> Iterable[Row]:
    from outgrow.label_models import registry

    return registry().items()


def _losses() -> Iterable[Row]:
    from outgrow.losses import registry

    return registry().items()


def _selections() -> Iterable[Row]:
    from outgrow.selection import registry

    return registry().items()


def _supervisors() -> Iterable[Row]:
    from outgrow.supervisors import registry

    for kind in registry().values():
        yield f"{kind.name}:{kind.argument.upper()}" if kind.argument else kind.name, kind.line


def _audits() -> Iterable[Row]:
    from outgrow.audits import registry

    for one in registry().values():
        yield one.code, f"{one.question} {one.line}"


def _verifiers() -> Iterable[Row]:
    from outgrow.verifiers import registry

    for one in registry().values():
        yield one.name, one.line + (f" [{one.paper}]" if one.paper else "")


LISTS: dict[str, Callable[[], Iterable[Row]]] = {
    "tasks": _tasks,
    "models": _models,
    "methods": _methods,
    "sequences": _sequences,
    "label-models": _label_models,
    "losses": _losses,
    "selections": _selections,
    "supervisors": _supervisors,
    "audits": _audits,
    "verifiers": _verifiers,
}
