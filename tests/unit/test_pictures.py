"""Uploaded pictures are written anew: bounded, upright, without what a camera notes, and named by their contents."""

import io

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from core.pictures import LONGEST_SIDE, STORED_NAME, PictureField

ORIENTATION = 0x0112
MAKE = 0x010F


def sent(picture: Image.Image, kind: str, **options: object) -> SimpleUploadedFile:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return SimpleUploadedFile(f"My holiday.{kind.lower()}", file.getvalue())


def kept(upload: SimpleUploadedFile) -> Image.Image:
    return Image.open(io.BytesIO(PictureField().clean(upload).read()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_picture_becomes_a_bounded_webp(kind: str) -> None:
    picture = kept(sent(Image.new("RGB", (3000, 1500), "teal"), kind))

    assert (picture.format, picture.size) == ("WEBP", (LONGEST_SIDE, LONGEST_SIDE // 2))


def test_a_small_picture_keeps_its_size_and_a_transparent_ground() -> None:
    picture = kept(sent(Image.new("RGBA", (40, 20), (0, 0, 0, 0)), "PNG"))

    assert (picture.size, picture.mode) == ((40, 20), "RGBA")


def test_a_photo_is_turned_upright_and_loses_what_the_camera_noted() -> None:
    noted = Image.Exif()
    noted[ORIENTATION], noted[MAKE] = 6, "A camera"

    picture = kept(sent(Image.new("RGB", (80, 40), "teal"), "JPEG", exif=noted))

    assert picture.size == (40, 80)
    assert not picture.getexif()


def test_the_name_is_the_hash_of_the_contents() -> None:
    teal, same, red = (
        PictureField().clean(sent(Image.new("RGB", (20, 20), colour), "PNG")).name for colour in ("teal", "teal", "red")
    )

    assert teal == same != red
    assert STORED_NAME.fullmatch(teal)


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        b"",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 50,
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(ValidationError, match="not a JPEG, PNG or WebP picture"):
        PictureField().clean(SimpleUploadedFile("photo.png", content))


def test_other_kinds_of_pictures_are_refused() -> None:
    with pytest.raises(ValidationError):
        PictureField().clean(sent(Image.new("P", (20, 20)), "GIF"))


@pytest.mark.parametrize("side", [7_100, 20_000])
def test_a_small_file_of_very_many_pixels_is_refused_before_it_is_decoded(side: int) -> None:
    with pytest.raises(ValidationError, match="too many pixels"):
        PictureField().clean(sent(Image.new("1", (side, side)), "PNG"))


def test_a_picture_drawn_with_a_script_after_it_keeps_its_pixels_only() -> None:
    upload = sent(Image.new("RGB", (20, 20), "teal"), "JPEG")
    both = SimpleUploadedFile("photo.jpg", upload.read() + b"<script>alert(1)</script>")

    assert b"script" not in PictureField().clean(both).read()
