"""The whole thing for tests: web, worker and beat as real processes on random ports, with servers of their own.

    with Stack() as stack:
        httpx.get(stack.url)
        stack.manage("doctor")
        stack.kill("worker")                       # SIGKILL to the worker's main process
        stack.start("worker", CRASH_AT="outbox.claimed")
        stack.mailbox.wait_for("casey@example.com")

It ends only processes that it started, by their pid.
"""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import psycopg

from devservers import application, mailbox, postgres, proxy, stripe, twilio, valkey
from devservers.mailbox import Mailbox
from devservers.ports import free_port
from devservers.postgres import Postgres
from devservers.process import Child
from devservers.proxy import Proxy
from devservers.stripe import Stripe
from devservers.twilio import Twilio
from devservers.valkey import Valkey
from tests import servers

PROGRAMS = ("web", "worker", "beat")
_numbers = itertools.count()
RUNNING: dict[str, "Stack"] = {}
"""The sites that run now, by address."""


# Tests book for the same few people from one address.
NO_LIMITS = dict.fromkeys(
    (
        *(f"UNPROVEN_BOOKINGS_PER_{name}" for name in ("EMAIL", "PHONE", "VISITOR", "ADDRESS")),
        *("UNPROVEN_BOOKINGS_OF_KNOWN", "MAILS_PER_ADDRESS_PER_HOUR", "MOVES_PER_HOUR"),
    ),
    "1000000",
)


