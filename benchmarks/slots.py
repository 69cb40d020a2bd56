"""Print free places for the booking benchmark as JSON: first one where a single person is free, then distinct ones."""

import json
import sys
from datetime import UTC, date, datetime, timedelta

import django

django.setup()

from bookings.availability.engine import candidates, free_starts  # noqa: E402
from bookings.availability.loading import availability_facts  # noqa: E402


def main() -> None:
    variant_id, today = int(sys.argv[1]), date.fromisoformat(sys.argv[2])
    facts = availability_facts(
        variant_ids=[variant_id],
        from_on=today + timedelta(days=1),
        until_on=today + timedelta(days=61),
        now=datetime.now(tz=UTC),
    )
    places: list[str] = []
    single = ""
    for location_id, starts in free_starts(facts, variant_id).items():
        for start in starts:
            if start % 60:
                continue
            free = len(candidates(facts, variant_id, location_id, start))
            if free == 1 and not single:
                single = f"{location_id}.{start}"
                continue
            places += [f"{location_id}.{start}"] * free
    print(json.dumps([single, *places]))


if __name__ == "__main__":
    main()
