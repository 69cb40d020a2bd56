"""A load generator in a process of its own: N keep-alive connections over asyncio, nothing parsed but what is needed.

Talks to 127.0.0.1 only, and ends by itself after the given number of seconds.
"""

import asyncio
import json
import re
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

FIELD = r'name="{}" value="([^"]+)"'


@dataclass
class Client:
    """One visitor: a connection and a cookie jar."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    address: str = "10.0.0.1"
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def request(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, bytes]:
        """Return status, Location and body. A connection that the server closed is opened again."""
        body = urlencode(form).encode() if form is not None else b""
        head = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self.port}", f"Content-Length: {len(body)}"]
        head.append(f"X-Forwarded-For: {self.address}")
        if form is not None:
            head += ["Content-Type: application/x-www-form-urlencoded", f"Origin: http://localhost:{self.port}"]
        if self.cookies:
            head.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        raw = ("\r\n".join(head) + "\r\n\r\n").encode() + body
        for attempt in (1, 2):
            try:
                return await self._exchange(raw)
            except (ConnectionError, asyncio.IncompleteReadError):
                self.writer = None
                if attempt == 2:
                    raise
        raise AssertionError

    async def _exchange(self, raw: bytes) -> tuple[int, str, bytes]:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        assert self.reader
        self.writer.write(raw)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, location, length, is_chunked = int(head[9:12]), "", 0, False
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(": ")
            match name.lower():
                case "content-length":
                    length = int(value)
                case "location":
                    location = value
                case "transfer-encoding":
                    is_chunked = "chunked" in value
                case "set-cookie":
                    cookie = value.split(";", 1)[0].partition("=")
                    self.cookies[cookie[0]] = cookie[2]
        body = await self._chunks() if is_chunked else await self.reader.readexactly(length)
        return status, location, body

    async def _chunks(self) -> bytes:
        assert self.reader
        parts = []
        while size := int((await self.reader.readline()).strip(), 16):
            parts.append(await self.reader.readexactly(size))
            await self.reader.readline()
        await self.reader.readline()
        return b"".join(parts)


async def pages(port: int, path: str, connections: int, seconds: float) -> dict[str, object]:
    """Ask for one page again and again; return requests per second and the median and 95th percentile in ms."""
    times: list[float] = []
    errors = 0
    end = time.perf_counter() + seconds

    async def visitor() -> None:
        nonlocal errors
        client = Client(port)
        while time.perf_counter() < end:
            begun = time.perf_counter()
            status, _, _ = await client.request("GET", path)
            times.append(time.perf_counter() - begun)
            errors += status != 200

    await asyncio.gather(*(visitor() for _ in range(connections)))
    return _summary(times, seconds, errors)


async def bookings(port: int, slug: str, connections: int, slots: list[str], seconds: float) -> dict[str, object]:
    """Hold and confirm distinct times, one after the other on each connection; return pairs per second.

    Each pair is another customer, with an address, a phone and a network of their own: limits count by them.
    """
    times: list[float] = []
    errors = 0
    todo = iter(enumerate(slots))
    end = time.perf_counter() + seconds
    begun_all = time.perf_counter()

    async def customer(number: int) -> None:
        nonlocal errors
        client = Client(port)
        _, _, page = await client.request("GET", f"/s/{slug}/")
        token, variant = _hidden(page, "csrfmiddlewaretoken"), _hidden(page, "variant")
        given = dict(client.cookies)
        for place, slot in todo:
            if time.perf_counter() > end:
                return
            client.address = f"10.{number}.{place >> 8}.{place & 255}"
            client.cookies = {**given, "visitor": f"visitor-{slot}-{place}"}
            begun = time.perf_counter()
            form = {
                "csrfmiddlewaretoken": token,
                "slot": slot,
                "variant": variant,
                "staff": "",
                "next": "details",
            }
            status, location, _ = await client.request("POST", f"/s/{slug}/hold", form)
            if status != 303:
                errors += 1
                continue
            contact = {
                "csrfmiddlewaretoken": token,
                "name": "Jana Weber",
                "email": f"jana{number}.{place}.{slot}@example.com",
                "phone": f"+49 151 {55_000_000 + number * 10_000 + place}",
                "note": "",
                "expected_total": "8000",
            }
            status, _, _ = await client.request("POST", urlsplit(location).path, contact)
            if status != 303:
                errors += 1
                continue
            times.append(time.perf_counter() - begun)

    await asyncio.gather(*(customer(number) for number in range(connections)))
    return _summary(times, time.perf_counter() - begun_all, errors)


async def race(port: int, slug: str, connections: int, slot: str) -> dict[str, object]:
    """Let everybody tap the same time at once; return how many were confirmed, and the slowest answer in seconds."""
    ready = asyncio.Event()
    results: list[int] = []
    slowest = 0.0

    async def customer(number: int) -> None:
        nonlocal slowest
        client = Client(port, address=f"10.200.0.{number}")
        _, _, page = await client.request("GET", f"/s/{slug}/")
        token, variant = _hidden(page, "csrfmiddlewaretoken"), _hidden(page, "variant")
        await ready.wait()
        form = {
            "csrfmiddlewaretoken": token,
            "slot": slot,
            "variant": variant,
            "staff": "",
            "next": "details",
        }
        began = time.perf_counter()
        status, location, _ = await client.request("POST", f"/s/{slug}/hold", form)
        slowest = max(slowest, time.perf_counter() - began)
        if status == 303 and "/h/" in location:
            contact = {
                "csrfmiddlewaretoken": token,
                "name": "Jana Weber",
                "email": f"racer{number}@example.com",
                "phone": f"+49 151 {56_000_000 + number}",
                "note": "",
                "expected_total": "8000",
            }
            status, _, _ = await client.request("POST", urlsplit(location).path, contact)
            results.append(status)
        else:
            results.append(409 if status in {303, 409} else status)

    tasks = [asyncio.create_task(customer(number)) for number in range(connections)]
    await asyncio.sleep(3)
    ready.set()
    await asyncio.gather(*tasks)
    return {
        "confirmed": results.count(303),
        "refused": results.count(409),
        "other": sum(s not in {303, 409} for s in results),
        "slowest_s": round(slowest, 2),
    }


def _hidden(page: bytes, name: str) -> str:
    """Return the value of a hidden field, as a browser would send it."""
    found = re.search(FIELD.format(name).encode(), page)
    assert found, f"the page has no field {name}"
    return found.group(1).decode()


def _summary(times: list[float], seconds: float, errors: int) -> dict[str, object]:
    ordered = sorted(times) or [0.0]
    return {
        "per_second": round(len(times) / seconds, 1),
        "p50_ms": round(ordered[len(ordered) // 2] * 1000, 1),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)] * 1000, 1),
        "count": len(times),
        "errors": errors,
    }


if __name__ == "__main__":
    arguments = json.loads(sys.argv[2])
    print(json.dumps(asyncio.run({"pages": pages, "bookings": bookings, "race": race}[sys.argv[1]](**arguments))))
