"""Base classes of the admin pages: inputs in human notation, read-only pages, deletions refused because of bookings.

This module does not know what a booking is. It asks about bookings through the functions of ``settings.ADMIN_ROUTES``.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import NestedObjects
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import DataError, models, transaction
from django.db.models import QuerySet
from django.forms.models import ModelChoiceIterator
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold import admin as unfold
from unfold.widgets import UnfoldAdminExpandableTextareaWidget, UnfoldAdminTextInputWidget

from core import clock
from core.commitments import Commitment
from core.errors import DomainError
from core.forms import ClockField, LengthField, PercentField
from core.models import OutboxMessage
from core.outbox import revive
from core.pictures import PictureField
from core.row_times import activate_zone_of, has_instants, moment_column, remember_zones

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList

    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
    _Method = TypeVar("_Method", bound=Callable[..., Any])

    def action(**options: Any) -> Callable[[_Method], _Method]: ...
    def display(**options: Any) -> Callable[[_Method], _Method]: ...

else:
    from unfold.decorators import action, display
    from unfold.views import ChangeList

    _ModelAdmin = unfold.ModelAdmin
    _TabularInline = unfold.TabularInline

__all__ = [
    "GuardedInline",
    "HumanInputs",
    "ModelAdmin",
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "TabularInline",
    "action",
    "bookings_ahead",
    "display",
    "listed",
    "past_use",
    "sentence",
    "typed_options",
]

Text = str | Promise
LISTED = 10


class NumberedAutocomplete(AutocompleteSelect):
    """Django's widget, without its crash on a submitted value that is not a number of 64 bits."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [each for each in value if str(each).isdecimal() and len(str(each)) < 19], attr)


class HumanInputs:
    """Mix-in: form fields in human notation (09:30, 24 h, 19 %). ``labels`` and ``help_texts`` override the models'."""

    clock_fields: Sequence[str] = ()
    length_fields: Sequence[str] = ()
    # Lengths that need a unit, because a bare number could mean hours as well as minutes.
    window_fields: Sequence[str] = ()
    percent_fields: Sequence[str] = ()
    labels: Mapping[str, Text] = {}
    help_texts: Mapping[str, Text] = {}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        name = db_field.name
        if name in self.labels:
            kwargs["label"] = capfirst(str(self.labels[name]))
        if name in self.help_texts:
            kwargs["help_text"] = self.help_texts[name]
        if isinstance(db_field, (models.TextField, models.JSONField)):
            kwargs.setdefault("widget", UnfoldAdminExpandableTextareaWidget())
        if isinstance(db_field, models.ImageField):
            kwargs.setdefault("form_class", PictureField)
        if isinstance(db_field, models.URLField):
            kwargs.setdefault("assume_scheme", "https")
        if field := self._human_field(db_field, request, **kwargs):
            return field
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            kwargs["widget"] = NumberedAutocomplete(db_field, self.admin_site, using=kwargs.get("using"))  # type: ignore[attr-defined]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def _human_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        """Return the field in human notation, or None for Django's own. Subclasses add further kinds (money)."""
        if db_field.name in self.clock_fields:
            return ClockField(**typed_options(db_field, kwargs, placeholder="09:30"))
        if db_field.name in self.length_fields:
            return LengthField(**typed_options(db_field, kwargs, placeholder="60 min"))
        if db_field.name in self.window_fields:
            return LengthField(needs_unit=True, **typed_options(db_field, kwargs, placeholder="24 h"))
        if db_field.name in self.percent_fields:
            return PercentField(**typed_options(db_field, kwargs, placeholder="19"))
        return None


def typed_options(db_field: Any, kwargs: dict[str, Any], *, placeholder: str) -> dict[str, Any]:
    """Options of a form field for a model field. A label or help text in ``kwargs`` wins over the model's."""
    return {
        "required": not db_field.blank,
        "initial": db_field.get_default() if db_field.has_default() else None,
        "label": kwargs.get("label", capfirst(db_field.verbose_name)),
        "help_text": kwargs.get("help_text", db_field.help_text),
        "widget": UnfoldAdminTextInputWidget(attrs={"placeholder": placeholder, "autocomplete": "off"}),
    }


class TabularInline(HumanInputs, _TabularInline):
    """Inline rows. The number of queries does not depend on the number of rows."""

    extra = 0
    hide_title = True
    related: Sequence[str] = ()

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related(*self.related)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        # The columns are narrow, so the buttons to add and change the related object are left out.
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.iterator = _iterator_for_all_rows()
            field.queryset = field.queryset
        return field


def _iterator_for_all_rows() -> Any:
    """Return an iterator class that reads the choices once for all rows: each row of an inline copies the field."""
    read: list[Any] = []

    class Remembered(ModelChoiceIterator):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[Any]:
            if not read:
                read.extend(super().__iter__())
            return iter(read)

    return Remembered


