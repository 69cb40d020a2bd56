"""``manage.py demo_code olivia@linden.example``: print the code that the app of a demo user shows.

It works only if SITE_URL is this machine: a code that a command prints is no second factor.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.second_factor import CODE_SECONDS
from core import clock
from demo.sign_ins import current_code, is_this_machine


class Command(BaseCommand):
    help = "Print the code of a user's app, on the developer's own machine only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_this_machine():
            raise CommandError("This site is not on your own machine. Codes come from the app of the user.")
        user = User.objects.filter(email__iexact=options["email"]).first()
        found = current_code(user, now=clock.now()) if user else None
        if found is None:
            raise CommandError(f"{options['email']} has no app for codes.")
        code, seconds = found
        if seconds > 2 * CODE_SECONDS:
            raise CommandError("The codes of now were used. Please wait for half a minute.")
        self.stdout.write(f"{code}  (for {seconds} seconds)")
