"""Files of models that are damaged: each is one line that names the file, or loads as it was."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil

import numpy as np
import polars as pl
import pytest
from test_models_checkpoints import as_gguf

import tiny_models
from outgrow import models
from outgrow.core.errors import UserError
from outgrow.models import checkpoints, damage, files, loader
from outgrow.models.tokens import tokenizer_of
from outgrow.store import Store, container

PLACES = 60


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def causal(tmp_path_factory):
    return tiny_models.save(tmp_path_factory.mktemp("tiny"), encoder=False)


@pytest.fixture
def copied(causal, tmp_path):
    """The tiny checkpoint, to be damaged."""
    return shutil.copytree(causal, tmp_path / "model")


def one_line(error: UserError, named: str) -> None:
    text = str(error)
    assert "\n" not in text and named in text and "Traceback" not in text
    assert any(word in text for word in ("get it again", "see its", "get the file again", "put a sound", "choose")), (
        text
    )


def used(folder, store):
    """The weights and the answer of a checkpoint, all of its files read."""
    model = models.resolve(str(folder), store)
    net = loader.load(model, "float32", head=True)
    return models.zero_shot(model, ["the city"], [" yes", " no"], store).probs, {
        name: w.numpy().copy() for name, w in net.state_dict().items()
    }


def head(entries: object, data: bytes = b"\0" * 16, length: int | None = None) -> bytes:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(shape=(2, 2), start=0, end=16, dtype="F32", **more) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end], **more}


HEADERS = {
    "no bytes": b"",
    "half a length": b"\x10\0\0",
    "a length alone": (2).to_bytes(8, "little"),
    "a length beyond the file": head({"a": entry()}, length=1 << 20),
    "a length of 2^63": head({"a": entry()}, length=1 << 63),
    "no JSON": head(b'{"a": '),
    "a list": head([entry()]),
    "a number of 5,000 digits": head(b'{"a": ' + b"9" * 5000 + b"}"),
    "lists 100,000 deep": head(b"[" * 100_000),
    "no UTF-8": head(b'{"\xff\xfe": 1}'),
    "a name twice": head(b'{"a": %b, "a": %b}' % ((json.dumps(entry()).encode(),) * 2)),
    "an entry that is no record": head({"a": 5}),
    "an entry without a place": head({"a": {"dtype": "F32", "shape": [2, 2]}}),
    "an unknown type": head({"a": entry(dtype="F33")}),
    "a type that is no text": head({"a": entry(dtype=["F32"])}),
    "a wrong type": head({"a": entry(dtype="F64")}),
    "a shape that does not fit": head({"a": entry(shape=(2, 3))}),
    "a huge shape": head({"a": entry(shape=(1 << 40, 1 << 40))}),
    "a shape whose product wraps around": head({"a": entry(shape=(1 << 32, 1 << 32, 0), end=16)}),
    "a shape below 0": head({"a": entry(shape=(-2, -2))}),
    "a shape of fractions": head({"a": entry(shape=(2.0, 2.0))}),
    "a shape of truth values": head({"a": entry(shape=(True, 4))}),
    "no shape": head({"a": {"dtype": "F32", "data_offsets": [0, 16]}}),
    "a place outside": head({"a": entry(start=8, end=24)}),
    "a place below 0": head({"a": entry(start=-16, end=0)}),
    "a place that ends before it begins": head({"a": entry(start=16, end=0)}),
    "places that overlap": head({"a": entry(), "b": entry(start=8, end=24)}, b"\0" * 24),
    "a hole": head({"a": entry(), "b": entry(start=20, end=36)}, b"\0" * 36),
    "more data than arrays": head({"a": entry()}, b"\0" * 17),
    "less data than arrays": head({"a": entry()}, b"\0" * 15),
}


@pytest.mark.parametrize("what", HEADERS)
def test_a_damaged_header_of_safetensors_is_one_line(what, copied, store) -> None:
    file = copied / "model.safetensors"
    file.write_bytes(HEADERS[what])
    for read in (lambda: container.read(file), lambda: models.resolve(str(copied), store)):
        with pytest.raises(UserError, match=r"model\.safetensors") as told:
            read()
        one_line(told.value, str(file))


def test_sound_headers_are_read_as_the_library_reads_them(causal, tmp_path) -> None:
    from safetensors.numpy import load_file, save_file

    for tensors in (
        load_file(causal / "model.safetensors"),
        {"empty": np.zeros((0, 3), np.float32), "one": np.float32([7])},
        {},
    ):
        save_file(tensors, tmp_path / "sound.safetensors", metadata={"format": "pt"})
        found = (
            container.read(tmp_path / "sound.safetensors")
            if tensors
            else container.header(tmp_path / "sound.safetensors")[1]
        )
        assert set(found) == set(tensors)
        for name in tensors:
            np.testing.assert_array_equal(found[name], tensors[name])


def flips(data: bytes, within: int, seed: int):
    """The same bytes with one changed, or cut off, at PLACES places below `within`."""
    drawn = np.random.default_rng(seed)
    for at in np.unique(np.linspace(0, within - 1, PLACES).astype(int)).tolist():
        yield at, data[:at] + bytes([data[at] ^ int(drawn.integers(1, 256))]) + data[at + 1 :]
        yield at, data[:at]


def test_safetensors_with_any_byte_of_the_head_changed_load_as_they_were_or_are_one_line(causal, tmp_path) -> None:
    file = tmp_path / "model.safetensors"
    data = (causal / "model.safetensors").read_bytes()
    file.write_bytes(data)
    sound = {name: array.copy() for name, array in container.read(file).items()}
    length = int.from_bytes(data[:8], "little")
    for at, changed in flips(data, 8 + length, 1):
        file.write_bytes(changed)
        try:
            found = container.read(file)
        except UserError as error:
            one_line(error, str(file))
        else:
            renamed = set(found) ^ set(sound)
            assert len(found) == len(sound) and len(renamed) <= 2, "a letter of a name, which `complete` finds"
            for name in set(found) & set(sound):
                same = found[name].tobytes() == sound[name].tobytes()
                assert same, f"{name} at byte {at}"


def test_a_checkpoint_without_one_of_its_weights_is_refused_and_not_filled_with_random_numbers(copied, store) -> None:
    from safetensors.numpy import load_file, save_file

    file = copied / "model.safetensors"
    tensors = load_file(file)
    for lost in ("model.layers.2.mlp.up_proj.weight", "model.embed_tokens.weight", "model.norm.weight"):
        save_file({name: tensor for name, tensor in tensors.items() if name != lost}, file, metadata={"format": "pt"})
        model = models.resolve(str(copied), store)
        first = "lm_head.weight" if "embed" in lost else lost  # which is tied to the embeddings
        with pytest.raises(UserError, match=rf"lack [12] of its weights, the first '{re.escape(first)}'") as told:
            loader.load(model, "float32", head=True)
        one_line(told.value, str(copied))
        if lost != "model.norm.weight":  # features are taken before it
            with pytest.raises(UserError, match="lack 1 of its weights"):
                loader.load(model, "float32")


def test_weights_of_another_shape_are_one_line(copied, store) -> None:
    from safetensors.numpy import load_file, save_file

    tensors = load_file(copied / "model.safetensors")
    tensors["model.layers.0.mlp.up_proj.weight"] = np.zeros((41, 24), np.float32)
    save_file(tensors, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="do not fit its config") as told:
        used(copied, store)
    one_line(told.value, str(copied))


CONFIGS = [
    "",
    "{",
    "[]",
    "5",
    "null",
    '"text"',
    "{}",
    '{"model_type": "unheard_of"}',
    '{"model_type": 5}',
    '{"model_type": ["llama"]}',
    "[" * 100_000,
    {"hidden_size": "wide"},
    {"hidden_size": -24},
    {"hidden_size": 0},
    {"hidden_size": 10**30},
    {"hidden_size": None},
    {"num_hidden_layers": 10**9},
    {"num_hidden_layers": "five"},
    {"num_hidden_layers": 0},
    {"num_hidden_layers": -1},
    {"num_attention_heads": 0},
    {"num_attention_heads": "four"},
    {"vocab_size": -5},
    {"vocab_size": 10**12},
    {"intermediate_size": 10**15},
    {"rope_parameters": 5},
    {"hidden_act": "unheard_of"},
    {"layer_types": ["a"]},
    {"max_position_embeddings": "many"},
    {"eos_token_id": "last"},
    {"quantization_config": {"quant_method": "unheard_of"}},
]


@pytest.mark.parametrize("change", CONFIGS, ids=lambda one: str(one)[:40])
def test_a_damaged_config_is_one_line(change, copied, store, causal) -> None:
    file = copied / "config.json"
    file.write_text(change if isinstance(change, str) else json.dumps({**json.loads(file.read_text()), **change}))
    try:
        probs, _ = used(copied, store)
    except UserError as error:
        one_line(error, str(copied))
    else:
        np.testing.assert_array_equal(probs, used(causal, store)[0])


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "5",
        "null",
        "{}",
        "\xff",
        "[" * 10_000,
        '{"model": 5}',
        '{"version": "1.0", "model": {"type": "WordLevel"}}',
    ],
    ids=lambda one: one[:12] or "empty",
)
def test_a_damaged_tokenizer_is_one_line_or_reads(name, text, copied, store) -> None:
    said = "the city of lyon"
    whole = tokenizer_of(models.resolve(str(copied), store))(said)["input_ids"]
    (copied / name).write_bytes(text.encode("latin-1"))
    try:
        read = tokenizer_of(models.resolve(str(copied), store))(said)["input_ids"]
    except UserError as error:
        one_line(error, str(copied))
    else:
        assert name == "tokenizer_config.json" and read == whole


def test_a_tokenizer_or_config_with_any_byte_changed_reads_or_is_one_line(causal, tmp_path) -> None:
    outcomes: list[str] = []
    for name in ("tokenizer.json", "config.json"):
        data = (causal / name).read_bytes()
        for at, (_, changed) in enumerate(flips(data, len(data), 2)):
            folder = shutil.copytree(causal, tmp_path / f"{name}-{at}")
            (folder / name).write_bytes(changed)
            try:
                model = models.resolve(str(folder), Store(tmp_path / "store"))
                ids = tokenizer_of(model)("the city of lyon")["input_ids"]
                loader.load(model, "float32", head=True)
            except UserError as error:
                one_line(error, str(folder))
                outcomes.append("told")
            else:
                assert all(isinstance(token, int) for token in ids)
                outcomes.append("read")
            shutil.rmtree(folder)
    assert {"told", "read"} == set(outcomes)


def test_an_index_of_shards_that_is_damaged_or_names_a_missing_one_is_one_line(copied, store) -> None:
    (copied / "model.safetensors").rename(copied / "model-00001-of-00001.safetensors")
    index = copied / "model.safetensors.index.json"
    for text in (
        '{"weight_map": {"model.norm.weight": "model-00002-of-00002.safetensors"}}',
        "{",
        "[]",
        "{}",
        '{"weight_map": 5}',
        '{"metadata": {}, "weight_map": []}',
    ):
        index.write_text(text)
        with pytest.raises(UserError) as told:
            used(copied, store)
        one_line(told.value, str(copied))


@pytest.fixture(scope="module")
def gguf(causal, tmp_path_factory):
    file = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    as_gguf(causal, file)
    return file.read_bytes()


def gguf_head(version: int = 3, tensors: int = 0, facts: int = 0, rest: bytes = b"", magic: bytes = b"GGUF") -> bytes:
    return (
        magic
        + version.to_bytes(4, "little")
        + tensors.to_bytes(8, "little")
        + facts.to_bytes(8, "little")
        + rest
        + b"\0" * 64
    )


def fact(name: bytes, kind: int, value: bytes) -> bytes:
    return len(name).to_bytes(8, "little") + name + kind.to_bytes(4, "little") + value


def u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def u64(value: int) -> bytes:
    return value.to_bytes(8, "little")


GGUFS = {
    "no bytes": b"",
    "another magic": gguf_head(magic=b"GGML"),
    "version 99": gguf_head(version=99),
    "version 0": gguf_head(version=0),
    "2^60 tensors": gguf_head(tensors=1 << 60),
    "2^60 facts": gguf_head(facts=1 << 60),
    "a name of 2^60 bytes": gguf_head(facts=1, rest=u64(1 << 60)),
    "a text of 2^60 bytes": gguf_head(facts=1, rest=fact(b"a", 8, u64(1 << 60))),
    "a type 77": gguf_head(facts=1, rest=fact(b"a", 77, b"")),
    "2^60 numbers": gguf_head(facts=1, rest=fact(b"a", 9, u32(4) + u64(1 << 60))),
    "2^60 texts": gguf_head(facts=1, rest=fact(b"a", 9, u32(8) + u64(1 << 60))),
    "numbers of type 55": gguf_head(facts=1, rest=fact(b"a", 9, u32(55) + u64(1))),
    "arrays in arrays in arrays": gguf_head(facts=1, rest=fact(b"a", 9, (u32(9) + u64(1)) * 50)),
    "2^31 blocks": gguf_head(facts=1, rest=fact(b"llama.block_count", 4, u32(1 << 31))),
    "an array of 2^31 axes": gguf_head(tensors=1, rest=u64(1) + b"a" + u32(1 << 31)),
    "nothing in it": gguf_head(),
    "a zip file": b"PK\3\4" + b"\0" * 100,
}


@pytest.mark.parametrize("what", GGUFS)
def test_a_gguf_file_whose_head_is_not_true_is_one_line_at_once(what, tmp_path, store) -> None:
    (tmp_path / "bad.gguf").write_bytes(GGUFS[what])
    with pytest.raises(UserError, match=r"bad\.gguf") as told:
        models.resolve(str(tmp_path), store)
    one_line(told.value, "bad.gguf")


def test_a_gguf_file_cut_off_or_changed_anywhere_is_converted_or_one_line(gguf, tmp_path) -> None:
    file = tmp_path / "tiny.gguf"
    head = gguf.index(b"output_norm")
    for at, (place, changed) in enumerate(flips(gguf, head, 3)):
        if at % 2 == 0 and at % 8:
            continue  # converting takes most of a second: of the changed ones a fourth
        file.write_bytes(changed)
        folder = tmp_path / f"made-{at}"
        folder.mkdir()
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                checkpoints.dequantize(file, folder, "tiny")
        except UserError as error:
            one_line(error, "tiny.gguf")
        else:
            assert len(changed) == len(gguf), f"cut off at {place}"
        shutil.rmtree(folder)
    for size in range(head, len(gguf), (len(gguf) - head) // 5):
        file.write_bytes(gguf[:size])
        with pytest.raises(UserError, match=r"tiny\.gguf"), contextlib.redirect_stderr(io.StringIO()):
            checkpoints.dequantize(file, tmp_path, "tiny")


def test_files_of_features_with_any_byte_changed_read_or_are_one_line(tmp_path) -> None:
    ids, x = np.array([f"i{i}" for i in range(6)]), np.arange(24, dtype=np.float32).reshape(6, 4)
    np.savez(tmp_path / "f.npz", id=ids, x=x)
    np.savez_compressed(tmp_path / "c.npz", id=ids, x=x)
    pl.DataFrame({"id": ids, "x": x.tolist()}).write_parquet(tmp_path / "f.parquet")
    for name in ("f.npz", "c.npz", "f.parquet"):
        file = tmp_path / name
        data = file.read_bytes()
        sound = files._load(file)
        assert sound[0] == ids.tolist()
        for at, changed in flips(data, len(data), 4):
            file.write_bytes(changed)
            try:
                found = files._load(file)
            except UserError as error:
                assert name in str(error) and "\n" not in str(error), at
            else:
                assert name == "f.parquet" or (found[0] == sound[0] and np.array_equal(found[1], sound[1])), (
                    "zip archives carry checksums"
                )


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a\nb"),
        KeyError("x"),
        IndexError(),
        TypeError("t"),
        ZeroDivisionError(),
        RecursionError("deep"),
        EOFError(),
        OSError("gone"),
        MemoryError(),
        Exception("from Rust"),
        AssertionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_library_raises_over_a_file_is_one_line(error) -> None:
    with (
        pytest.raises(UserError, match=r"^cannot read that file: [^\n]+; do this$"),
        damage.reading("that file", "do this"),
    ):
        raise error


@pytest.mark.parametrize(
    "error",
    [UserError("mine"), KeyboardInterrupt(), SystemExit(3), OSError(28, "No space left on device")],
    ids=lambda e: type(e).__name__,
)
def test_what_is_no_damage_stays_what_it_is(error) -> None:
    with pytest.raises(type(error)) as told, damage.reading("that file"):
        raise error
    assert told.value is error


@pytest.mark.parametrize("value", ["last", [2, "last"], -1, [[2]], True, 2.5])
def test_an_end_that_is_no_token_is_one_line(value, copied, store) -> None:
    from outgrow.generation.local import Local

    (copied / "generation_config.json").write_text(json.dumps({"eos_token_id": value}))
    with pytest.raises(UserError) as told:
        Local(models.resolve(str(copied), store)).encode("the city")
    one_line(told.value, str(copied))


def test_a_broken_generation_config_is_one_line(copied, store) -> None:
    from outgrow.generation.local import Local

    for text in ("{", "[]", "5", ""):
        (copied / "generation_config.json").write_text(text)
        with pytest.raises(UserError) as told:
            Local(models.resolve(str(copied), store)).encode("the city")
        one_line(told.value, str(copied))
