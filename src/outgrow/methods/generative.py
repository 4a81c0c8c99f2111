"""Generative fine-tuning: the student learns the task's texts as a language model before it learns the weak labels.

theta_1: minimise  -log p(token | those before it)  over the texts, without labels, from the checkpoint
minimise  CE(f, w)  from theta_1
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Adaptable, Fitted


@method(
    paper="Burns et al. 2023 (arXiv 2312.09390), section 5.2.2",
    differs="on the texts that have a weak label, each once; a head that is not tied to the embeddings is not trained; "
    "for fine-tuned causal models",
    wins=World(gap=1.0, rate=0.4, width=80),
    ties=World(rate=0.3, width=80),
)
def generative(weak: WeakLabels, generator: Adaptable, *, epochs: int = 2) -> Fitted:
    """Train the student as a language model on the texts, without labels, and then on the weak labels.

    Args:
        epochs: passes over the texts.
    """
    return generator.adapted(~np.isnan(weak.beliefs).any(-1), epochs).fit(weak.beliefs)
