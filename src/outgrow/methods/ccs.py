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

    labels = weak.beliefs
    if labels.shape[-1] != 2:
        return student.fit(labels)
    _, where, size = np.unique(student.groups, return_inverse=True, return_counts=True)
    sides = np.flatnonzero(size[where] == 2)
    sides = sides[np.argsort(where[sides], kind="stable")].reshape(-1, 2)
    known = ~np.isnan(labels[:, sides]).any((-1, -2))
    both = contrasted(_margin(student.fit(labels).predict()[:, sides]), known)
    fitted = student.fit(_consistent(labels, labels, sides, both))
    for _ in range(rounds):
        answers = _consistent(labels, fitted.predict(), sides, both)
        sure = np.sign(_margin(answers[:, sides]))[..., None] * [-0.5, 0.5] + 0.5
        answers[:, sides] = np.where(both[..., None, None], sure, labels[:, sides])
        fitted = student.fit(answers)
    return fitted


def contrasted(margins, known):
    """(R, P): the known pairs (R, P), in replicates where margins (R, P, 2) of these are opposed on the whole."""
    import numpy as np

    product = np.where(known, margins.prod(-1), 0)
    # Were sides independent, the sum would have this deviation: three of it below 0 is no chance.
    return known & (product.sum(-1) < -3 * np.sqrt(np.square(product).sum(-1)))[:, None]


def _margin(probs):
    import numpy as np

    safe = probs.astype(np.float64).clip(1e-6, 1 - 1e-6)
    return np.log(safe[..., 1] / safe[..., 0])


def _consistent(labels, probs, sides, both):
    """`labels`, with C(probs) for the sides (P, 2) of the pairs that count."""
    import numpy as np

    first, second = np.moveaxis(_margin(probs[:, sides]), -1, 0)
    true = 1 / (1 + np.exp(np.stack([second - first, first - second], -1)))
    out = labels.copy()
    out[:, sides] = np.where(both[..., None, None], np.stack([1 - true, true], -1), labels[:, sides])
    return out
