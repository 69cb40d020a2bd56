"""A module whose name begins with an underscore serves its own folder alone, and such a function its own module."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
APPS = (
    *("config", "core", "accounts", "services", "staff", "payments", "notifications", "bookings", "privacy"),
    *("storefront", "dashboard", "demo", "devservers"),
)


def private_imports(source: str, folder: str) -> Iterator[str]:
    """The private modules of other folders that a module in ``folder`` (dotted) imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            private = next((at for at, part in enumerate(parts) if part.startswith("_")), None)
            if private is not None and parts[0] in APPS and ".".join(parts[:private]) != folder:
                yield name


def test_no_folder_imports_a_private_module_of_another() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        for name in private_imports(path.read_text(), ".".join(path.relative_to(ROOT).parent.parts))
    }

    assert found == set()


def test_the_search_finds_what_it_looks_for() -> None:
    source = (
        "from bookings.operations._lock import locked_booking\nfrom bookings.operations import _time\nimport core.clock"
    )

    assert len(list(private_imports(source, "dashboard.views"))) == 2
    assert list(private_imports(source, "bookings.operations")) == []
