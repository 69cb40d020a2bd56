"""``manage.py record_of_processing``: print what is kept about people and why, as Markdown."""

from typing import Any

from django.core.management.base import BaseCommand

from privacy.record import record_of_processing


class Command(BaseCommand):
    help = "Prints what is kept about people, why, and what erasing does with it, as Markdown."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(record_of_processing(), ending="")
