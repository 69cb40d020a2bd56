from django.apps import AppConfig
from django.core.checks import register
from django.db.backends.signals import connection_created
from django.forms import Field
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        Field.default_error_messages = {**Field.default_error_messages, "required": _("Please fill this in.")}
        from core import checks

        for check in checks.ALL:
            register(check)
        connection_created.connect(checks.assert_read_committed, dispatch_uid="core.assert_read_committed")
