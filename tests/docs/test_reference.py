"""docs/reference.md has every flag of every verb and no other, and docs/extend.md every resource of a method."""

import re
from pathlib import Path

import pytest

from outgrow import cli, methods
from outgrow.methods import text as sequences

DOCS = Path(__file__).parents[2] / "docs"
FLAG = re.compile(r"(?<![\w-])--[a-z][\w-]*")


def documented(verb: str) -> set[str]:
    """The flags in the first column of tables headed "flag of `VERB`", and in spans beginning with `outgrow VERB`."""
    text, found = (DOCS / "reference.md").read_text(encoding="utf-8"), set()
    for span in re.findall(rf"`outgrow {verb}\b([^`]*)`", text):
        found |= set(FLAG.findall(span))
    for head, rows in re.findall(r"^\| flag of ([^|]*) \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE):
        if f"`{verb}`" in head:
            found |= {flag for row in rows.splitlines() for flag in FLAG.findall(row.split(" | ")[0])}
    return found


def flags(verb: str) -> set[str]:
    """The flags that a verb takes."""
    arguments = cli.app[verb].assemble_argument_collection(
        parse_docstring=False, default_parameter=cli.app.default_parameter
    )
    names = {name for argument in arguments for name in argument.names if name.startswith("--")}
    return {name for name in names if not name.startswith("--no-")}


@pytest.mark.parametrize("verb", sorted(cli.VERBS))
def test_the_reference_has_the_flags_of_every_verb_and_no_other(verb):
    assert documented(verb) == flags(verb)


def test_flags_are_told_apart_by_verb():
    assert "--suggest" in flags("learn") & documented("learn")
    assert "--suggest" not in flags("run") | documented("run")


def test_every_resource_of_a_method_is_explained():
    text = (DOCS / "extend.md").read_text(encoding="utf-8")
    for resources in (methods.RESOURCES, sequences.RESOURCES):
        assert [name for name in resources if f"`{name}`" not in text] == []
