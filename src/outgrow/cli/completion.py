"""outgrow completion"""

from __future__ import annotations

from typing import Literal


def completion_(shell: Literal["bash", "zsh", "fish"], /) -> None:
    """Print what makes the shell complete verbs, flags and their values.

    Parameters
    ----------
    shell
        bash, zsh or fish.
    """
    from outgrow.cli import app

    print(app.generate_completion(prog_name="outgrow", shell=shell))
