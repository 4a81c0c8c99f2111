"""From the user's own votes to a saved student: taught, judged, saved, loaded, asked; and what the user can mend."""

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import outgrow
import tiny_models
from outgrow import cli, label_models
from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.label_models import Belief
from outgrow.metrics.annotators import agreement_of, needed
from outgrow.pipeline.vote_cell import VoteCell, table_of
from outgrow.report.learn import told
from outgrow.students import saving
from outgrow.students.saved import ARRAYS, FACTS, SavedStudent
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators
from outgrow.workflows import learn

VOTES = ("rule_1", "rule_2", "small_model")
NAMES = ("ham", "spam", "news")


@pytest.fixture(autouse=True)
def store(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path_factory.getbasetemp() / "store"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A tiny encoder; random, but it tells words apart."""
    return str(tiny_models.save(tmp_path_factory.mktemp("model"), encoder=True))


def table(
    folder: Path, rows: int = 240, gold: float = 0.0, classes: int = 2, name: str = "data.parquet", seed: int = 0
) -> Path:
    """Sentences in which one word says the class; three voters, right in 7 of 10 votes, silent on every fifth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=rows)
    said = {}
    for voter in VOTES:
        wrong = rng.random(rows) < 0.3
        answer = np.where(wrong, (truth + rng.integers(1, classes, rows)) % classes, truth)
        said[voter] = [None if rng.random() < 0.2 else NAMES[a] for a in answer]
    marks = ("true", "false", "maybe")
    texts = [" ".join([*[marks[t]] * 3, *rng.choice(tiny_models.WORDS[:10], 3)]) for t in truth]
    columns = {"id": [f"item {i}" for i in range(rows)], "message": texts, **said}
    if gold:
        columns["label"] = [NAMES[t] if rng.random() < gold else None for t in truth]
    path = folder / name
    pl.DataFrame(columns).write_parquet(path)
    return path


def taught(folder: Path, model: str, **changes) -> Path:
    made = {k: changes.pop(k) for k in ("gold", "classes") if k in changes}
    asked = {"reading": Reading(text="message", votes=(",".join(VOTES),)), "strong": model, "out": folder / "student"}
    return learn.learn(str(table(folder, **made)), **(asked | changes))


def facts(folder: Path) -> dict:
    return json.loads((folder / "learn.json").read_text())


@pytest.mark.parametrize("classes", [2, 3])
def test_without_any_gold_a_student_is_taught_saved_and_says_that_nobody_can_tell(tmp_path, model, classes) -> None:
    folder = taught(tmp_path, model, classes=classes)
    found = facts(folder)
    assert (
        found["task"]["classes"] == sorted(NAMES[:classes])
        and "rows" not in found["verdict"]
        and found["verdict"]["needed"] > 20
    )
    page = (folder / "report.html").read_text()
    assert "It takes gold to tell" in page and "://" not in page.replace("http://www.w3.org", "")
    student = outgrow.load(folder)
    new = table(tmp_path, classes=classes, seed=1, gold=1, name="new.parquet")
    truth = pl.read_parquet(new)
    probs = student.predict_proba(truth["message"].to_list())
    assert probs.shape == (240, classes) and np.allclose(probs.sum(-1), 1, atol=1e-5)
    right = np.mean([student.classes[c] == gold for c, gold in zip(probs.argmax(-1), truth["label"], strict=True)])
    assert right > 0.9, "three voters of 70% teach more than any of them knows"


