"""Addresses of static files."""

from pathlib import Path
from typing import Any

from core.static import StaticFiles


def test_address_names_the_content_and_is_worked_out_once(tmp_path: Path, settings: Any, monkeypatch: Any) -> None:
    settings.DEBUG = False
    (tmp_path / "staticfiles.json").write_text(
        '{"version": "1.1", "hash": "x", "paths": {"css/base.css": "css/base.0123456789ab.css"}}'
    )
    files = StaticFiles(location=tmp_path, base_url="/static/")
    first = files.url("css/base.css")
    monkeypatch.setattr(files, "stored_name", lambda name: "other.css")

    assert first == "/static/css/base.0123456789ab.css"
    assert files.url("css/base.css") == first
