"""How fields become what a model reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter

from outgrow.core.errors import UserError
from outgrow.tasks.task import Kind

OPTION = {"choose": "choice", "prefer": "reply", "compare": "reply"}
"""The field that stands for the candidate, or for one of the two texts."""


@dataclass(frozen=True)
class Template:
    """Text with {fields}; a line whose fields are all empty for an item is left out."""

    text: str
    lines: tuple[tuple[tuple[str, str | None], ...], ...]
    """Per line, pieces: literal text, then the field after it or None."""
    fields: tuple[str, ...]

    def render(self, values: Mapping[str, str]) -> str:
        """The text for one item; every field must be in `values`."""
        out = []
        for line in self.lines:
            filled = [values[field].strip() for _, field in line if field is not None]
            if filled and not any(filled):
                continue
            fill = iter(filled)
            out.append("".join(text + (next(fill) if field is not None else "") for text, field in line))
        return "\n".join(out).strip()


def compiled(text: str) -> Template:
    """A template from what the user typed; a typed \\n is a new line.

    Raises UserError where the braces do not match.
    """
    lines = []
    for line in text.replace("\\n", "\n").split("\n"):
        try:
            parts = list(Formatter().parse(line))
        except ValueError as error:
            raise UserError(f"`template` = {text!r}: {error}; a brace as such is written twice") from None
        if any(spec or conversion for _, _, spec, conversion in parts):
            raise UserError(f"`template` = {text!r}: a field is a column's name in braces and nothing else")
        lines.append(tuple((literal, field) for literal, field, _, _ in parts))
    fields = dict.fromkeys(field for line in lines for _, field in line if field is not None)
    return Template(text, tuple(lines), tuple(fields))


def default(kind: Kind, roles: Iterable[str]) -> Template:
    """Context, question and answer, a line each, as far as there are columns for them."""
    have = set(roles)
    lines = {
        "context": "{context}",
        "prompt": "{prompt}",
        "text": "{text}",
        "question": "Question: {question}",
        "text2": "{text2}",
    }
    text = [line for role, line in lines.items() if role in have]
    last = {
        "classify": "Answer: {answer}" if "answer" in have else None,
        "choose": "Answer: {choice}",
        "prefer": "{reply}",
        "compare": "{reply}",
    }[kind]
    return compiled("\n".join([*text, last] if last else text))
