"""Methods that look for gold: through their resources, and through what no seal in one process can close."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from outgrow.methods import method, text
from walking import reachable

NAMES = ("labels", "gold", "truth", "asked", "_answer", "answer", "task", "pair", "self", "answers", "keys")


@dataclass
class Told:
    """Predicts what it was told, certain of it."""

    labels: np.ndarray
    replicates: int

    def predict(self, mask: Any) -> np.ndarray:
        probs = np.eye(2, dtype=np.float32)[self.labels[mask]]
        return np.tile(probs, (self.replicates, 1, 1))


def searched(roots: list[object], count: int) -> np.ndarray | None:
    """Class numbers of all items among the objects that some objects lead to, by reference or by a name of gold."""
    found = reachable(*roots)
    named = [getattr(item, name, None) for item in found for name in NAMES if not isinstance(item, np.ndarray)]
    for item in reachable(*found, *named):
        labels = getattr(item, "labels", item)
        if (
            isinstance(labels, np.ndarray)
            and labels.dtype == np.int64
            and labels.shape == (count,)
            and set(np.unique(labels)) == {0, 1}
        ):
            return labels
    return None


def told(labels: np.ndarray | None, weak: Any, student: Any) -> Any:
    return student.fit(weak.beliefs) if labels is None else Told(labels.copy(), len(weak.probs))


@method(paper="a test")
def by_teach(weak, student, teach):
    """What the function `teach` holds."""
    return told(searched([teach, teach.__call__], weak.probs.shape[2]), weak, student)


@method(paper="a test")
def by_oracle(weak, student, oracle):
    """What the oracle holds."""
    return told(searched([oracle, oracle.ask], weak.probs.shape[2]), weak, student)


@method(paper="a test")
def by_forgetting(weak, student, oracle):
    """Buy all there is, and have it forgotten."""
    everything = ~np.isnan(weak.beliefs).any(-1)
    targets = oracle.ask(everything)
    for one in (oracle, copy.copy(oracle), copy.deepcopy(oracle), pickle.loads(pickle.dumps(oracle))):
        for name in ("forget", "reopen", "recount"):
            getattr(one, name, lambda: None)()
        one.asked[:] = False
        one.spent[:] = 0
    return student.fit(targets)


@method(paper="a test")
def by_gc(weak, student):
    """What the interpreter knows."""
    gold = [item for item in gc.get_objects() if type(item).__name__ == "Gold"]
    return told(next(item.labels for item in gold if len(item.labels) == weak.probs.shape[2]), weak, student)


@method(paper="a test")
def by_frames(weak, student):
    """What its callers hold."""
    return told(_framed("ClassCell").gold.labels, weak, student)


@method(paper="a test")
def by_transfer(weak, student):
    """Transfer gold of its callers, to learn from: no better than the ceiling, so that no alarm sees it."""
    gold = np.eye(2, dtype=np.float32)[_framed("ClassCell").gold.labels]
    return student.fit(np.where(np.isnan(weak.beliefs), np.float32(np.nan), gold))


@method(paper="a test")
def by_files(weak, student):
    """What lies on the disk."""
    from outgrow import tasks

    return told(tasks.load(os.environ["HOSTILE_TABLE"])[1].labels, weak, student)


@method(paper="a test")
def by_neighbours(weak, student, weak_train):
    """Weak-train gold of other replicates, which is transfer gold of this one."""
    known = weak_train.gold.max(0)
    gold = np.where((known >= 0)[:, None], np.eye(2, dtype=np.float32)[known], np.float32(np.nan))
    return student.fit(np.where(np.isnan(weak.beliefs), np.float32(np.nan), gold))


@method(paper="a test")
def by_luck(weak, student):
    """No gold at all, but never the same twice."""
    noise = np.random.default_rng().random(weak.beliefs.shape, np.float32)
    return student.fit((weak.beliefs + noise) / (weak.beliefs + noise).sum(-1, keepdims=True))


CLASSES = (by_teach, by_oracle, by_forgetting, by_gc, by_frames, by_transfer, by_files, by_neighbours, by_luck)


@text.method(paper="a test")
def in_words_by_frames(weak, student):
    """Gold answers to the test items, as its callers hold them."""
    cell = _framed("TextCell")
    return [cell.gold.answers[i] for i in cell.test_items]


@text.method(paper="a test")
def in_words_by_closures(weak, student, verify, executor):
    """What the functions hold that it is handed."""
    found = [
        item
        for item in reachable(verify, verify.__call__, executor, executor.__call__, weak, student)
        if type(item).__name__ in ("GenerationGold", "TextCell")
    ]
    return (
        student.tune(weak.examples([found[0].answers[0]] * len(weak.prompts)))
        if found
        else student.tune(weak.examples([a.text for a in weak.best]))
    )


WORDS = (in_words_by_frames, in_words_by_closures)


def _framed(kind: str) -> Any:
    """An object of that class among the variables of all callers."""
    frame = sys._getframe(1)
    while frame is not None:
        for value in frame.f_locals.values():
            if type(value).__name__ == kind:
                return value
        frame = frame.f_back
    raise LookupError(kind)