def test_some_gold_judges_and_the_words_say_who_was_outgrown(tmp_path, model) -> None:
    folder = taught(tmp_path, model, gold=0.5, label_model="mean")
    verdict = facts(folder)["verdict"]
    beside = ("other label model", "best annotator", "tfidf", "zero-shot", "gold", "ceiling")
    others, more = [
        [row for row in verdict["rows"] if (row["kind"] == beside[0]) == wanted and row["kind"] in beside]
        for wanted in (True, False)
    ]
    assert {row["kind"] for row in more} - {"gold", "ceiling"} == {"best annotator", "tfidf"}, "an encoder is not asked"
    assert next(row for row in more if row["kind"] == "tfidf")["accuracy"] > 0.9, "a word says the class"
    student, floor, majority, *own = [row for row in verdict["rows"] if row not in [*others, *more]]
    assert {row["name"] for row in others} <= {f"label model: {name}" for name in label_models.registry()} - {
        "label model: mean"
    } and others
    assert floor["kind"] == "floor" and floor["name"].startswith("label model: ") and floor["gain_ci"][0] > 0
    assert (
        student["kind"] == "student"
        and majority["name"] == "majority (and mean)"
        and [v["kind"] for v in own] == ["annotator"] * 3
    )
    assert verdict["judged"] == verdict["gold"] > 80
    assert all(row["gain_ci"][0] > 0 for row in (majority, *own)) and majority["gain"] == pytest.approx(
        student["accuracy"] - majority["accuracy"]
    )
    for row in (floor, majority, *own):
        assert row["accuracy"] == pytest.approx(max(row["as_guess"], row["as_commonest"])), "silent on every fifth"
    assert "The student outgrew its annotators" in (folder / "report.html").read_text()


def test_gold_changes_no_byte_of_a_student_of_the_mean(tmp_path, model) -> None:
    made = []
    for gold in (0.0, 0.5):
        (tmp_path / str(gold)).mkdir()
        made.append((taught(tmp_path / str(gold), model, gold=gold, label_model="mean") / ARRAYS).read_bytes())
    assert made[0] == made[1]


def test_a_saved_student_predicts_what_the_fitted_one_did_and_twice_the_same(tmp_path, model) -> None:
    path = table(tmp_path)
    given = annotators.load(str(path), Reading(text="message", votes=VOTES))
    kept = []
    weights = saving.weights
    saving.weights = lambda fitted, r: kept.append(fitted.predict()[r]) or weights(fitted, r)
    try:
        for head in ("linear", "mlp"):
            folder = learn.learn(
                str(path), reading=Reading(text="message", votes=VOTES), strong=model, student=head, out=tmp_path / head
            )
            student = outgrow.load(folder)
            texts = [text for (text,) in given.task.texts]
            assert np.allclose(student.predict_proba(texts), kept[-1], atol=1e-4)
            assert np.array_equal(student.predict_proba(texts[:7]), student.predict_proba(texts[:7]))
    finally:
        saving.weights = weights


@pytest.mark.parametrize("head", ["linear", "mlp"])
def test_where_items_have_rivals_what_several_students_say_is_saved(tmp_path, model, head) -> None:
    data = pl.read_parquet(table(tmp_path)).with_row_index("row")
    told = data["message"].str.contains("true")
    pairs = data.with_columns(
        pl.when(told).then(told.cum_sum()).otherwise((~told).cum_sum()).cast(pl.String).alias("thing")
    )
    assert pairs.group_by("thing").len()["len"].max() == 2, "one of either class"
    path = tmp_path / "pairs.parquet"
    pairs.drop("row").write_parquet(path)
    reading = Reading(text="message", votes=VOTES, group="thing")
    texts = [text for (text,) in annotators.load(str(path), reading).task.texts]
    kept, weights = [], saving.weights
    saving.weights = lambda fitted, r: kept.append(fitted.predict()[r]) or weights(fitted, r)
    try:
        folder = learn.learn(str(path), reading=reading, strong=model, student=head, out=tmp_path / "student")
    finally:
        saving.weights = weights
    student = outgrow.load(folder)
    shares = [one["share"] for one in student.heads]
    assert len(shares) == 2 and np.isfinite(shares).all() and min(shares) > 0
    assert np.allclose(student.predict_proba(texts), kept[-1], atol=1e-4)
    assert f"a pool of 2 {head} heads on layer" in (folder / "report.html").read_text()


