"""Which lines of the processes `make run` shows."""

import pytest

from devservers.follow import is_telling


@pytest.mark.parametrize(
    ("line", "is_shown"),
    [
        ('[2026-11-28 20:00:00 +0000] 127.0.0.1 - "GET /static/css/base.css HTTP/1.1" 200 1.201', False),
        ('[2026-11-28 20:00:00 +0000] 127.0.0.1 - "GET /static/css/base.css HTTP/1.1" 304 0.201', False),
        ('[2026-11-28 20:00:00 +0000] 127.0.0.1 - "GET /static/css/gone.css HTTP/1.1" 404 1.201', True),
        ('[2026-11-28 20:00:00 +0000] 127.0.0.1 - "GET /s/massage/ HTTP/1.1" 200 41.2', True),
        ("2026-11-28T20:00:00Z WARNING django.request [-] Not Found: /static/", True),
    ],
)
def test_files_of_pages_are_not_shown_unless_they_are_missing(line: str, is_shown: bool) -> None:
    assert is_telling(line) is is_shown
