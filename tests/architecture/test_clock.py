"""Only views, tasks, commands and admin pages read the clock. Rules get the time as a parameter."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = (
    *("core", "accounts", "services", "staff", "payments", "notifications", "bookings", "privacy"),
    *("storefront", "dashboard"),
)
EDGES = {
    "views",
    "views.py",
    "tasks.py",
    "admin",
    "admin.py",
    "admin_steps.py",
    "management",
    "middleware.py",
    "doctor.py",
    "clock.py",
    "session_store.py",  # Django calls it and passes no time
}
READS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "timezone.now", "clock.now", "time.time"}


def reads_the_clock(source: str) -> bool:
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return any(ast.unparse(call).removeprefix("django.utils.") in READS for call in calls)


def test_only_edges_read_the_clock() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if not EDGES & set(path.relative_to(ROOT).parts) and reads_the_clock(path.read_text())
    }

    assert readers == set()


def test_the_search_finds_what_it_looks_for() -> None:
    assert reads_the_clock("from core import clock\nnow = clock.now()")
    assert not reads_the_clock("def fee(*, now):\n    return now")
