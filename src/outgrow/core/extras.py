"""Packages that only some work needs: extras of the installation."""

from __future__ import annotations

from importlib.util import find_spec

from outgrow.core.errors import UserError


def needs(package: str, extra: str, what: str) -> None:
    """Raise UserError where a package is not installed.

    Args:
        package: the name it is imported by.
        extra: of outgrow, which installs it.
        what: needs it, with a verb: "an image needs".
    """
    if find_spec(package) is None:
        raise UserError(f"{what} the package {package}, which is not installed: pip install 'outgrow[{extra}]'")
