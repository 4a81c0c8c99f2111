"""Randomness is an argument: one integer names a study, every stage derives its own generator from it by name."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *names: object) -> np.random.Generator:
    """A generator that depends on the study's seed and on the names of what it is for, and on nothing else."""
    text = "/".join([str(seed), *map(str, names)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


def hashed(*parts: object) -> str:
    """A short stable name (32 hex digits) for a sequence of strings; says nothing about what comes after it."""
    digest = hashlib.sha256()
    for part in parts:
        data = str(part).encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:32]
