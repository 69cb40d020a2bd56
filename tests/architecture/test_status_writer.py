"""Only ``bookings/lifecycle.py`` writes the status of a booking (invariant I9).

The demo is let off: it writes whole pasts in bulk, with their history, and the doctor's checks examine the result.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
WRITER = ROOT / "bookings" / "lifecycle.py"
BULK = {"update", "create", "update_or_create", "get_or_create"}
RAW_SQL = re.compile(r"\b(update|insert\s+into)\s+\"?bookings_booking\"?(?!\w)", re.IGNORECASE)


def test_nothing_but_the_lifecycle_writes_a_booking_status() -> None:
    paths = [path for app in ("bookings", "storefront", "dashboard") for path in (ROOT / app).rglob("*.py")]

    found = [
        place
        for path in paths
        if path != WRITER and not {"migrations", "demo"} & {*path.parts}
        for place in writes(path)
    ]

    assert found == []


def test_the_search_sees_each_way_to_write(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text(
        "booking.status = BookingStatus.CONFIRMED\n"
        "Booking.objects.filter(pk=1).update(status='held')\n"
        "Booking(status='held')\n"
        "cursor.execute('UPDATE bookings_booking SET x = 1')\n"
        "setattr(booking, 'status', 'held')\n"
    )

    assert sorted(line for _, line in writes(sample)) == [1, 2, 3, 4, 5]


def writes(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if assigns_status(node) or passes_status(node) or (isinstance(node, ast.Constant) and is_raw_write(node.value)):
            yield str(path), node.lineno  # type: ignore[attr-defined]


def assigns_status(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and any(
        isinstance(target, ast.Attribute) and target.attr == "status" for target in targets
    )


def passes_status(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "setattr":
        return any(isinstance(argument, ast.Constant) and argument.value == "status" for argument in node.args)
    # Other models have a status as well: ``TimeOff.objects.create(status=…)`` is none of ours.
    models = {each.id for each in ast.walk(node.func) if isinstance(each, ast.Name) and each.id[0].isupper()}
    is_maker = name == "Booking" or (name in BULK and (not models or "Booking" in models))
    return is_maker and any(keyword.arg == "status" for keyword in node.keywords)


def is_raw_write(value: object) -> bool:
    return isinstance(value, str) and bool(RAW_SQL.search(value))
