"""From a quantized GGUF file to a folder of bfloat16 safetensors, configuration and tokenizer."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from outgrow.core import progress
from outgrow.models.damage import check_gguf, reading


def dequantize(gguf: Path, folder: Path, name: str) -> None:
    """Converts a GGUF file, once, with progress.

    One tensor at a time is widened to float32, so that the peak of memory is the bfloat16 model and its largest
    tensor: 5.6 GB for Qwen2.5-Coder-1.5B.

    Args:
        gguf: the file.
        folder: for the converted files.
        name: of the model, for messages.

    Raises:
        UserError: the file is damaged, or its tensors are not all that its architecture needs.
    """
    import gguf as library
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, modeling_gguf_pytorch_utils

    from outgrow.models.loader import complete, quiet

    check_gguf(gguf)
    # Tokenizer, configuration and weights each parse the whole file, which takes most of the time: once is enough.
    parsed_once = mock.patch.object(library, "GGUFReader", functools.cache(library.GGUFReader))
    shown = mock.patch.object(modeling_gguf_pytorch_utils, "tqdm", functools.partial(_tracked, name))
    what, do = f"{gguf.name} of {name!r}", "use a safetensors version, or get the file again"
    progress.say(f"converting {name} to bfloat16 safetensors, once; its tokenizer comes first (up to a minute)")
    with quiet(), parsed_once, shown:
        with reading(what, do):
            tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
            # Without `dequantize` the result counts as quantized, and can neither be saved nor fine-tuned.
            model, loaded = AutoModelForCausalLM.from_pretrained(
                gguf.parent,
                gguf_file=gguf.name,
                quantization_config=GgufConfig(dequantize=True),
                dtype="bfloat16",
                output_loading_info=True,
            )
        complete(model, loaded, what)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        for path in folder.iterdir():
            # The weights are written readable by their owner alone; others may share the store.
            path.chmod(folder.stat().st_mode & 0o666)


def _tracked(name: str, tensors: Sequence[Any], **_: Any) -> Iterator[Any]:
    """The tensors, counted on outgrow's own progress bar by their bytes."""
    with progress.track(f"converting {name}", total=sum(tensor.n_bytes for tensor in tensors)) as bar:
        for tensor in tensors:
            yield tensor
            bar.advance(int(tensor.n_bytes))
