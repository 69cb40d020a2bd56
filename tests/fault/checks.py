"""What a process of its own sees in the data of a site."""

from core import clock, doctor


def examine() -> None:
    """Print by its title what is found of each thing that must always be true; {} when all is well."""
    findings = doctor.examine(now=clock.now())
    print({finding.check.title: list(finding.violations) for finding in findings if finding.violations})
