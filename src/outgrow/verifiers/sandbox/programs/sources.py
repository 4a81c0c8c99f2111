"""The programs of this folder as texts, for those who put them into a box."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final


@final
@dataclass(frozen=True)
class Program:
    """A Python file for a box."""

    name: str
    text: bytes

    @property
    def file(self) -> tuple[str, bytes]:
        """Name and text, an entry of `Box.files`."""
        return self.name, self.text


def _read(name: str) -> Program:
    return Program(name, Path(__file__).with_name(name).read_bytes())


CANDIDATE = _read("candidate.py")
JUDGE = _read("judge.py")
JOB_SERVER = _read("job_server.py")
PLAIN_VALUES = _read("plain_values.py")
EQUALITY = _read("equality.py")
SCHEMA_VALIDATOR = _read("schema_validator.py")
SOLVER = _read("solver.py")
TYPE_CHECKER = _read("type_checker.py")
