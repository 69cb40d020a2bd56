"""Storage of static files, with a cache of their URLs."""

from functools import lru_cache

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Static files with hashed names. Each URL is computed once per process, because a page has a dozen of them."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self._address = lru_cache(maxsize=512)(super().url)

    def url(self, name: str | None, force: bool = False) -> str:
        address: str = self._address(name, force)
        return address
