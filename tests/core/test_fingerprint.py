"""Keys follow the code: each module is edited in turn, and exactly the keys change whose artifacts it computes."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from functools import cache, partial
from pathlib import Path

import polars as pl
import pytest

import forked
import killing
from outgrow import label_models, methods, supervisors, verifiers
from outgrow.core.artifacts import BYTES, MARKS, OBSERVERS, PINNED, ROOTS
from outgrow.core.fingerprint import Code, fingerprint, observes, placed
from outgrow.generation.local import Local
from outgrow.generation.server import Server
from outgrow.losses.gce import GCE
from outgrow.methods import text as sequences

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "outgrow"
MODULES = {
    ".".join(("outgrow", *file.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__"): file.read_text(
        encoding="utf-8"
    )
    for file in sorted(SOURCE.rglob("*.py"))
}
LOOKUPS = {
    "outgrow.label_models:LABEL_MODELS",
    "outgrow.losses:LOSSES",
    "outgrow.methods:METHODS",
    "outgrow.methods.text:TEXT_METHODS",
    "outgrow.supervisors:SUPERVISORS",
    "outgrow.verifiers:VERIFIERS",
}
"""Where something is found by its name: what is found is given to `fingerprint` beside the kind."""


@cache
def keys() -> dict[str, tuple]:
    """Every kind of artifact, and those that take something found by name with all that can be found."""
    found = {kind: (kind,) for kind in ROOTS}
    found |= {f"block {name}": ("block", placed(one.run)) for name, one in methods.registry().items()}
    found |= {f"block by {name}": ("block", placed(label_models.find(name))) for name in label_models.registry()}
    found |= {f"labels {name}": ("labels", placed(one.label)) for name, one in supervisors.registry().items()}
    found |= {f"written {name}": ("written", placed(one.run)) for name, one in sequences.registry().items()}
    found |= {f"verdicts {name}": ("verdicts", placed(one.run)) for name, one in verifiers.registry().items()}
    found |= {f"answers {one.__name__}": ("answers", placed(one)) for one in (Local, Server)}
    return found | {"fine-tuned gce": ("fine-tuned", placed(GCE(0.7)))}


def digests(code: Code) -> dict[str, str]:
    return {name: code.digest(*key) for name, key in keys().items()}


@cache
def before() -> dict[str, str]:
    return digests(Code())


def changed(**sources: str) -> set[str]:
    """The keys that change where modules have other texts."""
    return {name for name, digest in digests(Code(sources)).items() if digest != before()[name]}


def targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def edited(text: str, name: str) -> str:
    """A module's text with one of its definitions changed."""
    tree = ast.parse(text)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            node.body += ast.parse("edited = 1").body
        elif isinstance(node, ast.Assign | ast.AnnAssign) and any(
            isinstance(n, ast.Name) and n.id == name for t in targets(node) for n in ast.walk(t)
        ):
            node.value = ast.Tuple([node.value or ast.Constant(0), ast.Constant(1)], ast.Load())
    return ast.unparse(ast.fix_missing_locations(tree))


def test_a_comment_a_docstring_and_layout_change_no_key() -> None:
    def dressed(text: str) -> str:
        text = text.replace('"""', '"""Another word. ', 1) if text.startswith('"""') else text
        return "# a comment\n\n" + text.replace("\n\n\n", "\n\n\n# another comment\n") + "\n# the last\n"

    # All modules at once: no definition of any module has another hash.
    assert changed(**{module: dressed(text) for module, text in MODULES.items()}) == set()
    assert changed(**{module: ast.unparse(ast.parse(text)) for module, text in MODULES.items()}) == set()
    assert (
        dressed(MODULES["outgrow.core.seeding"])
        != MODULES["outgrow.core.seeding"]
        != ast.unparse(ast.parse(MODULES["outgrow.core.seeding"]))
    )


@cache
def reached() -> dict[str, set[tuple[str, str]]]:
    code = Code()
    return {name: code.closure(*key) for name, key in keys().items()}


