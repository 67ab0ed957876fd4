"""Draws the pictures of this folder, and the resize references from torch. Needs numpy, Pillow and torch.

    python3 make.py        (writes beside itself)

Lossless files show scene(), which the C++ tests compute again, or a coarser version of it with few colours. JPEG files
come with what Pillow (libjpeg) decodes from them: NAME.jpg and NAME.jpg.png.
"""

import io
import os
import struct
import zlib

import numpy as np
import torch
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEIGHT = 24, 16


def scene(step_x=1, step_y=1):
    """(HEIGHT, WIDTH, 3) u8; with steps, each block shows the colour of its first pixel."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    x, y = x - x % step_x, y - y % step_y
    return np.stack([x * 10, y * 15, x * 3 + y * 5], -1).astype(np.uint8)


def checker():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return ((x + y) % 2).astype(np.uint8)


def save(name, data):
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(data)


# --- PNG, written by hand: Pillow writes neither Adam7 nor 16-bit RGB.

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def packed_rows(samples, depth):
    """samples (H, W, C) -> rows with filter byte 0."""
    out = b""
    for row in samples:
        if depth == 16:
            out += b"\0" + row.astype(">u2").tobytes()
        elif depth == 8:
            out += b"\0" + row.astype(np.uint8).tobytes()
        else:
            bits = (row.reshape(-1, 1) >> np.arange(depth - 1, -1, -1)) & 1
            out += b"\0" + np.packbits(bits.astype(np.uint8).reshape(-1)).tobytes()
    return out


def png(samples, depth, colour, interlace=False, extra=b""):
    samples = np.atleast_3d(samples)
    height, width, _ = samples.shape
    passes = [samples[y::sy, x::sx] for x, y, sx, sy in ADAM7] if interlace else [samples]
    raw = b"".join(packed_rows(part, depth) for part in passes if part.size)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlace))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw, 9)) +
            chunk(b"IEND", b""))


def palette_of(rgb):
    """The colours of a picture and its indices."""
    colours, indices = np.unique(rgb.reshape(-1, 3), axis=0, return_inverse=True)
    return colours.astype(np.uint8), indices.reshape(rgb.shape[:2]).astype(np.uint8)


def tiff(orientation, order="<"):
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HIHHHIHHI", 42, 8, 1, 0x112, 3, 1, orientation, 0, 0)


def write_png():
    rgb = scene()
    grey = rgb[..., 0]
    alpha = (np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH, 1) % 256).astype(np.uint8)
    save("rgb8.png", png(rgb, 8, 2))
    save("rgb16.png", png(rgb.astype(np.uint16) * 257, 16, 2))
    save("rgb8_interlaced.png", png(rgb, 8, 2, interlace=True))
    save("rgba8.png", png(np.concatenate([rgb, alpha], -1), 8, 6))
    save("rgba16_interlaced.png", png(np.concatenate([rgb, alpha], -1).astype(np.uint16) * 257, 16, 6, interlace=True))
    save("grey1.png", png(checker(), 1, 0))
    save("grey8.png", png(grey, 8, 0))
    save("grey16.png", png(grey.astype(np.uint16) * 257, 16, 0))
    save("grey_alpha8.png", png(np.concatenate([grey[..., None], alpha], -1), 8, 4))
    colours, indices = palette_of(scene(2, 2))
    save("palette8.png", png(indices, 8, 3, extra=chunk(b"PLTE", colours.tobytes())))
    colours, indices = palette_of(scene(6, 4))
    plte = chunk(b"PLTE", colours.tobytes())
    save("palette4.png", png(indices, 4, 3, extra=plte))
    save("palette4_alpha.png", png(indices, 4, 3, extra=plte + chunk(b"tRNS", bytes(range(0, 160, 10)))))
    save("turned.png", png(rgb, 8, 2, extra=chunk(b"eXIf", tiff(6, ">"))))
    save("one_pixel.png", png(np.array([[[1, 2, 3]]]), 8, 2))
    save("large_8000x8000.png", png(np.zeros((8000, 8000, 1), np.uint8), 1, 0))
    # Its header says 1x1, its data unpacks to 4 MB.
    bomb = zlib.compress(bytes(1 << 22), 9)
    save("bomb.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) +
         chunk(b"IDAT", bomb) + chunk(b"IEND", b""))


def write_gif():
    first = Image.fromarray(scene(2, 2)).quantize(96, dither=Image.Dither.NONE)
    # quantize() may merge colours: give it the exact palette.
    colours, indices = palette_of(scene(2, 2))
    first = Image.fromarray(indices, "P")
    first.putpalette(colours.tobytes())
    second = first.rotate(180)
    for name, options in [("palette.gif", {"interlace": 0}), ("interlaced.gif", {"interlace": 1}),
                          ("animated.gif", {"interlace": 0, "save_all": True, "append_images": [second],
                                            "duration": 100})]:
        out = io.BytesIO()
        first.save(out, "GIF", optimize=False, **options)
        save(name, out.getvalue())


# --- BMP, by hand as well.


def bmp(rows, bits, extra=b"", compression=0, top_down=False):
    """rows: bytes of each row from top to bottom, not padded; extra: palette or masks."""
    padded = [row + bytes(-len(row) % 4) for row in rows]
    pixels = b"".join(padded if top_down else padded[::-1])
    offset = 54 + len(extra)
    return (b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) +
            struct.pack("<IiiHHIIiiII", 40, WIDTH, -HEIGHT if top_down else HEIGHT, 1, bits, compression, len(pixels),
                        2835, 2835, 0, 0) + extra + pixels)


def write_bmp():
    bgr = scene()[..., ::-1]
    rows = [row.tobytes() for row in bgr]
    save("rgb24.bmp", bmp(rows, 24))
    save("rgb24_top_down.bmp", bmp(rows, 24, top_down=True))
    with_alpha = np.concatenate([bgr, np.full((HEIGHT, WIDTH, 1), 7, np.uint8)], -1)
    save("rgb32.bmp", bmp([row.tobytes() for row in with_alpha], 32))
    b, g, r = (bgr[..., i].astype(np.uint16) for i in range(3))
    rgb565 = (r >> 3) << 11 | (g >> 2) << 5 | b >> 3
    save("rgb565.bmp", bmp([row.astype("<u2").tobytes() for row in rgb565], 16, struct.pack("<III", 0xF800, 0x7E0, 0x1F),
                           compression=3))
    colours, indices = palette_of(scene(2, 2))
    table = b"".join(bytes(c[::-1]) + b"\0" for c in colours)
    save("palette8.bmp", bmp([row.tobytes() for row in indices], 8, table))
    save("palette1.bmp", bmp([np.packbits(row).tobytes() for row in checker()], 1, b"\0\0\0\0\xff\xff\xff\0"))


def write_jpeg():
    rgb = Image.fromarray(scene())
    cmyk = Image.fromarray(np.concatenate([255 - scene(), np.full((HEIGHT, WIDTH, 1), 40, np.uint8)], -1), "CMYK")
    for name, picture, options in [
        ("baseline", rgb, {"quality": 90, "subsampling": 2}),
        ("full_chroma", rgb, {"quality": 95, "subsampling": 0, "optimize": True}),
        ("progressive", rgb, {"quality": 90, "progressive": True}),
        ("restarts", rgb, {"quality": 90, "subsampling": 0, "restart_marker_blocks": 2}),
        ("grey", rgb.convert("L"), {"quality": 90}),
        ("cmyk", cmyk, {"quality": 95}),
    ]:
        out = io.BytesIO()
        picture.save(out, "JPEG", **options)
        save(name + ".jpg", out.getvalue())
        decoded = np.asarray(Image.open(io.BytesIO(out.getvalue())).convert("RGB"))
        save(name + ".jpg.png", png(decoded, 8, 2))
    save("jpeg_called.png", open(os.path.join(HERE, "baseline.jpg"), "rb").read())


# --- Resize references.


def hard_edges(height, width):
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([(x * y // 5 % 3 == 0) * 255, (x // 3 + y // 2) % 2 * 200 + 20, x * 255 // width], -1).astype(np.uint8)


def resized(picture, height, width, mode):
    planes = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    out = torch.nn.functional.interpolate(planes, size=(height, width), mode=mode, antialias=True, align_corners=False)
    return (out.clamp(0, 255) + 0.5).floor()[0].permute(1, 2, 0).numpy().astype(np.uint8)


def centre_crop(picture, height, width):
    """As torchvision's center_crop."""
    for axis, size in ((0, height), (1, width)):
        have = picture.shape[axis]
        if size > have:
            pad = [(0, 0)] * 3
            pad[axis] = ((size - have) // 2, (size - have + 1) // 2)
            picture = np.pad(picture, pad)
        else:
            start = int(round((have - size) / 2.0))
            picture = np.take(picture, range(start, start + size), axis)
    return picture


def write_resize():
    for source, height, width in [("small", 23, 37), ("tall", 90, 41)]:
        picture = hard_edges(height, width)
        save(f"resize/{source}.png", png(picture, 8, 2))
        for mode in ("bilinear", "bicubic"):
            # 43 and 61: odd denominators keep exact halves, which float noise rounds either way, out of the enlargement.
            for h, w in [(16, 16), (43, 61), (23, 9)]:
                save(f"resize/{source}_stretch_{h}x{w}_{mode}.png", png(resized(picture, h, w, mode), 8, 2))
            for h, w, shorter in [(16, 16, 18), (20, 23, 32), (24, 60, 20)]:
                short = min(height, width)
                out = resized(picture, int(height * shorter / short), int(width * shorter / short), mode)
                save(f"resize/{source}_shorter{shorter}_{h}x{w}_{mode}.png", png(centre_crop(out, h, w), 8, 2))


if __name__ == "__main__":
    os.makedirs(os.path.join(HERE, "resize"), exist_ok=True)
    write_png()
    write_gif()
    write_bmp()
    write_jpeg()
    write_resize()
