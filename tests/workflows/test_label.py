"""From texts and names of classes to labels and to a student: by the command line, from Python, behind a server."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import forked
import killing
import loopback
import outgrow
import tiny_models
from outgrow import cli, supervisors
from outgrow.core.errors import UserError
from outgrow.generation import class_words
from outgrow.generation.local import Local
from outgrow.store import Store
from outgrow.supervisors.labeller import EMPTY
from outgrow.tasks.asking import Asking, Question
from outgrow.training.names import named

CLASSES = ("yes", "no")


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch) -> Store:
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    return Store(tmp_path / "store")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    """A random causal model with room for long prompts."""
    return str(tiny_models.save(tmp_path_factory.mktemp("models") / "tiny", encoder=False))


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> Local:
    """A random model with a chat template, for a server."""
    folder = tiny_models.save(tmp_path_factory.mktemp("chatting"), encoder=False)
    path = folder / "tokenizer_config.json"
    template = "<s> {% for message in messages %}maybe {{ message['content'] }} : {% endfor %}"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": template}))
    return Local(named(str(folder), Store(tmp_path_factory.mktemp("loaded"))).model, "float32")


def table(folder: Path, rows: int = 6) -> Path:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(tiny_models.WORDS[:10], 4)) for _ in range(rows)]
    path = folder / "data.csv"
    pl.DataFrame({"message": texts, "note": [None, *texts[1:]], "n": range(rows)}).write_csv(path)
    return path


def run(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def test_a_label_is_the_likeliest_class_by_the_mean_of_both_orders_and_all_columns_stay(tmp_path, tiny, capsys) -> None:
    data, out = table(tmp_path), tmp_path / "out.csv"
    code, told, err = run(
        capsys, "label", str(data), "--text", "message", "--classes", *CLASSES, "--by", tiny, "-o", str(out)
    )
    assert code == 0, err
    found, before = pl.read_csv(out), pl.read_csv(data)
    assert found.columns == [*before.columns, "tiny", "tiny p(yes)", "tiny p(no)"]
    assert found.select(before.columns).equals(before)
    model, asked = named(tiny, Store.default()), Question(CLASSES)
    for row in found.iter_rows(named=True):
        prompts = asked.prompts(row["message"], False)
        read = class_words.ask(model, [prompts], CLASSES, False, 0, 0, Store.default())
        np.testing.assert_allclose([row["tiny p(yes)"], row["tiny p(no)"]], read.probs[0].mean(0), atol=1e-5)
        assert row["tiny"] == CLASSES[int(row["tiny p(no)"] > row["tiny p(yes)"])]
    assert "tiny: 6 of 6 rows labelled zero-shot by log-probabilities of class words" in told
    assert "prompt tokens" in err and f"written: {out}" in told


def test_rows_without_text_stay_empty_and_are_counted(tmp_path, tiny, capsys) -> None:
    out = tmp_path / "out.parquet"
    code, told, _ = run(
        capsys, "label", str(table(tmp_path)), "--text", "note", "--classes", *CLASSES, "--by", tiny, "-o", str(out)
    )
    found = pl.read_parquet(out)
    assert code == 0 and f"tiny: 1 row stays empty: {EMPTY} (1)" in told
    assert found["tiny"].null_count() == found["tiny p(no)"].null_count() == 1 and found["tiny"][0] is None


def test_what_was_labelled_is_read_back_without_a_flag(tmp_path, tiny, capsys) -> None:
    out = tmp_path / "out.csv"
    data = table(tmp_path, 60)
    assert run(capsys, "label", str(data), "--text", "message", "--classes", *CLASSES, "--by", tiny, "-o", str(out),
               "--words", "true", "false")[0] == 0  # fmt: skip
    code, _, err = run(capsys, "learn", str(out), "--text", "message", "--strong", tiny, "--method", "naive", "--out",
                       str(tmp_path / "student"))  # fmt: skip
    assert code == 0, err
    facts = json.loads((tmp_path / "student" / "learn.json").read_text())
    assert facts["task"]["classes"] == list(CLASSES)
    assert [row["name"] for row in facts["annotators"]["rows"]] == ["tiny"]
    assert run(capsys, "audit", str(out), "--text", "message", "--out", str(tmp_path / "audit"))[0] == 0


def test_learning_asks_first_and_ends_as_from_the_labelled_table(tmp_path, tiny, capsys) -> None:
    data = table(tmp_path, 60)
    gold = pl.read_csv(data).with_columns(gold=pl.Series(["yes", "no"] * 30))
    gold.write_csv(data)
    code, told, err = run(
        capsys, "learn", str(data), "--text", "message", "--classes", *CLASSES, "--ask", tiny, "--label", "gold",
        "--strong", tiny, "--method", "naive", "--out", str(tmp_path / "student"),
    )  # fmt: skip
    assert code == 0, err
    facts = json.loads((tmp_path / "student" / "learn.json").read_text())
    floor = next(row for row in facts["verdict"]["rows"] if row["kind"] == "floor")
    assert floor["name"] == "tiny" and "The floor (tiny)" in told, (
        "the zero-shot labeller is what the student must beat"
    )
    assert "zero-shot labels by tiny (log-probabilities of class words)" in facts["task"]["source"]
    labels = outgrow.label(gold, text="message", classes=CLASSES, by=tiny)
    right = (labels.frame["tiny"] == labels.frame["gold"]).mean()
    assert floor["accuracy"] == pytest.approx(right)
    assert "60 of 60 rows labelled" in err, "the labels' share is said before the student is taught"


def test_annotations_are_not_replaced_by_what_a_model_says_of_their_rows(tmp_path, tiny, capsys) -> None:
    rows = [(i, f"text {i}", who, CLASSES[i % 2]) for i in range(20) for who in "abc"]
    data = tmp_path / "annotations.csv"
    pl.DataFrame(rows, ["item", "text", "worker", "label"], orient="row").write_csv(data)
    code, _, err = run(capsys, "learn", str(data), "--classes", *CLASSES, "--ask", tiny, "--out", str(tmp_path / "s"))
    assert code == 2 and "a row an annotation, and models are asked about a table with a row an item" in err


def test_a_server_labels_behind_the_command_line_and_in_json(tmp_path, local, capsys) -> None:
    out = tmp_path / "out.jsonl"
    with loopback.serving(local) as served:
        by = f"server:{served.url},tiny"
        words = ("label", str(table(tmp_path)), "--text", "message", "--classes", *CLASSES, "--by", by, "-o", str(out),
                 "--prompting", "plain", "--json", "--quiet")  # fmt: skip
        code, told, err = run(capsys, *words)
        asked = served.answers
        assert run(capsys, *words)[0] == 0 and served.answers == asked, "everything is kept"
    assert (code, err) == (0, "")
    (facts,) = json.loads(told)["annotators"].values()
    assert facts["labelled"] + sum(facts["empty"].values()) == 6 and facts["requests"] == 12 and facts["model"] == by
    assert pl.read_ndjson(out).columns[-3:] == ["tiny", "tiny p(yes)", "tiny p(no)"]


def test_a_supervisor_behind_a_server_teaches_a_student_of_a_study(tmp_path, local, tiny, capsys) -> None:
    path = tmp_path / "task.parquet"
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(tiny_models.WORDS[:10], 4)) + f" {k}" for k in range(160)]
    pl.DataFrame({"text": texts, "label": ["yes", "no"] * 80}).write_parquet(path)
    with loopback.serving(local) as served:
        words = ("run", str(path), "--weak", f"server:{served.url},tiny", "--strong", tiny, "--seeds", "4", "--method",
                 "naive", "--out", str(tmp_path / "run"))  # fmt: skip
        code, _, err = run(capsys, *words)
        assert code == 0, err
        assert {path for path, _ in served.asked} >= {"/v1/chat/completions"} and served.answers == 160
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert {row["weak"] for row in summary} == {f"server:{served.url},tiny"}


def test_a_password_in_the_name_of_a_supervisor_is_refused_and_not_shown() -> None:
    with pytest.raises(UserError, match="its URL has a user name or password") as raised:
        supervisors.check("server:http://someone:opensesame@127.0.0.1:9/v1,tiny")
    assert "opensesame" not in str(raised.value) and "someone" not in str(raised.value)


def test_a_killed_labelling_goes_on_where_it_was(tmp_path, local, store) -> None:
    data, rows = table(tmp_path, 40), 40
    words = ("--text", "message", "--classes", *CLASSES, "-o", str(tmp_path / "out.csv"))
    with loopback.serving(local) as served:
        command = [sys.executable, "-m", "outgrow", "label", str(data), *words, "--by", f"server:{served.url},tiny"]
        served.wrong = lambda number, path: "slow" if number > 60 and path.endswith("completions") else None
        with forked.start(command, env=os.environ | {"PYTHONPATH": killing.PATHS}) as killed:
            while served.answers <= 60:
                time.sleep(0.05)
            killed.kill()
        kept = {prompt for made in store.records("class-words") for prompt in made["prompts"]}
        assert 0 < len(kept) <= 60, "so many were answered"
        served.wrong = lambda number, path: None
        before = len(served.asked)
        done = forked.run(command, env=os.environ | {"PYTHONPATH": killing.PATHS})
        assert done.returncode == 0, done.stderr
        asked = {body["messages"][0]["content"] for path, body in served.asked[before:] if "messages" in body}
        assert not kept & asked and len(kept | asked) == 2 * rows, "in both orders, and nothing twice"
    found = pl.read_csv(tmp_path / "out.csv")
    assert (found["tiny"].is_null() == found["tiny p(yes)"].is_null()).all() and found["tiny"].null_count() < rows


def test_from_python_a_frame_gets_columns_that_learn_takes(tiny) -> None:
    frame = pl.DataFrame({"message": ["the city", "of lyon", "is in"] * 10, "rule": [*CLASSES, None] * 10})
    made = outgrow.label(frame, text="message", classes=CLASSES, by=[tiny], asking=Asking(words=("true", "false")))
    assert made.columns == ("tiny",) and made.frame["tiny"].null_count() == 0
    assert "<table" in made._repr_html_() and "30 of 30 rows labelled" in repr(made)


def test_balanced_probabilities_are_those_over_the_mean_of_their_class(tiny) -> None:
    frame = pl.DataFrame({"message": ["the city", "of lyon", "is in france", "very"]})
    bare, even = (
        outgrow.label(frame, text="message", classes=CLASSES, by=tiny, asking=Asking(balance=balance))
        for balance in (False, True)
    )
    columns = ["tiny p(yes)", "tiny p(no)"]
    p = bare.frame.select(columns).to_numpy()
    odds = p / p.mean(0)
    np.testing.assert_allclose(even.frame.select(columns).to_numpy(), odds / odds.sum(1, keepdims=True), atol=1e-5)
    assert "class words, balanced" in repr(even) and "balanced" not in repr(bare)


def test_instructions_and_examples_are_in_every_prompt(tmp_path, local) -> None:
    (tmp_path / "say.txt").write_text("is it so\n")
    pl.DataFrame({"message": ["rome"], "label": ["no"]}).write_csv(tmp_path / "shown.csv")
    asking = Asking(instructions=tmp_path / "say.txt", examples=tmp_path / "shown.csv", prompting="chat")
    with loopback.serving(local) as served:
        outgrow.label(
            pl.DataFrame({"message": ["paris"]}), text="message", classes=CLASSES, asking=asking,
            by=f"server:{served.url},tiny",
        )  # fmt: skip
        asked = [body["messages"][0]["content"] for path, body in served.asked if path.endswith("/chat/completions")]
    start = "is it so\n\nText: rome\nLabel: no\n\nText: paris\n\n"
    assert asked == [f"{start}Answer with the label alone.\nLabel ({order}):" for order in ("yes or no", "no or yes")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "TINY"), "no classes to choose from: name two or more with --classes"),
        (("--by", "TINY", "--classes", "yes"), "--classes yes names one class"),
        (("--by", "TINY", "--classes", "0", "1"), "'0' is no word that a model would answer: say with --words"),
        (("--by", "TINY", "--classes", "a", "b", "--words", "x"), "--words x: give one for each of the 2 classes"),
        (("--by", "TINY", "--classes", "a", "b", "--words", "x", "?!"), "'?!' is no word"),
        (("--by", "TINY", "--classes", "a_b", "c", "--words", "a-b", "a b"), "'a-b' and 'a b' are one word to a model"),
        (("--by", "TINY", "--classes", *CLASSES, "--text", "nowhere"), "no column 'nowhere' for --text"),
        (("--by", "TINY", "--classes", *CLASSES, "--instructions", "none.txt"), "--instructions none.txt: cannot read"),
        (("--by", "TINY", "--classes", *CLASSES, "--examples", "none.csv"), "no file none.csv"),
        (("--by", "TINY", "--classes", *CLASSES, "--prompting", "chatty"), "did you mean 'chat'?"),
        (("--by", "TINY", "--classes", *CLASSES, "--samples", "-1"), "--samples -1: give a number from 0 on"),
        (("--by", "server:localhost", "--classes", *CLASSES), "is not server:URL,NAME"),
        (("--by", "smollm", "--classes", *CLASSES), "did you mean 'smollm2-135m'?"),
        (("--by", "TINY", "TINY", "--classes", *CLASSES, "-o", "out.txt"), "--out out.txt: give a .parquet, .csv"),
        (("--by", "ENCODER", "--classes", *CLASSES), "generates no text"),
    ],
)
def test_what_a_user_can_mend_is_said_in_one_line(tmp_path, tiny, encoder, capsys, monkeypatch, words, said) -> None:
    data = table(tmp_path)
    monkeypatch.chdir(tmp_path)
    given = [{"TINY": tiny, "ENCODER": str(encoder)}.get(word, word) for word in words]
    given += [] if "-o" in words else ["-o", "out.csv"]
    given += [] if "--text" in words else ["--text", "message"]
    code, out, err = run(capsys, "label", str(data), *given)
    assert (code, out) == (2, "") and err.count("\n") == 1 and said in err, err


def test_examples_of_another_class_and_a_table_that_has_the_column_are_refused(tmp_path, tiny, capsys) -> None:
    shown = tmp_path / "shown.csv"
    pl.DataFrame({"message": ["rome", "lyon"], "label": ["no", "maybe"]}).write_csv(shown)
    words = ("label", str(table(tmp_path)), "--text", "message", "--classes", *CLASSES, "--by", tiny)
    code, _, err = run(capsys, *words, "--examples", str(shown), "-o", str(tmp_path / "out.csv"))
    assert code == 2 and "line 3 has no text, or the label 'maybe', which is none of yes, no" in err
    assert run(capsys, *words, "-o", str(tmp_path / "out.csv"))[0] == 0
    code, _, err = run(capsys, "label", str(tmp_path / "out.csv"), *words[2:], "-o", str(tmp_path / "more.csv"))
    assert code == 2 and "there is a column 'tiny'" in err


def test_another_file_of_the_name_stays_and_the_table_itself_is_never_written(tmp_path, tiny, capsys) -> None:
    data, out = table(tmp_path), tmp_path / "out.csv"
    out.write_text("mine")
    words = ("label", str(data), "--text", "message", "--classes", *CLASSES, "--by", tiny, "-o")
    code, _, err = run(capsys, *words, str(out))
    assert code == 2 and "or --overwrite if it may go" in err and out.read_text() == "mine"
    code, _, err = run(capsys, *words, str(data))
    assert code == 2 and "that is the table itself" in err


def test_how_models_are_asked_needs_models_that_are(tmp_path, tiny) -> None:
    frame = pl.DataFrame({"message": ["a"], "rule": ["yes"]})
    with pytest.raises(UserError, match="`samples` is for models that are asked for labels: name them with `ask`"):
        outgrow.learn(frame, text="message", votes=["rule"], asking=Asking(samples=2), out=tmp_path / "student")