@cache
def imported() -> dict[str, set[str]]:
    """By module all modules of outgrow that it imports, directly or not: the slow and obvious way."""
    direct = {}
    for module, text in MODULES.items():
        found = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, "all imports of this package are absolute"
                found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(f"{module.rpartition('.')[0]}.{node.value.removesuffix('.py')}")
        direct[module] = found & MODULES.keys()
        direct[module] |= {
            parent for parent in MODULES for one in (module, *direct[module]) if one.startswith(f"{parent}.")
        }
    for module in direct:
        left = set(direct[module])
        while left:
            new = direct[left.pop()] - direct[module]
            direct[module] |= new
            left |= new
    return direct


def test_a_definition_that_changes_changes_the_keys_that_reach_it_and_no_others() -> None:
    wrong, taught = {}, 0
    for module, text in MODULES.items():
        names = sorted(name for name in Code().module(module).bound if name)
        if not names:
            continue
        name = names[len(module) % len(names)]
        different = changed(**{module: edited(text, name)})
        # What one statement binds, as in `BATCH, EPOCHS = 32, 2`, changes together.
        bound = Code().module(module).bound
        together = {(module, other) for other in bound if any(one in bound[name] for one in bound[other])}
        expected = {key for key, places in reached().items() if together & places}
        importers = {
            key
            for key, (kind, *found) in keys().items()
            for root, _ in (*ROOTS[kind], *found)
            if module == root or module in imported()[root]
        }
        taught += bool(different)
        if different != expected or not different <= importers or (observes(module) and different):
            wrong[module, name] = different ^ expected or different
    assert wrong == {}
    assert taught > 100, "most of what computes is reached by some key"


@pytest.mark.parametrize(
    ("module", "name", "changes", "stays"),
    [
        (
            "outgrow.metrics.text",
            "exact",
            {"written", "written naive", "scored"},
            {"features", "tuned", "beams", "block", "answers Local"},
        ),
        ("outgrow.pipeline.scoring", "right", {"written", "scored"}, {"tuned", "block"}),
        (
            "outgrow.training.classifier",
            "RANK",
            {"written", "tuned", "fine-tuned", "siblings", "block"},
            {"features", "answers Local", "convnet"},
        ),
        ("outgrow.metrics.slots", "slu", {"written"}, {"tuned", "beams"}),
        ("outgrow.methods.gce", "gce", {"block gce"}, {"block", "block naive", "fine-tuned gce", "labels tfidf"}),
        ("outgrow.losses.gce", "GCE", {"block gce", "fine-tuned gce"}, {"block", "fine-tuned"}),
        ("outgrow.label_models._em", "em", {"block by dawid_skene"}, {"block", "block by mean"}),
        ("outgrow.verifiers.sandbox.box", "Box", {"verdicts unit_tests"}, {"verdicts", "verdicts arithmetic"}),
        ("outgrow.verifiers.sandbox.programs.candidate", "main", {"verdicts unit_tests"}, {"verdicts arithmetic"}),
        ("outgrow.verifiers.sandbox.programs.solver", "answer", {"verdicts smt"}, {"verdicts arithmetic"}),
        (
            "outgrow.models.encoder",
            "CANDIDATES",
            {"features", "labels", "block"},
            {"image-features", "zero-shot", "tuned"},
        ),
        ("outgrow.core.seeding", "derive", {"labels", "block", "written", "tuned", "fine-tuned"}, {"features"}),
        ("outgrow.generation.server", "Server", {"answers Server"}, {"answers Local", "verdicts", "written"}),
        ("outgrow.models.conversion", "dequantize", set(), set(ROOTS)),
        ("outgrow.report.theme", "LIGHT", set(), set(ROOTS)),
        ("outgrow.cli.settings", "checked", set(), set(ROOTS)),
        ("outgrow.workflows.study", "ClassStudy", set(), set(ROOTS)),
        ("outgrow.methods", "RESOURCES", set(), {"block", "block naive", "labels", "tuned"}),
        ("outgrow.store.container", "read", set(), set(ROOTS)),
        ("outgrow.core.progress", "track", set(), set(ROOTS)),
    ],
)
def test_what_a_change_reaches_is_what_one_would_expect(
    module: str, name: str, changes: set[str], stays: set[str]
) -> None:
    assert name in Code().module(module).bound
    different = changed(**{module: edited(MODULES[module], name)})
    assert changes <= different and not stays & different


