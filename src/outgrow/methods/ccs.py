"""Contrast consistency: of two contrasted statements one is true, so what is believed of one says something of the other.

    C(p)_a ~ p_a (1 - p_b)         each of a pair (a, b): the beliefs of two sides that must exclude one another
    f_0 = fit(C(w))        f_k = fit(1[C(f_{k-1}) > 1/2]) on pairs, to w elsewhere        consistent and confident
A pair is two rivals, in replicates where naive finds such items opposite more often than by chance.
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
def ccs(weak, student, rivals, *, rounds: int = 1):
    """Train on beliefs made consistent within contrasted pairs, then on the student's own consistent answers."""
    import numpy as np

    from outgrow.students.rivals import contrast, margin

    labels = weak.beliefs
    plain = student.fit(labels)
    _, where, size = np.unique(rivals, return_inverse=True, return_counts=True)
    twos = np.flatnonzero(size[where] == 2)
    pairs = twos[np.argsort(where[twos], kind="stable")].reshape(-1, 2)
    known = ~np.isnan(labels[:, pairs]).any((-1, -2))
    if labels.shape[-1] != 2 or not known.any():
        return plain
    product = np.where(known, margin(plain.predict()[:, pairs]).prod(-1), 0)
    # Were sides independent, the sum would have this deviation: three of it below 0 is no chance.
    opposed = known & (product.sum(-1) < -3 * np.sqrt(np.square(product).sum(-1)))[:, None]
    count = np.zeros(labels.shape[:2], bool)
    count[:, pairs] = opposed[..., None]
    return contrast(student, labels, rivals, count, rounds) if count.any() else plain
