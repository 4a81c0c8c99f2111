"""Losses by name, so that a saved student tells what its logits mean: a name of the registry, or MODULE:CLASS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import reduce
from importlib import import_module
from typing import Any

from outgrow.core.errors import UserError
from outgrow.losses import LOSSES, FunctionLoss, Loss
from outgrow.losses.xent import Xent


def record_of(loss: Loss) -> dict[str, Any]:
    """A loss as plain data.

    Raises:
        UserError: it reads logits in its own way, and another process could not find its class.
    """
    if isinstance(loss, FunctionLoss):
        return {"function": f"{loss.function.__module__}:{loss.function.__qualname__}"}
    kind = type(loss)
    place = f"{kind.__module__}:{kind.__qualname__}"
    if is_dataclass(loss):
        values = {f.name: getattr(loss, f.name) for f in fields(loss)}
        for known in LOSSES.all().values():
            if known.kind is kind:
                return {"loss": known.name, "fields": values}
        if kind.__module__ != "__main__" and "<" not in place:
            return {"loss": place, "fields": values}
    if kind.read is not Loss.read:
        raise UserError(f"the loss {place} cannot be saved: make it a frozen dataclass at the top of a module")
    return {"function": place}


def loss_of(record: Mapping[str, Any]) -> Loss:
    """The loss that a record names, also one of earlier versions (file and class).

    A loss that is not needed to read logits is named as a function, and is not looked for: its logits mean what
    those of cross-entropy mean.

    Raises:
        UserError: there is no such loss, or its module cannot be imported.
    """
    if "function" in record:
        return Xent()
    name = str(record.get("loss") or record["file"])
    return _kind(name)(**record["fields"])


def _kind(name: str) -> type[Loss]:
    module, colon, qualname = name.partition(":")
    if not colon:
        return LOSSES.find(name).kind
    try:
        found = reduce(getattr, qualname.split("."), import_module(module))
    except (ImportError, AttributeError) as error:
        raise UserError(f"the loss {name} of the student cannot be imported ({error}): install its package") from None
    if not (isinstance(found, type) and issubclass(found, Loss)):
        raise UserError(f"{name} of the student is no loss: the folder was changed, or its package")
    return found
