"""Table files as tasks: layouts, ids, groups, sides, votes, templates, and the seal."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outgrow import tasks
from outgrow.core.errors import UserError
from outgrow.tasks import POOL, TEST, Gold, Reading, Task
from outgrow.tasks.splits import draw

Rows = list[dict]


def write(path: Path, rows: Rows) -> Path:
    if path.suffix == ".parquet":
        pl.DataFrame(rows, strict=False, infer_schema_length=None).write_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows({k: json.dumps(v) if isinstance(v, list) else v for k, v in r.items()} for r in rows)
    return path


def statements(n: int = 30) -> Rows:
    return [{"text": f"item {i}", "label": i % 2} for i in range(n)]


def questions(n: int = 200, k: int = 4) -> Rows:
    return [
        {"question": f"what is {i}?", "choices": [f"{i} is {c}" for c in "wxyz"[:k]], "answer": (i * 7) % k}
        for i in range(n)
    ]


def pairs(n: int = 200) -> Rows:
    return [{"prompt": f"say {i}", "chosen": f"good {i}", "rejected": f"bad {i}"} for i in range(n)]


def load(tmp_path: Path, rows: Rows, reading: Reading | None = None, name: str = "t.jsonl") -> tuple[Task, Gold]:
    return tasks.load(str(write(tmp_path / name, rows)), reading)


def same(a: tuple[Task, Gold], b: tuple[Task, Gold]) -> bool:
    (one, gold), (other, gold_2) = a, b
    return (
        one.digest == other.digest
        and one.ids.tobytes() == other.ids.tobytes()
        and one.texts == other.texts
        and all(np.array_equal(getattr(one, f), getattr(other, f)) for f in ("groups", "side"))
        and gold.labels.tobytes() == gold_2.labels.tobytes()
        and gold.weights.tobytes() == gold_2.weights.tobytes()
    )


def label_of(task: Task, gold: Gold, text: str) -> str:
    return task.classes[gold.labels[[t[0] for t in task.texts].index(text)]]


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
@pytest.mark.parametrize("rows", [statements(), questions(), pairs()], ids=["classify", "choose", "prefer"])
def test_the_three_formats_give_the_same_task(tmp_path: Path, name: str, rows: Rows) -> None:
    assert same(load(tmp_path, rows, name=name), load(tmp_path, rows))


def test_classify_keeps_each_rows_label(tmp_path: Path) -> None:
    task, gold = load(tmp_path, statements())
    assert task.kind == "classify" and task.classes == ("0", "1") and len(task) == 30
    for i in range(30):
        assert label_of(task, gold, f"item {i}") == str(i % 2)
    assert task.ids.tolist() == sorted(set(task.ids.tolist())) and all(len(i) == 32 for i in task.ids)
    assert gold.weights.tolist() == [1.0] * 30


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([True, False], ("false", "true")),
        (["spam", "ham", "eggs"], ("eggs", "ham", "spam")),
        ([10, 9, 2], ("2", "9", "10")),
        ([1.0, 0.0], ("0", "1")),
        (["1", "0"], ("0", "1")),
    ],
)
def test_labels_may_be_numbers_words_or_truth_values(tmp_path: Path, labels: list, classes: tuple) -> None:
    rows = [{"text": f"t{i}", "label": labels[i % len(labels)]} for i in range(12)]
    assert load(tmp_path, rows)[0].classes == classes
    if isinstance(labels[0], str) and not labels[0].isdigit():
        asked = Reading(classes=tuple(reversed(classes)))
        assert load(tmp_path, rows, asked)[0].classes == tuple(reversed(classes))


def test_numbers_give_a_zero_shot_model_no_words(tmp_path: Path) -> None:
    assert load(tmp_path, statements())[0].words == ()
    named = load(tmp_path, [{"text": f"t{i}", "label": ("ham", "spam")[i % 2]} for i in range(8)])[0]
    assert named.words == ("ham", "spam") and "ham or spam" in named.ask.format(text="x")


def test_columns_may_have_any_names(tmp_path: Path) -> None:
    rows = [{"sentence": f"item {i}", "gold": i % 2, "label": "noise"} for i in range(30)]
    task, gold = load(tmp_path, rows, Reading(text="sentence", label="gold"))
    assert label_of(task, gold, "item 3") == "1"


def test_a_question_is_read_with_its_context_and_answer(tmp_path: Path) -> None:
    rows = [{"context": "c" * (i % 3), "question": f"q{i}", "answer": "a", "label": i % 2} for i in range(12)]
    task, _ = load(tmp_path, rows)
    texts = {t[0] for t in task.texts}
    assert "c\nQuestion: q1\nAnswer: a" in texts
    assert "Question: q3\nAnswer: a" in texts, "the line of an empty context is left out"


def test_a_template_decides_what_a_model_reads(tmp_path: Path) -> None:
    rows = [r | {"topic": "cats"} for r in statements()]
    task, _ = load(tmp_path, rows, Reading(template="On {topic}:\\n{{{text}}}"))
    assert ("On cats:\n{item 7}",) in task.texts
    assert task.template == "On {topic}:\\n{{{text}}}"
    plain, _ = load(tmp_path, rows)
    assert plain.ids.tolist() == task.ids.tolist(), "an id does not depend on the template"


def test_a_pool_question_gives_its_right_row_and_one_wrong_row(tmp_path: Path) -> None:
    rows = [r | {"split": "test" if i % 4 == 0 else "train"} for i, r in enumerate(questions())]
    task, gold = load(tmp_path, rows)
    assert task.classes == ("wrong", "right")
    assert (task.side == POOL).sum() == 150 * 4 and (task.side == TEST).sum() == 50 * 4
    right = {f"Question: {r['question']}\nAnswer: {r['choices'][r['answer']]}" for r in rows}
    for q in range(200):
        here = task.question == q
        labels = gold.labels[here]
        assert labels.sum() == 1 and {task.texts[i][0] for i in np.flatnonzero(here) if gold.labels[i]} <= right
        assert len(labels) == 4
        # right 1/2; each of k - 1 = 3 wrong ones 1/(2 * 3)
        expected = np.where(labels == 1, 0.5, 0.5 / (len(labels) - 1)).astype(np.float32)
        assert np.array_equal(gold.weights[here], expected)
        assert len(set(task.groups[here])) == 1


def test_without_a_split_choose_draws_a_fifth_of_the_groups_as_test(tmp_path: Path) -> None:
    task, _ = load(tmp_path, questions())
    assert set(task.side) == {POOL, TEST}
    assert len(np.unique(task.question[task.side == TEST])) == 200 // 5
    splits = draw(task, seed=0, replicates=range(2))
    assert np.array_equal(splits.test[0], task.side == TEST)


@pytest.mark.parametrize("write_answer", [lambda r: r["choices"][r["answer"]], lambda r: "ABCD"[r["answer"]]])
def test_an_answer_may_be_a_text_or_a_letter(tmp_path: Path, write_answer) -> None:
    named = [r | {"answer": write_answer(r)} for r in questions()]
    assert same(load(tmp_path, questions()), load(tmp_path, named))
    assert same(load(tmp_path, questions()), load(tmp_path, named, name="t.csv"))


def test_choices_may_be_a_record_with_labels_of_their_own(tmp_path: Path) -> None:
    rows = [
        r | {"choices": {"text": r["choices"], "label": list("4321")}, "answer": "4321"[r["answer"]]}
        for r in questions()
    ]
    assert same(load(tmp_path, questions()), load(tmp_path, rows))


def test_a_choice_that_stands_twice_is_one_candidate_and_counted(tmp_path: Path) -> None:
    rows = [r | {"choices": [*r["choices"], r["choices"][r["answer"]]]} for r in questions()]
    task, gold = load(tmp_path, rows)
    assert task.counts["choices left out: same as another of the question"] == 200
    assert gold.labels[task.side == TEST].sum() == 40 and (task.side == TEST).sum() == 160


def test_prefer_says_which_of_two_texts_is_better(tmp_path: Path) -> None:
    task, gold = load(tmp_path, pairs())
    assert task.classes == ("first", "second")
    for (first, second), better in zip(task.texts, gold.labels, strict=True):
        assert "good" in (first, second)[better] and "bad" in (first, second)[1 - better]
        assert first.startswith("say ") and second.startswith("say ")
    # 200 fair coins: 100 +- 4 * sqrt(50)
    assert abs(gold.labels.sum() - 100) < 29


def test_the_users_ids_are_hashed(tmp_path: Path) -> None:
    rows = [r | {"id": f"secret-{r['label']}-{i}"} for i, r in enumerate(statements())]
    task, _ = load(tmp_path, rows)
    assert not any("secret" in i for i in task.ids)
    assert not np.array_equal(task.ids, load(tmp_path, statements())[0].ids)
    assert np.array_equal(load(tmp_path, rows, Reading(id="none"))[0].ids, load(tmp_path, statements())[0].ids)


def test_rows_of_the_same_text_are_kept_in_one_group(tmp_path: Path) -> None:
    rows = statements() + statements(3)
    task, _ = load(tmp_path, rows)
    assert len(task) == 33 and len(set(task.groups)) == 30
    twins = [i for i, t in enumerate(task.texts) if t == ("item 1",)]
    assert len(twins) == 2 and len(set(task.groups[twins])) == 1


def test_a_group_is_the_column_or_the_context_or_the_question(tmp_path: Path) -> None:
    rows = [{"context": f"c{i // 6}" if i < 30 else "", "question": f"q{i // 2}", "label": i % 2} for i in range(60)]
    # 30 rows in fives of 6 by context; the other 30 in pairs by question
    assert len(set(load(tmp_path, rows)[0].groups)) == 30 // 6 + 30 // 2
    by_column = [r | {"author": i % 7} for i, r in enumerate(rows)]
    assert len(set(load(tmp_path, by_column, Reading(group="author"))[0].groups)) == 7


def test_the_datas_own_split_is_kept_and_other_values_are_counted(tmp_path: Path) -> None:
    values = ["train_gt", "train_w2s", "test", "test_hard"]
    rows = [r | {"split": values[i % 4]} for i, r in enumerate(statements(40))]
    task, _ = load(tmp_path, rows)
    assert (task.side == TEST).sum() == 10 and (task.side == POOL).sum() == 20
    assert task.counts == {"rows": 40, "rows left out: split test_hard": 10, "items": 30}
    other, _ = load(tmp_path, rows, Reading(test_values=("test_hard",), pool_values=("train_gt",)))
    assert (other.side == TEST).sum() == 10 and (other.side == POOL).sum() == 10
    assert other.counts["rows left out: split test"] == other.counts["rows left out: split train_w2s"] == 10
    assert len(load(tmp_path, rows, Reading(split="none"))[0]) == 40


def test_validation_is_the_test_side_where_nothing_is_called_test(tmp_path: Path) -> None:
    rows = [r | {"split": "dev" if i < 8 else "train"} for i, r in enumerate(statements(40))]
    assert (load(tmp_path, rows)[0].side == TEST).sum() == 8


def test_a_single_value_of_the_split_is_no_split(tmp_path: Path) -> None:
    task, _ = load(tmp_path, [r | {"split": "all"} for r in statements(100)])
    assert not task.side.any()
    assert draw(task, 0, range(1)).test.sum() == 20


def test_pool_rows_whose_group_is_tested_are_left_out_and_counted(tmp_path: Path, capsys) -> None:
    rows = [r | {"split": "test" if i < 10 else "train"} for i, r in enumerate(statements(40))]
    rows += [{"text": "item 3", "label": 0, "split": "train"}]
    task, _ = load(tmp_path, rows)
    assert len(task) == 40 and task.counts["rows left out: their group is in the test split"] == 1
    assert not set(task.groups[task.side == TEST]) & set(task.groups[task.side == POOL])
    assert not capsys.readouterr().err
    load(tmp_path, rows + [r | {"split": "train"} for r in statements(9)])
    assert "t: 10 of 50 rows are left out" in capsys.readouterr().err


def test_items_caps_both_sides_in_whole_groups(tmp_path: Path) -> None:
    rows = [{"text": f"t{i // 2}", "label": i % 2, "split": "test" if i < 100 else "train"} for i in range(400)]
    task, gold = load(tmp_path, rows, Reading(items=101))
    # 101 * 100 / 400 = 25.25 -> 24 in pairs; 101 * 300 / 400 = 75.75 -> 74
    assert (task.side == TEST).sum() == 24 and (task.side == POOL).sum() == 74 and len(gold.labels) == 98
    assert task.counts["items left out: over --items"] == 302
    assert np.bincount(task.groups).tolist() == [2] * 49
    full, _ = load(tmp_path, rows)
    assert set(task.ids) < set(full.ids)


def test_bad_rows_are_skipped_on_demand_and_counted(tmp_path: Path) -> None:
    rows = statements()
    rows[4]["text"], rows[9]["label"], rows[11]["label"] = " ", None, ""
    task, _ = load(tmp_path, rows, Reading(skip_bad_rows=True))
    assert len(task) == 27
    assert task.counts == {"rows": 30, "rows left out: missing text": 1, "rows left out: missing label": 2, "items": 27}


def test_votes_are_classes_and_empty_ones_abstain(tmp_path: Path) -> None:
    cast = ["1", "0", None, -1, ""]
    rows = [r | {"rule": cast[i % 5]} for i, r in enumerate(statements())]
    task, _ = load(tmp_path, rows, Reading(votes=("rule",)))
    said = {t[0]: v.tolist() for t, v in zip(task.texts, task.votes["rule"], strict=True)}
    assert said["item 0"] == [0, 1] and said["item 1"] == [1, 0]
    assert all(np.isnan(said[f"item {i}"]).all() for i in (2, 3, 4))
    assert task.votes["rule"].dtype == np.float32


def test_a_fraction_is_the_probability_of_the_second_class(tmp_path: Path) -> None:
    rows = [r | {"p": i / 40} for i, r in enumerate(statements())]
    for name in ("t.csv", "t.parquet"):
        task, _ = load(tmp_path, rows, Reading(votes=("p",)), name)
        said = {t[0]: v.tolist() for t, v in zip(task.texts, task.votes["p"], strict=True)}
        assert said["item 10"] == [0.75, 0.25] and said["item 0"] == [1, 0]


def test_a_list_holds_a_voter_an_entry_or_probabilities(tmp_path: Path) -> None:
    rows = [r | {"lf": [-1, i % 2, 0], "soft": [0.25, 0.75]} for i, r in enumerate(statements())]
    for name in ("t.csv", "t.parquet", "t.jsonl"):
        task, _ = load(tmp_path, rows, Reading(votes=("lf", "soft")), name)
        assert list(task.votes) == ["lf[0]", "lf[1]", "lf[2]", "soft"]
        assert np.isnan(task.votes["lf[0]"]).all() and (task.votes["soft"] == [0.25, 0.75]).all()
        said = {t[0]: v.tolist() for t, v in zip(task.texts, task.votes["lf[1]"], strict=True)}
        assert said["item 3"] == [0, 1] and said["item 4"] == [1, 0]


def test_votes_on_choices_fall_on_the_rows_of_the_candidates(tmp_path: Path) -> None:
    rows = [r | {"judge": 2 if i else None} for i, r in enumerate(questions())]
    task, _ = load(tmp_path, rows, Reading(votes=("judge",)))
    for (text,), vote in zip(task.texts, task.votes["judge"].tolist(), strict=True):
        if text.startswith("Question: what is 0?"):
            assert np.isnan(vote).all()
        else:
            assert vote == ([0, 1] if text.endswith(" is y") else [1, 0])


def test_votes_on_pairs_say_which_text_is_better(tmp_path: Path) -> None:
    cast = ["chosen", "rejected", ""]
    rows = [r | {"judge": cast[i % 3], "p": 0.75} for i, r in enumerate(pairs())]
    task, _ = load(tmp_path, rows, Reading(votes=("judge", "p")))
    for (first, _), vote, p in zip(task.texts, task.votes["judge"].tolist(), task.votes["p"].tolist(), strict=True):
        number = int(first.split("\n")[0].removeprefix("say "))
        good_first = "good" in first
        if number % 3 == 2:
            assert np.isnan(vote).all()
        else:
            assert vote == ([1, 0] if good_first == (number % 3 == 0) else [0, 1])
        assert p == ([0.75, 0.25] if good_first else [0.25, 0.75])


some_text = st.text("ab", min_size=1, max_size=2)
classify_rows = st.builds(
    dict,
    text=some_text,
    label=st.sampled_from("xy"),
    split=st.sampled_from(["train", "train", "test"]),
    v=st.sampled_from(["x", "y", ""]),
)
choose_rows = st.builds(
    dict, question=some_text, choices=st.permutations(["p", "q", "r"]), answer=st.sampled_from(["p", "q", "r"])
)
prefer_rows = st.sampled_from(
    [{"chosen": "a", "rejected": "b"}, {"chosen": "b", "rejected": "a"}, {"chosen": "c", "rejected": "a"}]
)
files = st.one_of(*(st.lists(rows, min_size=12, max_size=25) for rows in (classify_rows, choose_rows, prefer_rows)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=files, data=st.data())
def test_the_order_of_rows_changes_nothing(tmp_path: Path, rows: Rows, data) -> None:
    reading = Reading(votes=("v",) if "v" in rows[0] else ())
    shuffled = data.draw(st.permutations(rows))
    try:
        one = load(tmp_path, rows, reading)
    except UserError as error:
        with pytest.raises(UserError) as other:
            load(tmp_path, shuffled, reading)
        assert re.sub(r"(lines?|rows?) \d[^:]*", "", str(other.value)) == re.sub(
            r"(lines?|rows?) \d[^:]*", "", str(error)
        )
        return
    assert same(one, load(tmp_path, shuffled, reading))


def reachable(thing: object, seen: set[int]) -> list[object]:
    """Everything an attribute, an item or a base array of a thing leads to."""
    if id(thing) in seen or isinstance(thing, str | int | float | type(None)):
        return [] if isinstance(thing, type(None)) else [thing]
    seen.add(id(thing))
    inner: list[object] = list(vars(thing).values()) if hasattr(thing, "__dict__") else []
    if isinstance(thing, dict):
        inner += [*thing, *thing.values()]
    elif isinstance(thing, list | tuple):
        inner += list(thing)
    elif isinstance(thing, np.ndarray) and thing.base is not None:
        inner.append(thing.base)
    return [thing, *(found for part in inner for found in reachable(part, seen))]


@pytest.mark.parametrize(
    ("rows", "swap"),
    [
        (
            [r | {"split": ("train", "test")[i % 3 == 0]} for i, r in enumerate(statements(200))],
            lambda r: r | {"label": 1 - r["label"]},
        ),
        (pairs(), lambda r: r | {"chosen": r["rejected"], "rejected": r["chosen"]}),
        (questions(k=2), lambda r: r | {"answer": 1 - r["answer"]}),
        ([r | {"v": i % 4} for i, r in enumerate(questions())], lambda r: r | {"answer": (r["answer"] + 3) % 4}),
    ],
    ids=["classify", "prefer", "choose between two", "choose between four"],
)
def test_other_gold_gives_the_same_task(tmp_path: Path, rows: Rows, swap) -> None:
    rng = np.random.default_rng(0)
    reading = Reading(votes=("v",) if "v" in rows[0] else ())
    task, gold = load(tmp_path, rows, reading)
    other, other_gold = load(tmp_path, [swap(r) if rng.random() < 0.5 else r for r in rows], reading)
    assert (gold.labels != other_gold.labels).sum() > 60
    for name in vars(task):
        if name in ("digest", "source"):
            assert getattr(task, name) != getattr(other, name)
        elif isinstance(getattr(task, name), np.ndarray):
            assert np.array_equal(getattr(task, name), getattr(other, name)), name
        elif name == "votes":
            assert task.votes.keys() == other.votes.keys()
            assert all(np.array_equal(said, other.votes[voter]) for voter, said in task.votes.items())
        else:
            assert getattr(task, name) == getattr(other, name), name


def test_no_object_that_a_task_leads_to_is_or_holds_the_gold(tmp_path: Path) -> None:
    for rows in (statements(200), pairs(), questions()):
        task, gold = load(tmp_path, rows)
        for thing in reachable(task, set()):
            if isinstance(thing, np.ndarray):
                assert not np.shares_memory(thing, gold.labels) and not np.shares_memory(thing, gold.weights)
                if thing.shape == gold.labels.shape and thing.dtype.kind in "biuf" and thing.std() > 0:
                    # 200 and more items: a correlation by chance stays below 4 / sqrt(200) = .28
                    assert abs(np.corrcoef(thing, gold.labels)[0, 1]) < 0.28


def test_the_place_of_a_pool_row_does_not_tell_whether_it_is_right(tmp_path: Path) -> None:
    task, gold = load(tmp_path, questions(2500))
    pool = np.flatnonzero(task.side == POOL)
    by_question: dict[int, list[int]] = {}
    for i in pool:
        by_question.setdefault(int(task.question[i]), []).append(int(gold.labels[i]))
    right_first = np.array([labels[0] for labels in by_question.values()])
    # 2,000 questions, one of four right: .25 +- 4 * sqrt(.25 * .75 / 2000) = .039
    assert len(right_first) == 2000 and abs(right_first.mean() - 0.25) < 0.039


def test_arrays_of_a_task_cannot_be_written(tmp_path: Path) -> None:
    task, gold = load(tmp_path, questions())
    for array in (task.ids, task.groups, task.side, task.question, gold.labels, gold.weights):
        with pytest.raises(ValueError):
            array[0] = array[1]


def test_the_digest_moves_with_every_thing_that_matters(tmp_path: Path) -> None:
    rows = [r | {"rule": 1, "g": i // 2, "split": "test" if i < 8 else "train"} for i, r in enumerate(statements())]
    readings = [
        Reading(),
        Reading(votes=("rule",)),
        Reading(group="g"),
        Reading(split="none"),
        Reading(template="T {text}"),
        Reading(classes=("1", "0")),
        Reading(items=20),
    ]
    digests = [load(tmp_path, rows, reading)[0].digest for reading in readings]
    flipped = load(tmp_path, [r | {"label": 1 - r["label"]} for r in rows])[0].digest
    assert len({*digests, flipped}) == len(readings) + 1
    assert digests[0] == load(tmp_path, rows, name="t.parquet")[0].digest
