"""A folder of images, or an .npz file of pixels, as a table with a column `image`; any other file is a table already.

folder     each image file in it is a row, by name: columns file, image
.npz       one array of pixels, uint8 (n, height, width) or (n, height, width, 3), and `id` (n,) where there is one
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.extras import needs
from outgrow.tasks.tables import files
from outgrow.tasks.tables.files import TableFile

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
IMAGE = "image"


def read(name: str | TableFile) -> TableFile:
    """The table of images of that name; an open one is itself. Raises UserError where it is none that can be read."""
    if isinstance(name, TableFile):
        return name
    path = Path(name).expanduser()
    if path.is_dir():
        return _folder(path)
    return _pixels(path) if path.suffix == ".npz" else files.read(name)


def _folder(path: Path) -> TableFile:
    names = sorted(file.name for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not names:
        raise UserError(f"{path} holds no image: give a folder with files of {', '.join(SUFFIXES)}")
    return TableFile(
        path.name, ("file", IMAGE), lambda _: list(names), range(1, len(names) + 1), "row", str(path), folder=path
    )


def _pixels(path: Path) -> TableFile:
    if not path.is_file():
        raise UserError(f"no file {path}")
    try:
        with np.load(path) as file:
            arrays = dict(file)
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"cannot read {path}: {str(error).splitlines()[0]}; it is damaged: get it again") from None
    rest = [name for name in arrays if name != "id"]
    if len(rest) != 1:
        raise UserError(
            f"{path} holds the arrays {', '.join(arrays) or '(none)'}: give one of pixels, and id where there are ids"
        )
    pixels, ids = arrays[rest[0]], arrays.get("id")
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4) or (pixels.ndim == 4 and pixels.shape[3] != 3):
        raise UserError(
            f"{path}: the pixels are {pixels.dtype} of shape {pixels.shape}: "
            "give uint8 (n, height, width) or (n, height, width, 3)"
        )
    if not pixels.size:
        raise UserError(f"{path} has no rows")
    if ids is not None and ids.shape != (len(pixels),):
        raise UserError(f"{path}: id has shape {ids.shape} for {len(pixels)} images: give one an image")
    columns: dict[str, list] = {} if ids is None else {"id": ids.tolist()}
    columns[IMAGE] = [_png(one) for one in pixels]
    return TableFile(path.stem, tuple(columns), columns.__getitem__, range(1, len(pixels) + 1), "row", path.name)


def _png(pixels: np.ndarray) -> bytes:
    """Pixels as an encoded image, without loss."""
    needs("PIL", "images", "an image needs")
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