@pytest.mark.parametrize("name", methods.registry())
def test_a_methods_own_file_is_in_the_key_of_its_rows_alone(name: str) -> None:
    module = placed(methods.find(name).run)[0]
    assert changed(**{module: edited(MODULES[module], methods.find(name).run.__name__)}) == {f"block {name}"} | (
        # The controls go through naive.
        {key for key, places in reached().items() if placed(methods.find("naive").run) in places}
        if name == "naive"
        else set()
    )


def test_only_what_is_said_to_be_found_by_name_is_looked_up_by_name() -> None:
    found = set()
    for module, name in set().union(*reached().values()):
        reads = {chain[0] for _, chain in Code().module(module).read(name)[1] if chain}
        if reads & {"importlib", "pkgutil", "Registry"}:
            found.add(f"{module}:{name}")
    box = "outgrow.verifiers.sandbox"
    sandboxed = {f"{box}.programs.job_server:main", f"{box}.jobs:run_jobs", f"{box}.runner:find"}
    assert found - sandboxed <= LOOKUPS


def test_every_kind_that_the_store_keeps_has_its_roots_and_every_root_is_there() -> None:
    kept, asked = set(), set()
    for text in MODULES.values():
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Call)
                and node.args
                and isinstance(first := node.args[0], ast.Constant)
                and isinstance(first.value, str)
            ):
                called = ast.unparse(node.func)
                if called == "Sweep" or (
                    "store" in called and called.rpartition(".")[2] in ("make", "make_files", "get", "put")
                ):
                    kept.add(first.value)
                if called == "fingerprint":
                    asked.add(first.value)
    assert kept - BYTES.keys() <= ROOTS.keys() and {"features", "written", "answers", "tuned"} <= kept
    assert asked | {"labels", "crossed", "beams", "scores"} == set(ROOTS), "and each is asked for"
    places = {place for roots in ROOTS.values() for place in roots} | PINNED | MARKS
    assert [place for place in places if place[1] not in Code().module(place[0]).bound] == []
    assert [name for name in OBSERVERS if name not in MODULES] == []


SHOW = "import json, sys\nsys.path.insert(0, sys.argv[1])\nimport test_fingerprint as t\nprint(json.dumps(t.before()))"


def test_another_process_from_another_place_finds_the_same(tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "elsewhere" / "outgrow", ignore=shutil.ignore_patterns("__pycache__"))
    paths = os.pathsep.join([str(tmp_path / "elsewhere"), killing.PATHS])
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", SHOW, str(Path(__file__).parent)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert json.loads(done.stdout) == before()


def test_a_function_of_the_users_counts_with_what_it_reads_in_its_own_package(tmp_path: Path, monkeypatch) -> None:
    package = tmp_path / "plugged"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "sizes.py").write_text("SIZE = 3\nOTHER = 4\n")
    (package / "mine.py").write_text(
        "from plugged.sizes import SIZE\nfrom outgrow.core.seeding import derive\n\n"
        "def mine(weak, student):\n    return derive(SIZE)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    from plugged.mine import mine  # type: ignore[import-not-found]

    own, place = {"outgrow", "plugged"}, placed(mine)
    assert place == ("plugged.mine", "mine") and fingerprint("block", mine) == fingerprint(
        "block", partial(mine, 1)
    ) == Code(own=own).digest("block", place)
    for text, same in (("SIZE = 3\nOTHER = 5\n", True), ("SIZE = 4\nOTHER = 4\n", False)):
        assert (Code({"plugged.sizes": text}, own).digest("block", place) == fingerprint("block", mine)) is same


def test_what_has_no_source_is_kept_for_one_run_alone(capsys) -> None:
    def inner(weak, student):
        return capsys

    assert placed(inner) is None and placed(eval(compile("lambda: 1", "nowhere", "eval"))) is None
    assert fingerprint("block", inner) == fingerprint("block", inner) != fingerprint("block")
    assert "what it computes is not kept for another run" in capsys.readouterr().err


def test_the_largest_closure_is_read_in_a_moment() -> None:
    script = (
        "import time\nfrom outgrow.core.fingerprint import fingerprint\nbegan = time.process_time()\n"
        "fingerprint('written')\nprint(time.process_time() - began)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    seconds = float(
        subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        ).stdout
    )
    assert seconds < 2, "a third of a second, where nothing else runs"


