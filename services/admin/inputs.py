"""Shared by the admin pages of the catalogue: price inputs in the business's currency, and labels of translations."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin import HumanInputs, typed_options
from core.forms import MoneyField
from core.money import major
from services.queries import business_if_set_up

HOURS_LABELS = {"start_minute": _("from"), "end_minute": _("until"), "on": _("date")}


TRANSLATIONS: Any = (_("Other languages"), {"classes": ["tab"], "fields": ["translations"]})


TRANSLATIONS_HELP = _(
    'Texts by language, such as {"de": {"name": "Massage", "summary": "…"}}. Missing ones show as above.'
)


def business_currency(request: HttpRequest) -> str:
    """The currency of typed prices. One query per request."""
    if not hasattr(request, "business_currency"):
        business = business_if_set_up()
        request.business_currency = business.currency if business else "EUR"  # type: ignore[attr-defined]
    return str(request.business_currency)  # type: ignore[attr-defined]


class Priced(HumanInputs):
    """Mix-in: price inputs with the decimals of the business's currency. ``money_fields`` names the fields."""

    money_fields: Sequence[str] = ()

    def _human_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        if db_field.name not in self.money_fields:
            return super()._human_field(db_field, request, **kwargs)
        currency = business_currency(request)
        options = typed_options(db_field, kwargs, placeholder=str(major(4500, currency)))
        return MoneyField(currency=currency, **{**options, "label": f"{options['label']} ({currency})"})


def typed_in(form: type[Any], request: HttpRequest) -> type[Any]:
    """Set the business's currency on the form class made for this request, and return the class."""
    form.currency = business_currency(request)
    return form
