"""What clients send, made fit for the rest: JSON of a bounded depth, texts that PostgreSQL can keep."""

import json
from typing import Any


def read_json(body: bytes | str) -> Any:
    """Read JSON.

    :raises ValueError: when it is no JSON, or nested deeper than Python can read.
    """
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("The JSON is nested too deeply.") from error


def without_nul(text: str) -> str:
    """The text without NUL characters, which PostgreSQL refuses in every column."""
    return text.replace("\0", "")
