"""Random causal models of several sizes that share a vocabulary, or nearly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

import tiny_models


def save(folder: Path, seed: int, depth: int, words: Sequence[str] = tiny_models.WORDS, **more) -> Path:
    """A random checkpoint with a token for each of `words`; `more` goes to its configuration."""
    from transformers import AutoModelForCausalLM

    made = tiny_models.config(encoder=False)
    for name, value in {
        "num_hidden_layers": depth,
        "vocab_size": len(tiny_models.SPECIAL) + len(words),
        **more,
    }.items():
        setattr(made, name, value)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        AutoModelForCausalLM.from_config(made).save_pretrained(folder)
    known, tiny_models.WORDS[:] = list(tiny_models.WORDS), words
    try:
        tiny_models.tokenizer(encoder=False).save_pretrained(folder)
    finally:
        tiny_models.WORDS[:] = known
    return folder
