"""Text per language: the column holds the business's own language, ``translations`` the others."""

from django.db import models
from django.utils.translation import get_language


class TranslatedTexts(models.Model):
    """Mix-in with ``translations``: ``{"de": {"name": "…", "description": "…"}}``."""

    translations = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True

    def text(self, field: str, language: str | None = None) -> str:
        """Return a text in ``language`` (the active one by default), falling back to the business's own."""
        wanted = language or get_language() or ""
        for code in (wanted, wanted.split("-")[0]):
            if found := self.translations.get(code, {}).get(field):
                return str(found)
        return str(getattr(self, field))
