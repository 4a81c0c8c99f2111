"""Randomness is an argument: one integer names a study, and every stage derives its own generator from it by name."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *names: object) -> np.random.Generator:
    """A random generator that depends on the study's seed and on the names of its purpose, and on nothing else.

    Example:
        >>> derive(0, "cities", "split", 3).permutation(5)
        array([3, 0, 2, 1, 4])
    """
    text = "/".join([str(seed), *map(str, names)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


def hashed(*parts: object) -> str:
    """A stable name (32 hex digits) of a sequence of parts, by their texts.

    Example:
        >>> hashed("a", "b") == hashed("ab")
        False
    """
    digest = hashlib.sha256()
    for part in parts:
        data = str(part).encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:32]
