"""What the cache may hold: JSON only, so that whoever writes to Redis cannot run code here."""

import json
from typing import Any


class JsonSerializer:
    def dumps(self, value: Any) -> Any:
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, stored: Any) -> Any:
        return json.loads(stored)
