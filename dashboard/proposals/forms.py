"""Forms of proposals. Field names are the keys of ``services.proposed_values``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.formats import minutes_text, weekday_names
from core.forms import LengthField, MoneyField
from services.models import Service, ServiceVariant
from services.proposed_values import Values, day_key, variant_key
from services.week import day_text, days_that_overlap, read_day

Choices = Sequence[tuple[int, str]]
# How many lengths a new service may have at first.
MOST_LENGTHS = 3


class DayHoursField(forms.CharField):
    """Opening hours of a day as a list of [start, end] in minutes, typed as 09:00–13:00, 14:00–18:00."""

    def __init__(self, **options: Any) -> None:
        closed = forms.TextInput(attrs={"placeholder": gettext("Closed"), "autocomplete": "off"})
        super().__init__(required=False, max_length=100, widget=closed, **options)

    def prepare_value(self, value: Any) -> Any:
        return day_text(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        return read_day(super().clean(value))


class _BoundedLengthField(LengthField):
    """Minutes of a visit or around it. ``example`` is a length that fits the field."""

    def __init__(self, *, low: int, high: int, example: str, **options: Any) -> None:
        super().__init__(**options)
        self.low, self.high, self.example = low, high, example

    def clean(self, value: Any) -> int | None:
        minutes = super().clean(value)
        if minutes is not None and minutes < self.low:
            raise ValidationError(gettext("At least %(length)s.") % {"length": minutes_text(self.low)})
        if minutes is not None and minutes > self.high:
            raise ValidationError(gettext("At most %(length)s.") % {"length": minutes_text(self.high)})
        return minutes


@dataclass(frozen=True, slots=True)
class Group:
    """Fields under a heading; with ``is_row`` the short ones are beside each other."""

    title: str
    fields: list[BoundField]
    is_row: bool = False


class _ProposalForm(forms.Form):
    """Ends with words to the owner, which are not part of the values."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.build()
        self.fields["note"] = forms.CharField(
            label=_("Why"), max_length=300, required=False, help_text=_("The owner reads it with the proposal.")
        )

    def build(self) -> None:
        raise NotImplementedError

    def values(self) -> Values:
        """Return the cleaned values by key."""
        return {key: value for key, value in self.cleaned_data.items() if key != "note"}

    def groups(self) -> Iterator[Group]:
        raise NotImplementedError

    def _group(self, title: Any, *names: str, is_row: bool = False) -> Group:
        return Group(str(title), [self[name] for name in names], is_row)


class ServiceForm(_ProposalForm):
    """Name, texts, lengths, prices, buffers and cancellation rules of a service."""

    def __init__(self, data: Any = None, *, service: Service, currency: str, policies: Choices, **options: Any) -> None:
        self.lengths = [each for each in service.variants.all() if each.is_active]
        self.currency, self.policies = currency, policies
        super().__init__(data, **options)

    def build(self) -> None:
        self.fields.update(_texts())
        for variant in self.lengths:
            for name, field in _length_fields(variant, self.currency):
                self.fields[variant_key(variant.pk, name)] = field
        self.fields.update(_rules(self.policies))

    def groups(self) -> Iterator[Group]:
        yield self._group(_("What customers read"), "name", "summary", "description")
        for variant in self.lengths:
            names = [variant_key(variant.pk, name) for name, _field in _length_fields(variant, self.currency)]
            yield self._group(length_name(variant), *names, is_row=True)
        yield self._group(_("Time around a visit, and rules"), *_RULES, is_row=True)


class HoursForm(_ProposalForm):
    """The weekly opening hours of a location: a line for each day."""

    def build(self) -> None:
        for weekday, (_short, name) in enumerate(weekday_names()):
            self.fields[day_key(weekday)] = DayHoursField(label=name)

    def clean(self) -> dict[str, Any]:
        week = {weekday: self.cleaned_data.get(day_key(weekday), []) for weekday in range(7)}
        if not self.errors and (days := days_that_overlap(week)):
            first = weekday_names()[days[0]][1]
            self.add_error(day_key(days[1]), gettext("This overlaps the hours of %(day)s.") % {"day": first})
        return self.cleaned_data

    def groups(self) -> Iterator[Group]:
        yield self._group("", *(day_key(weekday) for weekday in range(7)))


