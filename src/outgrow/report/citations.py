"""BibTeX of what a result came from: papers as methods, label models, verifiers and audits name them.

A paper is named in a line, "Burns et al. 2023 (arXiv 2312.09390), section 3". Its title is looked up in TITLES, or
stands in quotes behind the year; where it is not known the entry says the arXiv number in its place.
"""

from __future__ import annotations

import inspect
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

from outgrow.report.sheets import content
from outgrow.report.tex import escaped
from outgrow.report.titles import TITLES
from outgrow.runs import schema
from outgrow.runs.schema.study import StudyFile

PGR = "Burns et al. 2023 (arXiv 2312.09390), section 3"
COVERAGE = "Chen et al. 2021, arXiv 2107.03374"
STEERING = "Liu et al. 2024 (arXiv 2401.08565), section 3"
_NAME = r"(?:(?:de|van|von) )?[^\W\d_a-z](?=[^\W\d_A-Z])[^\W\d_]*(?:[-'’][^\W\d_]+)*"
_PAPER = re.compile(
    rf"(?P<names>{_NAME}(?:(?:, | & |, & ){_NAME})*(?P<more> et al\.)?),? (?P<year>(?:19|20)\d\d)(?![-\d])"
    r'(?:,? "(?P<title>[^"]+)")?'
    r"(?:(?:, (?P<named>[^,;.]+))?,? \(?arXiv (?P<arxiv>\d{4}\.\d{4,5})| \(doi (?P<doi>[^\s)]+))?"
)
_ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})")
_MONTHS = {"April"}
_SMALL = {"a", "an", "on", "the"}


@final
@dataclass(frozen=True)
class Paper:
    """A paper as far as a line names it."""

    names: tuple[str, ...]
    others: bool
    """Whether it has more authors than are named."""
    year: str
    title: str
    arxiv: str = ""
    doi: str = ""

    @property
    def key(self) -> str:
        """First author, year and first word of the title, in plain letters."""
        word = next((word for word in re.findall(r"[\w-]+", self.title) if word.lower() not in _SMALL), "")
        return f"{_plain(self.names[0])}{self.year}{_plain(word)}" if self.names else f"arxiv{self.arxiv}"

    def entry(self) -> str:
        """Its BibTeX entry."""
        fields = {
            "author": " and ".join([*map(escaped, self.names), *(["others"] if self.others else [])]),
            "title": f"{{{escaped(self.title)}}}" if self.title else "",
            "year": self.year,
            "eprint": self.arxiv,
            "archiveprefix": "arXiv" if self.arxiv else "",
            "doi": self.doi,
        }
        return _entry("misc", self.key, fields)


def _plain(text: str) -> str:
    """Small letters and digits without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if c.isascii() and c.isalnum()).lower()


def papers(line: str) -> list[Paper]:
    """The papers that a line names, in its order."""
    found = []
    for match in _PAPER.finditer(line):
        names = tuple(name.strip() for name in re.split(r", & |, | & ", match["names"].removesuffix(" et al.")))
        if names[0] in _MONTHS:
            continue
        arxiv, first = match["arxiv"] or "", f"{names[0]} {match['year']}"
        title = TITLES.get(arxiv or first) or match["title"] or match["named"] or (f"arXiv:{arxiv}" if arxiv else "")
        found.append(Paper(names, bool(match["more"]), match["year"], title, arxiv, match["doi"] or ""))
    seen = {paper.arxiv for paper in found}
    for number in _ARXIV.findall(line):
        if number not in seen:
            title = TITLES.get(number) or f"arXiv:{number}"
            found.append(Paper((), False, f"20{number[:2]}", title, number))
    return found


def bibliography(folders: Sequence[Path]) -> str:
    """BibTeX of outgrow and of the papers behind the results in these folders; a comment says which is for what.

    Raises:
        UserError: no job wrote into a folder.
    """
    uses: dict[str, list[str]] = {}
    for folder in folders:
        facts = content(folder)
        for what, line in _SOURCES[facts["verb"]](folder, facts):
            uses.setdefault(line, []).append(what)
    entries: dict[str, str] = {}
    comments = []
    for line, whats in uses.items():
        named = papers(line)
        keys = ", ".join(dict.fromkeys(paper.key for paper in named)) or " ".join(line.split())
        comments.append(f"% {', '.join(dict.fromkeys(whats))}: {keys}")
        for paper in named:
            entries.setdefault(paper.key, paper.entry())
    ours = {
        "author": "{The outgrow authors}",
        "title": "{outgrow: weak-to-strong supervision, measured honestly}",
        "year": "2026",
        "version": version("outgrow"),
    }
    return "\n\n".join(filter(None, ["\n".join(comments), _entry("software", "outgrow", ours), *entries.values()]))


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


Uses = Iterator[tuple[str, str]]
"""What was used, and the line that names its paper."""


def _of_run(folder: Path, facts: dict[str, Any]) -> Uses:
    from outgrow.runs.read import read

    run = read(folder)
    yield "PGR", PGR
    ran = {row["method"] for row in facts["rows"] if row["kind"] == "method"}
    for name, method in run.methods.items():
        if name in ran:
            yield f"method {name}", method["paper"]
    if any("+" in pair.weak for pair in run.pairs):
        study = schema.read(folder / "study.json", StudyFile)
        yield from _label_model(study.asked.get("label_model") or "mean")


def _of_learn(folder: Path, facts: dict[str, Any]) -> Uses:
    how = facts.get("how") or {}
    if how:
        yield f"method {how['method']}", how["paper"]
        yield from _label_model(how["label_model"])


def _label_model(name: str) -> Uses:
    from outgrow.label_models import LABEL_MODELS

    if (model := LABEL_MODELS.all().get(name)) and (line := stated(model.run)):
        yield f"label model {name}", line


def _of_committee(folder: Path, facts: dict[str, Any]) -> Uses:
    from outgrow.verifiers import VERIFIERS

    yield "coverage", COVERAGE
    known = VERIFIERS.all()
    for name in dict.fromkeys(one["verifier"] for one in facts["figures"]):
        if name in known and known[name].paper:
            yield f"verifier {name}", known[name].paper


def _of_steer(folder: Path, facts: dict[str, Any]) -> Uses:
    yield "proxy-tuning", STEERING


def _of_audit(folder: Path, facts: dict[str, Any]) -> Uses:
    from outgrow.audits import AUDITS

    known = AUDITS.all()
    for one in facts["findings"]:
        name = re.split(r"[-.]", one["code"])[0]
        if one["severity"] != "not applicable" and name in known and (line := stated(known[name].run)):
            yield f"audit {name}", line


_SOURCES: dict[str, Callable[[Path, dict[str, Any]], Uses]] = {
    "run": _of_run,
    "learn": _of_learn,
    "committee": _of_committee,
    "steer": _of_steer,
    "audit": _of_audit,
}


def stated(function: Callable[..., Any]) -> str:
    """What stands under "Source:" in the docstring of a function, or of its module; "" where nothing does."""
    for text in (inspect.getdoc(function), inspect.getdoc(inspect.getmodule(function))):
        if found := re.search(r"^Source:\s*(.+?)(?:\n\s*\n|\Z)", text or "", re.MULTILINE | re.DOTALL):
            return " ".join(found[1].split())
    return ""
