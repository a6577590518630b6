"""Every kind of image file ends as 8-bit grey or RGB, or on the quarantine list with its reason."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from twinloop.vision.datasets.masks import read_mask
from twinloop.vision.datasets.reading import conversions, pixel_limit, read_image, read_lines
from twinloop.vision.datasets.samples import Refused

GREY = np.add.outer(np.arange(20), np.arange(30)).astype(np.uint8) * 5
COLOUR = np.stack([GREY, GREY // 2, 255 - GREY], axis=2)
MAX_PIXELS = 10_000


def read(path: Path) -> np.ndarray:
    with pixel_limit(MAX_PIXELS):
        return read_image(path, max_bytes=100_000, max_pixels=MAX_PIXELS)


def read_pair(path: Path, shape: tuple[int, int] = (20, 30)) -> np.ndarray:
    with pixel_limit(MAX_PIXELS):
        return read_mask(path, shape, max_bytes=100_000, max_pixels=MAX_PIXELS)


def saved(path: Path, pixels: np.ndarray, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "pgm"])
def test_grey_files_without_loss_are_read_exactly(tmp_path: Path, suffix: str) -> None:
    np.testing.assert_array_equal(read(saved(tmp_path / f"a.{suffix}", GREY)), GREY)


def test_colour_is_kept_and_grey_in_three_channels_becomes_one(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(saved(tmp_path / "a.png", COLOUR)), COLOUR)
    np.testing.assert_array_equal(read(saved(tmp_path / "b.png", np.stack([GREY] * 3, axis=2))), GREY)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path, suffix: str) -> None:
    np.testing.assert_array_equal(read(saved(tmp_path / f"a.{suffix}", GREY.astype(np.uint16) * 257)), GREY)


def test_cmyk_is_converted_to_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (30, 20), (255, 0, 0, 0)).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), np.full((20, 30, 3), (0, 255, 255), np.uint8))


def test_a_palette_is_resolved(tmp_path: Path) -> None:
    picture = Image.new("P", (30, 20), 1)
    picture.putpalette([0, 0, 0, 200, 10, 30])
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png"), np.full((20, 30, 3), (200, 10, 30), np.uint8))


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_dropped(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(COLOUR).convert("L").convert(mode)
    expected = np.array(picture.convert("L"))
    picture.putalpha(7)
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png"), expected)


def test_one_bit_becomes_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(GREY > 90).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png"), np.where(GREY > 90, 255, 0))


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise
    path = saved(tmp_path / "a.png", GREY, exif=exif)
    np.testing.assert_array_equal(read(path), np.rot90(GREY, -1))


def png_with_huge_header() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def encoded(kind: str, pixels: np.ndarray = GREY) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def several_pages() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(GREY).save(stream, "TIFF", save_all=True, append_images=[Image.fromarray(GREY)])
    return stream.getvalue()


NOISE = np.random.default_rng(1).integers(0, 255, (40, 40), np.uint8)


def with_flipped_byte() -> bytes:
    content = bytearray(encoded("PNG", NOISE))
    content[len(content) // 2] ^= 0xFF
    return bytes(content)


BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "file is empty"),
    "text": (lambda: b"this is no image", "not an image"),
    "truncated png": (lambda: encoded("PNG", NOISE)[:-400], "cannot be read"),
    "truncated jpeg": (lambda: encoded("JPEG", NOISE)[:-400], "cannot be read"),
    "damaged png": (with_flipped_byte, "cannot be read"),
    "bomb": (png_with_huge_header, "more than 10000 pixels"),
    "large": (lambda: encoded("PNG", np.zeros((101, 100), np.uint8)), "more than 10000 pixels"),
    "heavy": (lambda: encoded("BMP") + bytes(100_000), "at most 100000"),
    "tiny": (lambda: encoded("PNG", np.zeros((1, 40), np.uint8)), "image is 40×1"),
    "several pages": (several_pages, "file holds 2 images"),
    "floating point": (lambda: encoded("TIFF", GREY.astype(np.float32)), "floating-point"),
    "32 bit": (lambda: encoded("TIFF", GREY.astype(np.int32) * 10_000), "at most 16 bit"),
    "postscript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 30 20\n", "not an image of a known format"),
}


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=list(BROKEN))
def test_what_cannot_be_used_is_refused_with_the_reason(
    tmp_path: Path, content: Callable[[], bytes], reason: str
) -> None:
    (tmp_path / "a.png").write_bytes(content())
    with pytest.raises(Refused, match=reason):
        read(tmp_path / "a.png")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        read(tmp_path / "a.png")


def test_the_pixel_limit_is_put_back(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    with pixel_limit(5):
        assert Image.MAX_IMAGE_PIXELS == 5
    assert before == Image.MAX_IMAGE_PIXELS


def disc(inside: float, outside: float, *, soft: float) -> np.ndarray:
    rows, columns = np.indices((60, 60)) - 29.5
    level = np.clip((15 - np.hypot(rows, columns)) / soft, 0, 1)
    return np.rint(outside + (inside - outside) * level).astype(np.uint8)


TRUTH = np.hypot(*(np.indices((60, 60)) - 29.5)) < 15


@pytest.mark.parametrize(
    "values",
    [
        TRUTH * np.uint8(255),
        TRUTH * np.uint8(1),
        TRUTH * np.uint8(128),
        disc(250, 4, soft=0.01),
        disc(255, 0, soft=0.8),
    ],
    ids=["0 and 255", "0 and 1", "0 and 128", "near both ends", "soft edge"],
)
def test_binary_masks_are_read_whatever_their_levels(tmp_path: Path, values: np.ndarray) -> None:
    mask = read_pair(saved(tmp_path / "m.png", values), (60, 60))
    assert mask.dtype == np.bool_
    assert (mask != TRUTH).sum() <= 40


def test_jpeg_noise_in_a_mask_is_cut_off(tmp_path: Path) -> None:
    mask = read_pair(saved(tmp_path / "m.jpg", TRUTH * np.uint8(255), quality=95), (60, 60))
    assert (mask != TRUTH).sum() <= 40


def test_an_empty_and_a_full_mask_are_read(tmp_path: Path) -> None:
    assert not read_pair(saved(tmp_path / "e.png", GREY * 0)).any()
    assert read_pair(saved(tmp_path / "f.png", GREY * 0 + 255)).all()


NOT_BINARY = {
    "grey": (GREY, "mask has 49 levels from 0 to 240"),
    "three levels": (np.digitize(GREY, [80, 160]).astype(np.uint8) * 100, "mask has 3 levels from 0 to 200"),
    "second region": (
        np.where(TRUTH, 255, 0).astype(np.uint8) + np.pad(np.full((6, 6), 100, np.uint8), (0, 54)),
        "100|3",
    ),
    "very soft": (disc(255, 0, soft=10), "levels"),
}


@pytest.mark.parametrize(("values", "reason"), NOT_BINARY.values(), ids=list(NOT_BINARY))
def test_a_mask_that_is_not_binary_is_refused(tmp_path: Path, values: np.ndarray, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        read_pair(saved(tmp_path / "m.png", values), values.shape)  # type: ignore[arg-type]


def test_a_mask_of_another_size_is_refused_with_both_sizes(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.png", np.zeros((300, 210), np.uint8)[:30, :21])
    with pytest.raises(Refused, match="mask is 21×30, image 30×20"):
        read_pair(path)


def test_an_unreadable_mask_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(b"")
    with pytest.raises(Refused, match=r"mask m\.png: file is empty"):
        read_pair(tmp_path / "m.png")


@pytest.mark.parametrize("mode", ["L", "P"])
def test_numbers_of_defects_are_a_mask_where_they_are_expected(tmp_path: Path, mode: str) -> None:
    numbers = (TRUTH * np.uint8(3)).astype(np.uint8)
    numbers[:4, :4] = 7
    picture = Image.fromarray(numbers)
    if mode == "P":
        picture = Image.frombytes("P", picture.size, numbers.tobytes())
        picture.putpalette([0, 0, 0] * 8)
    picture.save(tmp_path / "m.png")
    with pixel_limit(MAX_PIXELS):
        found = read_mask(tmp_path / "m.png", (60, 60), max_bytes=100_000, max_pixels=MAX_PIXELS, values="numbered")
    np.testing.assert_array_equal(found, numbers > 0)


def test_a_one_pixel_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="image is 1×1, at least 8 pixels a side are needed"):
        read(saved(tmp_path / "a.png", GREY[:1, :1]))


def test_what_is_changed_in_reading_is_told(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("CMYK", (30, 20)).save(tmp_path / "cmyk.tif")
    Image.new("P", (30, 20)).save(tmp_path / "palette.png")
    (tmp_path / "broken.png").write_bytes(b"x")
    assert conversions(saved(tmp_path / "grey.png", GREY)) == ()
    assert conversions(saved(tmp_path / "deep.png", GREY.astype(np.uint16))) == ("16-bit grey: scaled to 8 bit",)
    assert conversions(tmp_path / "cmyk.tif") == ("CMYK: converted to RGB",)
    assert conversions(tmp_path / "palette.png") == ("palette: resolved to RGB",)
    assert conversions(saved(tmp_path / "turned.png", GREY, exif=exif)) == ("EXIF orientation: turned",)
    assert conversions(tmp_path / "broken.png") == ()


def test_a_missing_or_heavy_annotation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"annotation a\.txt: no such file"):
        read_lines(tmp_path / "a.txt")
    with (tmp_path / "a.txt").open("wb") as stream:
        stream.truncate(6_000_000)
    with pytest.raises(Refused, match="at most 5000000"):
        read_lines(tmp_path / "a.txt")


def deep_colour(path: Path, highest: int) -> Path:
    """A PNG of 16-bit colours up to `highest`, which Pillow reads and cannot write."""
    rows = np.linspace(0, highest, 24 * 32 * 3).astype(">u2").reshape(24, -1)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    body = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", 32, 24, 16, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def test_colours_of_sixteen_bits_are_told_and_refused_where_their_upper_bits_are_empty(tmp_path: Path) -> None:
    full = deep_colour(tmp_path / "full.png", 65535)
    assert read(full).max() == 255
    assert conversions(full) == ("16-bit colour: its upper 8 bits are read",)
    with pytest.raises(Refused, match="16-bit colours leave the upper bits empty"):
        read(deep_colour(tmp_path / "shallow.png", 4095))
