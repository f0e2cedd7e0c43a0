"""Small pictures as Pillow writes them, for tests/data/pictures/plugin_formats_test.cpp.

    python pictures.py      (Pillow 13.0, NumPy) writes pictures/ beside itself: NAME.png or NAME.jpg, and NAME.npy with its pixels

What is transparent is laid on white there.
"""
import os
import shutil

import numpy as np
from PIL import Image

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pictures")
shutil.rmtree(here, ignore_errors=True)
os.makedirs(here)
y, x = np.mgrid[0:13, 0:17]
grey = ((37 * x + 91 * y) % 256).astype(np.uint8)
smooth = np.stack([10 * x + 3 * y, 200 - 9 * x, 15 * y + x], axis=-1).clip(0, 255).astype(np.uint8)
colour = np.stack([grey, (53 * x + 7 * y) % 256, (x * y) % 256], axis=-1).astype(np.uint8)


def case(name, image, pixels, **options):
    image.save(os.path.join(here, name), **options)
    np.save(os.path.join(here, name.rsplit(".", 1)[0] + ".npy"), pixels)


def on_white(pixels, opacity):
    opacity = opacity.astype(np.int64).reshape(*opacity.shape, *([1] * (pixels.ndim - 2)))
    return ((pixels.astype(np.int64) * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)


case("grey.png", Image.fromarray(grey), grey)
case("colour.png", Image.fromarray(colour), colour)
deep = (grey.astype(np.uint16) * 256 + 77)
case("deep.png", Image.fromarray(deep), ((deep.astype(np.int64) * 255 + 32895) >> 16).astype(np.uint8))
bits = grey > 127
case("bits.png", Image.fromarray(bits), (bits * 255).astype(np.uint8))
palette = Image.fromarray(colour).quantize(16)
case("palette.png", palette, np.asarray(palette.convert("RGB")))
opacity = ((x * 16) % 256).astype(np.uint8)
case("grey-opacity.png", Image.merge("LA", [Image.fromarray(grey), Image.fromarray(opacity)]), on_white(grey, opacity))
case("colour-opacity.png", Image.fromarray(np.dstack([colour, opacity])), on_white(colour, opacity))
for name, pixels, options in (("grey-jpeg", smooth[..., 0], {}), ("colour-jpeg", smooth, {"subsampling": 0}),
                              ("halved-jpeg", smooth, {"subsampling": 2}), ("progressive-jpeg", smooth, {"progressive": True})):
    path = os.path.join(here, name + ".jpg")
    Image.fromarray(pixels).save(path, quality=90, **options)
    np.save(os.path.join(here, name + ".npy"), np.asarray(Image.open(path)))
Image.fromarray(np.dstack([colour, grey]), "CMYK").save(os.path.join(here, "inks.jpg"))
