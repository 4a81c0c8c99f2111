"""Bootstrap: the labels climb to the student through students of sizes in between.

w_0 = w        w_m = fit_m(w_{m-1})    for every rung m of the ladder        student = fit(w_M)
"""

from outgrow.core.worlds import World
from outgrow.methods import method


@method(
    paper="Burns et al. 2023 (arXiv 2312.09390), section 4.3.1",
    differs="heads on frozen features; every rung labels the items that it was trained on, and keeps silent where the supervisors do",
    wins=World(rate=0.3, width=80, needed=10),
    ties=World(errors="emulable"),
)
def bootstrap(weak, ladder, student):
    """Weak labels teach the smallest student in between, which teaches the next, up to the student."""
    import numpy as np

    labels = weak.beliefs
    for rung in ladder:
        labels = np.where(np.isnan(weak.beliefs), np.float32(np.nan), rung.fit(labels).predict())
    return student.fit(labels)
