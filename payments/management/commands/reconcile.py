"""``manage.py reconcile``: compare the last days with Stripe now, repair differences, and print them."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import clock
from payments import reconciling
from payments.errors import ProviderFailed
from payments.stripe import gateway


class Command(BaseCommand):
    help = "Compares our books with the payment provider's and puts right what differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=reconciling.WINDOW.days, help="how far back to look (1 to 365)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not gateway.is_configured():
            raise CommandError("No payment provider is set up here.")
        if not 1 <= options["days"] <= 365:
            raise CommandError("Days from 1 to 365.")
        try:
            run = reconciling.reconcile(now=clock.now(), window=timedelta(days=options["days"]))
        except ProviderFailed as failure:
            raise CommandError(f"The payment provider does not answer ({failure}). Nothing was changed.") from failure
        for line in run.report:
            self.stdout.write(line)
        self.stdout.write(
            f"{run.checked_count} compared, {run.repaired_count} repaired, {run.listed_count} to be seen by a person."
        )
