"""The site: its tables come from the registries, its pages are all in the menu, and it builds without a warning."""

from __future__ import annotations

import html
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def hooks():
    """docs/hooks.py, which mkdocs imports by its path."""
    spec = importlib.util.spec_from_file_location("hooks", DOCS / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def menu() -> list[str]:
    """The pages that mkdocs.yml names."""
    return re.findall(r"^ +- [^:]+: (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_list_of_the_command_line_is_a_table_of_the_site_with_a_row_for_each_member(hooks) -> None:
    assert set(hooks.TABLES) == set(hooks.lists())
    for what, rows in hooks.lists().items():
        names = [row[0] for row in rows()]
        shown = re.findall(r"^\| <code>(.+?)</code> \|", hooks.table(what), re.MULTILINE)
        assert [html.unescape(name) for name in shown] == names, what


def test_every_row_of_a_table_has_as_many_cells_as_its_head(hooks) -> None:
    for what in hooks.lists():
        cells = {len(re.split(r"(?<!\\)\|", line)) for line in hooks.table(what).splitlines() if line.startswith("|")}
        assert len(cells) == 1, what


def test_every_page_is_in_the_menu_and_the_menu_names_no_other(hooks) -> None:
    written = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    made = {"index.md", "api.md", "modules.md", "changelog.md", "contributing.md"}
    made |= {f"tables/{what}.md" for what in hooks.lists()}
    made |= {f"notebooks/{path.stem}.md" for path in hooks.NOTEBOOKS.glob("*.ipynb")}
    assert sorted(menu()) == sorted(written | made)


def test_every_module_has_a_line(hooks) -> None:
    shown = re.findall(r"^\| `([\w/]+\.py)` \| \S", hooks.modules(), re.MULTILINE)
    source = ROOT / "src" / "outgrow"
    assert set(shown) == {path.relative_to(source).as_posix() for path in source.rglob("*/*.py")}


def test_links_of_pages_in_the_root_lead_to_the_same_pages_of_the_site(hooks) -> None:
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(((?!https?:)[^)#]+)", hooks.from_root(name)):
            assert target in menu() or (DOCS / target).is_file() or (ROOT / target).suffix == ".cff", (
                f"{name}: {target}"
            )


def test_notebooks_are_kept_without_outputs(hooks) -> None:
    paths = list(hooks.NOTEBOOKS.glob("*.ipynb"))
    assert len(paths) == 4
    for path in paths:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


def test_pages_say_one_word_for_one_thing() -> None:
    riddles = ("answered in words", "answers in words", "beginnings", "how manieth")
    found = [
        f"{path.relative_to(ROOT)}: {riddle}"
        for path in [ROOT / "README.md", *DOCS.glob("*.md")]
        for riddle in riddles
        if path.name not in ("decisions.md", "log.md") and riddle in path.read_text(encoding="utf-8")
    ]
    assert found == []


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site as `make docs` has built it, or built here."""
    if "OUTGROW_SITE" in os.environ:
        return ROOT / os.environ["OUTGROW_SITE"]
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: make docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def words(page: Path) -> str:
    """The text of a page, without its marks."""
    return re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))


@pytest.mark.docs
@pytest.mark.timeout(900)
def test_the_site_has_every_page_of_the_menu(site) -> None:
    assert [page for page in menu() if not (site / page).with_suffix(".html").is_file()] == []


@pytest.mark.docs
@pytest.mark.timeout(900)
def test_the_site_asks_no_other_machine_for_anything(site) -> None:
    fetched = r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["']?(https?://[^"' >]+)"""
    found = {(page.name, url) for page in site.rglob("*.html") for url in re.findall(fetched, page.read_text("utf-8"))}
    assert found == set()


@pytest.mark.docs
@pytest.mark.timeout(900)
def test_the_python_page_has_an_entry_for_every_public_name(site) -> None:
    import outgrow

    text = (site / "api.html").read_text(encoding="utf-8")
    assert [
        name for name in outgrow.__all__ if f">{name}<" not in text and f"{name}" not in words(site / "api.html")
    ] == []


@pytest.mark.docs
@pytest.mark.timeout(900)
def test_examples_of_docstrings_are_code_on_the_python_page(site) -> None:
    text = (site / "api.html").read_text(encoding="utf-8")
    assert '<span class="gp">&gt;&gt;&gt; </span>' in text and "<p>Example</p>" not in text


@pytest.mark.docs
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "name, printed",
    [
        ("votes_to_student", "The student outgrew"),
        ("frame_to_student", "The student outgrew"),
        ("study", "PGR 0."),
        ("committee", "right of 8"),
    ],
)
def test_a_notebook_ran_and_shows_what_it_printed(site, name, printed) -> None:
    text = words(site / "notebooks" / f"{name}.html")
    assert printed in text and "Traceback" not in text
