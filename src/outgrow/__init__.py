"""outgrow: weak-to-strong supervision, measured honestly.

import outgrow
result = outgrow.Study(tasks=["cities"], weak=["minilm-l6"], strong="smollm2-135m", seeds=16).run()
result.summary

learned = outgrow.learn(frame, text="message", votes=["rule_1", "rule_2"], gold="label")
learned.student.predict(texts)              # later: outgrow.load("student/").predict(texts)
learned.student.predict_proba(texts)        # probabilities, in the order of learned.student.classes_
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from outgrow.core.errors import UserError

if TYPE_CHECKING:
    from outgrow.losses import Loss
    from outgrow.methods import method
    from outgrow.students.saved import load
    from outgrow.supervisors import supervisor
    from outgrow.tasks.asking import Asking
    from outgrow.tasks.task import Task
    from outgrow.verifiers import verifier
    from outgrow.workflows.audit_frames import audit
    from outgrow.workflows.committee import committee
    from outgrow.workflows.frames import learn
    from outgrow.workflows.front import Study
    from outgrow.workflows.label_frames import label
    from outgrow.workflows.result import Result

__all__ = [
    "Asking",
    "Loss",
    "Result",
    "Study",
    "Task",
    "UserError",
    "audit",
    "committee",
    "label",
    "learn",
    "load",
    "method",
    "supervisor",
    "verifier",
]

_PLACES = {
    "Asking": "tasks.asking",
    "Loss": "losses",
    "Result": "workflows.result",
    "Study": "workflows.front",
    "Task": "tasks.task",
    "audit": "workflows.audit_frames",
    "committee": "workflows.committee",
    "label": "workflows.label_frames",
    "learn": "workflows.frames",
    "load": "students.saved",
    "method": "methods",
    "supervisor": "supervisors",
    "verifier": "verifiers",
}
"""Where each name lies: naming one is what costs, not importing the package."""

_ROOMS = ("label_models", "sklearn")
"""Rooms that are used by their names, as `outgrow.sklearn.WeakToStrongClassifier`."""


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"outgrow.{name}")
    if name in _PLACES:
        return getattr(import_module(f"outgrow.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'outgrow' has no attribute {name!r}")
