from django.apps import AppConfig
from django.core.checks import register
from django.db.backends.signals import connection_created


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core import checks

        for check in checks.ALL:
            register(check)
        connection_created.connect(checks.assert_read_committed, dispatch_uid="core.assert_read_committed")
