"""Label models: from what several supervisors say to one belief per item. One file each, found by walking the folder."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import final

import numpy as np


@final
@dataclass(frozen=True)
class WeakLabels:
    """What J supervisors say: probs (R, J, N, C) float32; NaN over C = abstained, or not this replicate's to see."""

    probs: np.ndarray
    names: tuple[str, ...]


def registry() -> dict[str, str]:
    """Name of every label model and its first line, found by walking the folder."""
    modules = sorted(m.name for m in pkgutil.iter_modules(__path__))
    return {name: (importlib.import_module(f"{__name__}.{name}").__doc__ or "").splitlines()[0] for name in modules}
