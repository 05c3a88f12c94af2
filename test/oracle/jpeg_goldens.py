"""Writes test/data/jpeg_goldens.txt with Pillow (libjpeg-turbo): small JPEG files of every kind, and what they decode to.

Needs Pillow and NumPy. Run from the root: python test/oracle/jpeg_goldens.py

A line: name, bytes of the file in hex, height, width, RGB values in hex.
"""
import io

import numpy as np
from PIL import Image

rng = np.random.default_rng(5)


def picture(height, width, channels):
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 60 * np.sin(x / (2.0 + c) + c) + 50 * np.cos(y / (3.0 - c / 2)) for c in range(channels)]
    return (np.stack(waves, 2) + rng.integers(-6, 6, (height, width, channels))).clip(0, 255).astype(np.uint8)


def cmyk_as_tensorflow(stored):  # Pillow gives the stored, inverted values back to front
    c = 255 - stored.astype(np.int64)
    return (c[:, :, 3:] * c[:, :, :3] // 255).astype(np.uint8)


with open("test/data/jpeg_goldens.txt", "w") as out:
    for name, size, mode, options in [
        ("baseline", (9, 13), "RGB", {"subsampling": 0, "quality": 90}),
        ("subsampled", (17, 16), "RGB", {"subsampling": 2, "quality": 80}),
        ("progressive", (11, 10), "RGB", {"subsampling": 0, "progressive": True}),
        ("grey", (7, 8), "L", {"quality": 85}),
        ("one_pixel", (1, 1), "RGB", {"quality": 95}),
        ("cmyk", (6, 5), "CMYK", {"quality": 95, "subsampling": 0}),
    ]:
        pixels = picture(*size, {"RGB": 3, "L": 1, "CMYK": 4}[mode])
        file = io.BytesIO()
        Image.fromarray(pixels[:, :, 0] if mode == "L" else pixels, mode).save(file, "JPEG", optimize=True, **options)
        again = Image.open(io.BytesIO(file.getvalue()))
        rgb = cmyk_as_tensorflow(np.asarray(again)) if mode == "CMYK" else np.asarray(again.convert("RGB"))
        out.write(f"{name} {file.getvalue().hex()} {size[0]} {size[1]} {rgb.tobytes().hex()}\n")