class _ChangeList(ChangeList):
    """A change list that shows all rows if its address asks for a value that no column can hold, such as year -1."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with _refusing_odd_lookups():
            return super().get_queryset(request, *args, **kwargs)

    def get_results(self, request: HttpRequest) -> None:
        with _refusing_odd_lookups():
            super().get_results(request)


@contextlib.contextmanager
def _refusing_odd_lookups() -> Iterator[None]:
    try:
        yield
    except (ValueError, OverflowError, DataError) as error:
        raise IncorrectLookupParameters(error) from error


class ModelAdmin(HumanInputs, _ModelAdmin):
    """An editable page. It refuses to delete an object that upcoming bookings need, and lists these bookings."""

    # Whether bookings can depend on objects of this model.
    is_booked = False
    list_per_page = 50
    show_full_result_count = False
    warn_unsaved_form = True
    delete_confirmation_template = "admin/delete_guarded.html"
    delete_selected_confirmation_template = "admin/delete_selected_guarded.html"

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._moment_column(name) or name for name in super().get_list_display(request)]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        if has_instants(self.model):
            remember_zones(list(changelist.result_list))
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row of a detail page and activate its time zone for the rest of the request."""
        if row := super().get_object(request, object_id, from_field):
            activate_zone_of(row)
        return row

    def _moment_column(self, name: Any) -> Any:
        if not isinstance(name, str) or hasattr(self, name):
            return None
        try:
            field = self.opts.get_field(name)
        except FieldDoesNotExist:
            return None
        return moment_column(field) if isinstance(field, models.DateTimeField) else None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _ChangeList

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Add upcoming bookings to the protected objects. Locks the rows first, so that no new booking needs them."""
        objs = list(objs)
        if self.is_booked and request.method == "POST":
            for each in objs:
                keep_from_booking(each)
        deleted, counts, perms, protected = super().get_deleted_objects(objs, request)
        if self.is_booked and (ahead := bookings_ahead(objs)):
            protected = list(listed(ahead))
        elif protected:
            protected = [past_use(len(protected))]
        return deleted, counts, perms, protected

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            return super().response_action(request, *args, **kwargs)


class ReadOnlyAdmin(ModelAdmin):
    """A read-only page. Only operations change the rows; a crafted POST gets 403."""

    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):
    """Inline rows that are read-only."""

    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class GuardedInline(TabularInline):
    """Inline rows that cannot be removed while bookings refer to them."""

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form = type("Guarded", (_GuardedForm, formset.form), {})
        return formset


class _GuardedForm:
    """Mix-in of an inline form: the error lists the bookings that prevent the removal, not Django's list of rows."""

    instance: Any
    cleaned_data: dict[str, Any]

    def hand_clean_DELETE(self) -> None:  # noqa: N802 (Django's name)
        if not self.cleaned_data.get(forms.formsets.DELETION_FIELD_NAME) or self.instance.pk is None:
            return
        collector = NestedObjects(using=self.instance._state.db)
        collector.collect([self.instance])
        if ahead := bookings_ahead([self.instance]):
            raise ValidationError(sentence(gettext("This cannot be removed. Bookings ahead need it:"), listed(ahead)))
        if collector.protected:
            raise ValidationError(past_use(len(collector.protected)))


def bookings_ahead(objs: Iterable[Any]) -> list[Commitment]:
    """Return the upcoming bookings that need any of ``objs``, soonest first."""
    found: Callable[..., list[Commitment]] = import_string(settings.ADMIN_ROUTES["bookings_ahead"])
    return found(list(objs), now=clock.now())


def keep_from_booking(obj: Any) -> None:
    """Lock ``obj`` against new bookings: wait for those in progress; later ones wait for the end of the transaction."""
    lock: Callable[..., None] = import_string(settings.ADMIN_ROUTES["lock_unless_needed"])
    # The caller lists the bookings that prevent the change.
    with contextlib.suppress(DomainError):
        lock(obj, now=clock.now())


def listed(bookings: Sequence[Commitment]) -> Sequence[SafeString]:
    """Return links to the first LISTED bookings and the number of the others."""
    lines = [format_html('<a class="underline" href="{}">{}</a>', each.url, each.text) for each in bookings[:LISTED]]
    if (more := len(bookings) - LISTED) > 0:
        lines.append(format_html("{}", ngettext("and %d more", "and %d more", more) % more))
    return lines


def past_use(count: int) -> str:
    return (
        ngettext(
            "%d row of the history refers to it, so it stays. Switch it off instead.",
            "%d rows of the history refer to it, so it stays. Switch it off instead.",
            count,
        )
        % count
    )


def sentence(intro: str, lines: Sequence[SafeString]) -> SafeString:
    """Return an introduction followed by an HTML list."""
    items = format_html_join("", '<li class="ml-4 list-disc">{}</li>', ((line,) for line in lines))
    return format_html("{}<ul>{}</ul>", intro, items)


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    list_display = ("topic", "route", "key", "status", "attempts", "due_at", "done_at", "error")
    list_filter = ("status", "topic")
    search_fields = ("key", "route", "topic")
    ordering = ("-id",)
    actions = ("run_again",)

    @action(description=_("Run again what was given up"), permissions=["view"])
    def run_again(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        """Run the selected messages that the outbox gave up; other messages stay as they are."""
        now = clock.now()
        count = sum(revive(pk, now=now) for pk in queryset.values_list("pk", flat=True))
        messages.success(request, ngettext("%d message runs again.", "%d messages run again.", count) % count)
