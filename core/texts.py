"""Texts in several languages: the column holds the business's language, ``translations`` the other languages."""

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
        """Return a text in ``language`` (by default the active one), or in the business's language if it is missing."""
        return text_of({"translations": self.translations, field: getattr(self, field)}, field, language)


def text_of(row: Mapping[str, Any], field: str, language: str | None = None) -> str:
    """Do the same as ``TranslatedTexts.text`` for a row that was read as a mapping."""
    if translations := row["translations"]:
        wanted = language or get_language() or ""
        for code in (wanted, wanted.split("-")[0]):
            if found := translations.get(code, {}).get(field):
                return str(found)
    return str(row[field])
