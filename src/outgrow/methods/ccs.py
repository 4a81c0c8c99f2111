"""Contrast consistency: of two contrasted statements one is true, so what is believed of one says something of the other.

    C(p)_a ~ p_a (1 - p_b)         each of a pair (a, b): the beliefs of two sides that must exclude one another
    f_0 = fit(C(w))        f_k = fit(1[C(f_{k-1}) > 1/2]) on pairs, to w elsewhere        consistent and confident
A pair is two items that make a whole group, in replicates where naive finds such items opposite more often than by chance.
"""

from outgrow.methods import method
from outgrow.worlds import World


@method(
    paper="contrast-consistent search, Burns et al. 2022 (arXiv 2212.03827)",
    differs=(
        "pairs are statements of one group, not one statement answered yes and no; weak labels say which side is "
        "true; consistency and confidence are met by turns, not as a loss; two classes (naive elsewhere)"
    ),
    wins=World(pairs=True, rate=0.3, width=40),
    ties=World(errors="emulable"),
)
def ccs(weak, student, *, rounds: int = 1):
    """Train on beliefs made consistent within contrasted pairs, then on the student's own consistent answers."""
    import numpy as np

    from outgrow.students.pairs import contrast, margin, opposed, sides

    labels = weak.beliefs
    plain = student.fit(labels)
    if labels.shape[-1] != 2:
        return plain
    pairs = sides(student.groups)
    known = ~np.isnan(labels[:, pairs]).any((-1, -2))
    count = opposed(margin(plain.predict()[:, pairs]), known)
    return contrast(student, labels, pairs, count, rounds) if count.any() else plain
