"""Every folder that outgrow wrote is shown and reported; results come as JSON; help begins with examples."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from pathlib import Path

import pytest

from outgrow import cli
from outgrow.audits import Sheet
from outgrow.cli.examples import EXAMPLES
from outgrow.cli.output import Output, _markdown, _tex
from outgrow.core import progress

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import runs

TESTS = Path(__file__).parents[1]
OLD = TESTS / "runs" / "version0"


def told(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    out, err = capsys.readouterr()
    assert stopped.value.code == 0, err
    return out


@pytest.fixture(params=["run", "learn", "audit", "committee", "steer"])
def verb(request, tmp_path) -> str:
    """The verb whose folder `tmp_path` is."""
    if request.param == "run":
        runs.one(tmp_path)
    else:
        shutil.copy(OLD / f"{request.param}.json", tmp_path)
    return request.param


def test_every_folder_is_shown_in_every_format(verb, tmp_path, capsys) -> None:
    facts = json.loads(told(capsys, "show", str(tmp_path), "--format", "json"))
    assert facts["verb"] == verb and facts["folder"] == str(tmp_path)
    rows = list(csv.reader(io.StringIO(told(capsys, "show", str(tmp_path), "--format", "csv"))))
    assert len(rows) > 1 and {len(row) for row in rows} == {len(rows[0])}
    lines = told(capsys, "show", str(tmp_path), "--format", "md").splitlines()
    assert lines[2].count("|") == lines[3].count("|") == len(rows[0])
    assert told(capsys, "show", str(tmp_path), "--format", "tex").count(r"\\") == len(rows)
    assert rows[1][1] in told(capsys, "show", str(tmp_path))


def test_every_folder_has_its_page_written_again(verb, tmp_path, capsys) -> None:
    page = Path(told(capsys, "report", str(tmp_path)).strip())
    assert page.parent == tmp_path and "<html" in page.read_text(encoding="utf-8")


def test_tables_escape_what_their_format_means_something_by() -> None:
    sheet = Sheet("a", ("x|y", "100%"), (("a_b & c", "\\"),))
    assert _markdown(sheet).splitlines()[2] == r"| x\|y | 100% |"
    assert _tex(sheet).splitlines()[-3] == r"a\_b \& c & \textbackslash{} \\"
    sheet = Sheet("a <b>\nc", ("x",), (("[1] <i>",), ("* \\|",)))
    assert _markdown(sheet).splitlines()[::4] == ["**a &lt;b> c**", r"| [1] &lt;i> |"]
    assert _markdown(sheet).splitlines()[-1] == r"| * \\\| |"
    assert _tex(sheet).splitlines()[-4:-2] == [
        r"{}[1] \textless{}i\textgreater{} \\",
        r"{}* \textbackslash{}\textbar{} \\",
    ]


def test_quiet_silences_progress_and_notices_and_its_absence_brings_them_back(capsys) -> None:
    Output(quiet=True).begin()
    progress.say("reading")
    assert capsys.readouterr().err == ""
    Output().begin()
    progress.say("reading")
    assert capsys.readouterr().err == "reading\n"


def test_json_is_all_that_is_on_standard_output(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    votes = "item,worker,label\n" + "".join(f"i{i},w{j},{(i + (j == 2)) % 2}\n" for i in range(30) for j in range(3))
    Path("votes.csv").write_text(votes)
    found = json.loads(told(capsys, "audit", "votes.csv", "--json", "--quiet"))
    assert {one["severity"] for one in found["findings"]} and Path(found["page"]).is_file()


@pytest.mark.parametrize("verb", cli.VERBS)
def test_help_begins_with_three_examples_which_the_verb_accepts(verb, capsys) -> None:
    lines = told(capsys, verb, "--help").splitlines()
    assert all(line.startswith(f"outgrow {verb}") for line in lines[:3]) and lines[:3] == list(EXAMPLES[verb])
    for line in EXAMPLES[verb]:
        cli.app.parse_args(line.split()[1:])
