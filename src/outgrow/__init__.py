"""outgrow: weak-to-strong supervision, measured honestly.

import outgrow
result = outgrow.Study(tasks=["cities"], weak=["minilm-l6"], strong="smollm2-135m", seeds=16).run()
result.summary

student = outgrow.load("student/")          # what `outgrow learn` made of your own votes
student.predict(texts)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outgrow.core.errors import UserError

if TYPE_CHECKING:
    from outgrow.students.saved import load
    from outgrow.workflows.study import Result, Study

__all__ = ["Result", "Study", "UserError", "load"]


def __getattr__(name: str) -> Any:
    # the study pulls in torch; naming it is what should cost, not importing the package
    if name in ("Study", "Result"):
        from outgrow.workflows import study

        return getattr(study, name)
    if name == "load":
        from outgrow.students.saved import load

        return load
    raise AttributeError(f"module 'outgrow' has no attribute {name!r}")