def test_each_head_of_a_saved_student_reads_its_own_layer() -> None:
    rng = np.random.default_rng(0)
    x = {layer: rng.normal(size=(3, 2)).astype(np.float32) for layer in (4, 9)}
    w = rng.normal(size=(2, 2)).astype(np.float32)
    named = {"file": "xent", "class": "Xent", "fields": {}}
    heads = tuple({"layer": layer, "share": share, "objective": named} for layer, share in ((9, 0.7), (4, 0.4)))
    arrays = {
        f"{m}.{name}": a
        for m in (0, 1)
        for name, a in (("centre", np.zeros(2, "f")), ("turn", np.eye(2, dtype="f")), ("weights", w[m][None, None]))
    }
    blank = dict.fromkeys(("model", "digest", "revision", "pooling", "precision", "template"), "")
    student = SavedStudent(
        classes=("a", "b"),
        head="linear",
        reads="features",
        heads=heads,
        arrays=arrays,
        voters=(),
        columns={},
        words=(),
        taught={},
        **blank,
    )
    read = rng.normal(size=(3, 9, 2)).astype(np.float32)
    read[:, 3], read[:, 8] = x[4], x[9]
    z = 0.7 * x[9] @ w[0] + 0.4 * x[4] @ w[1]
    assert np.allclose(student.predict_proba(read)[:, 1], 1 / (1 + np.exp(-z)), atol=1e-5)


def test_items_are_judged_by_students_that_neither_they_nor_their_group_taught(tmp_path) -> None:
    given = annotators.load(str(table(tmp_path, gold=0.5)), Reading(text="message", votes=VOTES))
    said = np.stack(list(given.task.votes.values()))
    made = VoteCell(given, None, table_of(given.task), "mean", "linear", 0)
    assert made.design.teach[0].all() and not made.design.teach[made.design.fold, np.arange(len(given.task))].any()
    for group in np.unique(given.task.groups):
        assert len(set(made.design.fold[given.task.groups == group])) == 1
    gold = given.gold.labels
    for r, skill in enumerate(made.skill):
        rows = (gold >= 0) & (made.design.fold != r)
        for j, votes in enumerate(said):
            spoke = rows & ~np.isnan(votes[:, 0])
            assert skill[j] == pytest.approx((votes[spoke].argmax(-1) == gold[spoke]).mean())


def test_the_items_suggested_are_the_unsure_ones_without_gold_and_no_text_comes_twice(tmp_path, model) -> None:
    folder = taught(tmp_path, model, gold=0.3, suggest=25)
    rows = pl.read_csv(folder / "suggest.csv")
    data = pl.read_parquet(tmp_path / "data.parquet")
    assert rows.height == 25 and rows["text"].n_unique() == 25 and rows["score"].is_sorted(descending=True)
    for item in rows.to_dicts():
        assert data[item["row"] - 1, "label"] is None
        assert (data[item["row"] - 1, "id"], data[item["row"] - 1, "message"]) == (item["id"], item["text"])


def test_predict_keeps_order_and_ids_and_writes_what_is_asked(tmp_path, model) -> None:
    folder = taught(tmp_path, model)
    new = tmp_path / "new.csv"
    pl.DataFrame({"id": ["b", "a", "c"], "note": ["true true paris", "false false rome", "true"]}).write_csv(new)
    out = learn.predict(folder, str(new), reading=Reading(text="note"), out=tmp_path / "labels.csv")
    labels = pl.read_csv(out)
    assert labels.columns == ["row", "id", "note", "label", "p_ham", "p_spam"] and labels["id"].to_list() == [
        "b",
        "a",
        "c",
    ]
    assert labels["label"].to_list() == ["ham", "spam", "ham"] and labels["row"].to_list() == [1, 2, 3]
    assert labels["note"].to_list() == pl.read_csv(new)["note"].to_list()


