"""Refuse uploaded files before a byte is stored, except on the admin pages that take pictures."""

from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler


class RefuseFiles(FileUploadHandler):
    """Answer a form that carries a file with 400, unless its address is one of ``FILE_UPLOAD_PATHS``."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if self.request is None or not self.request.path.startswith(settings.FILE_UPLOAD_PATHS):
            raise SuspiciousOperation("A file was sent to a page that takes none.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
