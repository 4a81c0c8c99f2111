"""outgrow: weak-to-strong supervision, measured honestly.

    import outgrow
    result = outgrow.Study(tasks=["cities"], weak=["minilm-l6"], strong="smollm2-135m", seeds=16).run()
    result.summary
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outgrow.errors import UserError

if TYPE_CHECKING:
    from outgrow.study import Result, Study

__all__ = ["Result", "Study", "UserError"]


def __getattr__(name: str) -> Any:
    # the study pulls in torch; naming it is what should cost, not importing the package
    if name in ("Study", "Result"):
        from outgrow import study

        return getattr(study, name)
    raise AttributeError(f"module 'outgrow' has no attribute {name!r}")
