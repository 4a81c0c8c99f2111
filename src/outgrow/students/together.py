"""Several fitted students as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np


@final
@dataclass(frozen=True)
class Choice:
    """For every replicate one of several students: `which` (R,) numbers among `members`."""

    which: np.ndarray
    members: Sequence[Any]

    def predict(self, mask: np.ndarray | None = None) -> np.ndarray:
        """Probabilities (R, n, C) float32."""
        out = self.members[0].predict(mask)
        for number in set(self.which.tolist()) - {0}:
            out[self.which == number] = self.members[number].predict(mask)[self.which == number]
        return out
