"""Base of admin pages whose changes are recorded in the settings history."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from accounts.models import User
from core import clock
from core.asking import AskingAdmin
from services.operations import record_settings_change


class SettingsAdmin(AskingAdmin):
    """Records who changed one of ``recorded_fields``, with old and new value, in the transaction of the change."""

    recorded_fields: Sequence[str] = ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            return
        actor = request.user if isinstance(request.user, User) else None
        for name in form.changed_data:
            if name in self.recorded_fields:
                old = _was(obj, name, form.initial.get(name))
                record_settings_change(
                    obj, field=name, old=old, new=str(getattr(obj, name)), actor=actor, now=clock.now()
                )


def _was(obj: Model, name: str, value: Any) -> str:
    """Return the old value of a field as text; for a relation the name of the related row."""
    related = obj._meta.get_field(name).related_model
    if value is None or related is None or isinstance(related, str):
        return "" if value is None else str(value)
    return str(related._default_manager.filter(pk=value).first() or value)
