"""Runs in a sandbox: whether two mathematical expressions are equal, by math-verify (which parses with what can run code)."""

from math_verify import parse, verify


def answer(job):
    """(value, said) -> True, False, or None where either cannot be read."""
    value, said = (parse(_marked(text), parsing_timeout=None, raise_on_error=False) for text in job)
    if not value or not said:
        return None
    return bool(verify(value, said, timeout_seconds=None, raise_on_error=False))


def _marked(text: str) -> str:
    return text if "$" in text or "\\boxed" in text else f"${text}$"
