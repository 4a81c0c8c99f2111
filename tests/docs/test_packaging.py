"""What users install: the wheel, built and run from elsewhere; and documents that know every verb."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _run(*command: str, **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder, with a space in its path, that the wheel was installed into."""
    pytest.importorskip("setuptools", reason="setuptools builds the wheel: install the dev extra")
    folder = tmp_path_factory.mktemp("a wheel")
    copy = folder / "source"
    # A copy: building in place leaves files behind, and a stale one would travel with the wheel.
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    _run(*pip, "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder), str(copy))
    (wheel,) = folder.glob("*.whl")
    target = folder / "installed"
    _run(*pip, "install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    shutil.rmtree(copy)
    return target


def _python(installed: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return _run(sys.executable, *arguments, cwd=installed.parent, env=environment)


def test_the_wheel_runs_elsewhere(installed: Path) -> None:
    assert "weak-to-strong" in _python(installed, "-m", "outgrow", "--help")
    listed = _python(installed, "-m", "outgrow", "list", "methods")
    assert {"naive", "logconf", "product"} <= {line.split()[0] for line in listed.splitlines()}
    where = _python(installed, "-c", "import outgrow; print(outgrow.__file__)").strip()
    assert Path(where).is_relative_to(installed)
    assert _python(installed, "-m", "outgrow", "--version").strip() == _project()["version"]


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(installed: Path) -> None:
    source = ROOT / "src" / "outgrow"
    wanted = {
        path.relative_to(source) for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    package = installed / "outgrow"
    held = {
        path.relative_to(package) for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == wanted
    top = {path.name for path in installed.iterdir()} - {"bin", "__pycache__"}
    assert {re.sub(r"-.*", "", name) for name in top} == {"outgrow"}
    assert (installed / "bin" / "outgrow").exists()


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=~! ]", requirement)[0].lower().replace("_", "-")


def test_every_dependency_is_pinned() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    project = _project()
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    # An extra may be made of the others.
    assert {_name(requirement) for requirement in wanted} - {"outgrow"} <= {_name(pin) for pin in pins}


def test_what_is_imported_is_declared() -> None:
    import ast

    named = {
        "PIL": "pillow",
        "mlflow": "mlflow-skinny",
        "sklearn": "scikit-learn",
        "vl_convert": "vl-convert-python",
        "huggingface_hub": "huggingface-hub",
        "latex2sympy2_extended": "latex2sympy2-extended",
        "math_verify": "math-verify",
        "z3": "z3-solver",
    }
    project = _project()
    extras = [each for name, extra in project["optional-dependencies"].items() if name != "dev" for each in extra]
    declared = {_name(each) for each in [*project["dependencies"], *extras]}
    imported = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add((node.module or "").partition(".")[0])
    # What runs in a sandbox imports its neighbours by their bare names.
    own = {path.stem for path in (ROOT / "src" / "outgrow" / "verifiers" / "sandbox" / "programs").glob("*.py")}
    third = imported - set(sys.stdlib_module_names) - {"outgrow"} - own
    assert {named.get(name, name) for name in third} <= declared


def test_every_verb_is_documented() -> None:
    from outgrow.cli import VERBS

    assert {"run", "list", "show", "report", "compare"} <= set(VERBS)
    assert [verb for verb in VERBS if f"outgrow {verb}" not in _documents()] == []


def _documents() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def test_every_flag_is_documented() -> None:
    from outgrow import cli

    flags = set()
    for verb in cli.VERBS:
        parameters = cli.app[verb].assemble_argument_collection(
            parse_docstring=False, default_parameter=cli.app.default_parameter
        )
        flags |= {name for argument in parameters for name in argument.names if name.startswith("--")}
    assert {"--weak", "--skip-bad-rows", "--set"} <= flags
    assert {flag for flag in flags if flag not in _documents()} == set()


def test_a_command_in_the_documents_uses_verbs_and_flags_that_exist() -> None:
    from outgrow import cli

    parameters = [
        p
        for verb in cli.VERBS
        for p in cli.app[verb].assemble_argument_collection(
            parse_docstring=False, default_parameter=cli.app.default_parameter
        )
    ]
    flags = {name for argument in parameters for name in argument.names} | {"--help", "--version"}
    commands = re.findall(r"^(?:\$ |    )?outgrow (\S+)(.*)$", _documents(), re.MULTILINE)
    assert commands
    for verb, rest in commands:
        assert verb in (*cli.VERBS, "--help", "--version"), verb
        assert set(re.findall(r"(?<![\w-])--[\w-]+", rest)) <= flags, rest


def test_the_workflow_names_tests_that_exist_and_every_python_and_system() -> None:
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    named = set(re.findall(r"tests/[\w./-]+", text))
    assert len(named) > 5 and [name for name in named if not (ROOT / name).exists()] == []
    assert text.count('python: ["3.11", "3.12", "3.13", "3.14"]') == 2
    assert all(f"{system}-latest" in text for system in ("ubuntu", "macos", "windows"))


def test_the_image_holds_what_the_package_is_built_from() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    kept = (ROOT / ".dockerignore").read_text().split()
    for name in " ".join(copied).split():
        assert (ROOT / name).exists() and f"!{name}" in kept
    extras = re.search(r"^ARG EXTRAS=(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[1].split(",")
    assert set(extras) <= set(_project()["optional-dependencies"])
