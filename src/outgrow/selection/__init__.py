"""Selections: which items to trust, and how much. One file each, found by walking the folder.

A selection is a function named like its file that returns weights (R, N) float32 >= 0 for `student.fit(..., weights=...)`.
"""

from __future__ import annotations

import importlib
import pkgutil


def registry() -> dict[str, str]:
    """Name of every selection and its first line, found by walking the folder."""
    modules = sorted(m.name for m in pkgutil.iter_modules(__path__))
    return {name: (importlib.import_module(f"{__name__}.{name}").__doc__ or "").splitlines()[0] for name in modules}