class NewServiceForm(_ProposalForm):
    """Everything that customers need to be able to book a new service."""

    def __init__(
        self,
        data: Any = None,
        *,
        currency: str,
        categories: Choices,
        policies: Choices,
        places: Choices,
        people: Choices,
        resource_types: Choices,
    ) -> None:
        self.currency, self.categories, self.policies = currency, categories, policies
        self.places, self.people, self.resource_types = places, people, resource_types
        super().__init__(data, initial={"buffer_before_minutes": 0, "buffer_after_minutes": 0})

    def build(self) -> None:
        self.fields["category"] = forms.TypedChoiceField(label=_("Category"), coerce=int, choices=self.categories)
        self.fields.update(_texts())
        for number in range(MOST_LENGTHS):
            is_first = number == 0
            self.fields[f"length_{number}"] = _length(ServiceVariant, "work_minutes", _("Length"), required=is_first)
            self.fields[f"price_{number}"] = _price(self.currency, required=is_first)
        self.fields.update(_rules(self.policies))
        self.fields["locations"] = _several(_("Where"), self.places)
        self.fields["staff"] = _several(_("Offered by"), self.people)
        self.fields["resource_types"] = _several(
            _("Rooms and devices of each visit"), self.resource_types, required=False
        )

    def clean(self) -> dict[str, Any]:
        for number in range(1, MOST_LENGTHS):
            length, price = self.cleaned_data.get(f"length_{number}"), self.cleaned_data.get(f"price_{number}")
            names = {f"length_{number}", f"price_{number}"}
            if (length is None) != (price is None) and not names & set(self.errors):
                missing = f"length_{number}" if length is None else f"price_{number}"
                self.add_error(missing, gettext("Fill in both, or neither."))
        return self.cleaned_data

    def values(self) -> Values:
        pairs = [(self.cleaned_data[f"length_{n}"], self.cleaned_data[f"price_{n}"]) for n in range(MOST_LENGTHS)]
        kept = {key: value for key, value in super().values().items() if not key.startswith(("length_", "price_"))}
        return {**kept, "lengths": [[length, price] for length, price in pairs if length is not None]}

    def groups(self) -> Iterator[Group]:
        yield self._group(_("What customers read"), "name", "category", "summary", "description")
        for number in range(MOST_LENGTHS):
            title = _("Length and price") if number == 0 else _("Another length")
            yield self._group(title, f"length_{number}", f"price_{number}", is_row=True)
        names = ["locations", "staff", *(["resource_types"] if self.resource_types else [])]
        yield self._group(_("Where and who"), *names)
        yield self._group(_("Time around a visit, and rules"), *_RULES, is_row=True)


class DecisionForm(forms.Form):
    """An owner's decision. A rejection needs a reason."""

    answer = forms.ChoiceField(choices=[("approve", "approve"), ("reject", "reject")])
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        required=False,
        help_text=_("To reject it, say why. The author reads it."),
    )
    accepts_news = forms.BooleanField(
        label=_("I have seen what changed meanwhile. Approve it all the same."), required=False
    )

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("answer") == "reject" and not self.cleaned_data.get("reason"):
            self.add_error("reason", gettext("Say why, so that the author knows what to change."))
        return self.cleaned_data


def length_name(variant: ServiceVariant) -> str:
    return variant.text("name") or minutes_text(variant.duration_minutes)


_RULES = ("buffer_before_minutes", "buffer_after_minutes", "cancellation_policy")


def _texts() -> dict[str, forms.Field]:
    return {
        "name": forms.CharField(label=_("Name"), max_length=80),
        "summary": forms.CharField(label=_("In one line"), max_length=160, required=False),
        "description": forms.CharField(
            label=_("Description"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 5})
        ),
    }


def _rules(policies: Choices) -> dict[str, forms.Field]:
    return {
        "buffer_before_minutes": _length(Service, "buffer_before_minutes", _("Free time before")),
        "buffer_after_minutes": _length(Service, "buffer_after_minutes", _("Free time after")),
        "cancellation_policy": forms.TypedChoiceField(
            label=_("Cancellation rules"),
            coerce=int,
            empty_value=None,
            required=False,
            choices=[("", _("Those of the category, else of the business")), *policies],
        ),
    }


def _length_fields(variant: ServiceVariant, currency: str) -> Iterator[tuple[str, forms.Field]]:
    """Fields of a length. A visit in one piece has no waiting time, and needs no words for its phases."""
    has_phases = bool(variant.processing_minutes or variant.finish_minutes)
    yield "work_minutes", _length(ServiceVariant, "work_minutes", _("Work") if has_phases else _("Length"))
    if has_phases:
        yield "processing_minutes", _length(ServiceVariant, "processing_minutes", _("Then wait"))
        yield "finish_minutes", _length(ServiceVariant, "finish_minutes", _("Then finish"))
    yield "price_minor", _price(currency)


def _price(currency: str, *, required: bool = True) -> MoneyField:
    label = gettext("Price (%(currency)s)") % {"currency": currency}
    return MoneyField(currency=currency, label=label, required=required, widget=_short_text())


def _length(model: type[Model], name: str, label: Any, *, required: bool = True) -> LengthField:
    """A length within the limits of a model's field."""
    limits = model._meta.get_field(name).validators  # type: ignore[union-attr]
    low = max(each.limit_value for each in limits if isinstance(each, MinValueValidator))
    high = min(each.limit_value for each in limits if isinstance(each, MaxValueValidator))
    example = gettext("60 min or 1 h 30 min") if name == "work_minutes" else gettext("15 min")
    return _BoundedLengthField(
        low=low, high=high, example=example, label=label, required=required, widget=_short_text()
    )


def _short_text() -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off"})


def _several(label: Any, choices: Choices, *, required: bool = True) -> forms.TypedMultipleChoiceField:
    return forms.TypedMultipleChoiceField(
        label=label, coerce=int, choices=choices, required=required, widget=forms.CheckboxSelectMultiple
    )
