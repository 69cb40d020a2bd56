"""Addresses of static files."""

from functools import lru_cache

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Files named by their content, whose addresses are worked out once per process: a page names a dozen of them."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self._address = lru_cache(maxsize=512)(super().url)

    def url(self, name: str | None, force: bool = False) -> str:
        address: str = self._address(name, force)
        return address
