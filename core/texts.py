"""Text per language: the column holds the business's own language, ``translations`` the others."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import get_language


class TranslatedTexts(models.Model):
    """Mix-in with ``translations``: ``{"de": {"name": "…", "description": "…"}}``."""

    translations = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True

    def text(self, field: str, language: str | None = None) -> str:
        """Return a text in ``language`` (the active one by default), falling back to the business's own."""
        return text_of({"translations": self.translations, field: getattr(self, field)}, field, language)


def text_of(row: Mapping[str, Any], field: str, language: str | None = None) -> str:
    """The same for a row read as a mapping with its ``translations``."""
    wanted = language or get_language() or ""
    for code in (wanted, wanted.split("-")[0]):
        if found := row["translations"].get(code, {}).get(field):
            return str(found)
    return str(row[field])
