"""A TCP proxy that breaks connections on purpose: put it before PostgreSQL, Valkey or the mailbox in fault tests."""

import asyncio
import contextlib
import socket
import struct
import threading
from typing import Literal

from devservers.ports import LOOPBACK, free_port

START_SECONDS = 30
Mode = Literal["pass", "delay", "reset", "blackhole"]
"""pass: as if it were not there. delay: every piece waits. reset: open and new connections are broken off.
blackhole: connections are taken and nothing gets through; what was sent arrives when the mode is pass again."""


class Proxy:
    """A running proxy. `mode` applies at once, to open connections as well."""

    def __init__(self, target_port: int, port: int) -> None:
        self.port = port
        self.target_port = target_port
        self.delay_seconds = 0.0
        self._mode: Mode = "pass"
        self._connections: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"proxy {port}", daemon=True)
        self._error: OSError | None = None

    @property
    def mode(self) -> Mode:
        return self._mode

    def set_mode(self, mode: Mode, *, delay_seconds: float = 1.0) -> None:
        """Change what happens to traffic. Returns when it is in force."""

        async def change() -> None:
            self._mode, self.delay_seconds = mode, delay_seconds
            if mode == "blackhole":
                self._open.clear()
            else:
                self._open.set()
            if mode == "reset":
                for writer in list(self._connections):
                    _reset(writer)

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(START_SECONDS)

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)

    def _serve(self) -> None:
        async def listen() -> asyncio.Server:
            self._open.set()
            return await asyncio.start_server(self._connect, LOOPBACK, self.port)

        try:
            server = self._loop.run_until_complete(listen())
        except OSError as error:
            self._error = error
            self._ready.set()
            return
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for writer in list(self._connections):
            _reset(writer)
        self._loop.run_until_complete(_end_other_tasks())
        self._loop.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        if self._mode == "reset":
            _reset(writer)
        try:
            await self._open.wait()
            target_reader, target_writer = await asyncio.open_connection(LOOPBACK, self.target_port)
        except OSError:
            _reset(writer)
            self._connections.discard(writer)
            return
        self._connections.add(target_writer)
        try:
            await asyncio.gather(self._pump(reader, target_writer), self._pump(target_reader, writer))
        finally:
            for end in (writer, target_writer):
                self._connections.discard(end)
                end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                if self._mode == "delay":
                    await asyncio.sleep(self.delay_seconds)
                await self._open.wait()
                writer.write(piece)
                await writer.drain()
            await self._open.wait()
            if writer.can_write_eof():
                writer.write_eof()


def start(target_port: int, port: int | None = None) -> Proxy:
    """Start passing connections to `port` (a free one if None) on to `target_port`, both on 127.0.0.1."""
    proxy = Proxy(target_port, port or free_port())
    proxy._thread.start()
    if not proxy._ready.wait(START_SECONDS):
        raise TimeoutError(f"the proxy at {proxy.port} does not start")
    if proxy._error:
        raise proxy._error
    return proxy


async def _end_other_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection off so that the other side sees an error, not an end."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
