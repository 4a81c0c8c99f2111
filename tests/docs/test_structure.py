"""The shape of the project: which room may import which, and what must not stand in its files."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "outgrow"

ROOMS = tuple(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"), re.M))
"""The rooms as docs/architecture.md lists them, from the top; a room imports from rooms below it."""
ENTRANCES = ("__init__", "__main__")
"""The package's own modules: its public names and its command, which lead into every room."""
MOST_ROOMS = 22


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
    """What a file imports that it may not: a room that is not below its own, another method, or a module of no room."""
    room = module.split(".")[1] if "." in module else "__init__"
    if room in ENTRANCES:
        return []
    methods = {path.stem for path in (SOURCE / "methods").glob("*.py")} - {"__init__", "resources"}
    wrong = []
    for name in sorted(imports(text, module)):
        target, *inner = [*name.split("."), "__init__"][1:]
        if target == room:
            # One method never leans on another; what they share lives in the rooms below.
            if room == "methods" and inner and inner[0] in methods:
                wrong.append(name)
        elif room not in ROOMS or target not in ROOMS or ROOMS.index(target) < ROOMS.index(room):
            wrong.append(name)
    return wrong


MODULES = {
    ".".join(("outgrow", *path.relative_to(SOURCE).with_suffix("").parts)): path
    for path in sorted(SOURCE.rglob("*.py"))
}


def test_every_module_is_in_a_room_of_the_list_and_every_room_is_there() -> None:
    there = {module.split(".")[1] for module in MODULES if module.count(".") > 0} - set(ENTRANCES)
    assert there == set(ROOMS) and len(ROOMS) == len(set(ROOMS)) <= MOST_ROOMS


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_only_from_rooms_below_it(module: str) -> None:
    assert violations(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "text", "wrong"),
    [
        ("outgrow.metrics.pgr", "from outgrow.tasks.task import Task", ["outgrow.tasks.task.Task"]),
        ("outgrow.metrics.pgr", "def f():\n    import outgrow.models", ["outgrow.models"]),
        ("outgrow.metrics.pgr", "from outgrow import students", ["outgrow.students"]),
        ("outgrow.metrics.pgr", "from ..models import features", ["outgrow.models.features"]),
        ("outgrow.metrics.pgr", "from outgrow.core.errors import UserError", []),
        ("outgrow.runs.read", "from outgrow.workflows.study import Study", ["outgrow.workflows.study.Study"]),
        ("outgrow.runs.read", "from outgrow import Study", ["outgrow.Study"]),
        ("outgrow.methods.logconf", "from outgrow.methods.naive import naive", ["outgrow.methods.naive.naive"]),
        ("outgrow.methods.logconf", "from outgrow.methods import naive", ["outgrow.methods.naive"]),
        ("outgrow.methods.logconf", "from outgrow.methods import method", []),
        ("outgrow.methods.logconf", "from outgrow.tasks import Gold", []),
        ("outgrow.label_models.mean", "from outgrow.students import probe", ["outgrow.students.probe"]),
        ("outgrow.novel", "from outgrow.core.errors import UserError", ["outgrow.core.errors.UserError"]),
        ("outgrow.store", "if TYPE_CHECKING:\n    from outgrow.workflows.study import Study", []),
        ("outgrow.workflows.study", "from outgrow import methods, tasks", []),
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


def test_every_folder_of_code_is_a_package_so_that_it_is_installed_and_its_code_is_in_keys():
    folders = {path.parent for path in SOURCE.rglob("*.py")}
    assert [str(folder.relative_to(SOURCE)) for folder in folders if not (folder / "__init__.py").is_file()] == []


PARTICIPLES = re.compile(r"(?<!e)ed$|(wr|ch|g|sp|dr|kn|t)(it|os|iv|ok|aw|ow|ak)en$|known$|written$|chosen$")
NAMED_BY_USERS = {"planted", "hardened", "co_supervised"}
"""Members that are called by these names on the command line, and so stand in files of these names."""
OF_THE_FIELD = {"pruned", "saved", "seed"}
"""A pruned model, a saved student: the architecture's own names."""


def test_no_module_is_named_by_a_participle() -> None:
    names = {module.rpartition(".")[2].lstrip("_") for module in MODULES} - NAMED_BY_USERS - OF_THE_FIELD
    assert [name for name in sorted(names) if PARTICIPLES.search(name)] == []
    assert all(PARTICIPLES.search(name) for name in ("judged", "studied", "written", "chosen", "gap_closed"))


def test_no_public_class_name_is_used_twice() -> None:
    places: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(module)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
    assert len(places) > 100


RECIPE = 150
"""Lines of a workflow, at most: it reads like a recipe, and what a room owns is in the room."""


def test_every_workflow_is_short_enough_to_read_as_a_recipe() -> None:
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in (SOURCE / "workflows").glob("*.py")}
    assert {name: length for name, length in lengths.items() if length > RECIPE} == {}
    assert len(lengths) > 10
