"""Features against one text at a time, and what the engine promises: once, in shards, the same bytes."""

from __future__ import annotations

import json
import shutil
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outgrow import models
from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.models import encoder as engine
from outgrow.models import flops, loader, sweep
from outgrow.models.bundles import SHARING, Batch, Bundles, shares
from outgrow.models.plan import plan
from outgrow.store import Store
from tiny_models import save, slowly, texts

LAYERS = (1, 3, 4)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store, and batches so small that a few texts make several shards."""
    monkeypatch.setitem(sweep.BATCH_TOKENS, "cpu", 40)
    monkeypatch.setitem(sweep.SHARD_TOKENS, "cpu", 100)
    return Store(tmp_path / "store")


@pytest.fixture
def rows_read(monkeypatch):
    """Counts the texts that go through a model."""
    counted = []
    call = engine._Blocks.__call__

    def counting(self, batch):
        counted.append(len(batch.row))
        return call(self, batch)

    monkeypatch.setattr(engine._Blocks, "__call__", counting)
    return counted


def read(folder, store, given, **choices):
    choices = {"layers": LAYERS, "precision": "float32", "poolings": ("last",), **choices}
    return models.features(models.resolve(str(folder), store), given, store, **choices)


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("kind", ["causal", "encoder"])
def test_features_are_those_of_one_text_at_a_time(kind, pooling, store, request):
    folder, given = request.getfixturevalue(kind), texts(30)
    got = read(folder, store, given, poolings=(pooling,))
    assert got.x.shape == (3, 30, 24) and got.x.dtype == np.float32
    assert got.layers == LAYERS and got.poolings == (pooling,) * 3
    for at, text in enumerate(given):
        expected = slowly(folder, text, LAYERS, pooling)
        np.testing.assert_allclose(got.x[:, at], expected, rtol=2e-4, atol=2e-4)


def test_a_causal_model_is_read_at_its_last_token_and_in_the_mean_at_once(causal, store, rows_read):
    given = texts(30)
    both = read(causal, store, given, poolings=None)
    assert sum(rows_read) == len(set(given))
    assert both.layers == LAYERS * 2 and both.poolings == ("last",) * 3 + ("mean",) * 3
    apart = [read(causal, store, given, poolings=(pooling,)).x for pooling in ("last", "mean")]
    assert np.array_equal(both.x, np.concatenate(apart))


def test_an_encoder_is_read_in_the_mean_alone(encoder, store):
    got = read(encoder, store, texts(5), poolings=None)
    assert got.poolings == ("mean",) * 3
    assert np.array_equal(got.x, read(encoder, store, texts(5), poolings=("mean",)).x)


def test_a_text_that_is_the_prefix_of_others_has_its_own_mean(causal, store):
    given = ["lyon is in france", "lyon is in france today", "lyon is in france now"]
    got = read(causal, store, given, poolings=("mean",))
    for at, text in enumerate(given):
        np.testing.assert_allclose(got.x[:, at], slowly(causal, text, LAYERS, "mean"), rtol=2e-4, atol=2e-4)


def test_padding_on_the_right_is_nothing_to_a_causal_model(causal, store):
    net = loader.load(models.resolve(str(causal), store), "float32")
    short, long = np.array([4, 7, 8, 9]), np.arange(4, 12)
    import torch

    with torch.inference_mode():
        padded = loader.forward(net, Batch.of([(0, [short]), (0, [long])]), causal=True).last_hidden_state[0, :4]
        alone = loader.forward(net, Batch.of([(0, [short])]), causal=True).last_hidden_state[0]
    np.testing.assert_allclose(padded.numpy(), alone.numpy(), rtol=1e-4, atol=1e-5)


def test_identical_texts_are_read_once(causal, store, rows_read):
    given = ["the city", "lyon is in france", "the city", "the city"]
    got = read(causal, store, given)
    assert sum(rows_read) == 2
    # <s> the city, and <s> lyon is in france, which have <s> in common.
    assert got.tokens == 3 + 5 - 1
    assert np.array_equal(got.x[:, 0], got.x[:, 3])


def test_what_was_read_is_never_read_again_in_whatever_order(causal, store, rows_read):
    given = texts(30)
    first = read(causal, store, given)
    del rows_read[:]
    again = read(causal, store, given[::-1])
    assert not rows_read and again.cached and not first.cached
    assert np.array_equal(again.x, first.x[:, ::-1])
    assert (again.seconds, again.flops, again.tokens) == (first.seconds, first.flops, first.tokens)


def test_other_choices_are_other_features(causal, store):
    given = texts(4)
    made = [read(causal, store, given, **choice).digest for choice in ({}, {"layers": (2,)}, {"poolings": ("mean",)})]
    made.append(read(causal, store, given[:2]).digest)
    assert len(set(made)) == 4


def test_no_block_above_the_deepest_one_is_run(causal, store, monkeypatch):
    loaded, load = [], loader.load

    def keep(*given, **named):
        loaded.append(load(*given, **named))
        return loaded[-1]

    monkeypatch.setattr(loader, "load", keep)
    read(causal, store, texts(5), layers=(2,))
    assert len(loaded[0].layers) == 2


def test_a_killed_extraction_goes_on_and_ends_with_the_same_bytes(causal, store, tmp_path, monkeypatch, rows_read):
    given = texts(60)
    whole = read(causal, store, given)
    total = sum(rows_read)
    del rows_read[:]

    other, put, puts = Store(tmp_path / "other"), Store.put, []

    def dies(self, kind, made, arrays, meta):
        if len(puts) == 3:
            raise KeyboardInterrupt
        puts.append(kind)
        return put(self, kind, made, arrays, meta)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Store, "put", dies)
        read(causal, other, given)
    before = sum(rows_read)
    resumed = read(causal, other, given)
    assert np.array_equal(resumed.x, whole.x)
    data = [{p.relative_to(s.root): p.read_bytes() for p in s.root.rglob("data.safetensors")} for s in (store, other)]
    assert data[0] == data[1] and len(data[0]) > 4
    # Only the shard in flight, at most 100 + 40 tokens of at least 2 a text, was read twice.
    assert before < total and sum(rows_read) <= total + 70


def test_one_text_more_is_one_text_read_and_any_part_of_a_list_none(causal, store, rows_read):
    given = texts(61)
    first = read(causal, store, given[:60])
    del rows_read[:]
    again = read(causal, store, given)
    assert sum(rows_read) == 1 and not again.cached
    assert np.array_equal(again.x[:, :60], first.x)
    np.testing.assert_allclose(again.x[:, 60], slowly(causal, given[60], LAYERS, "last"), rtol=2e-4, atol=2e-4)
    del rows_read[:]
    part = read(causal, store, given[20:50])
    assert not rows_read and part.cached and np.array_equal(part.x, again.x[:, 20:50])
    assert part.tokens < again.tokens and part.flops < again.flops and part.seconds < again.seconds


def test_an_index_that_was_lost_is_made_anew_from_the_shards(causal, store, rows_read):
    given = texts(60)
    whole = read(causal, store, given)
    shutil.rmtree(store.root / "features")
    del rows_read[:]
    again = read(causal, store, given)
    assert not rows_read and again.cached and np.array_equal(again.x, whole.x) and again.flops == whole.flops


def test_a_damaged_shard_is_noticed_named_and_made_again(causal, store, capsys):
    given = texts(60)
    whole = read(causal, store, given)
    for path in sorted((store.root / "features-shards").glob("*/data.safetensors"))[1:3]:
        data = bytearray(path.read_bytes())
        data[-2] ^= 16
        path.write_bytes(data)
    again = read(causal, store, given)
    assert np.array_equal(again.x, whole.x)
    assert capsys.readouterr().err.count("damaged features-shards") == 2


def test_large_features_are_gathered_in_a_file_with_the_same_values(encoder, store, monkeypatch):
    given = texts(40)
    small = read(encoder, store, given)
    monkeypatch.setattr(sweep, "large", lambda shape: True)
    assert np.array_equal(read(encoder, store, given).x, small.x)


def test_of_a_long_text_the_end_is_read_and_the_cut_is_counted(causal, store):
    long = " ".join(["the city of lyon"] * 30)
    got = read(causal, store, [long, "not so", long])
    assert got.truncated == 1
    # 64 positions, the first of them <s>: 63 of the 120 words.
    assert got.tokens == 64 + 3
    end = " ".join(long.split()[-63:])
    np.testing.assert_allclose(got.x[:, 0], slowly(causal, end, LAYERS, "last"), rtol=2e-4, atol=2e-4)


def test_a_text_without_words_still_has_features(causal, encoder, store):
    for folder in (causal, encoder):
        assert np.isfinite(read(folder, store, ["", "the city"]).x).all()


def test_no_texts_have_no_features(causal, store):
    assert read(causal, store, []).x.shape == (3, 0, 24)


def test_bfloat16_is_near_float32(causal, store):
    given = texts(20)
    exact, rough = read(causal, store, given).x, read(causal, store, given, precision="bfloat16").x
    assert rough.dtype == np.float32 and not np.array_equal(exact, rough)
    cosine = (exact * rough).sum(-1) / np.linalg.norm(exact, axis=-1) / np.linalg.norm(rough, axis=-1)
    assert cosine.min() > 0.995


def test_flops_are_those_of_the_blocks_that_run_and_the_real_tokens(causal, encoder, store):
    given = ["the city of", "the city is in"]
    # A Llama block: queries and output 24 x 24, keys and values 24 x 12 each, three matrices 24 x 40 in the MLP.
    weights = 2 * 24 * 24 + 2 * 24 * 12 + 3 * 24 * 40
    # <s> the city, then of, then is in: 6 tokens, which attend to 1 + 2 + 3, 4, and 4 + 5 positions.
    assert read(causal, store, given, layers=(2,)).flops == 2 * (2 * weights * 6 + 4 * 24 * (6 + 4 + 9))
    # A Bert block: four matrices 24 x 24, two of 24 x 40; 5 and 6 tokens, which all attend to one another.
    weights = 4 * 24 * 24 + 2 * 24 * 40
    assert read(encoder, store, given, layers=(3,)).flops == 3 * (2 * weights * 11 + 4 * 24 * (25 + 36))


def test_a_mixture_counts_the_experts_that_a_token_meets():
    import torch
    from transformers import MixtralConfig

    net = torch.nn.Module()
    net.config = MixtralConfig(hidden_size=8, num_attention_heads=2, num_local_experts=4, num_experts_per_tok=1)
    block = torch.nn.Module()
    block.experts = torch.nn.Parameter(torch.zeros(4, 8, 10))
    block.shared = torch.nn.Parameter(torch.zeros(8, 3))
    # One token attends to itself; 1 of 4 experts of 8 x 10, and 8 x 3.
    counted = flops.Counter(net, torch.nn.ModuleList([block]), causal=True)(Batch.of([(0, [np.array([7])])]))
    assert counted.tolist() == [2 * (80 + 24) + 4 * 8]


@pytest.mark.parametrize(
    "choice, says",
    [
        ({"layers": (0,)}, "choose from 1 to 5"),
        ({"layers": (6,)}, "choose from 1 to 5"),
        ({"poolings": ("max",)}, "last, mean"),
        ({"precision": "float16"}, "bfloat16, float32"),
    ],
)
def test_choices_that_do_not_exist_are_the_users_to_mend(choice, says, causal, store):
    with pytest.raises(UserError, match=says):
        read(causal, store, ["a"], **choice)


def test_default_layers_are_shares_of_the_depth():
    shares = (1 / 3, 1 / 2, 5 / 6)
    assert models.candidate_layers(30, shares) == (10, 15, 25)
    # Rounded: 2/3, 1 and 5/3 give 1, 1 and 2; of one block 1/3 gives 0, but the first is the lowest there is.
    assert models.candidate_layers(2, shares) == (1, 2)
    assert models.candidate_layers(1, shares) == (1,)


@pytest.mark.parametrize("kind", sorted(SHARING))
def test_texts_that_share_a_beginning_are_read_as_each_alone(kind, store, tmp_path):
    from transformers import AutoConfig, AutoModelForCausalLM

    size = {"hidden_size": 24, "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 5}
    size |= {"vocab_size": 27, "intermediate_size": 40, "head_dim": 6, "max_position_embeddings": 64, "pad_token_id": 0}
    folder = tmp_path / kind
    save(folder, encoder=False)
    made = AutoConfig.for_model(kind, **size, initializer_range=0.3)
    AutoModelForCausalLM.from_config(made).save_pretrained(folder)
    given = [
        "the city of lyon is in france",
        "the city of lyon is in spain now",
        "the city of lyon",
        "the city of rome is in spain",
    ]
    given += [f"{text} {word}" for text in texts(6, longest=12) for word in ("true", "false", "not very true")]
    got = read(folder, store, given)
    assert got.tokens < 0.7 * sum(len(text.split()) + 1 for text in set(given))
    for text, row in zip(given, got.x.swapaxes(0, 1), strict=True):
        np.testing.assert_allclose(row, slowly(folder, text, LAYERS, "last"), rtol=1e-3, atol=1e-4)


def test_a_model_of_another_kind_or_with_a_short_window_reads_each_text_alone(causal, encoder, store, tmp_path):
    def with_config(**changes):
        folder = tmp_path / "_".join(map(str, changes.values()))
        shutil.copytree(causal, folder)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **changes}))
        return models.resolve(str(folder), store)

    assert shares(models.resolve(str(causal), store))
    assert not shares(models.resolve(str(encoder), store))
    assert shares(with_config(model_type="mistral", sliding_window=512))
    assert not shares(with_config(model_type="mistral", sliding_window=511))
    assert not shares(with_config(model_type="opt"))


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=20))
def test_bundles_hold_every_text_once_and_never_cost_more(texts):
    texts = [np.array(text) for text in sorted(texts)]
    made = Bundles.of(texts)
    backwards = np.arange(len(made.lengths))[::-1]
    assert sorted(made.texts(backwards).tolist()) == list(range(len(texts)))
    runs = [texts[a:b] for a, b in zip(made.starts[:-1], made.starts[1:], strict=True)]
    for run, shared, length in zip(runs, made.shared.tolist(), made.lengths.tolist(), strict=True):
        assert len(run) == 1 or shared > 0
        assert all((text[:shared] == run[0][:shared]).all() for text in run)
        assert length == sum(map(len, run)) - (len(run) - 1) * shared
    batch = Batch.of(list(zip(made.shared.tolist(), runs, strict=True)))
    assert batch.lengths.tolist() == made.lengths.tolist()
    for text, row, end in zip(texts, batch.row, batch.end, strict=True):
        # What a text's last token can see, in order, is the text; and its positions count up.
        if batch.segment is None:
            seen = np.arange(end + 1)
        else:
            segment = batch.segment[row]
            seen = np.flatnonzero((segment[: end + 1] == 0) | (segment[: end + 1] == segment[end]))
            assert batch.position[row, seen].tolist() == list(range(len(text)))
        assert batch.ids[row, seen].tolist() == text.tolist()


def test_bundling_takes_time_in_proportion_to_the_texts():
    def seconds(count):
        ids = [np.array([at, 1, 2]) for at in range(count)]  # nothing shared: a bundle for every text
        spent = []
        for _ in range(3):
            begun = time.process_time()
            Bundles.of(ids)
            spent.append(time.process_time() - begun)
        return min(spent)

    # Eight times the texts take eight times as long, or 64 times if every text copies the lists of those before it.
    assert seconds(24_000) < 20 * seconds(3_000)


def test_a_pair_of_statements_shares_its_beginning_and_others_keep_theirs():
    texts = [[1, 2, 3, 4, 9], [1, 2, 3, 5, 8], [1, 2, 3, 5, 9], [7, 7]]
    made = Bundles.of([np.array(text) for text in texts])
    assert (made.starts.tolist(), made.shared.tolist(), made.lengths.tolist()) == ([0, 3, 4], [3, 0], [9, 2])
    # With [1, 6] the run would share one token less each: it starts its own.
    made = Bundles.of([np.array(text) for text in [*texts[:3], [1, 6]]])
    assert made.starts.tolist() == [0, 3, 4]


@given(st.lists(st.integers(1, 60), max_size=80), st.integers(1, 200), st.integers(1, 400))
def test_a_plan_reads_every_text_once_within_its_budgets(lengths, batch_tokens, shard_tokens):
    lengths = np.array(lengths, np.int64)
    made = plan(lengths, batch_tokens, shard_tokens)
    assert sorted(made.order.tolist()) == list(range(len(lengths)))
    at = 0
    for number, batches in enumerate(made.batches):
        held = 0
        for batch in batches:
            rows = made.order[batch]
            assert batch.start == at and len(rows)
            at = batch.stop
            assert len(rows) == 1 or len(rows) * lengths[rows].max() <= batch_tokens
            assert held < shard_tokens
            held += lengths[rows].sum()
        assert made.rows(number) == slice(batches[0].start, batches[-1].stop)
    assert at == len(lengths)
    assert (np.diff(lengths[made.order]) >= 0).all()


def test_equal_lengths_are_not_padded_when_a_batch_can_end_there():
    made = plan(np.array([5] * 6 + [9] * 4), batch_tokens=50, shard_tokens=1000)
    # 6 x 5 = 30 is more than half of 50, so the batch ends where the length changes.
    assert made.batches == ((slice(0, 6), slice(6, 10)),)


def test_progress_moves_within_a_shard(causal, store, monkeypatch):
    moved = []
    monkeypatch.setitem(sweep.SHARD_TOKENS, "cpu", 1 << 20)
    monkeypatch.setattr(progress.Bar, "advance", lambda self, units=1: moved.append(units / self.total))
    read(causal, store, texts(30))
    assert len(moved) > 3 and sum(moved) == pytest.approx(1) and max(moved) < 0.5
