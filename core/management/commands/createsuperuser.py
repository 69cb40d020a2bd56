"""``manage.py createsuperuser``: Django's command, which also prepares an empty installation for its owner."""

from typing import Any

from django.conf import settings
from django.contrib.auth.management.commands.createsuperuser import Command as DjangoCommand
from django.utils.module_loading import import_string


class Command(DjangoCommand):
    help = "Create a user with all rights; the first one becomes the owner, with a first set of rules."

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        for path in settings.AFTER_FIRST_SUPERUSER:
            if said := import_string(path)():
                self.stdout.write(said)
