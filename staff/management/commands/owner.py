"""``manage.py owner olivia@example.com``: print the link with which this person becomes an owner.

For the first owner, and for a business whose owners cannot sign in any more. The link works for a day and once.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from core import clock
from services.operations import make_first_rows
from staff.enums import Role
from staff.team import LASTS_ON_THE_COMMAND_LINE, Grant, Invited, invitation_url, invite


class Command(BaseCommand):
    help = "Print the link with which a person becomes an owner: they choose a password and a second step."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="as colleagues read it")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip()
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email} is not an e-mail address.") from None
        if made := make_first_rows():
            self.stdout.write(made)
        invited = Invited(email, options["name"].strip()[:120], [Grant(Role.OWNER)], opens_admin=True)
        invitation = invite(invited, by=None, lasts=LASTS_ON_THE_COMMAND_LINE, now=clock.now())
        self.stdout.write(f"{email} becomes an owner at this address, within a day:\n{invitation_url(invitation)}")
