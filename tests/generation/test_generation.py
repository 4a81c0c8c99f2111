"""Language models in this process: what is drawn, how likely it is, and what is kept of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import families
import tiny_models
from outgrow import models
from outgrow.core.errors import UserError
from outgrow.generation import Prompting, Sampling, answers
from outgrow.store import Store
from outgrow.training.names import named

pytestmark = pytest.mark.usefixtures("float32")

PROMPTS = [
    "the city of lyon",
    "paris is in",
    "the city of rome is not in spain so the",
    "very",
    "yes no maybe",
    "paris is in",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def model(causal, store):
    return named(str(causal), store)


@pytest.fixture(scope="module")
def plain(causal):
    """Logits (T, V) of ids by a whole forward pass, without a cache and with attention written out."""
    import torch
    from transformers import AutoModelForCausalLM

    net = AutoModelForCausalLM.from_pretrained(causal, dtype=torch.float32, attn_implementation="eager").eval()

    def read(ids):
        with torch.no_grad():
            return net(input_ids=torch.tensor([list(ids)]), use_cache=False).logits[0].double().numpy()

    return read


def test_a_recurrent_model_is_refused_in_one_line(tmp_path, store) -> None:
    from transformers import AutoModelForCausalLM, MambaConfig

    AutoModelForCausalLM.from_config(
        MambaConfig(vocab_size=27, hidden_size=24, num_hidden_layers=2, state_size=4)
    ).save_pretrained(tmp_path)
    tiny_models.tokenizer(encoder=False).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="keeps a state beside keys and values"):
        named(str(tmp_path), store).sample(PROMPTS[:1], 1, Sampling(tokens=3), [[0]])


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()


def seeds_of(rows: int, n: int) -> list[list[int]]:
    return [[1000 * row + k for k in range(n)] for row in range(rows)]


def test_at_temperature_0_an_answer_is_the_likeliest_token_each_time_by_a_loop_without_a_cache(model, plain) -> None:
    drawn = model.sample(PROMPTS, 2, Sampling(tokens=9, temperature=0), seeds_of(6, 2))
    for prompt, (first, second) in zip(PROMPTS, drawn, strict=True):
        ids = model.encode(prompt)
        wanted: list[int] = []
        while len(wanted) < 9 and not {*wanted} & model.ends:
            wanted.append(int(plain([*ids, *wanted])[-1].argmax()))
        assert list(first.tokens) == wanted and second.tokens == first.tokens
        assert first.ended == ("stop" if wanted[-1] in model.ends else "length")


def test_log_probabilities_of_drawn_answers_are_those_of_a_whole_forward_pass_untempered_and_uncut(
    model, plain
) -> None:
    how = Sampling(tokens=8, temperature=0.7, top_p=0.8)
    for prompt, row in zip(PROMPTS, model.sample(PROMPTS, 3, how, seeds_of(6, 3)), strict=True):
        ids = model.encode(prompt)
        for answer in row:
            said = plain([*ids, *answer.tokens])
            wanted = [log_softmax(said[len(ids) - 1 + t])[token] for t, token in enumerate(answer.tokens)]
            np.testing.assert_allclose(answer.logprobs, wanted, atol=2e-5)


def test_a_draw_depends_on_its_seed_and_prompt_and_neither_on_n_nor_on_what_stands_beside_it(model) -> None:
    how = Sampling(tokens=10)
    together = model.sample(PROMPTS, 5, how, seeds_of(6, 5))
    for row, prompt in enumerate(PROMPTS):
        alone = model.sample([prompt], 2, how, [[1000 * row + 3, 1000 * row + 1]])[0]
        assert [one.tokens for one in alone] == [together[row][3].tokens, together[row][1].tokens]
        np.testing.assert_allclose(alone[0].logprobs, together[row][3].logprobs, atol=2e-5)
    assert len({answer.tokens for answer in together[0]}) > 1


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.6, 1.0), (1.3, 0.7)])
def test_first_tokens_come_as_often_as_the_distribution_says(model, plain, temperature: float, top_p: float) -> None:
    from scipy.stats import chisquare

    n = 4000
    how = Sampling(tokens=1, temperature=temperature, top_p=top_p)
    drawn = model.sample(["paris is in"], n, how, [list(range(n))])[0]
    probs = np.exp(log_softmax(plain(model.encode("paris is in"))[-1] / temperature))
    probs = slow_nucleus(probs, top_p)
    counts = np.bincount([answer.tokens[0] for answer in drawn], minlength=len(probs))
    assert counts[probs == 0].sum() == 0
    rare = probs * n < 5
    seen = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(probs[~rare], probs[rare].sum()) * n
    some = expected > 0
    assert chisquare(seen[some], expected[some]).pvalue > 0.001


def slow_nucleus(probs: np.ndarray, top_p: float) -> np.ndarray:
    """One row, token by token, the likeliest first, until their sum is there."""
    kept, total = np.zeros_like(probs), 0.0
    for token in sorted(range(len(probs)), key=lambda token: -probs[token]):
        if total >= top_p:
            break
        kept[token] = probs[token]
        total += probs[token]
    return kept / kept.sum()


@pytest.mark.parametrize("size", [7, 3000])
def test_the_nucleus_is_that_of_a_slow_loop_also_where_it_is_larger_than_the_first_look(size: int) -> None:
    import torch

    from outgrow.generation import decoding

    rng = np.random.default_rng(size)
    probs = rng.dirichlet(np.full(size, 0.9), size=4)
    for top_p in (0.01, 0.5, 0.9, 0.999):
        cut = decoding.nucleus(torch.from_numpy(probs), top_p).numpy()
        np.testing.assert_allclose(cut / cut.sum(1, keepdims=True), [slow_nucleus(row, top_p) for row in probs])


def test_a_token_is_found_by_inverting_the_distribution_function(model) -> None:
    import torch

    from outgrow.generation import decoding

    rng = np.random.default_rng(3)
    logits = rng.normal(0, 3, (50, 1000)).astype(np.float32)
    uniform = rng.random(50)
    uniform[0], uniform[1] = 0.0, 1 - 2**-53
    found = decoding.choose(torch.from_numpy(logits), torch.from_numpy(uniform), Sampling())
    probs = torch.softmax(torch.from_numpy(logits), 1).double().numpy()
    wanted = [np.searchsorted(row.cumsum(), u * row.sum(), side="right") for row, u in zip(probs, uniform, strict=True)]
    assert found.tolist() == np.minimum(wanted, 999).tolist()


def test_an_answer_ends_before_a_stop_text_and_its_tokens_reach_to_the_end_of_it(model) -> None:
    how = Sampling(tokens=20, stop=("in", "not"))
    free = model.sample(PROMPTS, 4, Sampling(tokens=20), seeds_of(6, 4))
    met = 0
    for row, free_row in zip(model.sample(PROMPTS, 4, how, seeds_of(6, 4)), free, strict=True):
        for answer, whole in zip(row, free_row, strict=True):
            places = [at for stop in how.stop if (at := whole.text.find(stop)) >= 0]
            assert answer.text == (whole.text[: min(places)] if places else whole.text)
            assert answer.tokens == whole.tokens[: len(answer.tokens)]
            met += bool(places)
            assert not places or answer.ended == "stop"
    assert met > 3


def test_steps_that_are_kept_twice_and_dropped_say_what_a_fresh_reading_says(model, plain) -> None:
    import torch

    begun = [model.encode(prompt) for prompt in PROMPTS]
    steps = model.begin(begun)
    kept = [(ids, 0) for ids in begun]
    rng = np.random.default_rng(0)
    for rows in ([5, 0, 0, 2, 3], [1, 1, 4, 0], [3, 2], [0, 0, 0]):
        steps.keep(torch.tensor(rows))
        kept = [kept[row] for row in rows]
        for _ in range(2):
            tokens = rng.integers(6, 27, len(rows))
            steps.add(torch.tensor(tokens))
            kept = [([*ids, int(token)], 0) for (ids, _), token in zip(kept, tokens, strict=True)]
            for said, (ids, _) in zip(steps.logits.numpy(), kept, strict=True):
                np.testing.assert_allclose(said, plain(ids)[-1], atol=2e-5)


def test_a_beginning_that_all_prompts_share_is_read_once(model, plain) -> None:
    rng = np.random.default_rng(1)
    shared = [4, *rng.integers(6, 27, 30).tolist()]
    begun = [[*shared, *rng.integers(6, 27, more).tolist()] for more in (1, 5, 5, 0, 9, 2, 3, 1, 4, 6)]
    read = []
    hook = model._net.register_forward_pre_hook(
        lambda _, args, given: read.append(given["input_ids"].numel()), with_kwargs=True
    )
    said = model.begin(begun).logits
    hook.remove()
    # One token of each is read by itself: of the 31 that are shared, 30 are read together; the rest is padded, of those
    # with up to 6 more and of the one with 9.
    assert read == [30, 9 * (1 + 6), 1 + 9]
    for ids, row in zip(begun, said.numpy(), strict=True):
        np.testing.assert_allclose(row, plain(ids)[-1], atol=2e-5)


def test_a_cache_that_outgrows_its_room_goes_on(store, tmp_path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    folder = families.save(tmp_path, 5, 2, max_position_embeddings=128)
    steps, ids = named(str(folder), store).begin([[4, 8]]), [4, 8]
    for token in np.random.default_rng(3).integers(6, 27, 70).tolist():  # the room is for 64 tokens
        steps.add(torch.tensor([token]))
        ids.append(token)
    net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        whole = net(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
    np.testing.assert_allclose(steps.logits[0].numpy(), whole.numpy(), atol=2e-5)


def test_texts_are_scored_token_by_token_after_their_prompt(model, plain) -> None:
    texts = [" the city", "of rome", "", " yes", "no", " in france"]
    for prompt, text, found in zip(PROMPTS, texts, model.logprobs(PROMPTS, texts), strict=True):
        ids, then = model.encode(prompt), model.after(text)
        assert [tiny_models.SPECIAL[0], *text.split()][1:] == [model._coder.fast.id_to_token(i) for i in then]
        said = plain([*ids, *then])
        np.testing.assert_allclose(
            found, [log_softmax(said[len(ids) - 1 + t])[i] for t, i in enumerate(then)], atol=2e-5
        )
        assert found.dtype == np.float32 and found.shape == (len(then),)


def test_texts_that_differ_in_their_last_token_are_read_once_and_scored_as_alone(model, monkeypatch) -> None:
    texts = [" yes", "", " no", " the city", " the rome"]
    alone = [model.logprobs([PROMPTS[0]], [text])[0] for text in texts]
    read: list[int] = []
    whole = type(model)._read
    monkeypatch.setattr(type(model), "_read", lambda self, ids, then: read.append(len(ids)) or whole(self, ids, then))
    for one, found in zip(alone, model.logprobs([PROMPTS[0]] * 5, texts), strict=True):
        np.testing.assert_allclose(found, one, atol=2e-5)
    assert read == [2], "yes and no in one row, city and rome in another"


def test_prompts_that_begin_alike_are_scored_as_alone(model) -> None:
    told = "the city of lyon is in france so very very true and "
    prompts = [told + end for end in ("rome", "paris so", "a yes no")] + ["rome is", told + "not so not"]
    for prompt, found in zip(prompts, model.logprobs(prompts, [" yes"] * 5), strict=True):
        np.testing.assert_allclose(found, model.logprobs([prompt], [" yes"])[0], atol=2e-5)


def test_logits_of_given_tokens_are_those_of_a_whole_forward_pass(model, plain) -> None:
    begun = [model.encode(prompt) for prompt in PROMPTS]
    then = [[7, 9], [], [12], [8, 8, 8, 20], [11], [6]]
    for ids, more, found in zip(begun, then, model.logits(begun, then), strict=True):
        assert found.shape == (len(more), 27)
        np.testing.assert_allclose(
            found.numpy(), plain([*ids, *more])[len(ids) - 1 : len(ids) - 1 + len(more)], atol=2e-5
        )


def test_beams_as_wide_as_all_there_is_find_what_enumeration_finds(model, plain) -> None:
    from outgrow.generation import decoding

    prompt, width = "the city of", 27**2
    ids = model.encode(prompt)
    sums: dict[tuple[int, ...], float] = {}
    first = log_softmax(plain(ids)[-1])
    for a in range(27):
        if a in model.ends:
            sums[a,] = first[a]
            continue
        second = log_softmax(plain([*ids, a])[-1])
        sums |= {(a, b): first[a] + second[b] for b in range(27)}
    found = decoding.beams(model, [prompt], width, Sampling(tokens=2))[0]
    assert {answer.tokens for answer in found} == {*sums}
    np.testing.assert_allclose([sum(a.logprobs) for a in found], sorted(sums.values(), reverse=True), atol=1e-4)
    np.testing.assert_allclose([sums[answer.tokens] for answer in found], [sum(a.logprobs) for a in found], atol=1e-4)


def test_narrow_beams_of_several_prompts_are_those_of_a_slow_search(model, plain) -> None:
    from outgrow.generation import decoding

    width, length = 3, 5
    for prompt, found in zip(PROMPTS, decoding.beams(model, PROMPTS, width, Sampling(tokens=length)), strict=True):
        ids = model.encode(prompt)
        live: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
        done = []
        for _ in range(length):
            grown = [
                (score + logp, (*said, token))
                for score, said in live
                for token, logp in enumerate(log_softmax(plain([*ids, *said])[-1]))
            ]
            done += [one for one in grown if one[1][-1] in model.ends]
            live = sorted((one for one in grown if one[1][-1] not in model.ends), reverse=True)[:width]
        wanted = sorted(done + live, reverse=True)[:width]
        assert [answer.tokens for answer in found] == [said for _, said in wanted]
        assert [answer.ended for answer in found] == [
            "stop" if said[-1] in model.ends else "length" for _, said in wanted
        ]


def test_answers_are_kept_and_more_of_them_reuse_those_that_are_there(model, store, monkeypatch) -> None:
    how = Sampling(tokens=6)
    eight = answers.sample(model, PROMPTS, 8, how, 7, store)
    assert not eight.cached and eight.tokens == sum(len(one.tokens) for row in eight.answers[:5] for one in row)
    assert eight.answers[5] == eight.answers[1], "the same prompt"
    asked = []
    real = type(model).sample
    monkeypatch.setattr(
        type(model), "sample", lambda self, p, n, *more: asked.append(len(p) * n) or real(self, p, n, *more)
    )
    sixteen = answers.sample(model, PROMPTS, 16, how, 7, store)
    assert sum(asked) == 5 * 8
    assert [row[:8] for row in sixteen.answers] == eight.answers
    again = answers.sample(model, PROMPTS, 16, how, 7, store)
    assert again.cached and again.answers == sixteen.answers and again.tokens == sixteen.tokens
    assert answers.sample(model, PROMPTS, 8, how, 8, store).answers != eight.answers


def test_a_draw_that_was_stopped_goes_on_and_ends_with_the_same_answers(model, tmp_path, monkeypatch) -> None:
    whole = answers.sample(model, PROMPTS, 20, Sampling(tokens=6), 7, Store(tmp_path / "whole"))
    calls = itertools.count()
    real = type(model).sample

    def dies(self, *given):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return real(self, *given)

    monkeypatch.setattr(type(model), "sample", dies)
    store = Store(tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt):
        answers.sample(model, PROMPTS, 20, Sampling(tokens=6), 7, store)
    resumed = answers.sample(model, PROMPTS, 20, Sampling(tokens=6), 7, store)
    assert next(calls) == 4, "three units, one of them twice"
    assert resumed.answers == whole.answers


def test_at_temperature_0_one_answer_is_drawn_and_stands_for_all(model, store) -> None:
    drawn = answers.sample(model, PROMPTS, 5, Sampling(tokens=6, temperature=0), 7, store)
    assert all(len(row) == 5 and len(set(row)) == 1 for row in drawn.answers)


def test_answers_that_are_drawn_together_are_fewer_where_their_cache_would_not_fit(model, monkeypatch) -> None:
    from outgrow.generation import decoding

    # 2 (keys, values) x 5 layers x 2 heads x 6 wide x 4 bytes.
    assert model.column == 480
    begun = [model.encode(prompt) for prompt in PROMPTS]
    assert sorted(map(len, begun)) == [2, 4, 4, 4, 5, 11]
    # The longest takes 480 (11 + 4) = 7200 a row: two fit; 480 (5 + 4) = 4320: four; 480 (4 + 4) = 3840: four.
    monkeypatch.setitem(decoding.CACHE, "cpu", 17280)
    sizes = [
        sum(past - first for _, first, past in batch)
        for batch in decoding._batches(model, begun, [3] * 6, Sampling(tokens=4))
    ]
    assert sizes == [2, 2, 4, 4, 4, 2]
    whole = model.sample(PROMPTS, 3, Sampling(tokens=4), seeds_of(6, 3))
    monkeypatch.undo()
    assert [[a.tokens for a in row] for row in whole] == [
        [a.tokens for a in row] for row in model.sample(PROMPTS, 3, Sampling(tokens=4), seeds_of(6, 3))
    ]


def test_a_model_writes_in_bfloat16_about_what_it_writes_in_float32(model) -> None:
    from outgrow.generation.local import Local

    half = Local(model.model, "bfloat16")
    begun = [model.encode(prompt) for prompt in PROMPTS]
    said, wanted = half.begin(begun).logits, model.begin(begun).logits
    assert str(said.dtype) == "torch.float32" and 0 < float((said - wanted).abs().max()) < 0.2
    assert half.engine != model.engine and len(half.sample(PROMPTS, 2, Sampling(tokens=4), seeds_of(6, 2))) == 6


@pytest.mark.parametrize(
    ("name", "value"),
    [("tokens", 0), ("temperature", -0.1), ("temperature", float("nan")), ("top_p", 0.0), ("top_p", 1.1)],
)
def test_what_cannot_be_drawn_with_is_refused(name: str, value: float) -> None:
    with pytest.raises(UserError, match=f"cannot be sampled with {name} {value}: it must be"):
        Sampling(**{name: value})


def test_a_model_without_a_chat_template_is_not_asked_to_chat(model) -> None:
    with pytest.raises(UserError, match="has no chat template: use an instruction-tuned model"):
        model.sample(["hello"], 1, Sampling(prompting=Prompting("chat")), [[0]])


def test_more_tokens_than_the_model_has_positions_for_are_refused(model) -> None:
    with pytest.raises(UserError, match="68 tokens of prompt and answer are more than the 64 of"):
        model.sample(["the city of"], 1, Sampling(tokens=64), [[0]])


def test_an_encoder_is_not_asked_to_write(encoder, store) -> None:
    from outgrow.generation.local import Local

    with pytest.raises(UserError, match="generates no text: it is of kind 'encoder'"):
        Local(models.resolve(str(encoder), store))


def test_a_table_of_answers_is_a_model_that_draws_them_again(model, store, tmp_path) -> None:
    prompts = list(dict.fromkeys(PROMPTS))
    drawn = answers.sample(model, prompts, 3, Sampling(tokens=6), 7, store)
    table = answers.table([f"item {i}" for i in range(5)], prompts, model, drawn)
    assert tuple(table.columns) == answers.COLUMNS and len(table) == 15
    # Neither the order of the rows nor other models beside it matter.
    import polars as pl

    other = table.with_columns(model=pl.lit("other"), answer=pl.lit("nothing"))
    pl.concat([other, table.reverse()]).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(UserError, match="has answers of 2 models: choose one, as in answers:"):
        named(f"answers:{tmp_path}/a.parquet", store)
    recorded = named(f"answers:{tmp_path}/a.parquet,{model.name}", store)
    again = answers.sample(recorded, prompts[::-1], 3, Sampling(), 0, store)
    for row, found in zip(drawn.answers[::-1], again.answers, strict=True):
        assert [(a.text, a.seed, a.ended) for a in row] == [(a.text, a.seed, a.ended) for a in found]
        np.testing.assert_allclose([sum(a.logprobs) for a in row], [sum(a.logprobs) for a in found])
    assert recorded.engine == model.engine
    with pytest.raises(UserError, match="has 3 answers to 'very', not 4: ask for fewer, or record more"):
        answers.sample(recorded, ["very"], 4, Sampling(), 0, store)
    with pytest.raises(UserError, match="cannot score others"):
        recorded.logprobs(["very"], ["so"])


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_recorded_answers_need_no_more_than_prompts_and_answers(tmp_path, store, name: str) -> None:
    import polars as pl

    table = pl.DataFrame({"prompt": ["p", "q", "p"], "answer": ["1", "2", "3"]})  # a reader may take these for numbers
    (table.write_csv if name.endswith("csv") else table.write_ndjson)(tmp_path / name)
    found = named(f"answers:{tmp_path / name}", store).sample(["q", "p"], 1, Sampling(), [])
    assert [[a.text for a in row] for row in found] == [["2"], ["1"]]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"prompt": ["p"], "text": ["1"]}, "no column of texts 'answer'.*it has prompt, text"),
        ({"prompt": [1], "answer": ["1"]}, "'prompt'"),
    ],
)
def test_a_table_without_prompts_and_answers_is_refused(tmp_path, store, columns: dict, told: str) -> None:
    import polars as pl

    pl.DataFrame(columns).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(UserError, match=told):
        named(f"answers:{tmp_path}/a.parquet", store)
    (tmp_path / "b.parquet").write_text("nonsense")
    with pytest.raises(UserError, match="cannot be read as a table"):
        named(f"answers:{tmp_path}/b.parquet", store)
    with pytest.raises(UserError, match=r"no such file of answers: 'nowhere\.parquet'"):
        named("answers:nowhere.parquet", store)
