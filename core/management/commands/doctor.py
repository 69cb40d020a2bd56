"""``manage.py doctor``: run all checks of data invariants. The exit code is 1 if a check finds a violation."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import clock, doctor


class Command(BaseCommand):
    help = (
        "Checks that what must always be true of the data is true. Reads only; the exit code is 1 if anything is not."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON document instead of lines.")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = doctor.examine(now=clock.now())
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(finding) for finding in findings], indent=1))
        else:
            for finding in findings:
                self._print(finding)
        if wrong := sum(bool(finding.violations) for finding in findings):
            raise CommandError(f"{wrong} of {len(findings)} checks found something.", returncode=1)
        if not options["json"]:
            self.stdout.write(f"All {len(findings)} checks are fine.")

    def _print(self, finding: doctor.Finding) -> None:
        mark = "FAIL" if finding.violations else "ok  "
        self.stdout.write(f"{mark} {finding.check.code:4} {finding.check.title}")
        for violation in finding.violations:
            self.stdout.write(f"         {violation}")


def _as_json(finding: doctor.Finding) -> dict[str, Any]:
    return {"code": finding.check.code, "title": finding.check.title, "violations": list(finding.violations)}
