"""Random checkpoints of a few thousand numbers, and the slow, obvious way to read with them."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np

WORDS = [
    "the",
    "city",
    "of",
    "lyon",
    "is",
    "in",
    "france",
    "spain",
    "paris",
    "rome",
    "true",
    "false",
    "not",
    "very",
    "a",
    "an",
    ":",
    "yes",
    "no",
    "maybe",
    "so",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "<s>", "</s>"]


def tokenizer(encoder: bool):
    """One token a word; an encoder's texts stand between [CLS] and [SEP], a causal model's begin with <s>."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    ids = {word: at for at, word in enumerate(SPECIAL + WORDS)}
    made = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    single, marks = ("[CLS] $A [SEP]", ["[CLS]", "[SEP]"]) if encoder else ("<s> $A", ["<s>"])
    made.post_processor = processors.TemplateProcessing(single=single, special_tokens=[(m, ids[m]) for m in marks])
    names = {"cls_token": "[CLS]", "sep_token": "[SEP]"} if encoder else {"bos_token": "<s>", "eos_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", **names)


def config(encoder: bool):
    from transformers import BertConfig, LlamaConfig

    size = {
        "vocab_size": len(SPECIAL + WORDS),
        "hidden_size": 24,
        "num_attention_heads": 4,
        "num_hidden_layers": 5,
        "intermediate_size": 40,
        "max_position_embeddings": 64,
        "initializer_range": 0.3,
    }
    return BertConfig(**size) if encoder else LlamaConfig(**size, num_key_value_heads=2, tie_word_embeddings=True)


def save(folder: Path, encoder: bool, safe: bool = True) -> Path:
    """A random checkpoint in a folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    made = config(encoder)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = (AutoModelForMaskedLM if encoder else AutoModelForCausalLM).from_config(made)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer(encoder).save_pretrained(folder)
    if not safe:
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    # No limit of its own, so that the model's number of positions counts.
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_max_length": 10**30}))
    return folder


def texts(count: int, seed: int = 0, longest: int = 20) -> list[str]:
    """Random sentences of unequal lengths, some of them twice."""
    rng = np.random.default_rng(seed)
    made = [" ".join(rng.choice(WORDS, rng.integers(1, longest))) for _ in range(count)]
    return [made[at] for at in rng.integers(0, count, count)]


@functools.cache
def _plainly(folder: Path):
    import torch
    from transformers import AutoModel, AutoTokenizer

    net = AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    return net, AutoTokenizer.from_pretrained(folder)


def slowly(folder: Path, text: str, layers: tuple[int, ...], pooling: str) -> np.ndarray:
    """(L, D): one text alone, every hidden state kept, attention written out."""
    import torch

    net, tokens = _plainly(folder)
    given = tokens(text, return_tensors="pt", return_token_type_ids=False)
    with torch.no_grad():
        states = net(**given, output_hidden_states=True).hidden_states
    rows = [states[layer][0] for layer in layers]
    return np.stack([(row[-1] if pooling == "last" else row.mean(0)).numpy() for row in rows])
