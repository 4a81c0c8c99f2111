"""A walk over all objects that can be reached without a call, and how well their arrays predict gold."""

from __future__ import annotations

import gc
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import numpy as np


def reachable(*roots: object) -> list[object]:
    """Every object reached by attributes, items, closures, defaults, `__self__`, bases of arrays and referents of `gc`.

    Modules, classes and globals of functions are left out, since every function leads to them: there the seal ends.
    """
    seen: dict[int, object] = {}
    queue = list(roots)
    while queue:
        item = queue.pop()
        if id(item) in seen or isinstance(item, (ModuleType, type)):
            continue
        seen[id(item)] = item
        if isinstance(item, FunctionType):
            queue += [item.__defaults__, item.__kwdefaults__, item.__dict__]
            for cell in item.__closure__ or ():
                try:
                    queue.append(cell.cell_contents)
                except ValueError:  # a cell that was never filled
                    continue
        elif isinstance(item, (MethodType, BuiltinFunctionType)):
            queue += [item.__self__, getattr(item, "__func__", None)]
        else:
            queue += gc.get_referents(item)
            queue.append(getattr(item, "base", None) if isinstance(item, np.ndarray) else None)
    return list(seen.values())


def tells(item: object, gold: np.ndarray, hidden: np.ndarray) -> float:
    """How well an array of N rows, or any slice of it, predicts gold of two classes on hidden rows; .5 is chance."""
    if isinstance(item, (str, bytes)):
        return 0.5
    try:
        array = np.asarray(item, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError):
        return 0.5
    best = 0.5
    for axis, size in enumerate(array.shape):
        if size != len(gold) or array.size > 10_000_000:
            continue
        for column in np.moveaxis(array, axis, 0).reshape(size, -1).T[:200]:
            column = column[hidden]
            if np.isnan(column).any() or column.min() == column.max():
                continue
            agrees = (
                ((column > np.median(column)) == gold[hidden]).mean(),
                ((column == column.max()) == gold[hidden]).mean(),
            )
            best = max(best, *agrees, *(1 - a for a in agrees))
    return best
