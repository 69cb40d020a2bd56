"""``manage.py reset_second_step olivia@example.com``: let in a user whose phone and recovery codes are lost.

For owners whom no colleague can let in. All sessions of the user end; the next sign-in sets up a new second step.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.second_factor import reset_second_factor
from core import clock


class Command(BaseCommand):
    help = "Remove the second step of a user, who sets up a new one at the next sign-in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(f"No user has the address {options['email']}.")
        reset_second_factor(user, now=clock.now())
        self.stdout.write(f"{user.email} sets up a new second step at the next sign-in.")
