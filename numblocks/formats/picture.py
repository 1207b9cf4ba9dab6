"""JPEG, PNG and other picture files as arrays, by Pillow: the extra `image`."""

from __future__ import annotations

import io
from pathlib import Path

import numpy


def _pillow():
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "picture: Pillow is not installed. It reads and writes JPEG, PNG and other picture files. Install it with"
            " pip install 'numblocks[image]'."
        ) from error
    return Image


def decode(source: bytes | str | Path, flag: int = 1) -> numpy.ndarray:
    """Read a picture.

    Args:
        source: the file's bytes, or its path.
        flag: 1 for colour, `(height, width, 3)`; 0 for grey, `(height, width, 1)`; of 16 bits the
            upper 8. -1 as stored. A camera's note how to turn the picture (EXIF) is not followed, as in MXNet.

    Returns:
        uint8, red first.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: not a picture that Pillow knows.
        FileNotFoundError: there is no such file.

    >>> decode(encode(numpy.zeros((4, 6, 3), 'uint8'))).shape
    (4, 6, 3)
    """
    Image = _pillow()
    raw = isinstance(source, (bytes, bytearray, memoryview))
    try:
        with Image.open(io.BytesIO(source) if raw else source) as picture:
            if picture.mode.startswith("I;16"):  # convert() would make everything above 255 white
                picture = Image.fromarray((numpy.array(picture) >> 8).astype("uint8"))
            if flag == 0:
                picture = picture.convert("L")
            elif flag == 1 or picture.mode not in ("L", "RGB", "RGBA"):
                picture = picture.convert("RGB")
            pixels = numpy.array(picture)  # a copy: Pillow's own memory is read-only
    except FileNotFoundError:
        raise
    except OSError as error:
        what = f"{len(source)} bytes" if raw else f"'{source}'"
        raise ValueError(
            f"picture.decode: {what} could not be read: {error}. Pass a JPEG, PNG or other picture."
        ) from error
    return pixels[..., None] if pixels.ndim == 2 else pixels


def encode(pixels: numpy.ndarray, img_fmt: str = ".png", quality: int = 95) -> bytes:
    """Write a picture.

    Args:
        pixels: uint8 of shape `(height, width)`, `(height, width, 1)` or `(height, width, 3)`.
        img_fmt: `'.png'`, or `'.jpg'` which loses a little.
        quality: of JPEG, 1 to 100.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: another dtype or shape.

    >>> encode(numpy.zeros((2, 2), 'uint8'))[1:4]
    b'PNG'
    """
    Image = _pillow()
    pixels = numpy.asarray(pixels)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.dtype != numpy.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise ValueError(
            f"picture.encode: an array of shape {pixels.shape} and dtype {pixels.dtype}. A picture is uint8"
            f" (height, width) or"
            f" (height, width, 3). Convert it."
        )
    out = io.BytesIO()
    kind = {".jpg": "JPEG", ".jpeg": "JPEG"}.get(img_fmt.lower(), img_fmt.lstrip(".").upper())
    Image.fromarray(pixels).save(out, kind, **({"quality": quality} if kind == "JPEG" else {}))
    return out.getvalue()
