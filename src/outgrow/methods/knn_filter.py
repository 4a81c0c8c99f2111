"""Neighbours' filter: the student is trained on items whose weak label is what their neighbours' weak labels say.

minimise  sum_{i kept} CE(f_i, w_i)        kept: argmax w_i = argmax_c mean_{j near i} w_jc / prior_c
"""

from outgrow.core.worlds import World
from outgrow.methods import method
from outgrow.selection.neighbours import neighbours


@method(
    paper="Wilson 1972; deep k-NN, Bahri, Jiang & Gupta 2020 (arXiv 2004.12289)",
    differs="neighbours in the student's frozen features and not in the logits of a first model; shares are measured against the prior",
    wins=World(rate=0.4, gap=1.0),
    ties=World(errors="emulable"),
)
def knn_filter(weak, student, features, *, k: int = 15):
    """Train on items whose weak label is what their neighbours' weak labels say."""
    return student.fit(weak.beliefs, weights=neighbours(weak.belief, features, k))
