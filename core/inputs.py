"""Clean the input of clients: JSON of bounded depth, texts that PostgreSQL can store."""

import json
from typing import Any


def read_json(body: bytes | str) -> Any:
    """Read JSON.

    :raises ValueError: if it is not JSON, or nested deeper than Python can read.
    """
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("The JSON is nested too deeply.") from error


def without_nul(text: str) -> str:
    """Remove NUL characters, which PostgreSQL refuses in every column."""
    return text.replace("\0", "")
