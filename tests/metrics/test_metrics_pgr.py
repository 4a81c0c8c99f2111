"""PGR: its laws, its status, published figures."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_metrics_intervals import scores_of

from outgrow.metrics.accuracy import Score
from outgrow.metrics.intervals import ScoreTable
from outgrow.metrics.pgr import FEW, FEW_GROUPS, OK, UNRESOLVED, holm, recovery, summarise
from outgrow.metrics.power import power

SHARED = Path(__file__).parents[3] / "shared" / "data"
KINDS = {"floor": "floor", "ceiling": "ceiling", "naive": "method"}
NAMES = {"task": "t", "weak": "w", "strong": "s", "metric": "accuracy"}


def mixed(scores, share):
    """A student whose every score lies at this share of the way from floor to ceiling."""
    floor, ceiling = scores["floor"], scores["ceiling"]
    return Score((1 - share) * floor.num + share * ceiling.num, floor.den, floor.groups)


@settings(max_examples=30, deadline=None)
@given(st.floats(-2, 3), st.integers(0, 50))
def test_a_student_part_of_the_way_has_that_pgr_and_no_doubt_about_it(share, seed):
    scores = scores_of(seed)
    found = recovery(ScoreTable.of({**scores, "naive": mixed(scores, share)}, 1.0), "naive")
    assert found.status == OK
    assert found.pgr == pytest.approx(share, abs=1e-9)
    assert found.ci == pytest.approx((share, share), abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 5), st.floats(-2, 2), st.integers(0, 50))
def test_pgr_does_not_depend_on_the_scale_of_the_metric(scale, shift, seed):
    scores = scores_of(seed)
    moved = {k: Score(scale * s.num + shift * s.den, s.den, s.groups) for k, s in scores.items()}
    before, after = (recovery(ScoreTable.of(s, 1.0), "naive") for s in (scores, moved))
    assert after.pgr == pytest.approx(before.pgr)
    assert after.ci == pytest.approx(before.ci, rel=1e-6)
    assert after.ci_this_pool == pytest.approx(before.ci_this_pool, rel=1e-6)


def test_pgr_is_a_ratio_of_means_and_not_a_mean_of_ratios():
    values = {"floor": [0.5, 0.6, 0.5, 0.6], "naive": [0.7, 0.7, 0.7, 0.7], "ceiling": [0.9, 0.7, 0.9, 0.7]}
    num = {k: np.tile(np.array(v)[:, None], (1, 5)) for k, v in values.items()}
    scores = {k: Score(x, np.ones(5), np.arange(5)) for k, x in num.items()}
    # (.70 - .55) / (.80 - .55); the mean of .2/.4, .1/.1, .2/.4, .1/.1 would be .75
    table = ScoreTable.of(scores, 1.0)
    gap = table.estimate(table.weights({"naive": 1, "floor": -1})).value / table.estimate([-1, 0, 1]).value
    assert gap == pytest.approx(0.15 / 0.25)


def test_pgr_below_zero_and_above_one_is_shown_as_it_is():
    for share in (-0.5, 1.5):
        row = summarise({**scores_of(), "naive": mixed(scores_of(), share)}, KINDS, 1.0, **NAMES)[1]
        assert row.pgr == pytest.approx(share)


def test_new_data_is_less_certain_than_this_pool():
    found = recovery(ScoreTable.of(scores_of(), 1.0), "naive")
    assert found.ci[0] < found.ci_this_pool[0] < found.pgr < found.ci_this_pool[1] < found.ci[1]


def test_no_resolved_gap_no_pgr():
    table = ScoreTable.of(scores_of(gap=0.01), 1.0)
    found = recovery(table, "naive")
    assert found.gap.ci[0] <= 0
    assert (found.pgr, found.ci, found.ci_this_pool, found.status) == (None, None, None, UNRESOLVED)
    assert power(table).says


def test_three_replicates_are_too_few_for_an_interval():
    found = recovery(ScoreTable.of(scores_of(replicates=3), 1.0), "naive")
    assert found.status == FEW
    assert found.ci is None
    assert found.pgr is not None


def test_three_groups_are_too_few_for_an_interval():
    assert recovery(ScoreTable.of(scores_of(items=9), 1.0), "naive").status == FEW_GROUPS


def test_the_interval_is_finite_exactly_where_the_gap_is_resolved():
    for seed in range(40):
        found = recovery(ScoreTable.of(scores_of(seed, gap=0.06), 1.0), "naive")
        assert (found.status == OK) == (found.ci is not None)


def test_holm_by_hand():
    # sorted .01 .02 .03 .2 times 4 3 2 1: .04 .06 .06 .2
    assert holm([0.02, 0.2, 0.01, 0.03]) == pytest.approx([0.06, 0.2, 0.04, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_a_summary_has_a_row_for_each_score():
    scores = scores_of()
    scores |= {"logconf": mixed(scores, 0.8), "shuffled": mixed(scores, -0.1)}
    kinds = KINDS | {"logconf": "method", "shuffled": "control"}
    rows = {row.method: row for row in summarise(scores, kinds, 1.0, **NAMES)}
    assert list(rows) == list(scores)
    assert (rows["floor"].pgr, rows["ceiling"].pgr, rows["naive"].vs_naive) == (None, None, None)
    assert rows["logconf"].vs_naive == pytest.approx(rows["logconf"].value - rows["naive"].value)
    assert rows["logconf"].vs_naive_ci[0] > 0
    assert rows["logconf"].vs_naive_p < 0.05
    assert rows["shuffled"].vs_naive_p is None
    assert {(row.n_test, row.replicates, row.status) for row in rows.values()} == {(60, 6, OK)}


def test_differences_from_naive_are_paired():
    """Two students whose scores differ by a constant differ without doubt, however noisy each is."""
    scores = scores_of()
    shifted = Score(scores["naive"].num + 0.01, scores["naive"].den, scores["naive"].groups)
    row = summarise({**scores, "other": shifted}, KINDS | {"other": "method"}, 1.0, **NAMES)[-1]
    assert row.vs_naive_ci == pytest.approx((0.01, 0.01))
    assert row.value_ci[1] - row.value_ci[0] > 0.02


def published(name):
    path = SHARED / name / "runs.parquet"
    if not path.exists():
        pytest.skip(f"the published runs are not here: {path}")
    return pytest.importorskip("polars").read_parquet(path)


def gpt2(dataset, weak, strong, loss, seeds):
    """Accuracies by seed of floor, naive and ceiling in the baseline runs."""
    import polars as pl

    runs = published("w2s_gpt2_runs").filter((pl.col("condition") == "baseline") & (pl.col("dataset") == dataset))

    def of(model, supervisor, loss):
        same = pl.col("weak_model").is_null() if supervisor is None else pl.col("weak_model") == supervisor
        found = runs.filter((pl.col("model") == model) & same & (pl.col("loss") == loss) & pl.col("seed").is_in(seeds))
        by_seed = dict(zip(found["seed"], found["accuracy"], strict=True))
        return np.array([by_seed[s] for s in seeds])

    return {"floor": of(weak, None, "xent"), "naive": of(strong, weak, loss), "ceiling": of(strong, None, "xent")}


def as_scores(accuracies, items=1000):
    """Items of which just the published share is right, which ones being anybody's guess."""
    rng = np.random.default_rng(0)
    right = lambda share: rng.permutation(np.arange(items) < round(share * items))  # noqa: E731
    return {
        name: Score(np.stack([right(a) for a in values]).astype(float), np.ones(items), np.arange(items))
        for name, values in accuracies.items()
    }


