"""``manage.py demo``: fill an empty database with Linden Studio, the demo business.

Safe to run at every start: it does nothing if a business exists, and refuses a database that has users. The password in
this file is public, and so are the secrets of the users' apps, so the command uses them only if SITE_URL is this
machine. Anywhere else it creates a random password, prints it once, and the users set up a second step. ``--reset``
empties the database first, but only if it holds the demo's data on this machine.
"""

import secrets
from argparse import ArgumentParser
from datetime import datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User
from core import clock
from demo import people
from demo.history import write_visits
from demo.plan import visits_around
from demo.setup import make_studio
from demo.sign_ins import is_this_machine, set_up_apps
from demo.walk_ins import write_walk_ins
from services.models import Business

PASSWORD = "linden-demo"  # noqa: S105 (known on purpose, see above)
DAYS = 21
SEED = 14


class Command(BaseCommand):
    help = "Fill an empty database with a demo business and three weeks of bookings before and after today."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reset", action="store_true", help="empty the database of an earlier demo first")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["reset"]:
            _empty()
        password = PASSWORD if is_this_machine() else secrets.token_urlsafe(12)
        if _is_demo():
            if is_this_machine():
                set_up_apps()
            # A random password was printed by the first run and cannot be read again.
            self._tell_sign_ins(PASSWORD if is_this_machine() else "")
            return
        if Business.objects.exists():
            return
        if User.objects.exists():
            raise CommandError("This site already has users. The demo only fills an empty database.")
        fill(now=clock.now(), password=password)
        self._tell_sign_ins(password)

    def _tell_sign_ins(self, password: str) -> None:
        secret = f"password {password}" if password else "password as printed at the first start"
        self.stdout.write(f"Sign in at {settings.SITE_URL}/desk/ ({secret}):")
        for person in people.SIGN_INS:
            note = "  (and at /admin/ for settings)" if person.is_admin else ""
            self.stdout.write(f"  {str(person.role.label).capitalize():<12}{person.email}{note}")
        if is_this_machine():
            self.stdout.write(f"The second step asks for a code: make code WHO={people.SIGN_INS[0].email}")


def fill(*, now: datetime, password: str) -> int:
    """Create Linden Studio in its state at ``now``, in one transaction, and return the number of bookings."""
    random = Random(SEED)  # noqa: S311 (a demo, not a secret)
    with transaction.atomic():
        today = now.astimezone(ZoneInfo("Europe/Berlin")).date()
        studio = make_studio(today, password)
        if is_this_machine():
            set_up_apps()
        visits = visits_around(today, days=DAYS, studio=studio, random=random)
        count = write_visits(visits, now=now, random=random)
        write_walk_ins(studio, now=now)
        return count


def _is_demo() -> bool:
    return User.objects.filter(email=people.SIGN_INS[0].email).exists()


def _empty() -> None:
    """Delete every row. Needs the owner's database role, because the application's role may not delete history.

    :raises CommandError: if the database could belong to a real business.
    """
    if Business.objects.exists() and not (_is_demo() and is_this_machine()):
        raise CommandError("This is not the demo on your own machine. Nothing was deleted.")
    call_command("flush", interactive=False, verbosity=0)
