"""A student goes to the hub with its card, private unless said otherwise, and without the tables that taught it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import hub_server
import outgrow
from outgrow import cli
from outgrow.core.errors import UserError
from outgrow.sklearn import WeakToStrongClassifier
from outgrow.workflows.push import push

pytest.importorskip("huggingface_hub")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[hub_server.HubServer]:
    with hub_server.serving() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", "hf_never_to_be_seen")
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield server


@pytest.fixture
def student(tmp_path: Path) -> Path:
    """A student of features in the folder of a run, with a card and a table of the user's."""
    x = np.random.default_rng(0).normal(size=(60, 3))
    found = WeakToStrongClassifier().fit(x, (x[:, 0] > 0).astype(int))
    folder = found.student_.save(tmp_path / "student")
    (folder / "README.md").write_text("---\nlicense: unknown\nlibrary_name: outgrow\n---\n\n# A student\n")
    (folder / "suggest.csv").write_text("id,text\n1,what a customer wrote\n")
    (folder / "predictions").mkdir()
    (folder / "predictions" / "student.json").write_text("rows")
    return folder


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(words))
    return int(ended.value.code or 0)


def test_a_pushed_student_is_private_and_loads_from_what_the_hub_has(hub, student, tmp_path, capsys) -> None:
    assert run("push", str(student), "owner/spam") == 0
    out, err = capsys.readouterr()
    assert out == f"pushed (private): {hub.url}/owner/spam\n"
    assert "the licence is unknown: name it in the first lines of" in err
    assert "hf_never_to_be_seen" not in out + err and hub.tokens == {"Bearer hf_never_to_be_seen"}
    there = hub.repositories["owner/spam"]
    assert there["private"] is True
    assert set(there["files"]) == {"README.md", "student.json", "student.safetensors"}
    for name, data in there["files"].items():
        (tmp_path / name).write_bytes(data)
    x = np.ones((2, 3), np.float32)
    assert np.array_equal(outgrow.load(tmp_path).predict_proba(x), outgrow.load(student).predict_proba(x))


def test_a_student_is_public_only_where_that_is_said(hub, student, capsys) -> None:
    assert run("push", str(student), "owner/spam", "--public", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["public"] is True and told["url"] == f"{hub.url}/owner/spam" and "student.json" in told["files"]
    assert hub.repositories["owner/spam"]["private"] is False
    assert run("push", str(student), "owner/spam") == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("outgrow: owner/spam is public on the hub: give another name, or --public if everybody")
    hub.repositories["owner/spam"]["private"] = True
    with pytest.raises(UserError, match="owner/spam is private on the hub: give another name, or leave `public` out"):
        push(student, "owner/spam", public=True)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "the hub does not know who pushes to owner/spam: log in"),
        (403, "the hub does not let you write to owner/spam: check the owner and the rights of your token"),
        (500, "the hub refuses the push to owner/spam .status 500.: try again later"),
    ],
)
def test_what_the_hub_refuses_is_one_line_without_the_token(hub, student, status, told, capsys) -> None:
    hub.refuses = status
    with pytest.raises(UserError, match=told) as error:
        push(student, "owner/spam")
    shown = "".join(capsys.readouterr())
    assert "\n" not in str(error.value) and "hf_never" not in str(error.value) + shown


def test_what_cannot_be_pushed_is_told_before_the_hub_is_asked(hub, student, monkeypatch) -> None:
    with pytest.raises(UserError, match="'spam' is no repository of the hub: give OWNER/NAME"):
        push(student, "spam")
    (student / "README.md").unlink()
    with pytest.raises(UserError, match=r"has no model card \(README.md\)"):
        push(student, "owner/spam")
    assert hub.tokens == set()


def test_a_hub_that_is_not_there_is_told_in_one_line(student, monkeypatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"cannot reach http://127\.0\.0\.1:9: connect, and push again"):
        push(student, "owner/spam")
