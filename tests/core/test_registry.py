"""The registry: members in a folder, in installed packages and lent by a caller; clashes and broken plug-ins."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from outgrow.core.errors import UserError
from outgrow.core.registry import Registry, first_line, mark, marked
from outgrow.methods import METHODS, method


@dataclass(frozen=True)
class Record:
    name: str
    run: Callable[[], str]


def rule(name: str):
    """A marked function."""

    def run() -> str:
        return name

    return mark(run, Record(name, run))


@pytest.fixture
def kind(tmp_path: Path, monkeypatch):
    """What makes a registry: files of the kind's own folder, and by package what its entry points and modules are."""

    def made(own: dict[str, str], installed: dict[str, tuple[str, str]] | None = None) -> Registry[Record]:
        files = {f"own_rules/{file}": text for file, text in {"__init__.py": "", **own}.items()}
        for package, (points, text) in (installed or {}).items():
            files[f"{package}.py"] = text
            files[f"{package}-1.0.dist-info/METADATA"] = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
            files[f"{package}-1.0.dist-info/entry_points.txt"] = f"[outgrow.rules]\n{points}\n"
        for file, text in files.items():
            path = tmp_path / file
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setitem(sys.modules, "marking", sys.modules[__name__])
        return Registry("rule", "own_rules", "outgrow.rules", marked(Record))

    yield made
    for module in [name for name in sys.modules if name.startswith(("own_rules", "toy_"))]:
        del sys.modules[module]


OWN = {
    "b.py": "from marking import rule\nsecond = rule('second')\n",
    "a.py": "from marking import rule\nz = rule('z')\n",
}


def test_members_are_found_in_the_folder_and_come_by_name_and_private_files_are_none(kind):
    found = kind({**OWN, "_c.py": "raise SystemError('nobody reads this')\n"})
    assert list(found.all()) == ["second", "z"]
    assert found.find("z").run() == "z"


def test_an_unknown_name_is_told_with_the_nearest_known_one(kind):
    with pytest.raises(UserError, match=re.escape("unknown rule 'secnd': did you mean 'second'?")):
        kind(OWN).find("secnd")


def test_installed_packages_add_members_and_modules_of_members(kind):
    text = "from marking import rule\none = rule('one')\ntwo = rule('two')\n"
    found = kind(
        OWN, {"toy_one": ("x = toy_one:one", text), "toy_all": ("y = toy_all", text.replace("rule('", "rule('all "))}
    )
    assert list(found.all()) == ["all one", "all two", "one", "second", "z"] and found.broken() == {}


def test_two_members_of_one_name_are_told_with_both_places(kind):
    found = kind(OWN, {"toy_clash": ("z = toy_clash:mine", "from marking import rule\nmine = rule('z')\n")})
    with pytest.raises(
        UserError, match=r"rule 'z' is defined twice, in own_rules\.a and in toy_clash:mine of package toy_clash: "
    ):
        found.all()


def test_a_member_that_another_file_imports_is_one_member(kind):
    assert list(kind({**OWN, "c.py": "from own_rules.a import z\n"}).all()) == ["second", "z"]


@pytest.mark.parametrize(
    ("points", "text", "why"),
    [
        (
            "lost = toy_broken:run",
            "import nowhere_to_be_found\n",
            r"ModuleNotFoundError: No module named 'nowhere_to_be_found'",
        ),
        ("lost = toy_broken:run", "x = 1\n", r"AttributeError: module 'toy_broken' has no attribute 'run'"),
        ("lost = toy_broken:run", "raise ValueError('first\\nsecond')\n", r"ValueError: first\)"),
        ("lost = toy_broken:run", "def run():\n    pass\n", r"toy_broken:run of package toy_broken is no rule: "),
        ("lost = toy_broken", "x = 1\n", r"toy_broken of package toy_broken is no rule: "),
    ],
)
def test_what_a_broken_package_adds_is_one_line_and_stops_nothing_else(kind, capsys, points, text, why):
    found = kind(OWN, {"toy_broken": (points, text)})
    assert list(found.all()) == ["second", "z"]
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(why, line) and "toy_broken" in line and line == found.broken()["lost"]
    with pytest.raises(UserError) as error:
        found.find("lost")
    assert str(error.value) == line


def test_objects_are_members_for_as_long_as_they_are_lent(kind):
    found, mine = kind(OWN), rule("mine")
    with found.lending(mine):
        assert found.find("mine") == found.of(mine) and list(found.all()) == ["mine", "second", "z"]
        with found.lending(rule("inner")):
            assert list(found.all()) == ["inner", "mine", "second", "z"]
        with pytest.raises(UserError, match="there is another rule 'z' beside <function"), found.lending(rule("z")):
            pass
        assert list(found.all()) == ["mine", "second", "z"]
    with pytest.raises(UserError, match="unknown rule 'mine'"):
        found.find("mine")


def test_what_is_no_member_is_told(kind):
    with pytest.raises(UserError, match=r"<function .* is no rule"):
        kind(OWN).of(lambda: 1)


def test_a_decorated_method_is_the_function_it_was():
    @method(paper="a test")
    def plain(weak, student, *, share: float = 0.5):
        """One line.

        And more.
        """
        return weak

    assert plain("weak", "student") == "weak"
    record = METHODS.of(plain)
    assert (record.name, record.line, record.resources, record.parameters) == (
        "plain",
        "One line.",
        ("weak", "student"),
        {"share": 0.5},
    )
    assert first_line(lambda: 1) == ""
