"""Fine-tuning on weak labels, then on gold: what weak labels taught is where the training on gold begins.

    f = fit(w)        result: f trained on with the gold that the supervisors know

Both trainings are whole ones, each with its own warm schedule; the second sees gold items alone.
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Continued, Fitted


@method(
    paper="fine-tuning on weak, then on strong labels: Dehghani et al. 2018 (arXiv 1711.02799)",
    differs="the gold items are not used to weigh the weak labels",
    wins=World(errors="emulable", rate=0.35),
    ties=World(rate=0.0, gap=1.0),
)
def weak_then_gold(weak: WeakLabels, tuned: Continued, known_gold: np.ndarray) -> Fitted:
    """Fine-tune on weak labels, and on with gold."""
    told = ~np.isnan(known_gold).any(-1)
    return tuned.after(weak.beliefs).on(told).fit(known_gold)