RUN = """
import json, sys
from pathlib import Path
import studies, test_text_methods, tiny_models
from outgrow.students import generator
folder, number = Path(sys.argv[1]), sys.argv[2]
generator.epochs = lambda letters, least=2.0, read=None: least
studies.study(folder, seeds=2, out=folder / f"classes {number}").run()
test_text_methods.study(folder, seeds=1, methods=[], out=folder / f"texts {number}").run()
"""


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """(new artifacts, rows of classes, facts of texts) after a study of each by code in which a word is replaced."""
    folder = tmp_path_factory.mktemp("studied")
    import test_text_methods

    import studies

    studies.table(folder)
    test_text_methods.filled(folder)
    shutil.copytree(SOURCE, folder / "src" / "outgrow", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "run.py").write_text(RUN)
    environment = os.environ | {"OUTGROW_STORE": str(folder / "store"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder / "src"), killing.PATHS])
    runs = []

    def run(file: str = "", old: str = "", new: str = "") -> tuple[dict[str, int], dict, dict]:
        number = str(len(runs))
        runs.append(number)
        here = {path.parent for path in folder.glob("store/*/*/record.json")}
        path = folder / "src" / "outgrow" / file
        text = path.read_text() if file else ""
        assert old in text
        if file:
            path.write_text(text.replace(old, new))
        try:
            done = forked.run([sys.executable, "run.py", str(folder), number], folder, environment)
            assert done.returncode == 0, done.stderr[-3000:]
        finally:
            if file:
                path.write_text(text)
        fresh = [path.parent.parent.name for path in folder.glob("store/*/*/record.json") if path.parent not in here]
        cells = pl.read_parquet(folder / f"classes {number}" / "cells.parquet")
        rows = {
            name: cells.filter(pl.col("method") == name).drop("floor", "ceiling").to_dicts()
            for name in cells["method"].unique()
        }
        texts = json.loads((folder / f"texts {number}" / "details.json").read_text())["pairs"][0]
        return {kind: fresh.count(kind) for kind in set(fresh)}, rows, texts["coverage"]

    return run, run()


def test_a_label_model_is_in_the_key_of_what_learns_from_beliefs(tmp_path: Path, monkeypatch) -> None:
    import studies

    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    rows = []
    for model in ("mean", "majority"):
        studies.study(
            tmp_path, weak=["tfidf+column:vote"], label_model=model, seeds=1, methods=[], out=tmp_path / model
        ).run()
        records = [json.loads(file.read_text())["made_of"] for file in (tmp_path / "store").glob("block/*/record.json")]
        rows.append([record["row"] for record in records])
    twice = {name for name in rows[1] if rows[1].count(name) == 2}
    assert {"naive", "shuffled", "iid-noise", "cheat-stop"} <= twice and not {"ceiling", "gold:16"} & twice


def test_what_is_computed_anew_is_what_the_change_can_change(studied) -> None:
    run, (first, rows, coverage) = studied

    fresh, same, covered = run("report/theme.py", "#", "#f")
    assert (fresh, same, covered) == ({}, rows, coverage), "a colour of the report: nothing is computed"

    fresh, other, covered = run("metrics/slots.py", "counts += Counts(false=1)", "counts += Counts(true=1)")
    assert fresh == {"written": first["written"]} and other == rows and covered != coverage, (
        "a scorer: every row of texts, and what it says"
    )

    fresh, other, covered = run("methods/logconf.py", "Logconf(alpha,", "Logconf(0 * alpha,")
    assert fresh == {"block": 1} and covered == coverage
    assert {name for name in rows if other[name] != rows[name]} == {"logconf"}

    fresh, other, covered = run("supervisors/tfidf.py", "(0.1, 1.0, 10.0, 100.0)", "(0.001,)")
    assert set(fresh) == {"block", "labels"} and fresh["labels"] == 1 and covered == coverage
    different = {name for name in rows if other[name] != rows[name]}
    assert {"floor", "naive", "iid-noise"} <= different and not {
        "ceiling",
        "gold-naive",
        "gold-few",
        "zero-shot",
    } & different
