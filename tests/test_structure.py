"""The shape of the project: who may import whom, and what must not stand in its files."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "outgrow"

ANYBODY = {"core", "declarations", "errors", "finals", "rng", "progress", "worlds"}
ORDER = ("store", "tasks", "split", "models", "labels", "selection", "objectives", "students", "supervisors", "methods")
"""A stage imports from stages before it. Students stand before supervisors: a probe is a student that gold teaches."""
MAY: dict[str, set[str]] = {
    **{stage: ANYBODY | set(ORDER[:place]) for place, stage in enumerate(ORDER)},
    # Gold is run through its own scorer when it is read.
    "tasks": ANYBODY | {"store", "measures"},
    "methods": ANYBODY | {"labels", "selection", "objectives", "students"},
    "generation": ANYBODY | {"store", "models", "objectives", "students"},
    "candidates": ANYBODY | {"store", "generation", "labels"},
    "verifiers": ANYBODY | {"store", "generation", "labels", "measures"},
    "sequences": ANYBODY | {"store", "models", "generation", "verifiers", "methods"},
    # Figures depend on arrays alone, and the report on what a run wrote: neither reaches for a model or a task.
    "measures": ANYBODY | {"store"},
    "audits": ANYBODY | {"store", "measures", "labels", "students", "progress"},
    "report": ANYBODY | {"store", "measures"},
    "core": {"progress"},
    "errors": set(),
    "finals": set(),
    "rng": set(),
    "progress": set(),
    "worlds": {"rng"},
    "declarations": set(),
}
MEETING = {"asking", "study", "studied", "committee", "chosen", "scored", "improving", "steer", "written", "learn", "audit", "judged", "pair", "references", "oracle", "seal", "canary", "results", "cli", "__init__", "__main__"}
"""Where the stages meet."""


def imports(text: str, module: str) -> set[str]:
    """The modules of this package that a file imports anywhere in it, except for the type checker alone."""
    tree = ast.parse(text)
    skipped = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parent = node.module or ""
            if node.level:
                parent = ".".join([*module.split(".")[: -node.level], *([parent] if parent else [])])
            found |= {f"{parent}.{alias.name}" for alias in node.names}
    return {name for name in found if name == "outgrow" or name.startswith("outgrow.")}


def violations(module: str, text: str) -> list[str]:
    """What a file imports that it may not."""
    parts = module.split(".")
    stage = parts[1] if len(parts) > 1 else "__init__"
    if stage in MEETING:
        return []
    wrong = []
    for name in sorted(imports(text, module)):
        target = [*name.split("."), "__init__"][1]
        if target == stage:
            # One method never leans on another; what they share lives in the stages below.
            other = name.split(".")[2:3]
            siblings = {path.stem for path in (SOURCE / "methods").glob("*.py")} - {"__init__"}
            if stage == "methods" and set(other) & siblings:
                wrong.append(name)
        elif stage not in MAY or target not in MAY[stage]:
            wrong.append(name)
    return wrong


MODULES = {
    ".".join(("outgrow", *path.relative_to(SOURCE).with_suffix("").parts)): path
    for path in sorted(SOURCE.rglob("*.py"))
}


@pytest.mark.parametrize("module", MODULES)
def test_a_stage_imports_only_from_stages_before_it(module: str) -> None:
    assert violations(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "text", "wrong"),
    [
        ("outgrow.measures.pgr", "from outgrow.tasks.task import Task", ["outgrow.tasks.task.Task"]),
        ("outgrow.measures.pgr", "def f():\n    import outgrow.models", ["outgrow.models"]),
        ("outgrow.measures.pgr", "from outgrow import students", ["outgrow.students"]),
        ("outgrow.measures.pgr", "from ..models import features", ["outgrow.models.features"]),
        ("outgrow.measures.pgr", "from outgrow.measures import accuracy\nfrom outgrow.errors import UserError", []),
        ("outgrow.report.page", "from outgrow.study import Study", ["outgrow.study.Study"]),
        ("outgrow.methods.logconf", "from outgrow.methods.naive import naive", ["outgrow.methods.naive.naive"]),
        ("outgrow.methods.logconf", "from outgrow.methods import naive", ["outgrow.methods.naive"]),
        ("outgrow.methods.logconf", "from outgrow.methods import method", []),
        ("outgrow.methods.logconf", "from outgrow.tasks import Gold", ["outgrow.tasks.Gold"]),
        ("outgrow.labels.mean", "from outgrow.students import probe", ["outgrow.students.probe"]),
        ("outgrow.novel", "from outgrow.errors import UserError", ["outgrow.errors.UserError"]),
        ("outgrow.store", "if TYPE_CHECKING:\n    from outgrow.study import Study", []),
        ("outgrow.study", "from outgrow import methods, tasks", []),
    ],
)
def test_the_rule_itself_sees_what_is_wrong(module: str, text: str, wrong: list[str]) -> None:
    assert violations(module, text) == wrong


def _files() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git checkout here")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def _lines_with(words: tuple[str, ...]) -> list[str]:
    found = []
    for path in _files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            found += [f"{path.relative_to(ROOT)}:{number}: {word}" for word in words if word in line]
    return found


def test_no_file_names_a_path_of_one_machine() -> None:
    assert _lines_with(tuple(f"/{folder}/" for folder in ("tmp", "work", "root", "home"))) == []


def test_no_file_names_a_package_host() -> None:
    assert _lines_with(("pypi" + ".org", "files.python" + "hosted", "npmjs" + ".org", "deb." + "debian")) == []


def test_no_file_is_large() -> None:
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in _files()}
    assert {name: size for name, size in sizes.items() if size > 800_000} == {}
    assert sizes, "the listing works"
