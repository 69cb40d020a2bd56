"""Choose the project's admin site and register the check of the access table."""

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.core.checks import Tags, register


class AdminConfig(DjangoAdminConfig):
    default_site = "config.admin.Site"

    def ready(self) -> None:
        super().ready()
        from config.guard import check_rows

        register(check_rows, Tags.urls)