@pytest.mark.shared_data
def test_the_published_gpt2_to_xl_on_sciq_has_its_published_pgr():
    scores = as_scores(gpt2("sciq", "gpt2", "gpt2-xl", "xent", [0, 1, 2]))
    floor, student, ceiling = (0.661 + 0.644 + 0.646) / 3, (0.685 + 0.664 + 0.660) / 3, (0.758 + 0.727 + 0.727) / 3
    found = recovery(ScoreTable.of(scores, 1.0), "naive")
    assert found.pgr == pytest.approx((student - floor) / (ceiling - floor))
    assert found.pgr == pytest.approx(0.25, abs=0.03)
    assert found.status == FEW


@pytest.mark.shared_data
def test_published_pgr_on_boolq_is_negative_for_every_pair_from_gpt2():
    for strong in ("gpt2-medium", "gpt2-large", "gpt2-xl"):
        found = recovery(
            ScoreTable.of(as_scores(gpt2("boolq", "gpt2", strong, "xent", [0, 1, 2, 3, 4]), 3270), 1.0), "naive"
        )
        assert found.pgr is None or found.pgr < 0


@pytest.mark.shared_data
def test_the_trap_whose_ceiling_lies_below_its_floor_is_called_unresolved():
    scores = as_scores(gpt2("sciq", "gpt2", "gpt2-medium", "xent", [0, 1, 2, 3, 4]))
    assert scores["ceiling"].value < scores["floor"].value
    found = recovery(ScoreTable.of(scores, 1.0), "naive")
    assert (found.status, found.pgr) == (UNRESOLVED, None)


@pytest.mark.shared_data
def test_the_automated_researchers_runs_give_their_printed_pgr():
    """They divide by means over sixteen seeds, so the mean of their PGRs is a ratio of means, as ours is."""
    import polars as pl

    runs = published("w2s_auto_runs").unique(["dataset", "idea", "seed", "transfer_acc", "weak_acc", "strong_acc"])
    seen = 0
    for dataset in ("chat-0115", "math-dapo-0116"):
        of = runs.filter(pl.col("dataset") == dataset)
        fixed = {
            "floor": of.filter(pl.col("idea") == "weak_artifacts")["weak_acc"].to_numpy(),
            "ceiling": of.filter(pl.col("idea") == "train_ceiling")["strong_acc"].to_numpy(),
        }
        for idea in ("critic", "train_only_on_confident_labels", "vanilla_w2s"):
            own = of.filter((pl.col("idea") == idea) & pl.col("pgr").is_not_null())
            values = {k: np.array([np.mean(v)]) for k, v in fixed.items()} | {"naive": own["transfer_acc"].to_numpy()}
            scores = {k: Score(v[:, None], np.ones(1), np.zeros(1, int)) for k, v in values.items()}
            assert recovery(ScoreTable.of(scores, 1.0), "naive").pgr == pytest.approx(own["pgr"].mean(), abs=0.01)
            seen += len(own)
    assert seen > 20