def test_a_crowd_without_texts_teaches_a_student_that_reads_votes(tmp_path) -> None:
    data = pl.read_parquet(table(tmp_path, rows=300, gold=0.5))
    data.select(item="id", truth="label").write_parquet(tmp_path / "items.parquet")
    long = (
        data.rename({"id": "item"})
        .select("item", *VOTES)
        .unpivot(index="item", variable_name="worker", value_name="label")
        .drop_nulls()
    )
    long.write_parquet(tmp_path / "votes.parquet")
    reading = Reading(label="truth")
    folder = learn.learn(
        str(tmp_path / "items.parquet"),
        reading=reading,
        votes_table=str(tmp_path / "votes.parquet"),
        strong="votes",
        out=tmp_path / "student",
    )
    assert facts(folder)["annotators"]["count"] == 3
    out = learn.predict(folder, str(tmp_path / "items.parquet"), votes_table=str(tmp_path / "votes.parquet"))
    labels = dict(pl.read_parquet(out).select("item", "label").iter_rows())
    alone = data.filter(pl.all_horizontal(pl.col(VOTES[0]) == pl.col(v) for v in VOTES))
    assert [labels[i] for i in alone["id"]] == alone[VOTES[0]].to_list()
    silent = data.filter(pl.all_horizontal(pl.col(v).is_null() for v in VOTES))["id"]
    assert [labels[i] for i in silent] == [None] * len(silent)


def test_own_test_items_teach_nothing_and_judge_alone(tmp_path, model) -> None:
    path = table(tmp_path, gold=1)
    data = pl.read_parquet(path).with_columns(split=pl.Series(["test"] * 60 + ["train"] * 180))
    data.write_parquet(path)
    folder = learn.learn(
        str(path), reading=Reading(text="message", votes=VOTES), strong=model, out=tmp_path / "student"
    )
    found = facts(folder)
    assert found["verdict"]["own_split"] and found["verdict"]["judged"] == 60 and found["how"]["taught"] <= 180


def test_votes_in_lists_and_probabilities_are_read(tmp_path, model) -> None:
    path = table(tmp_path)
    data = pl.read_parquet(path)
    number = {"ham": 0, "spam": 1, None: -1}
    lists = [[number[v] for v in row] for row in data.select(VOTES).iter_rows()]
    data.select("message", weak=pl.Series(lists), p=pl.Series(np.linspace(0.01, 0.99, len(data)))).write_parquet(path)
    given = annotators.load(str(path), Reading(text="message", votes=("weak", "p")))
    assert list(given.task.votes) == ["weak[0]", "weak[1]", "weak[2]", "p"] and given.task.classes == ("0", "1")


def _told(capsys, *arguments: str) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    captured = capsys.readouterr()
    assert stopped.value.code == 2 and captured.err.count("\n") == 1, captured.err
    return captured.err


def test_what_the_user_can_mend_is_one_line_and_exit_2(tmp_path, model, capsys) -> None:
    path = table(tmp_path, rows=60)
    data = pl.read_parquet(path)

    def says(*arguments: str, change: pl.DataFrame | None = None) -> str:
        (data if change is None else change).write_parquet(path)
        return _told(capsys, "learn", str(path), "--strong", model, "--out", str(tmp_path / "out"), *arguments)

    named = ("--text", "message", "--votes", ",".join(VOTES))
    assert "--votes" in says("--text", "message")
    assert "did you mean 'rule_1'" in says("--text", "message", "--votes", "rule_1,rul_1")
    assert "--scorer number compares answers in words" in says(*named, "--scorer", "number")
    assert "no column of texts" in says("--votes", "rule_1")
    wrong = data.with_columns(rule_1=pl.Series(["spma", *data["rule_1"][1:]]))
    assert "rows 1" in (said := says(*named, "--classes", "ham", "spam", change=wrong)) or "row 1" in said
    assert "every vote is empty" in says(
        *named, "--classes", "ham", "spam", change=data.with_columns(pl.lit(None).cast(str).alias(v) for v in VOTES)
    )
    assert "every vote is for 'ham'" in says(
        *named, "--classes", "ham", "spam", change=data.with_columns(pl.lit("ham").alias(v) for v in VOTES)
    )
    assert "name two or more with --classes" in says(
        *named, change=data.with_columns(pl.lit("ham").alias(v) for v in VOTES)
    )
    assert "items have a vote" in says(*named, change=data.head(10))
    assert "did you mean 'naive'" in says(*named, "--method", "niave")
    assert "label model" in says(*named, "--label-model", "maen")
    assert "kind of student" in says(*named, "--student", "forest")
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "other").write_text("")
    assert "holds other things" in says(*named)


