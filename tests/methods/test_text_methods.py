"""Methods for generation tasks on invented supervisors, and a study of them from end to end on tiny checkpoints."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import studies
import tiny_models
from outgrow import models
from outgrow.cli import main
from outgrow.generation import Answer, Sampling
from outgrow.generation.preference import Dpo, PreferencePair, Wspo
from outgrow.generation.targets import Bayesian, Soft
from outgrow.methods import text as sequences
from outgrow.methods.text import WeakAnswers
from outgrow.metrics import text as scorers
from outgrow.pipeline import executors as workers
from outgrow.pipeline import runner
from outgrow.pipeline.verdicts import VerdictAccount
from outgrow.store import Store
from outgrow.students import generator
from outgrow.tasks.splits import draw
from outgrow.tasks.tables.options import Reading
from outgrow.training import causal
from outgrow.verifiers import Verdict
from outgrow.workflows.audit import audit
from outgrow.workflows.text_study import TextStudy, load, parse

PROMPTS = ("p0", "p1", "p2")
BEAMS = (
    (("a", -1.0), ("b", -2.0), ("c", -4.0)),
    (("b", -0.5), ("a", -3.0)),
    (("c", -9.0),),
), (
    (("d", -0.2),),
    (("a", -1.0), ("e", -1.5)),
    (("c", -1.0), ("f", -2.0)),
)  # fmt: skip
LOGP = {
    "a": (-1.0, -5.0),
    "b": (-2.0, -1.0),
    "c": (-4.0, -1.5),
    "d": (-6.0, -0.2),
    "e": (-3.0, -1.5),
    "f": (-9.0, -2.0),
}
"""By supervisor, the same after every prompt."""


def weak(*skill: float) -> WeakAnswers:
    beams = tuple(
        tuple(tuple(Answer(text, (logp,), (1,), "stop", 0) for text, logp in row) for row in rows)
        for rows in BEAMS[: len(skill)]
    )
    return WeakAnswers(PROMPTS, tuple("xy")[: len(skill)], beams, np.array(skill))


def likelihood(supervisors: int):
    return lambda items, texts: np.array([[LOGP[text][j] for text in texts] for j in range(supervisors)])


@dataclass
class Recorder:
    """A student that keeps what it is taught; its beams are the same after every training."""

    model: Any = "as it was"
    taught: list[Any] = field(default_factory=list)
    preferred: list[Any] = field(default_factory=list)
    targets: list[Any] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)

    def tune(self, examples, **more):
        self.taught, self.more = [(one.prompt, one.answer, one.weight) for one in examples], more
        self.targets = [one.targets for one in examples]
        return "tuned"

    def prefer(self, model, pairs, loss, **more):
        self.preferred, self.more = [model, list(pairs), loss], more
        return "preferring"

    def beams(self, model, width):
        assert model == "tuned"
        return [
            tuple(Answer(text, (), (), "stop", 0) for text in texts)
            for texts in (("a", "d", "b"), ("a", "a"), ("e", "f"))
        ]


def run(name: str, *resources, **parameters):
    return sequences.find(name).run(*resources, **parameters)


def test_naive_learns_the_best_supervisors_likeliest_answers() -> None:
    student = Recorder()
    assert run("naive", weak(0.2, 0.6), student) == "tuned"
    assert student.taught == [("p0", "d", 1.0), ("p1", "a", 1.0), ("p2", "c", 1.0)]


def test_the_confidence_filter_keeps_the_surest_share() -> None:
    student = Recorder()
    run("confidence_filter", weak(1.0), np.array([-1.0, -0.5, -9.0]), student, keep=0.67)
    assert student.taught == [("p0", "a", 1.0), ("p1", "b", 1.0)]


def test_of_the_beams_the_likeliest_one_that_the_check_does_not_refuse_is_learned() -> None:
    student = Recorder()

    def verify(items, texts):
        return [Verdict({"a": False, "b": None, "c": i != 2}[text]) for i, text in zip(items, texts, strict=True)]

    run("verified", weak(1.0), student, verify)
    # p0: a is refused, of b the check cannot tell. p2 has nothing left.
    assert student.taught == [("p0", "b", 1.0), ("p1", "b", 1.0)]
    again = Recorder()
    assert run("verified_dpo", weak(1.0), again, verify) == "preferring"
    assert again.taught == student.taught and again.preferred == [
        "tuned",
        [PreferencePair("p0", "b", "a"), PreferencePair("p1", "b", "a")],
        Dpo(0.1),
    ]


def test_every_supervisor_teaches_by_its_weight() -> None:
    student = Recorder()
    run("every", weak(0.2, 0.6), student)
    # u = 1/4, 3/4, times the number of supervisors.
    assert [(p, a) for p, a, _ in student.taught] == [
        *zip(PROMPTS, "abc", strict=True),
        *zip(PROMPTS, "dac", strict=True),
    ]
    assert [w for _, _, w in student.taught] == pytest.approx([0.5] * 3 + [1.5] * 3)


def test_joint_decoding_takes_the_answer_that_all_find_likeliest() -> None:
    student = Recorder()
    run("joint", weak(0.25, 0.75), likelihood(2), student)
    # p0 pools a, b, c, d with -4, -1.25, -2.125, -1.65; p1 b, a, e with -1.25, -4, -1.875; p2 c, f with -2.125, -3.75.
    assert [answer for _, answer, _ in student.taught] == ["b", "b", "c"]


@pytest.mark.parametrize(("name", "loss"), [("soft", Soft()), ("bayesian", Bayesian(0.0))])
def test_answers_are_learned_as_far_as_their_supervisors_believe_in_them(name: str, loss) -> None:
    student = Recorder()
    run(
        name,
        weak(0.2, 0.6),
        lambda j, items, texts: [np.array([0.5 + j / 4, ord(text) / 128]) for text in texts],
        student,
    )
    assert student.taught == [
        (p, a, w)
        for answers, w in (("abc", 0.25), ("dac", 0.75))
        for p, a, w in zip(PROMPTS, answers, [pytest.approx(w)] * 3, strict=True)
    ]
    assert student.targets[3] == (0.75, 100 / 128) and student.more == {"loss": loss}


@pytest.mark.parametrize(
    ("name", "loss", "confidences"),
    [
        ("dpo", Dpo(0.1), (1.0, 1.0)),
        ("conservative_dpo", Dpo(5.0, 0.1), (1.0, 1.0)),
        # a against d: -1 and -6, tanh(5/2). e against f: -3 and -9, tanh(6/2).
        ("confidence_dpo", Dpo(0.1), (np.tanh(2.5), np.tanh(3))),
    ],
)
def test_preferences_are_the_students_beams_as_the_supervisors_rank_them(
    name: str, loss: Dpo, confidences: tuple[float, float]
) -> None:
    student = Recorder()
    assert run(name, weak(1.0), likelihood(1), student) == "preferring"
    model, pairs, found = student.preferred
    assert model == "tuned" and found == loss
    assert [(p.prompt, p.chosen, p.rejected) for p in pairs] == [("p0", "a", "d"), ("p2", "e", "f")]
    assert [p.confidence for p in pairs] == pytest.approx(confidences)


def test_wspo_moves_the_student_from_where_it_began_as_gold_moved_the_supervisor() -> None:
    student = Recorder()
    run("wspo", weak(1.0), ("after", "before"), student)
    assert student.preferred == [
        "as it was",
        [PreferencePair("p0", "a", ""), PreferencePair("p1", "b", ""), PreferencePair("p2", "c", "")],
        Wspo(1.0),
    ]
    assert student.more["weak"] == ("after", "before")


def test_an_executors_verdicts_make_positives_and_pairs_and_are_counted() -> None:
    right = {(0, "b"), (0, "c"), (1, "b")}
    verdicts = VerdictAccount(
        lambda items, texts: np.array([(i, text) in right for i, text in zip(items, texts, strict=True)])
    )
    executor, one, two = verdicts.executor, Recorder(), Recorder()
    run("executed", weak(1.0), one, executor)
    assert one.taught == [("p0", "b", 1.0), ("p1", "b", 1.0)]
    run("executed_dpo", weak(1.0), two, executor)
    assert two.taught == one.taught and two.preferred == [
        "tuned",
        [PreferencePair("p0", "b", "a"), PreferencePair("p1", "b", "a")],
        Dpo(0.1),
    ]
    # Three answers to p0, two to p1, one to p2; what is asked twice is paid for once.
    assert executor.spent == verdicts.spent == 6


def test_a_method_asks_for_known_resources_and_never_for_gold() -> None:
    for method in sequences.registry().values():
        assert set(method.resources) <= sequences.RESOURCES.keys(), method.name
        assert method.line and method.paper
    assert not {"gold", "keys", "task"} & sequences.RESOURCES.keys()


PLACES = ("lyon", "paris", "rome", "spain", "france")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return filled(tmp_path_factory.mktemp("sequences"))


def filled(root: Path) -> Path:
    """Two tiny checkpoints and a table of answers in a folder."""
    for name in ("weak", "strong"):
        config = tiny_models.save(root / name, encoder=False) / "config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "max_position_embeddings": 256}))
    rng = np.random.default_rng(0)
    lines = []
    for i in range(130):
        words = list(rng.choice(["the", "is", "in", "very", "true", "not", "so", "a"], 4))
        place = str(rng.choice(PLACES))
        words[int(rng.integers(4))] = place
        lines.append(json.dumps({"text": " ".join([*words, str(i)]), "slots": [{"type": "city", "filler": place}]}))
    (root / "places.jsonl").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture(autouse=True)
def quick(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("OUTGROW_STORE", str(folder / "store"))
    studies.short_tunings(monkeypatch)


def study(folder: Path, **changes) -> TextStudy:
    asked = {
        "tasks": [str(folder / "places.jsonl")],
        "weak": [str(folder / "weak")],
        "strong": str(folder / "strong"),
        "methods": ["joint"],
        "seeds": 2,
        "weak_gold": 12,
        "reading": Reading(scorer="slots"),
        "out": folder / "run",
    }
    return TextStudy(**(asked | changes))


def test_a_study_writes_what_a_study_of_classes_writes_and_goes_on_where_it_was(
    folder: Path, monkeypatch, capsys
) -> None:
    result = study(folder).run()
    assert "12 of 52 items teach the supervisor, 52 the student, 26 test both" in capsys.readouterr().err
    rows = {(row["method"], row["metric"]): row for row in json.loads((result.path / "summary.json").read_text())}
    # Both models are the same checkpoint: tuned on the few gold answers the student is its supervisor.
    names = {"floor", "ceiling", "naive", "shuffled", "gold-naive", "untrained"}
    assert {name for name, _ in rows} == names and {metric for _, metric in rows} == {"slu_f1", "span_f1"}
    details = json.loads((result.path / "details.json").read_text())["pairs"][0]
    assert details["left_out"] == [{"method": "joint", "lacks": [f"committee: {sequences.RESOURCES['committee']}"]}]
    assert [(control["name"], control["passed"]) for control in details["controls"]] == [
        ("shuffled", None),
        ("gold-naive", True),
        ("canary", True),
    ]

    # Every figure can be made again out of the answers and gold that lie beside it.
    place = next(folder.glob("run/predictions/places/*--*"))
    gold = pl.read_parquet(folder / "run/predictions/places/gold.parquet")
    answers = pl.read_parquet(place / "naive.parquet")
    assert {path.stem for path in place.glob("*.parquet")} == names
    keys = [json.loads(key) for key in gold["key"]]
    found = scorers.scores(
        "slots",
        [answers.filter(pl.col("replicate") == r)["answer"].to_list() for r in range(2)],
        keys,
        gold["group"].to_numpy(),
    )
    assert found["slu_f1"].value == pytest.approx(rows["naive", "slu_f1"]["value"])
    cells = pl.read_parquet(result.path / "cells.parquet")
    assert (
        cells.filter((pl.col("method") == "naive") & (pl.col("metric") == "span_f1"))["value"].to_list()
        == found["span_f1"].values.tolist()
    )
    page = (result.path / "report.html").read_text()
    assert "SLU-F1" in page and "F1 of whole slots" in page

    findings, _ = audit(str(result.path))
    assert {"COST", "CEILING"} <= {finding.code.partition("-")[0] for finding in findings}
    assert json.loads((result.path / "audit.json").read_text())["findings"] and "model FLOPs" in page

    # Models of finished replicates are gone, answers are not: nothing is written twice.
    assert not list((folder / "store" / "tuned").glob("*/record.json"))
    trained, tuned = [], causal.CausalRun.model
    monkeypatch.setattr(causal.CausalRun, "model", lambda run: trained.append(run.made_of["seed"]) or tuned(run))
    before = {name: (folder / "run" / name).read_bytes() for name in ("cells.parquet", "summary.json")}
    again = study(folder, out=folder / "again").run()
    assert all((again.path / name).read_bytes() == data for name, data in before.items())
    assert len(trained) == 2, "the supervisor and the student of replicate 0, whose student is kept elsewhere"
    assert not list((folder / "store" / "tuned").glob("*/record.json"))


def test_a_study_that_is_stopped_goes_on_and_ends_with_the_same_bytes(folder: Path, monkeypatch) -> None:
    trained, whole = [], causal.CausalRun.model

    def stops(run):
        trained.append(run.made_of["seed"])
        if len(trained) == 4:
            raise KeyboardInterrupt
        return whole(run)

    more = {"seed": 1, "methods": ["naive"], "seeds": 1}
    monkeypatch.setattr(causal.CausalRun, "model", stops)
    with pytest.raises(KeyboardInterrupt):
        study(folder, out=folder / "stopped", **more).run()
    monkeypatch.setattr(causal.CausalRun, "model", whole)
    resumed = study(folder, out=folder / "stopped", **more).run()
    monkeypatch.setenv("OUTGROW_STORE", str(folder / "other"))
    fresh = study(folder, out=folder / "fresh", **more).run()
    for name in ("cells.parquet", "summary.json"):
        assert (resumed.path / name).read_bytes() == (fresh.path / name).read_bytes()


computed, whole_epochs = runner.block, generator.epochs


def small_steps(*given):
    """What a process that computes a replicate does, as quickly as the other tests do it."""
    with pytest.MonkeyPatch.context() as patch:
        studies.short_tunings(patch)
        yield from computed(*given)


def test_replicates_in_two_processes_leave_the_same_bytes_and_nothing_is_trained_again(
    folder: Path, monkeypatch
) -> None:
    more = {"seed": 2, "methods": ["naive"]}
    one = study(folder, out=folder / "one", **more).run()
    monkeypatch.setenv("OUTGROW_STORE", str(folder / "side by side"))
    monkeypatch.setattr(runner, "block", small_steps)
    monkeypatch.setattr(workers, "count", lambda models, replicates: 2)
    monkeypatch.setattr(causal, "CausalRun", None)
    two = study(folder, out=folder / "two", **more).run()
    for name in ("cells.parquet", "summary.json"):
        assert (one.path / name).read_bytes() == (two.path / name).read_bytes()


def test_a_committee_is_taught_from_and_its_members_are_shown(folder: Path) -> None:
    both = f"{folder / 'weak'}+shots:{folder / 'strong'}"
    result = study(
        folder,
        weak=[both],
        methods=["joint", "every", "soft", "bayesian", "wspo", "dpo", "executed"],
        seeds=1,
        out=folder / "both",
    ).run()
    rows = {
        row["method"]: row
        for row in json.loads((result.path / "summary.json").read_text())
        if row["metric"] == "slu_f1"
    }
    members = {f"supervisor:{folder / 'weak'}", f"supervisor:shots:{folder / 'strong'}"}
    assert members | {"joint", "every", "soft", "bayesian", "dpo", "executed"} <= rows.keys()
    assert all(rows[name]["kind"] == "contrast" for name in members)
    details = json.loads((result.path / "details.json").read_text())["pairs"][0]
    assert details["bought"]["executed"] > 0 and "dpo" not in details["bought"]


def test_recorded_answers_supervise_and_what_needs_a_model_is_left_out(folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / "places.jsonl").read_text().splitlines()]
    rng = np.random.default_rng(1)
    for i, row in enumerate(rows):
        right = f"city: {row['slots'][0]['filler']}"
        # ann is right four times out of five and is silent to two; bob gives two answers, the same one twice to some.
        row["ann"] = None if i in (3, 8) else right if rng.random() < 0.8 else "none"
        row["bob"] = ["none", right] if i % 2 else ["none", "none"]
    (folder / "recorded.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = {
        "tasks": [str(folder / "recorded.jsonl")],
        "weak_gold": None,
        "seeds": 1,
        "methods": ["every", "verified_dpo", "executed", "executed_dpo", "joint", "dpo"],
    }
    result = study(
        folder, **asked, weak=[], reading=Reading(scorer="slots", votes=("ann", "bob")), out=folder / "recorded"
    ).run()
    details = json.loads((result.path / "details.json").read_text())
    assert details["tasks"]["recorded"]["counts"]["left out: no answer in a column of --votes"] == 2
    pair = details["pairs"][0]
    assert {entry["method"]: entry["lacks"][0].partition(":")[0] for entry in pair["left_out"]} == {
        "joint": "likelihood",
        "dpo": "likelihood",
    }
    assert pair["bought"]["executed"] == pair["bought"]["executed_dpo"] > 0, (
        "either pays for what it asks, whoever comes first"
    )
    # Ann is right where she says so, and one of the two where either has a city, on transfer items of the replicate.
    task, gold = load(str(folder / "recorded.jsonl"), Reading(scorer="slots", votes=("ann", "bob")), 0)
    items = np.flatnonzero(draw(task, 0, [0]).transfer[0])
    either = [
        gold.answers[i] if gold.answers[i] in (*task.written["ann"][i], *task.written["bob"][i]) else "none"
        for i in items
    ]
    said = {"first": [task.written["ann"][i][0] for i in items], "best": either}
    keys = [gold.keys[i] for i in items]
    earned = {
        name: scorers.scores("slots", [row], keys, task.groups[items])["slu_f1"].value for name, row in said.items()
    }
    assert pair["coverage"] == pytest.approx({**earned, "cut": 0.0}) and earned["first"] < earned["best"]
    page = (result.path / "report.html").read_text()
    assert f"first samples score {100 * earned['first']:.1f}%" in page
    enough = earned["best"] >= 0.3 and (
        earned["best"] >= 1.5 * earned["first"] or 1 - earned["best"] <= (1 - earned["first"]) / 2
    )
    assert ("too little to judge methods that choose" in page) != enough
    # Ann is the better one: the floor is what she answers to the test items.
    place = next(folder.glob("recorded/predictions/recorded/*--*"))
    said = {f"{row['text']}\nSlots:\n": row["ann"] for row in rows}
    prompts = dict(zip(task.ids, task.prompts, strict=True))
    floor = pl.read_parquet(place / "floor.parquet")
    assert floor["answer"].to_list() == [said[prompts[i]] for i in floor["id"]]
    assert {path.stem for path in place.glob("supervisor*")} == {"supervisor_column_ann", "supervisor_column_bob"}
    bob = {f"{row['text']}\nSlots:\n": tuple(dict.fromkeys(row["bob"])) for row in rows}
    assert list(task.written["bob"]) == [bob[prompt] for prompt in task.prompts]


def test_a_score_is_the_log_probability_of_the_text_and_of_its_end(folder: Path, monkeypatch) -> None:
    from transformers import AutoModelForCausalLM

    from outgrow.models import loader

    monkeypatch.setattr(loader, "chosen_precision", lambda asked=None: asked or "float32")

    store = Store(folder / "store")
    model = models.resolve(str(folder / "weak"), store)
    writers = generator.Writers(store, Sampling(tokens=8))
    prompts, texts = ["the city of", "is"], ["lyon is in france", ""]
    found = [logp.sum() for logp in writers.each(model, prompts, texts)]
    net, tokens = AutoModelForCausalLM.from_pretrained(folder / "weak", dtype=torch.float32), writers(model)
    for prompt, text, value in zip(prompts, texts, found, strict=True):
        begun, then = tokens.encode(prompt), tokens.after(text)
        with torch.no_grad():
            p = net(torch.tensor([[*begun, *then]])).logits[0].double().softmax(1)
        likely = [float(p[len(begun) - 1 + t, token]) for t, token in enumerate(then)]
        assert value == pytest.approx(
            np.log(likely).sum() + np.log(sum(float(p[-1, end]) for end in tokens.ends)), abs=1e-4
        )


def test_a_student_that_is_taught_nothing_stays_as_it_was(folder: Path) -> None:
    store = Store(folder / "store")
    model = models.resolve(str(folder / "weak"), store)
    student = generator.TextStudent(model, PROMPTS, "lora", 0, generator.Writers(store, Sampling()))
    assert student.tune([]) is model and student.prefer(model, [], Dpo()) is model


def test_few_examples_are_read_often_and_many_twice() -> None:
    # 40,000 characters are read at least, of pairs half as many.
    assert (whole_epochs(4_000), whole_epochs(39_000), whole_epochs(50_000, 1.0, 20_000)) == (10, 2, 1)


def test_supervisors_are_parsed() -> None:
    tuned, shots, column = parse("smollm2-135m+shots:gemma3-270m+column:ann")
    assert (tuned.kind, tuned.of) == ("tuned", "smollm2-135m") and (shots.kind, shots.of) == ("shots", "gemma3-270m")
    assert (column.name, column.kind, column.of) == ("column:ann", "column", "ann")
    assert [(one.kind, one.of) for one in parse("sibling:smollm2-135m:12")] == [("tuned", "sibling:smollm2-135m:12")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["TABLE", "--scorer", "slot"], "unknown scorer 'slot': did you mean 'slots'?"),
        (
            ["TABLE", "--scorer", "slots", "--ladder", "minilm-l6"],
            "--ladder does not apply to generation tasks: leave it out",
        ),
        (["TABLE", "--scorer", "slots", "--method", "bootstrap"], "unknown method for generation tasks 'bootstrap'"),
        (
            ["TABLE", "--scorer", "slots", "--student", "linear"],
            "unknown kind of student for generation tasks 'linear'",
        ),
        (["TABLE", "--scorer", "calls"], "no column 'question'"),
        (["TABLE", "--scorer", "number"], "no column 'prompt' for --prompt"),
        (
            ["TABLE", "--scorer", "slots", "--weak", "shots:"],
            "supervisor 'shots:': give a model, shots:MODEL or column:NAME",
        ),
        (
            ["TABLE", "--scorer", "slots", "--weak", "smolm2-135m"],
            "unknown supervisor 'smolm2-135m': did you mean 'smollm2-135m'?",
        ),
        (
            ["TABLE", "--scorer", "slots", "--weak", "sibling:smolm2-135m:9"],
            "unknown parent of supervisor 'smolm2-135m': did you mean 'smollm2-135m'?",
        ),
        (["TABLE", "--scorer", "slots", "--prompt", "text"], "--prompt does not apply to --scorer slots: leave it out"),
        (
            ["TABLE", "--scorer", "slots", "--votes", "ann"],
            "no column 'ann' of recorded answers (--votes, --weak column:NAME): the columns are text, slots",
        ),
        (
            ["TABLE", "--scorer", "slots", "--weak", "column:"],
            "supervisor 'column:': give a model, shots:MODEL or column:NAME",
        ),
        (
            ["arithmetic", "--weak", "column:ann"],
            "--votes is for tables; 'arithmetic' is built in and takes --items only",
        ),
        (["arithmetic", "--prompt", "text"], "--prompt is for tables; 'arithmetic' is built in and takes --items only"),
        (["--scorer", "slots"], "--scorer is for a table: name the file"),
    ],
)
def test_what_cannot_be_run_is_one_line(folder: Path, arguments: list[str], said: str, capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["run", *(str(folder / "places.jsonl") if a == "TABLE" else a for a in arguments)])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
