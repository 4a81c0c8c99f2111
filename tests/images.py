"""Tables of small planted images: coloured shapes, and words for them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import polars as pl

SIDE = 16
COLOURS = {"red": (220, 40, 40), "green": (40, 190, 60), "blue": (50, 80, 220)}


def png(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    """An encoded image of pixels (h, w, 3) uint8."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def shape(rng: np.random.Generator, square: bool, colour: tuple[int, int, int]) -> bytes:
    """A square or a disc of about one area, anywhere on a noisy ground."""
    pixels = rng.integers(90, 166, (SIDE, SIDE, 3)).astype(np.uint8)
    y, x = np.mgrid[:SIDE, :SIDE]
    cy, cx = rng.integers(5, SIDE - 5, 2)
    inside = (abs(y - cy) < 4) & (abs(x - cx) < 4) if square else (y - cy) ** 2 + (x - cx) ** 2 < 17
    pixels[inside] = colour
    return png(pixels)


def shapes(folder: Path, rows: int = 240, seed: int = 0) -> Path:
    """A colour an image; votes that are right in three of four rows, and a split without votes in test."""
    rng = np.random.default_rng(seed)
    names = list(COLOURS)
    label = rng.integers(len(names), size=rows)
    said = np.where(rng.random(rows) < 0.75, label, (label + rng.integers(1, len(names), rows)) % len(names))
    test = np.arange(rows) % 4 == 0
    frame = pl.DataFrame({
        "picture": [shape(rng, bool(rng.integers(2)), COLOURS[names[c]]) for c in label],
        "label": [names[c] for c in label],
        "vote": [None if t else names[c] for c, t in zip(said, test, strict=True)],
        "three": [None if t else [names[c], names[k], None] for c, k, t in zip(said, label, test, strict=True)],
        "split": ["test" if t else "train" for t in test],
    })  # fmt: skip
    path = folder / "shapes.parquet"
    frame.write_parquet(path)
    return path


def statements(folder: Path, rows: int = 240, seed: int = 0, words: tuple[str, ...] = tuple(COLOURS)) -> Path:
    """ "a red shape", true or false of the image beside it, which neither shows alone. `words` name the colours."""
    rng = np.random.default_rng(seed)
    names, lines = list(COLOURS), []
    for _ in range(rows):
        shown = int(rng.integers(len(names)))
        truth = bool(rng.integers(2))
        named = shown if truth else (shown + int(rng.integers(1, len(names)))) % len(names)
        lines.append(
            {
                "picture": shape(rng, bool(rng.integers(2)), COLOURS[names[shown]]),
                "text": f"a {words[named]} shape",
                "label": str(truth).lower(),
            }
        )
    path = folder / "statements.parquet"
    pl.DataFrame(lines).write_parquet(path)
    return path
