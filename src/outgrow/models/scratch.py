"""`convnet` or `convnet:WIDTH`: no checkpoint, but a small network that every training starts anew (`students/convnet.py`)."""

from __future__ import annotations

import re

from outgrow.errors import UserError

NAME = "convnet"
WIDTH = 24
"""Channels of the first block where the name says nothing; a multiple of GROUPS."""
GROUPS = 8
_FORM = re.compile(rf"{NAME}(:(?P<width>\d+))?")


def named(name: str) -> bool:
    """Whether a name means a network that is trained from scratch."""
    return name.partition(":")[0] == NAME


def width(name: str) -> int:
    """Channels of its first block. UserError for a name that is none."""
    found = _FORM.fullmatch(name)
    asked = WIDTH if found is None or found["width"] is None else int(found["width"])
    if found is None or not GROUPS <= asked <= 512 or asked % GROUPS:
        raise UserError(f"model {name!r}: write it as {NAME} or {NAME}:WIDTH, with a multiple of {GROUPS} from {GROUPS} to 512")
    return asked
