"""Writes pictures.npz: bytes of picture files. Run it with Pillow (`python pictures.py`)."""

import io
from pathlib import Path

import numpy
from image_cases import picture
from PIL import Image


def file(pixels, kind, **options):
    out = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(out, kind, **options)
    return numpy.frombuffer(out.getvalue(), "uint8")


if __name__ == "__main__":
    smooth = numpy.add.outer(numpy.arange(12) * 8, numpy.arange(16) * 7)[..., None] + numpy.array([0, 30, 60])
    smooth = smooth.clip(0, 255).astype("uint8")
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright
    numpy.savez_compressed(
        Path(__file__).parent / "pictures.npz",
        png=file(picture(5, 4), "PNG"), grey=file(picture(5, 4, 1), "PNG"), alpha=file(picture(5, 4, 4), "PNG"),
        deep=file((picture(5, 4, 1).astype("uint16") * 257).squeeze(), "PNG"), jpeg=file(smooth, "JPEG", quality=95),
        turned=file(smooth, "JPEG", quality=95, exif=turned), bmp=file(picture(5, 4), "BMP"),
    )  # fmt: skip
