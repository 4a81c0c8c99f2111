"""Cross-entropy with the targets: L = CE(f, w) = - sum_c w_c log f_c."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outgrow.losses import Aimed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Xent(Aimed):
    """Cross-entropy with the targets.

    Source:
        Burns et al. 2023 (arXiv 2312.09390), section 3: naive fine-tuning on weak labels.
    """

    def aim(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        return targets
