"""Committees: forms, choices, coverage and its laws, recorded answers, and the verb from end to end."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow import cli, models, verifiers
from outgrow.core.errors import UserError
from outgrow.generation import candidates
from outgrow.generation.candidates import choice
from outgrow.generation.candidates.choice import SOUND, UNSOUND, UNTOLD, VerdictTable
from outgrow.generation.candidates.forms import FORMS
from outgrow.metrics import coverage
from outgrow.pipeline import scoring
from outgrow.pipeline.bench import combined, noted, verdicts_of
from outgrow.pipeline.choices import Bench, curves, facts_of
from outgrow.pipeline.rounds import facts_of as rounds_of
from outgrow.report import committee as page
from outgrow.report import svg
from outgrow.report.charts import WIDE
from outgrow.report.charts.rounds import rounds
from outgrow.store import Store
from outgrow.tasks import generation
from outgrow.tasks.source import TASKS, generation_source
from outgrow.tasks.tables.prompts import Columns
from outgrow.tasks.task import GenerationGold
from outgrow.verifiers import Verdict
from outgrow.workflows.committee import committee
from outgrow.workflows.committees import committees
from outgrow.workflows.self_training import improve


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


DATA = Path(__file__).parents[3] / "shared" / "data"


def test_pass_at_k_is_the_share_of_sets_that_hold_a_right_answer():
    for n, c in ((1, 0), (1, 1), (5, 2), (7, 1), (6, 6), (8, 3)):
        right = [True] * c + [False] * (n - c)
        for k in range(1, n + 1):
            sets = [any(right[i] for i in chosen) for chosen in itertools.combinations(range(n), k)]
            assert math.isclose(coverage.pass_at_k(n, c, k), np.mean(sets), abs_tol=1e-12)
    # 1 - C(4, 2) / C(6, 2) = 1 - 6 / 15
    assert math.isclose(coverage.pass_at_k(6, 2, 2), 0.6) and np.isnan(coverage.pass_at_k(2, 1, 3))


def test_sets_of_answers_are_all_of_them_or_evenly_drawn():
    rng = np.random.default_rng(0)
    every = coverage.subsets(6, 2, rng)
    assert len(every) == 15 and len({tuple(row) for row in every.tolist()}) == 15 and (every.sum(1) == 2).all()
    drawn = coverage.subsets(20, 5, rng)
    assert len(drawn) == coverage.SETS and (drawn.sum(1) == 5).all()
    # A place is in a quarter of the sets: standard error sqrt(.25 .75 / 500) = .019.
    assert abs(drawn.mean(0) - 0.25).max() < 4 * 0.0194
    assert coverage.ladder(12) == [1, 2, 4, 8, 12] and coverage.ladder(1) == [1]


@pytest.mark.parametrize(
    ("form", "same", "other"),
    [
        ("number", ("so 1,250 it is", "12 * 3\n#### 1250.0\nnot 7", " 1250"), ("1251", "", "none")),
        ("words", ("A=1  B=0", "a=1 b=0\n"), ("a=1 b=1",)),
        ("code", ("    return x+1  # one more\n", "    return x + 1\n\nmore = ( words"), ("    return x + 2\n",)),
    ],
)
def test_answers_are_the_same_where_their_form_is(form, same, other):
    (said,) = {FORMS[form](text) for text in same}
    assert said is not None and said not in {FORMS[form](text) for text in other}
    assert FORMS[form]("  ") in (None, "def f():\n    pass")


def sets(n: int, k: int) -> np.ndarray:
    return coverage.subsets(n, k, np.random.default_rng(0))


def slow_majority(rows, form) -> dict[int, float]:
    """The same slowly: the commonest forms share the choice, and their answers the share of the form."""
    rows = [i for i in rows if form[i] >= 0] or list(rows)
    times = {said: sum(form[i] == said for i in rows) for said in set(form[rows])}
    tied = [said for said, n in times.items() if n == max(times.values())]
    return {i: 1 / len(tied) / times[form[i]] for i in rows if form[i] in tied}


@pytest.mark.parametrize("seed", range(6))
def test_choices_agree_with_saying_them_in_words(seed):
    rng = np.random.default_rng(seed)
    n = 7
    form = rng.integers(-1, 3, (3, n))
    verdicts = VerdictTable(
        rng.integers(0, 3, (3, n)).astype(np.int8), rng.choice([0.0, 0.5], (3, n)) if seed % 2 else np.zeros((3, n))
    )
    for k, item in itertools.product((1, 3, 5, 7), range(3)):
        standings, scores = verdicts.standing[item], verdicts.score[item]
        among = sets(n, k)
        got = {
            "majority": choice.majority(among, form)[item],
            "voted": choice.voted(among, verdicts, form)[item],
            "verified": choice.verified(among, verdicts, form)[item],
        }
        for s, chosen in enumerate(among):
            rows = np.flatnonzero(chosen)
            standing = max(standings[i] for i in rows)
            kept = [i for i in rows if standings[i] == standing]
            best = [i for i in kept if scores[i] == max(scores[kept])]
            alone = standing == SOUND or len(best) < len(kept)
            want = {
                "majority": slow_majority(rows, form[item]),
                "voted": slow_majority(kept, form[item]),
                "verified": {i: 1 / len(best) for i in best} if alone else slow_majority(kept, form[item]),
            }
            for name, pick in want.items():
                assert np.allclose(got[name][s], [pick.get(i, 0.0) for i in range(n)]), name


def bench(
    right: np.ndarray, verdicts: dict[str, VerdictTable], forms: np.ndarray | None = None, models: int = 1
) -> Bench:
    """(N, K) whether answers are right; wrong ones all differ unless forms (N, K) says else."""
    n, k = right.shape
    said = np.where(right, 0, 1 + np.arange(n * k).reshape(n, k)) if forms is None else forms
    item, draw = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
    answers = candidates.Candidates(
        item,
        draw % models,
        draw // models,
        tuple(map(str, said.ravel())),
        np.full(n * k, np.nan),
        said.ravel(),
        tuple(f"m{j}" for j in range(models)),
        n,
    )
    return Bench("weak", answers, right.ravel(), right.ravel(), verdicts, ())


def earned(b: Bench) -> dict[tuple[str, str | None, int], float]:
    return {(c.choice, c.verifier, c.k): float(c.right.mean()) for c in curves(b, 0)}


def test_a_perfect_verifier_earns_the_coverage_and_its_relative_gap_is_one_at_full_coverage():
    rng = np.random.default_rng(3)
    right = rng.random((60, 8)) < rng.beta(0.6, 2, 60)[:, None]
    perfect = {"perfect": VerdictTable(np.where(right.ravel(), SOUND, UNSOUND).astype(np.int8), np.zeros(right.size))}
    at = earned(bench(right, perfect))
    for k in (1, 8):
        assert math.isclose(at["verified", "perfect", k], at["coverage", None, k], abs_tol=1e-12)
    assert all(math.isclose(at["verified", "perfect", k], at["coverage", None, k], abs_tol=0.02) for k in (2, 4))
    assert at["verified", "perfect", 1] == pytest.approx(right.mean()) and at["majority", None, 1] == pytest.approx(
        right.mean()
    )
    right[:, 0] = True
    at = earned(
        bench(
            right,
            {"perfect": VerdictTable(np.where(right.ravel(), SOUND, UNSOUND).astype(np.int8), np.zeros(right.size))},
        )
    )
    # Full coverage: the gap is 1 - J, so all of what was missing.
    found = coverage.resample({"v": np.ones(60), "s": right.mean(1)}, np.arange(60), rng)
    assert at["verified", "perfect", 8] == 1 and found.difference("v", "s").value == pytest.approx(1 - right.mean())
    assert found.relative_gap("v", "s").value == pytest.approx(1)


def test_a_verifier_that_knows_nothing_earns_what_a_single_answer_does():
    rng = np.random.default_rng(4)
    right = rng.random((400, 8)) < 0.3
    random = VerdictTable(np.full(right.size, UNTOLD, np.int8), rng.random(right.size))
    says_all = VerdictTable(np.full(right.size, SOUND, np.int8), np.zeros(right.size))
    at = earned(bench(right, {"random": random, "yes": says_all}))
    # Standard error of a mean of 400: sqrt(.3 .7 / 400) = .023.
    assert abs(at["verified", "random", 8] - right.mean()) < 3 * 0.023
    assert at["verified", "yes", 8] == pytest.approx(right.mean())


def test_a_majority_of_independent_models_that_err_alike_plateaus_where_coverage_grows():
    rng = np.random.default_rng(5)
    right = rng.random((300, 16)) < 0.35
    at = earned(bench(right, {}, forms=np.where(right, 0, 1)))
    assert (
        at["coverage", None, 16] > 0.99
        and at["majority", None, 16] < 0.2
        and at["single", None, 16] == pytest.approx(right.mean())
    )


def test_intervals_resample_groups_and_pair_what_they_compare():
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(40), 5)
    level = rng.normal(0.5, 0.2, 40)[groups]
    found = coverage.resample({"a": level, "b": level + 0.1}, groups, rng)
    low, high = found.figure("a").ci
    # Of 40 groups with standard deviation .2: 1.96 * .2 / sqrt(40) = .062 each way.
    assert 0.04 < (high - low) / 2 < 0.085
    assert found.difference("b", "a").ci == pytest.approx((0.1, 0.1))
    assert coverage.resample({"a": np.ones(5)}, np.zeros(5), rng).figure("a").ci is None


def test_a_choice_among_weak_samples_is_compared_with_one_sample_of_the_strong_model(tmp_path):
    task, _ = generation.load("arithmetic", 4, 1)
    weak = bench(np.array([[1, 0], [0, 0], [1, 1], [0, 1]], bool), {})
    strong = replace(bench(np.array([[1, 1], [0, 1], [0, 0], [0, 0]], bool), {}), who="strong")
    at = {(row["choice"], row["k"]): row["ahead"]["value"] for row in facts_of(task, [weak, strong], 0)["against"]}
    # Weak: single 1/2, coverage of two 3/4. Strong: single (1 + 1/2 + 0 + 0) / 4 = 3/8.
    assert at["single", 2] == pytest.approx(1 / 2 - 3 / 8) and at["coverage", 2] == pytest.approx(3 / 4 - 3 / 8)
    assert "against" not in facts_of(task, [weak], 0)


def test_the_headline_says_whether_a_committee_beats_one_answer_of_the_strong_model():
    task, _ = generation.load("arithmetic", 40, 1)
    right = np.arange(160).reshape(40, 4) % 4 == 0
    perfect = {"perfect": VerdictTable(np.where(right.ravel(), SOUND, UNSOUND).astype(np.int8), np.zeros(160))}
    facts = facts_of(task, [bench(right, perfect), replace(bench(~right, {}), who="strong")], 0)
    said = page.headline(facts)
    # One of four is right on every item, and the check finds it; of the strong model's four three are.
    assert said.verdict == "yes" and "beats a single answer of the strong model" in said.label
    assert "<b>25.0 points</b> [+25.0, +25.0] ahead of a single answer of the strong model" in said.text.replace(
        "\xa0", " "
    )
    weaker = facts_of(
        task, [bench(right, {"perfect": noted([Verdict(None)] * 160)}), replace(bench(~right, {}), who="strong")], 0
    )
    assert page.headline(weaker).verdict != "yes" and " behind a single answer" in page.headline(weaker).text


def test_figures_count_only_where_there_is_something_to_choose_from():
    # .3 and 1.5 times a single answer; or half of what that misses: 1 - .88 <= (1 - .75) / 2.
    assert coverage.counts(0.75, 0.88) and not coverage.counts(0.75, 0.87) and not coverage.counts(1.0, 1.0)
    assert coverage.counts(0.2, 0.31) and not coverage.counts(0.1, 0.29) and not coverage.counts(0.5, 0.74)


def test_scores_are_those_of_a_verifier_or_of_a_scorer_of_texts():
    task, gold = generation.load("sudoku", 6, 1)
    assert scoring.right("sudoku", task.prompts, gold.answers, gold.keys).all()
    assert scoring.right("number", ["", ""], ["is 12", "is 13"], ["12", "12"]).tolist() == [True, False]
    with pytest.raises(UserError, match="scorer 'critic': choose one of"):
        scoring.right("critic", [""], [""], [""])


def test_verdicts_are_kept_and_asked_for_once(store):
    task, gold = generation.load("arithmetic", 30, 1)
    texts = [[[a, f"{a}0"] for a in gold.answers]]
    gathered = candidates.gather(texts, ["m"], task.form)
    first, _ = verdicts_of("calculation", task, gathered, None, store)
    again, _ = verdicts_of("calculation", task, gathered, None, store)
    assert first.standing.tolist() == again.standing.tolist() == [SOUND, UNSOUND] * 30
    assert len(list((store.root / "verdicts").glob("*/record.json"))) == 1


def test_verdicts_of_several_verifiers_are_combined_and_those_without_scores_stand_last(store):
    task, gold = generation.load("arithmetic", 40, 1)
    rng = np.random.default_rng(2)
    gathered = candidates.gather(
        [[[a if rng.random() < 0.5 else f"{a}0" for _ in range(3)] for a in gold.answers]], ["m"], task.form
    )
    truth, _ = verdicts_of("calculation", task, gathered, None, store)
    flips = [rng.random(120) < rate for rate in (0.1, 0.2, 0.25)]
    others = {
        f"v{j}": VerdictTable(np.where(flip, 2 - truth.standing, truth.standing), np.zeros(120))
        for j, flip in enumerate(flips)
    }
    woven = combined("weaver", task, gathered, others)
    assert (woven.standing == truth.standing).mean() > 0.9 and not woven.silent
    table = noted([Verdict(None, score=0.3), Verdict(False), Verdict(True, score=-2.0)])
    assert table.standing.tolist() == [UNTOLD, UNSOUND, SOUND] and table.score.tolist() == [0.3, -3.0, -2.0]


def test_a_long_table_of_recorded_answers_needs_no_model(tmp_path, store):
    rows = [
        (f"i{i}", f"m{k % 2}", k // 2, f"answer {(i + k) % 3}", (i + k) % 3 == 0) for i in range(12) for k in range(4)
    ]
    pl.DataFrame(rows, ["item", "model", "draw", "answer", "correct"], orient="row").sample(
        fraction=1.0, shuffle=True, seed=1
    ).write_csv(tmp_path / "long.csv")
    found = committee(str(tmp_path / "long.csv"), out=tmp_path / "out", store=store)
    at = {(f["choice"], f["k"]): f["right"]["value"] for f in found.facts["figures"]}
    assert found.facts["items"] == 12 and at["coverage", 4] == 1
    # (i + k) % 3 over k = 0..3 is twice i % 3 and once each other: the majority is right for 1/3, a single for 4/12.
    assert at["majority", 4] == pytest.approx(1 / 3) and at["single", 4] == pytest.approx(1 / 3)
    kept = pl.read_parquet(tmp_path / "out" / "answers.parquet")
    assert kept.height == 48 and kept["correct"].mean() == pytest.approx(1 / 3)
    again = committee(str(tmp_path / "out" / "answers.parquet"), out=tmp_path / "again", store=store)
    assert [f["right"]["value"] for f in again.facts["figures"]] == pytest.approx(
        [f["right"]["value"] for f in found.facts["figures"]]
    )


def test_a_wide_table_keeps_the_last_row_of_a_prompt_and_counts_what_it_leaves_out(tmp_path, store):
    rows = {
        "q": ["a", "b", "a", "c", None],
        "gold": ["3", "2", "3.0", "4", "5"],
        "x": ["1", "2", "3", None, "5"],
        "y": ["9", "2", "4", "4", "5"],
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "wide.parquet")
    found = committee(
        str(tmp_path / "wide.parquet"),
        answers=("x", "y"),
        columns=Columns(prompt="q", gold="gold"),
        out=tmp_path / "out",
        store=store,
    )
    # Left: b and the later a. x is right on both, y on b alone.
    assert found.facts["counts"] == {
        "rows": 5,
        "left out: no prompt, gold or answer": 2,
        "left out: the prompt comes again": 1,
    }
    assert {m["name"]: m["right"]["value"] for m in found.facts["members"]} == {"x": 1.0, "y": 0.5}
    # A single sample misses a quarter, and coverage nothing.
    assert found.facts["enough"]["holds"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"source": "sudoku"}, "who answers"),
        ({"source": "sudoku", "weak": ("x",), "draws": 0}, "`draws` = 0"),
        ({"source": "sudoku", "weak": ("x",), "verifier": ("sudoko",)}, "did you mean 'sudoku'"),
        ({"source": "sudoku", "answers": ("x",)}, "is none: give a .parquet"),
        ({"source": "sudoku", "weak": ("x",), "temperature": -1}, "`temperature` = -1"),
    ],
)
def test_what_the_user_can_mend_is_one_line(given, says, store):
    with pytest.raises(UserError, match=says) as caught:
        committee(**given, store=store)
    assert "\n" not in str(caught.value)


def test_the_verb_draws_checks_chooses_and_writes_its_page_and_twice_the_same_bytes(
    causal, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    model = str(causal)
    task, gold = generation.load("sudoku", 5, 0)
    short = replace(
        task, texts=tuple((f"the city of {name}",) for name in ("lyon", "paris", "rome", "spain", "france")), tokens=3
    )
    source = generation_source("short", "")(lambda items, seed: (short, gold))
    arguments = [
        "committee",
        "short",
        "--weak",
        model,
        "--strong",
        model,
        "--draws",
        "3",
        "--verifier",
        "sudoku",
        "critic",
        "--out",
    ]
    for out in ("one", "two"):
        with TASKS.lending(source), pytest.raises(SystemExit) as stopped:
            cli.main([*arguments, out])
        assert stopped.value.code == 0
    assert "coverage 0.0%" in capsys.readouterr().out
    first, second = ((tmp_path / out / "committee.json").read_bytes() for out in ("one", "two"))
    assert first == second
    html = (tmp_path / "one" / "committee.html").read_text()
    assert (
        "do not show what a committee is worth" in html
        and html.count("<script") == 1
        and "http" not in html.replace("http-equiv", "").replace("http://www.w3.org/", "")
    )
    facts = json.loads(first)
    assert {f["who"] for f in facts["figures"]} == {"weak", "strong"} and facts["own_check"] == "sudoku"
    # The weak model is the critic of the strong one's answers, too.
    assert facts["asked"]["judge"] == model and {(q["who"], q["verifier"]) for q in facts["quality"]} == {
        (w, v) for w in ("weak", "strong") for v in ("sudoku", "critic")
    }
    assert pl.read_parquet(tmp_path / "one" / "answers.parquet").height == 2 * 5 * 3


def test_finished_committees_stand_in_one_picture(tmp_path, store):
    rng = np.random.default_rng(1)
    task, _ = generation.load("sat:4", 20, 0)
    for name, rate in (("one", 0.25), ("two", 0.02)):
        right = rng.random((20, 4)) < rate
        (tmp_path / name).mkdir()
        perfect = {
            "clauses": VerdictTable(np.where(right.ravel(), SOUND, UNSOUND).astype(np.int8), np.zeros(right.size))
        }
        (tmp_path / name / "committee.json").write_text(
            json.dumps({**facts_of(task, [bench(right, perfect)], 0), "task": name})
        )
    found = committees([str(tmp_path / "one"), str(tmp_path / "two")], out=tmp_path / "all", store=store)
    html = found.page.read_text()
    assert [f["task"] for f in found.facts] == ["one", "two"] and html.count("<svg") == 2
    assert "two (too little to choose from)" in html and "chosen by clauses" in html
    with pytest.raises(UserError, match="holds no committee"):
        committees([str(tmp_path), str(tmp_path / "one")], out=tmp_path / "all", store=store)


def test_rounds_of_self_improvement_keep_what_their_verifier_keeps_and_test_on_other_items(causal, store):
    task, _ = generation.load("sudoku", 6, 0)
    prompts = tuple(f"the city of {name}" for name in ("lyon", "paris", "rome", "spain", "france", "very"))
    short = replace(
        task,
        texts=tuple((prompt,) for prompt in prompts),
        tokens=2,
        shown=({},) * 6,
        verifier="says_no",
        scorer="exact",
    )
    drawn = []

    @verifiers.verifier()
    def says_no(attempts):
        drawn.append([one.prompt for one in attempts])
        return [Verdict("no" in one.answer.split()) for one in attempts]

    keys = GenerationGold(tuple("no" for _ in prompts), tuple("no" for _ in prompts))
    model = models.resolve(str(causal), store)
    with verifiers.VERIFIERS.lending(says_no):
        rows, groups = improve(short, keys, model, "says_no", rounds=2, draws=4, temperature=1.0, seed=0, store=store)
        again, _ = improve(short, keys, model, "says_no", rounds=2, draws=4, temperature=1.0, seed=0, store=store)
    assert [(r.by, r.number) for r in rows] == [
        (by, n) for by in ("no verifier", "its own judgement", "says_no") for n in range(3)
    ]
    assert len(groups) == 3 and all(len(r.single) == 3 for r in rows)
    trained = {prompt for asked in drawn for prompt in asked}
    tested = {prompts[i] for i in range(6) if task.groups[i] in groups}
    assert len(trained) == 3 and not trained & tested
    assert [r.kept for r in rows[:6]] == [0, 3, 3, 0, 3, 3] and all(r.kept <= 3 for r in rows[6:])
    assert rows[0].single.tolist() == rows[3].single.tolist() == rows[6].single.tolist()
    assert [r.single.tolist() for r in again] == [r.single.tolist() for r in rows]
    facts = rounds_of(rows, groups, 0)
    assert facts[1]["gained"]["value"] == pytest.approx(rows[1].single.mean() - rows[0].single.mean())
    assert "<svg" in svg.draw(rounds({"rounds": facts}, WIDE), "rounds")
    with pytest.raises(UserError, match="no external check"):
        improve(short, keys, model, "critic", rounds=1, draws=2, temperature=1.0, seed=0, store=store)


def test_the_headline_says_first_that_there_is_too_little_to_choose_from():
    rng = np.random.default_rng(1)
    right = rng.random((50, 8)) < 0.25
    task, _ = generation.load("sat:4", 50, 0)
    perfect = {"clauses": VerdictTable(np.where(right.ravel(), SOUND, UNSOUND).astype(np.int8), np.zeros(right.size))}
    said = page.headline(facts_of(task, [bench(right, perfect)], 0))
    gaps = {g["choice"]: g for g in facts_of(task, [bench(right, perfect)], 0)["gaps"] if g["k"] == 8}
    assert (
        gaps["majority"]["over_majority"] == {"value": 0.0, "ci": (0.0, 0.0)} and gaps["coverage"]["left"]["value"] == 0
    )
    assert said.verdict == "yes" and "reaches the coverage" in said.label
    low = page.headline(facts_of(task, [bench(right & (rng.random((50, 8)) < 0.02), perfect)], 0))
    assert low.verdict == "unclear" and low.plain.index("coverage is") < low.plain.index("Of 8 answers")


@pytest.mark.shared_data
def test_the_committee_of_gsm8k_is_the_published_table(tmp_path, store):
    path = DATA / "gsm8k_w2s" / "gsm8k_w2s.parquet"
    if not path.exists():
        pytest.skip("needs ../shared/data/gsm8k_w2s")
    names = ("weak_mistral_7b", "weak_llama2_7b", "weak_gemma_2b")
    found = committee(
        str(path),
        answers=names,
        columns=Columns(prompt="question", gold="answer", form="marked"),
        out=tmp_path,
        store=store,
    ).facts
    at = {(f["choice"], f["k"]): f["right"]["value"] for f in found["figures"]}
    assert found["items"] == 6850
    assert [m["right"]["value"] for m in found["members"]] == pytest.approx([0.655, 0.412, 0.327], abs=0.005)
    assert [at["coverage", 3], found["independent"]] == pytest.approx([0.7285, 0.864], abs=0.005)
    agree = {row["votes"]: row for row in found["agreement"] if row["votes"]}
    # Published, where the first model decides among three different answers: 95.2%, 72.4% and 42.8%, in all 64.5%.
    assert [agree[m]["right"] for m in (3, 2)] == pytest.approx([0.952, 0.724], abs=0.005)
    assert agree[1]["right"] == pytest.approx(0.190, abs=0.001) and at["majority", 3] == pytest.approx(0.540, abs=0.001)
    assert sum(agree[m]["right"] * agree[m]["items"] for m in agree) / 6850 == pytest.approx(at["majority", 3])
    two = committee(
        str(path),
        answers=names[1:],
        columns=Columns(prompt="question", gold="answer", form="marked"),
        verifier=("arithmetic",),
        out=tmp_path / "two",
        store=store,
    ).facts
    at = {(f["choice"], f["k"]): f["right"]["value"] for f in two["figures"]}
    says = {q["says"]: q["right"] for q in two["quality"]}
    # A vote of two different answers is the mean of both; published, where the first model decides: 41.2% and 42.5%.
    assert [at["majority", 2], at["voted", 2]] == pytest.approx([0.377, 0.397], abs=0.001)
    assert says["unsound"] < 0.08 < 0.4 < says["sound"]
