"""Loads checkpoints: device, precision, and no more of a model than is needed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from outgrow.core.errors import UserError
from outgrow.models.checkpoints import Model
from outgrow.models.damage import reading

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from outgrow.models.bundles import Batch

PRECISIONS = ("bfloat16", "float32")
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Options of mallopt, as numbered in malloc.h."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the notices and progress bars of `transformers`."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def device() -> torch.device:
    """The accelerator if there is one, of whatever make, else the processor."""
    import torch

    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


def place(where: torch.device | None = None) -> str:
    """Which of two sizes applies on a device, or on this machine's: "cpu" or "accelerator"."""
    return "cpu" if (where or device()).type == "cpu" else "accelerator"


def exact_device() -> torch.device:
    """The device where it has numbers of double precision, else the processor."""
    import torch

    found = device()
    return torch.device("cpu") if found.type == "mps" else found


def chosen_precision(precision: str | None = None) -> str:
    """`precision` if given, else bfloat16 where this device multiplies in it, else float32.

    Without such units bfloat16 products are a hundred times as slow as float32, not faster. Never float16: the hidden
    states of Gemma reach beyond its range. Raises UserError for another name.
    """
    import torch

    if precision is not None:
        if precision not in PRECISIONS:
            raise UserError(f"precision {precision!r} is not known: choose one of {', '.join(PRECISIONS)}")
        return precision
    if device().type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if place() == "accelerator":
        return "bfloat16"
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bfloat16" if fast else "float32"


def dtype_of(precision: str) -> torch.dtype:
    """The type of numbers of that precision."""
    import torch

    return {"bfloat16": torch.bfloat16, "float32": torch.float32}[precision]


def alone() -> bool:
    """Whether every answer and every score is computed by itself, outside of batches: OUTGROW_ALONE=1.

    In a batch, processors add in another order. Raises UserError for other values than 0 and 1.
    """
    value = os.environ.get("OUTGROW_ALONE", "") or "0"
    if value not in ("0", "1"):
        raise UserError(f"OUTGROW_ALONE is {value!r}: give 1, or 0 as where it is not set")
    return value == "1"


def load(model: Model, precision: str, head: bool = False) -> PreTrainedModel:
    """The model on its device, for inference; with its language-model head or without."""
    from transformers import AutoModel, AutoModelForCausalLM

    return read(AutoModelForCausalLM if head else AutoModel, model, precision).eval()


def read(kind: Any, model: Model, precision: str, **more: Any) -> Any:
    """A checkpoint as one of the Auto classes of `transformers`, on its device.

    Args:
        kind: the class, such as AutoModel.
        model: the checkpoint.
        precision: of the weights.
        more: further arguments of `from_pretrained`.

    Raises:
        UserError: weights are damaged or missing.
        ValueError: the class has no such model, as `transformers` raises it.
    """
    import torch
    from transformers import AutoModelForCausalLM

    _keep_freed_memory()
    # One of several processes has one device; a single one may spread a model over all.
    several = torch.distributed.is_available() and torch.distributed.is_initialized()
    where = {}
    if place() == "accelerator":
        where["device_map"] = {"": torch.accelerator.current_device_index()} if several else "auto"
    options = {**more, "output_loading_info": True}
    with (
        quiet(),
        reading(f"model {model.name!r}", "its weights do not fit its config.json, or are damaged: get it again"),
    ):
        try:
            net, found = kind.from_pretrained(
                model.path,
                dtype=dtype_of(precision),
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                **where,
                **options,
            )
        except ValueError as error:
            if "Unrecognized configuration class" not in str(error):
                raise
            unknown: ValueError | None = error
        else:
            unknown = None
    if unknown is not None:
        raise unknown
    complete(net, found, f"model {model.name!r}", head=kind is AutoModelForCausalLM)
    return (net, found) if more.get("output_loading_info") else net


def complete(net: Any, found: Mapping[str, Any], what: str, head: bool = True) -> None:
    """Raises UserError where weights of a loaded model are in no file: `transformers` initialises them at random.

    Args:
        net: the loaded model.
        found: the loading info of `transformers`.
        what: name of the model, for the error.
        head: whether weights beside embeddings and blocks count; False where they are not used, or will be trained.
    """
    base = "" if net.base_model is net else f"{net.base_model_prefix}."
    missing = sorted(
        key for key in found["missing_keys"] if head or (key.startswith(base) and re.search(r"\.\d+\.|emb", key))
    )
    if missing:
        raise UserError(
            f"cannot read {what}: its files lack {len(missing)} of its weights, the first {missing[0]!r}; "
            "get it again, whole"
        )


def _keep_freed_memory() -> None:
    """Keeps memory that an operation frees for the next one, where the C library allows it.

    Activations of a batch are larger than what glibc keeps by default: it returns them to the system after every
    operation and gets zeroed pages for the next. That took a tenth of a forward pass in float32.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(_MMAP_THRESHOLD, 1 << 25)
        library.mallopt(_TRIM_THRESHOLD, 1 << 29)


def blocks(loaded: torch.nn.Module, depth: int) -> torch.nn.ModuleList:
    """The stack of blocks of a model: its one list of `depth` modules, the outermost if several."""
    import torch

    for module in loaded.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == depth:
            return module
    raise UserError(f"{type(loaded).__name__} has no list of its {depth} blocks: use another model")


def cut(loaded: torch.nn.Module, depth: int, deepest: int) -> torch.nn.ModuleList:
    """The blocks up to the deepest wanted one; those above it are removed from the model."""
    stack = blocks(loaded, depth)
    del stack[deepest:]
    return stack


def forward(loaded: Any, batch: Batch, causal: bool) -> Any:
    """Runs a model on one batch."""
    import torch

    where = loaded.device
    tokens = torch.from_numpy(batch.ids).to(where)
    if batch.segment is not None:
        position, segment = (torch.from_numpy(a).to(where) for a in (batch.position, batch.segment))
        length = tokens.shape[1]
        seen = torch.ones(length, length, dtype=torch.bool, device=where).tril()
        seen = seen & ((segment[:, None, :] == 0) | (segment[:, None, :] == segment[:, :, None]))
        mask = torch.zeros(seen.shape, dtype=loaded.dtype, device=where)
        mask = mask.masked_fill_(~seen, torch.finfo(loaded.dtype).min)[:, None]
        return loaded(input_ids=tokens, attention_mask=mask, position_ids=position, use_cache=False)
    if causal:
        # A position does not see what is to its right: no mask is needed, and attention is fastest without.
        return loaded(input_ids=tokens, use_cache=False)
    lengths = torch.from_numpy(batch.lengths).to(where)
    attended = None
    if int(lengths.min()) < tokens.shape[1]:
        attended = (torch.arange(tokens.shape[1], device=where) < lengths[:, None]).long()
    return loaded(input_ids=tokens, attention_mask=attended)