class Stack:
    """One running site.

    :param env: settings on top of the defaults.
    :param programs: which processes to start; the rest can be started later.
    :param own_postgres: a PostgreSQL server of its own, with fsync, that may be stopped and broken.
    :param proxied: which of "postgres", "valkey", "smtp", "stripe" are reached through `stack.proxies[...]`.
    :param demo: fill in the demo data.
    :param stripe: bring a stand-in for Stripe, told what to do through `stack.stripe.control`; without it the site
        takes no payments.
    :param twilio: bring a stand-in for Twilio, ``stack.twilio``; without it the site texts nobody.
    :param web_workers: processes that answer requests.
    """

    postgres: Postgres
    valkey: Valkey
    mailbox: Mailbox
    stripe: Stripe
    twilio: Twilio

    def __init__(
        self,
        *,
        env: dict[str, str] | None = None,
        programs: Iterable[str] = PROGRAMS,
        own_postgres: bool = False,
        proxied: Iterable[str] = (),
        demo: bool = False,
        stripe: bool = False,
        twilio: bool = False,
        web_workers: int = 2,
    ) -> None:
        self.folder = servers.new_folder("stack")
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.proxies: dict[str, Proxy] = {}
        self.children: dict[str, Child] = {}
        self.told = ""
        self._programs = tuple(programs)
        self._own_postgres = own_postgres
        self._proxied = frozenset(proxied)
        self._demo = demo
        self._with_stripe = stripe
        self._with_twilio = twilio
        self._ending = ExitStack()
        self._passwords: dict[str, str] = {}
        self._database = postgres.DATABASE
        self.env = {
            **os.environ,
            **servers.application_environment(),
            **servers.no_stripe(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "SITE_URL": self.url,
            "WEB_CONCURRENCY": str(web_workers),
            "BEAT_SCHEDULE": str(self.folder / "beat-schedule"),
            # All visitors of a test come from one address.
            "READS_PER_MINUTE": "0",
            "MEDIA_ROOT": str(self.folder / "media"),
            **NO_LIMITS,
            **(env or {}),
        }

    def __enter__(self) -> Self:
        try:
            self._start_everything()
        except BaseException:
            self.close()
            raise
        RUNNING[self.url] = self
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop everything and throw the files away."""
        RUNNING.pop(self.url, None)
        for child in self.children.values():
            child.send(signal.SIGTERM)
        for child in self.children.values():
            child.stop(timeout=15)
        self._ending.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- processes ---

    def start(self, name: str, **env: str) -> Child:
        """Start a process of the Procfile, with more settings if given. Waits until web answers.

        Crash points exist only under the test settings, so CRASH_AT selects them.
        """
        if name in self.children and self.children[name].is_alive():
            raise RuntimeError(f"{name} is running")
        if "CRASH_AT" in {**self.env, **env}:
            env["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
        child = application.start_program(name, {**self.env, **env}, self.log(name))
        self.children[name] = child
        if name == "web":
            application.wait_for_web(child, self.port)
        return child

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the main process of `name` and, when it is SIGKILL, wait until it is gone."""
        self.children[name].send(number)
        if number == signal.SIGKILL:
            self.children[name].wait(10)

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM, timeout: float = 20) -> None:
        """End a process and its children; it can be started again."""
        self.children[name].stop(number, timeout)

    def stop_worker(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.stop("worker", number)

    def is_alive(self, name: str) -> bool:
        return name in self.children and self.children[name].is_alive()

    def log(self, name: str) -> Path:
        """The log file of web, worker, beat, manage, postgres, valkey or stripe."""
        return self.folder / "logs" / f"{name}.log"

    def manage(self, *arguments: str, check: bool = True, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run a management command in this stack's environment; raise if it fails, unless `check` is False."""
        if "CRASH_AT" in env:
            env["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
        result = application.manage(*arguments, env={**self.env, **env}, log=self.log("manage"))
        if check and result.returncode != 0:
            raise AssertionError(f"manage.py {' '.join(arguments)} failed:\n{result.stdout}{result.stderr}")
        return result

    # --- looking inside ---

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection to this stack's database as superuser, in autocommit, past any proxy."""
        return psycopg.connect(self.postgres.address(self._database), autocommit=True, connect_timeout=5)

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows of one SQL statement."""
        with self.connect() as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def empty(self, *tables: str) -> None:
        """Delete all rows of these tables and what hangs on them, while the site runs.

        Its processes lock tables in another order; of two that wait for each other PostgreSQL ends one, maybe us.
        """
        while True:
            with contextlib.suppress(psycopg.errors.DeadlockDetected):
                self.query(f"truncate {', '.join(tables)} cascade")
                return

    def wait_until(self, holds: Callable[[], object], timeout: float = 15, what: str = "") -> None:
        """Wait until `holds()` is true.

        :raises TimeoutError: when it is not in time.
        """
        deadline = time.monotonic() + timeout
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout} s: {what or holds}")
            time.sleep(0.05)

    # --- starting ---

    def _start_everything(self) -> None:
        self.env["STATIC_ROOT"] = str(servers.static_files(self.log("manage")))
        self.valkey = valkey.start(self.folder / "valkey", log=self.log("valkey"))
        self._ending.callback(self.valkey.stop)
        self.mailbox = mailbox.start(self.folder / "mails", web=False)
        self._ending.callback(self.mailbox.stop)
        if self._with_stripe:
            self.stripe = stripe.start(self.folder / "stripe", self.url, log=self.log("stripe"))
            self._ending.callback(self.stripe.stop)
        if self._with_twilio:
            self.twilio = twilio.start()
            self._ending.callback(self.twilio.stop)
            self.env |= self.twilio.environment
        self._start_database()
        self._set_addresses()
        if self._demo:
            self.told = self.manage("demo").stdout
        for name in sorted(self._programs, key=lambda name: name == "web"):
            # web last: waiting for it gives the others time to come up.
            self.start(name)

    def _start_database(self) -> None:
        shared = None if self._own_postgres else servers.shared_server()
        if shared:
            self.postgres, self._passwords = shared
            template = servers.migrated_template(self.postgres, self._passwords, self.log("manage"))
            self._database = f"openhours_stack_{os.getpid()}_{next(_numbers)}"
            self.postgres.create_database(self._database, owner="openhours_owner", template=template)
            self._ending.callback(self.postgres.drop_database, self._database)
            self._set_addresses()
            # Rights on the database itself are not part of a copy.
            self.manage("grants", DATABASE_URL=self.env["DATABASE_OWNER_URL"])
        else:
            self._passwords = servers.new_passwords()
            self.postgres = postgres.start(self.folder / "postgres", log=self.log("postgres"))
            self._ending.callback(postgres.remove, self.folder / "postgres")
            self._ending.callback(self.postgres.stop)
            postgres.provision(self.postgres, self._passwords)
            self._set_addresses()
            application.migrate(self.env, self.log("manage"))

    def _set_addresses(self) -> None:
        """Write the servers' addresses into the environment, each through its proxy if it has one."""
        addresses = application.database_addresses(self.postgres, self._passwords, self._database)
        addresses |= {"REDIS_URL": self.valkey.url, "EMAIL_URL": self.mailbox.email_url}
        ports = {"postgres": self.postgres.port, "valkey": self.valkey.port, "smtp": self.mailbox.smtp_port}
        if self._with_stripe:
            ports["stripe"] = self.stripe.port
            # The script is for the browser, which comes past the proxy.
            addresses |= self.stripe.environment()
        for name in self._proxied:
            if name not in self.proxies:
                self.proxies[name] = proxy.start(ports[name])
                self._ending.callback(self.proxies[name].stop)
            old, new = f":{ports[name]}", f":{self.proxies[name].port}"
            addresses = {
                key: address.replace(f"127.0.0.1{old}", f"127.0.0.1{new}") for key, address in addresses.items()
            }
        self.env |= addresses
