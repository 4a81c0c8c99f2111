"""Encoded images as arrays."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from outgrow.core.extras import needs

if TYPE_CHECKING:
    from PIL.Image import Image

GLANCE = (64, 64)
"""A JPEG is checked at about this size, which reads all of it in a fraction of the time."""


def decoded(data: bytes, glance: bool = False) -> Image:
    """An image in RGB. Raises OSError and other errors where its bytes are damaged or none of an image."""
    needs("PIL", "images", "an image needs")
    from PIL import Image

    image = Image.open(io.BytesIO(data))
    if glance:
        image.draft("RGB", GLANCE)
        image.load()
        return image
    return image.convert("RGB")


def squares(images: Sequence[bytes], side: int) -> np.ndarray:
    """uint8 (n, 3, side, side): the images, each stretched to a square."""
    out = np.empty((len(images), 3, side, side), np.uint8)
    for at, data in enumerate(images):
        image = decoded(data)
        image = image if image.size == (side, side) else image.resize((side, side), resample=2)
        out[at] = np.asarray(image).transpose(2, 0, 1)
    return out
