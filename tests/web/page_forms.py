"""What a browser would send of a page's form, so that tests change one field and post the rest as it stood."""

from html.parser import HTMLParser
from typing import Any


def typed(html: str, form_id: str = "") -> dict[str, Any]:
    """The successful controls of a form (of all, without ``form_id``): names with their values."""
    reader = _Reader(form_id)
    reader.feed(html)
    return {name: values[0] if len(values) == 1 else values for name, values in reader.values.items()}


def with_row(values: dict[str, Any], prefix: str, **fields: Any) -> dict[str, Any]:
    """``values`` with one more row in the inline ``prefix``, as its button adds it."""
    number = int(values[f"{prefix}-TOTAL_FORMS"])
    row = {f"{prefix}-{number}-{name}": value for name, value in fields.items()}
    return {**values, f"{prefix}-TOTAL_FORMS": str(number + 1), **row}


class _Reader(HTMLParser):
    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.inside = not form_id
        self.values: dict[str, list[str]] = {}
        self.select = ""
        self.first_option: str | None = None
        self.chosen = False
        self.area = ""
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form" and self.form_id:
            self.inside = given.get("id") == self.form_id
        if not self.inside or (tag != "option" and (not name or "__prefix__" in name or "disabled" in given)):
            return
        if tag == "input":
            self._input(name, given)
        elif tag == "textarea":
            self.area, self.text = name, ""
        elif tag == "select":
            self.select, self.first_option, self.chosen = name, None, "multiple" in given
        elif tag == "option" and self.select:
            self._option(given)

    def handle_data(self, data: str) -> None:
        if self.area:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.area:
            self.values.setdefault(self.area, []).append(self.text.removeprefix("\n"))
            self.area = ""
        elif tag == "select" and self.select:
            if not self.chosen and self.first_option is not None:
                self.values.setdefault(self.select, []).append(self.first_option)
            self.select = ""
        elif tag == "form" and self.form_id:
            self.inside = False

    def _input(self, name: str, given: dict[str, str | None]) -> None:
        kind = given.get("type") or "text"
        if kind in {"submit", "button", "file", "image"}:
            return
        if kind in {"checkbox", "radio"} and "checked" not in given:
            return
        self.values.setdefault(name, []).append(given.get("value") or ("on" if kind == "checkbox" else ""))

    def _option(self, given: dict[str, str | None]) -> None:
        value = given.get("value") or ""
        if self.first_option is None:
            self.first_option = value
        if "selected" in given:
            self.values.setdefault(self.select, []).append(value)
            self.chosen = True