def test_a_long_table_of_votes_that_does_not_fit_is_one_line(tmp_path, capsys) -> None:
    path, votes = table(tmp_path, rows=60), tmp_path / "votes.csv"

    def says(text: str) -> str:
        votes.write_text(text)
        return _told(
            capsys, "learn", str(path), "--strong", "votes", "--votes-table", str(votes), "--out", str(tmp_path / "out")
        )

    assert "no column 'worker'" in says("item,label\nitem 1,ham\n")
    assert "item nothing" in says("item,worker,label\nnothing,a,ham\n")
    assert "line 4: keep one vote" in says("item,worker,label\nitem 1,a,ham\nitem 1,a,ham\nitem 1,a,spam\n")


def test_predicting_tells_what_is_missing_or_damaged(tmp_path, model, capsys) -> None:
    folder = taught(tmp_path, model)
    new = tmp_path / "new.csv"
    new.write_text("id,words\n1,true\n")
    assert "no column 'message'" in _told(capsys, "predict", str(folder), str(new))
    new.write_text('id,message\n1,true\n2,"  "\n')
    assert "line 3" in _told(capsys, "predict", str(folder), str(new))
    assert "no student in" in _told(capsys, "predict", str(tmp_path / "nowhere"), str(new))
    for name in (FACTS, ARRAYS):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:-20] + b"x" + whole[-19:])
        assert f"{name} is not as it was written" in _told(capsys, "predict", str(folder), str(new))
        (folder / name).write_bytes(whole)
    tensors = Path(model) / "model.safetensors"
    whole = tensors.read_bytes()
    try:
        tensors.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(UserError, match="another one"):
            outgrow.load(folder).predict_proba(["true"])
    finally:
        tensors.write_bytes(whole)


def test_the_three_commands_of_a_newcomer(tmp_path, model, capsys) -> None:
    path = table(tmp_path, gold=0.5)
    arguments = [
        "learn",
        str(path),
        "--text",
        "message",
        "--votes",
        ",".join(VOTES),
        "--strong",
        model,
        "--suggest",
        "5",
        "--out",
        str(tmp_path / "s"),
    ]
    for command in (arguments, ["predict", str(tmp_path / "s"), str(path)]):
        with pytest.raises(SystemExit) as stopped:
            cli.main(command)
        assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert "student" in out and "suggest.csv" in out and "report.html" in out and "data.labels.parquet" in out
    assert sys.modules["outgrow"].load is outgrow.load


