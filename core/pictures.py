"""Pictures that staff upload: decoded, limited in size and encoded anew, so that only pixels of them are served."""

import hashlib
import io
import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

LONGEST_SIDE = 1200
LARGEST_PIXELS = 50_000_000
"""Decoding takes about four bytes per pixel. Phone cameras take pictures of 12 to 50 million pixels."""
READ_FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY = 82

TYPES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
"""The content type of a served file by its extension."""
STORED_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,100}}\.({'|'.join(TYPES)})", re.ASCII)


class PictureField(forms.ImageField):
    """A file field that converts a picture to WebP with sides of at most ``LONGEST_SIDE`` pixels.

    The file is named by the hash of its contents. Only the pixels are kept; place, camera and time of a photo are
    dropped. Transparency is kept.
    """

    default_error_messages = {
        "invalid_image": _("This is not a JPEG, PNG or WebP picture, or the file is damaged."),
        "too_large": _("This picture has too many pixels. Make it smaller, at most 50 million, and try again."),
    }

    def to_python(self, data: Any) -> Any:
        if data in self.empty_values:
            return None
        return self._written_anew(data)

    def _written_anew(self, sent: "UploadedFile[bytes]") -> SimpleUploadedFile:
        try:
            with Image.open(sent, formats=READ_FORMATS) as picture:
                if picture.width * picture.height > LARGEST_PIXELS:
                    raise ValidationError(self.error_messages["too_large"], code="too_large")
                content = _webp(picture)
        except ValidationError:
            raise
        except Image.DecompressionBombError:
            raise ValidationError(self.error_messages["too_large"], code="too_large") from None
        except Exception as error:  # Pillow raises nearly anything for a damaged file.
            raise ValidationError(self.error_messages["invalid_image"], code="invalid_image") from error
        name = f"{hashlib.sha256(content).hexdigest()[:32]}.webp"
        return SimpleUploadedFile(name, content, content_type="image/webp")


def _webp(picture: Image.Image) -> bytes:
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    upright = ImageOps.exif_transpose(picture)
    shown = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    shown.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    written = io.BytesIO()
    shown.save(written, "WEBP", quality=_QUALITY, method=4)
    return written.getvalue()
