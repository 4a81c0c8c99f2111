"""Of an answer cut at the token limit no end is learned; studies and committees count such answers."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from outgrow.generation import Answer, Sampling
from outgrow.generation.local import Local
from outgrow.generation.preference import Dpo, PreferencePair
from outgrow.methods import text as sequences
from outgrow.methods.text import WeakAnswers
from outgrow.tasks.tables.prompts import Columns
from outgrow.training import causal
from outgrow.training.causal import Example
from outgrow.workflows.committee import committee

END, VERY, SO = 5, 19, 26


def wrote(text: str, ended: str = "stop") -> Answer:
    return Answer(text, (-0.5,), (VERY,), ended, 0)


WEAK = WeakAnswers(
    ("the", "a", "an"),
    ("one", "two"),
    (
        (
            (wrote(" so", "length"), wrote(" no")),
            (wrote(" yes"), wrote(" maybe", "length")),
            (wrote(" so", "length"), wrote(" no", "length")),
        ),
        ((wrote(" no", "length"),), (wrote(" yes", "length"),), (wrote(" so"),)),
    ),
    np.array([0.6, 0.4]),
)


def test_an_answer_is_whole_where_anybody_ended_it() -> None:
    assert not WEAK.whole(0, " so"), "one wrote it, and was cut"
    assert WEAK.whole(0, " no"), "the one ended it, the other was cut"
    assert WEAK.whole(1, " yes") and not WEAK.whole(1, " maybe")
    assert WEAK.whole(2, " so") and not WEAK.whole(2, " no")
    assert WEAK.whole(2, " gold"), "nobody's: it is somebody else's answer, and ends"


def test_what_is_read_of_a_cut_answer_has_no_end(model) -> None:
    cut, whole = causal.read(model, [("the", " very so")] * 2, whole=[False, True])
    assert whole.ids.tolist() == [4, 6, VERY, SO, END]
    assert cut.ids.tolist() == [4, 6, VERY, SO]
    assert cut.start == whole.start == 2


@pytest.mark.parametrize("whole", [True, False])
def test_targets_are_as_many_as_the_tokens_of_an_answer_cut_or_not(model, whole) -> None:
    example = Example("the", " very so", targets=(0.25, 0.75), whole=whole)
    (text,) = causal.read(model, [("the", " very so")], whole=[whole])
    assert causal._scores(example, text).tolist() == [0.25, 0.75, *([1.0] if whole else [])]


def ends(model, prompt: str = "the", answer: str = " very very") -> float:
    """How likely the model ends after the answer."""
    local = Local(model)
    (logits,) = local.logits([local.encode(prompt)], [[*local.after(answer), END]])
    return float(logits.log_softmax(1)[-1, END])


def test_cut_answers_do_not_teach_to_stop_and_whole_ones_do(model, store) -> None:
    cut, whole = (
        causal.tune(
            model,
            [Example("the", " very very", whole=one)] * 16,
            kind="full",
            seed=1,
            store=store,
            epochs=20,
            rate=0.01,
        )
        for one in (False, True)
    )
    assert ends(whole) > ends(model) + 1
    assert ends(cut) < ends(whole) - 1


def test_a_cut_answer_of_no_words_teaches_nothing(model, store) -> None:
    told = [Example("the", " very"), Example("the", "", whole=False)]
    assert (
        causal.tune(model, told, seed=1, store=store).digest == causal.tune(model, told[:1], seed=1, store=store).digest
    )
    pairs = [
        PreferencePair("the", " very", " so"),
        PreferencePair("the", "", " so", whole=(False, True)),
        PreferencePair("the", " so", "", whole=(True, False)),
    ]
    assert (
        causal.prefer(model, pairs, Dpo(), seed=1, store=store).digest
        == causal.prefer(model, pairs[:1], Dpo(), seed=1, store=store).digest
    )


class Learned(SimpleNamespace):
    """A student that notes what it is taught."""

    def tune(self, examples, **more):
        self.examples = examples
        return "tuned"

    def prefer(self, model, pairs, loss, **more):
        self.pairs = pairs
        return "preferred"

    def beams(self, model, width):
        return [
            (wrote(" so", "length"), wrote(" no")),
            (wrote(" yes"), wrote(" maybe", "length")),
            (wrote(" so", "length"), wrote(" so")),
        ]


def likelihood(items, texts):
    return np.array([[-len(text) for text in texts]] * 2, float)


RESOURCES = {
    "weak": WEAK,
    "committee": WEAK,
    "likelihood": likelihood,
    "sure": np.array([3.0, 2.0, 1.0]),
    "aligned": ("after", "before"),
    "bridge": lambda j, items, texts: [[0.5] for _ in texts],
    "verify": lambda items, texts: [SimpleNamespace(sound=text != " so") for text in texts],
    "executor": lambda items, texts: [text == " so" for text in texts],
}


@pytest.mark.parametrize("name", sorted(sequences.registry()))
def test_every_method_says_which_answers_were_cut(name) -> None:
    method, student = sequences.find(name), Learned(model="model")
    method.run(*(student if need == "student" else RESOURCES[need] for need in method.resources))
    by_item = {prompt: i for i, prompt in enumerate(WEAK.prompts)}
    for example in getattr(student, "examples", ()):
        item = by_item[example.prompt]
        beams = [row[item][0] for row in WEAK.beams if row[item][0].text == example.answer]
        own = {not answer.cut for answer in beams} or {True}
        assert example.whole in own | {WEAK.whole(item, example.answer)}
    for pair in getattr(student, "pairs", ()):
        for text, whole in zip((pair.chosen, pair.rejected), pair.whole, strict=True):
            if text:
                drawn = [
                    a
                    for row in (
                        *(w[by_item[pair.prompt]] for w in WEAK.beams),
                        student.beams(None, 2)[by_item[pair.prompt]],
                    )
                    for a in row
                    if a.text == text
                ]
                assert whole in {not a.cut for a in drawn}
    cut = [not e.whole for e in getattr(student, "examples", ())] + [
        not w for p in getattr(student, "pairs", ()) for w in p.whole
    ]
    assert any(cut), "some of what is taught here was cut"


def test_a_committee_counts_the_answers_that_were_cut(model, tmp_path, store) -> None:
    table = tmp_path / "asked.csv"
    pl.DataFrame({"question": ["the", "a city", "very", "so"], "gold": ["1", "2", "3", "4"]}).write_csv(table)
    columns = Columns(prompt="question", gold="gold", scorer="number", tokens=2)
    found = committee(str(table), weak=[model.name], draws=4, columns=columns, out=tmp_path / "out", store=store)
    answers = pl.read_parquet(tmp_path / "out" / "answers.parquet")
    (member,) = found.facts["members"]
    assert member["cut"] == answers["cut"].sum() > 0 and member["answers"] == 16
    assert f"{member['cut']} of them cut at the token limit" in (tmp_path / "out" / "committee.html").read_text()


def test_a_report_of_a_study_says_how_many_answers_were_cut() -> None:
    from outgrow.report.words import asides

    pair = SimpleNamespace(
        details={"coverage": {"first": 0.3, "best": 0.9, "cut": 0.25}},
        main=SimpleNamespace(of=lambda *kinds: []),
        get=lambda name: [],
        outdated=False,
    )
    assert "25% of the supervisor’s first samples were cut at the token limit" in " ".join(asides(pair, {})).replace(
        "25.0%", "25%"
    )
    pair.details["coverage"]["cut"] = 0.0
    assert "cut at the token limit" not in " ".join(asides(pair, {}))


def test_an_answer_at_the_limit_is_marked_as_cut(model) -> None:
    local = Local(model)
    drawn = local.sample(["the"], 64, Sampling(tokens=1), [list(range(64))])[0]
    assert [answer.cut for answer in drawn] == [answer.tokens[-1] not in local.ends for answer in drawn]
    assert {answer.cut for answer in drawn} == {True, False}
    assert not Answer("", (), (), "failed", 0).cut


@pytest.mark.parametrize(
    ("reason", "cut"),
    [
        ("stop", False),
        (None, False),
        ("eos", False),
        ("length", True),
        ("content_filter", True),
        ("abort", True),
        (["stop"], True),
    ],
)
def test_an_answer_of_a_server_is_cut_unless_it_says_that_it_ended(reason, cut) -> None:
    from outgrow.generation.server import _completion

    paid = _completion({"choices": [{"text": "so", "finish_reason": reason}]}, 0)
    assert paid.answer.cut is cut


def test_recorded_answers_say_how_they_ended_in_words_that_are_known(tmp_path) -> None:
    from outgrow.core.errors import UserError
    from outgrow.generation.records import RecordedModel

    def drawn(**columns):
        pl.DataFrame({"prompt": ["p"], "answer": ["a"], **columns}).write_parquet(tmp_path / "a.parquet")
        return RecordedModel(str(tmp_path / "a.parquet")).sample(["p"], 1, Sampling(), [])[0][0]

    assert (
        drawn(ended=["length"]).cut
        and not drawn(ended=["stop"]).cut
        and not drawn(ended=[None]).cut
        and not drawn().cut
    )
    for ended in ("LENGTH", "max_tokens", "cut"):
        with pytest.raises(UserError, match=r"ended is .* in answer 1: give stop, length, failed, or nothing"):
            drawn(ended=[ended])
    for columns in ({"logprob": ["often"]}, {"seed": ["seven"]}, {"seed": [float("inf")]}):
        with pytest.raises(UserError, match=f"column '{next(iter(columns))}' holds .* in row 1"):
            drawn(**columns)
