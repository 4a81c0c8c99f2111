"""The words of the pages: what rows, terms and marks are."""

from __future__ import annotations

SIGNS = {"stop": "■", "warning": "▲", "note": "●", "ok": "✓", "not applicable": "–"}
"""Marks of how serious a finding is."""
MARKS = {"yes": "▲", "no": "▼", "unclear": "?"}
"""Marks of verdicts."""
KINDS = {
    "ceiling": "Ceiling: the student trained on gold",
    "method": "Methods: the student trained on weak labels alone",
    "gold": "Methods that read gold: the student also trained on the gold that the supervisors know",
    "floor": "Floor: what taught, the supervisor itself or the best label model of several",
    "contrast": "Contrasts: may come out any way, and teach",
    "control": "Controls: must come out a known way",
}
CONTROL = "A control is a run whose outcome is known beforehand."
WHAT = {
    "floor": "what taught, as scored on the test items: the supervisor, or of several the best label model that needs "
    "no gold",
    "best member": "the supervisor that is best on weak-train gold, alone",
    "mean member": "the mean score of the supervisors, each alone",
    "ceiling": "the student trained on gold instead of weak labels",
    "naive": "the student trained on the weak labels as they are",
    "untrained": "the student before any training",
    "zero-shot": "the student asked directly, without training",
    "gold-few": "the student trained on the gold that trained the supervisor",
    "iid-noise": "the student trained on gold with random flips, as many as the supervisor makes errors",
    "cheat-stop": "cheating: naive, stopped at the point of its training where gold says that it is best",
    "shuffled": "weak labels handed to the wrong items: must score like always giving the commonest class",
    "gold-naive": "gold handed through the naive method: must be the ceiling exactly",
    "own-features": "the student's training on the supervisor's own features: must score like the floor",
}
OUTDATED = (
    "The floor of this run is its best supervisor alone, as an earlier version of outgrow wrote it, and not what "
    "taught: run the same command again."
)
GOLD = {
    "known_gold": "also trains its student on the supervisor’s own gold",
    "weak_train": "reads the supervisor’s own gold",
    "auxiliary": "reads gold of other tasks",
}
"""What a method does that asks for such a resource; gold that is bought is counted instead."""
GLOSSARY = {
    "task": "A data set with a question whose true answers are known.",
    "gold": (
        "The true labels. Sealed away from the student; they only train the supervisor and the ceiling, and score "
        "everybody."
    ),
    "supervisor": "The weak teacher: a small model, a prompt, rules or people that label items, with errors.",
    "student": "The stronger model that learns from the supervisor's labels.",
    "floor": (
        "The score of what taught on test items that nobody was trained on: the supervisor itself, or of several the "
        "best label model that needs no gold, chosen on the supervisors' own half."
    ),
    "ceiling": (
        "The score of the same student when it is trained on gold instead: the best that these items could have made "
        "of it."
    ),
    "PGR": (
        "Performance gap recovered: (student − floor) / (ceiling − floor). 0% means that the student only copied its "
        "teacher, 100% that the teacher's errors cost nothing. It can be below 0% and above 100%."
    ),
    "method": (
        "A recipe for learning from weak labels. Naive, plain training on them, is what the others have to beat."
    ),
    "control": (
        "A run that must come out a known way. If it does not, something is broken, and no other figure should be "
        "trusted."
    ),
    "contrast": "A run that may come out any way, and shows what the methods should be compared with.",
    "replicate": (
        "One seed: its own split of the training items, its own initialisation. Every score is a mean over replicates."
    ),
    "[low, high]": "A 95% interval: in 95 of 100 studies done like this one, such an interval holds the true value.",
    "new data": "The interval for what another pool of items from the same source would give: the one to quote.",
    "this pool": "The narrower interval for these very items, with other splits and seeds.",
}
