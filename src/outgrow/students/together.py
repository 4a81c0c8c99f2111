"""Several fitted students as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np


@final
@dataclass(frozen=True)
class Either:
    """One student for the replicates in `first` (R,) bool, another for the rest."""

    first: np.ndarray
    yes: Any
    no: Any

    def predict(self, mask: np.ndarray | None = None) -> np.ndarray:
        """Probabilities (R, n, C) float32."""
        return np.where(self.first[:, None, None], self.yes.predict(mask), self.no.predict(mask))
