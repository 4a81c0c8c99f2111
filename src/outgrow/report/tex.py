"""Text as LaTeX and BibTeX print it."""

from __future__ import annotations

SIGNS = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\xa0": "~"}
SIGNS |= {"→": r"$\to$", "−": "$-$", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
SIGNS |= {sign: f"\\{sign}" for sign in "&%$#_{}"}


def escaped(text: str) -> str:
    """The text with every sign that LaTeX means something by as a command."""
    return "".join(SIGNS.get(sign, sign) for sign in text)