@pytest.mark.parametrize("kind", ["lora", "full"])
def test_a_fine_tuned_student_is_saved_as_any_checkpoint_and_predicts_what_it_did(
    tmp_path, monkeypatch, capsys, kind
) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from outgrow.models import loader
    from outgrow.students import finetune

    monkeypatch.setattr(finetune, "default_rate", lambda model, kind: {"full": 5e-3, "lora": 1e-2}[kind])
    monkeypatch.setattr(finetune, "default_steps", lambda epochs, count: 20)
    monkeypatch.setattr(loader, "chosen_precision", lambda asked=None: asked or "float32")
    strong = str(tiny_models.save(tmp_path / "causal", encoder=False))
    kept, fit = [], finetune.Finetune.fit
    monkeypatch.setattr(
        finetune.Finetune, "fit", lambda self, *given, **more: kept.append(fit(self, *given, **more)) or kept[-1]
    )
    path = table(tmp_path, gold=0.5, classes=3)
    reading = Reading(text="message", votes=VOTES)
    folder = learn.learn(str(path), reading=reading, strong=strong, student=kind, out=tmp_path / "student")
    assert [len(fitted.runs) for fitted in kept] == [6], "naive, taught six times"
    assert "fine-tuned (" in (page := (folder / "report.html").read_text()) and "auto, would fine-tune many" in page
    student, texts = outgrow.load(folder), pl.read_parquet(path)["message"].to_list()
    probs = student.predict_proba(texts)
    texts_read = [text for (text,) in kept[0].runs[0].texts.texts]
    assert np.allclose(student.predict_proba(texts_read), kept[0].predict()[0], atol=1e-4)
    assert facts(folder)["verdict"]["rows"][0]["accuracy"] > 0.8
    net = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    given = AutoTokenizer.from_pretrained(folder)(texts, padding=True, return_tensors="pt", return_token_type_ids=False)
    assert np.allclose(net(**given).logits.softmax(-1).detach().numpy(), probs, atol=1e-4)
    assert [net.config.id2label[c] for c in range(3)] == list(student.classes)
    labels = pl.read_parquet(learn.predict(folder, str(path)))
    assert labels["label"].to_list() == [student.classes[c] for c in probs.argmax(-1)]
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "model.safetensors is not as it was written" in _told(capsys, "predict", str(folder), str(path))
    again = learn.learn(str(path), reading=reading, strong=strong, out=folder, overwrite=True)
    assert not (again / "model.safetensors").exists() and len(outgrow.load(again).predict_proba(texts)) == 240


def test_votes_are_not_fine_tuned_and_what_needs_features_says_so(tmp_path, model, capsys) -> None:
    named = (
        "learn",
        str(table(tmp_path)),
        "--text",
        "message",
        "--votes",
        ",".join(VOTES),
        "--out",
        str(tmp_path / "out"),
        "--student",
        "lora",
    )
    assert "take --student linear or mlp" in _told(capsys, *named, "--strong", "votes")
    with pytest.raises(UserError, match="lacks features"):
        taught(tmp_path, model, student="lora", method="knn_filter")


@pytest.mark.parametrize("classes", [2, 4])
def test_agreement_alone_tells_the_accuracy_of_voters_that_err_independently(classes) -> None:
    rng, planted = np.random.default_rng(0), np.array([0.9, 0.75, 0.6, 0.8])
    truth = rng.integers(classes, size=4000)
    wrong = rng.random((4, 4000)) > planted[:, None]
    answers = np.where(wrong, (truth + rng.integers(1, classes, (4, 4000))) % classes, truth)
    answers[rng.random(answers.shape) < 0.3] = -1
    answers = np.concatenate([answers, np.where(answers[:1] == 1, 1, -1)])
    found = agreement_of(answers, classes, np.arange(4000), derive(0, "voters"))
    assert np.abs(found.accuracy[:4] - planted).max() < 0.03
    assert ((found.low[:4] <= planted) & (planted <= found.high[:4])).sum() >= 3
    assert np.isnan(found.accuracy[4]), "who only ever says one thing agrees by what it speaks on"


def test_a_class_that_the_student_lost_is_said_first(tmp_path, model, monkeypatch) -> None:
    def collapsed(weak):
        spoke = ~np.isnan(weak.probs).any(-1).all(1)
        return Belief.of(np.where(spoke[..., None], np.array([1, 0], np.float32), np.float32(np.nan)))

    monkeypatch.setattr("outgrow.label_models.find", lambda name: collapsed)
    folder = taught(tmp_path, model)
    assert facts(folder)["trust"]["lost"] == ["spam"]
    assert told(folder).startswith("The student has lost spam.")


def test_gold_needed_grows_with_disagreement_and_falls_with_the_gain() -> None:
    # (1.960 + 0.842)^2 (0.25 - 0.02^2) / 0.02^2
    assert needed(0.25, 0.02) == pytest.approx(2.8016**2 * 0.2496 / 0.0004, abs=1)
    assert needed(0.5, 0.02) > needed(0.25, 0.02) > needed(0.25, 0.05)
