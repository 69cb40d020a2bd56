"""`make run`: everything Openhours needs on this machine, in one terminal, until Ctrl-C.

All files are in `.data/`. A server whose address is set in the environment or in `.env` is used instead of ours.
"""

import contextlib
import fcntl
import json
import os
import secrets
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import TextIO

import environ

from devservers import account, application, mailbox, postgres, stripe, twilio, valkey
from devservers.follow import Follower
from devservers.ports import is_free, next_free
from devservers.postgres import Postgres
from devservers.process import Child, ServerFailed
from devservers.stripe import Stripe
from devservers.valkey import Valkey

DATA = application.ROOT / ".data"
LOGS = DATA / "logs"
SETUP_LOG = LOGS / "setup.log"
RUN_ENV = DATA / "run.env"
LOG_LIMIT_BYTES = 5_000_000
RESTARTS, RESTART_WINDOW_SECONDS = 3, 60
OWN_PASSWORDS = ("postgres", *postgres.ROLES, "valkey")
STRIPE_KEYS = {"STRIPE_SECRET_KEY": "sk_test_", "STRIPE_PUBLISHABLE_KEY": "pk_test_", "STRIPE_WEBHOOK_SECRET": "whsec_"}
"""The stand-in's keys, with what Stripe's own begin with."""
PUSH_KEY = "VAPID_PRIVATE_KEY"


Server = Postgres | Valkey | Stripe


class Stopped(BaseException):
    """Somebody asked us to stop."""


def main() -> int:
    """Run until stopped; the exit code is 0 after Ctrl-C and 1 when something failed."""
    _stop_on_signals()
    environ.Env.read_env(str(application.ROOT / ".env"), overwrite=False)
    try:
        with locked(), ExitStack() as running:
            _run(running)
    except Stopped:
        say("Stopped.")
        return 0
    except ServerFailed as failure:
        print(f"\n{failure}", file=sys.stderr, flush=True)
        return 1
    return 0


def say(line: str = "") -> None:
    print(line, flush=True)


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Hold the data folder.

    :raises ServerFailed: when another runner holds it.
    """
    DATA.mkdir(exist_ok=True)
    # PostgreSQL's account has to pass through when we are root; it still cannot list the folder.
    DATA.chmod(0o711 if account.server_account() else 0o700)
    with (DATA / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerFailed(
                f"Openhours is already running here ({_holder(file)}). Stop it first, with Ctrl-C."
            ) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "port": _port()}))
        file.flush()
        try:
            yield
        finally:
            # Removing the file could let two runners hold two different locks; emptying it cannot.
            file.truncate(0)


def _holder(file: TextIO) -> str:
    file.seek(0)
    with contextlib.suppress(ValueError, KeyError):
        holder = json.loads(file.read())
        return f"pid {holder['pid']}, http://localhost:{holder['port']}/"
    return "starting or stopping"


def _run(running: ExitStack) -> None:
    started = time.monotonic()
    port = _port()
    host = os.environ.get("HOST", "127.0.0.1")
    if not is_free(port, host):
        raise ServerFailed(f"Port {port} is taken. Choose another one: make run PORT={port + 10}")
    _tidy_logs()
    env, servers, readable = _start_servers(running, port, host)
    say("Setting up the database and the demo data ...")
    application.must("collectstatic", "--no-input", "--verbosity", "0", env=env, log=SETUP_LOG)
    application.migrate(env, SETUP_LOG)
    told = application.must("demo", env=env, log=SETUP_LOG)

    say("Starting web, worker and beat ...")
    children: dict[str, Child] = {}
    running.callback(_stop_all, children)
    follower = Follower()
    running.callback(follower.stop)
    for name in application.programs():
        children[name] = application.start_program(name, env, LOGS / f"{name}.log")
    application.wait_for_web(children["web"], port)
    _write_run_env(running, env)
    _summary(env["SITE_URL"], told, readable, time.monotonic() - started)
    follower.follow({name: child.log for name, child in children.items()})
    _watch(children, servers, env)


def _start_servers(running: ExitStack, port: int, host: str) -> tuple[dict[str, str], list[Server], dict[str, str]]:
    """Start the servers nobody set an address for, and compose the application's environment."""
    own = _secrets()
    env = {
        **{name: value for name, value in own.items() if name not in (*OWN_PASSWORDS, *STRIPE_KEYS)},
        "SITE_URL": f"http://localhost:{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "DEFAULT_FROM_EMAIL": application.FROM_EMAIL,
        "VAPID_SUBJECT": "mailto:bookings@openhours.example",
        "BEAT_SCHEDULE": str(DATA / "beat-schedule"),
        **os.environ,
        "HOST": host,
        "PORT": str(port),
    }
    servers: list[Server] = []
    readable: dict[str, str] = {}
    if os.environ.get("DATABASE_URL"):
        say("PostgreSQL: as DATABASE_URL says")
    else:
        server = postgres.start(DATA / "postgres", password=own["postgres"], log=_log("postgres"))
        running.callback(server.stop)
        postgres.provision(server, own)
        env |= application.database_addresses(server, own)
        servers.append(server)
        say(f"PostgreSQL {postgres.version()} on port {server.port}{_where(server)}")
    if os.environ.get("REDIS_URL"):
        say("Redis: as REDIS_URL says")
    else:
        broker = valkey.start(DATA / "valkey", password=own["valkey"], log=_log("valkey"))
        running.callback(broker.stop)
        env["REDIS_URL"] = broker.url
        servers.append(broker)
        say(f"Valkey on port {broker.port}")
    if os.environ.get("EMAIL_URL"):
        say("E-mail: as EMAIL_URL says")
    else:
        mails = mailbox.start(DATA / "mails", web_port=next_free(port + 1))
        running.callback(mails.stop)
        env["EMAIL_URL"] = mails.email_url
        readable["Mails it sends:"] = mails.url
        say(f"Mailbox on port {mails.web_port}")
    if os.environ.get("TWILIO_ACCOUNT_SID"):
        say("Twilio: as TWILIO_ACCOUNT_SID says")
    else:
        texts = twilio.start(next_free(port + 5))
        running.callback(texts.stop)
        env |= texts.environment
        readable["Texts it sends:"] = f"http://localhost:{texts.port}/"
        say(f"Twilio: a stand-in on port {texts.port}")
    if os.environ.get("STRIPE_SECRET_KEY"):
        say("Stripe: as STRIPE_SECRET_KEY says")
    else:
        payments = _start_stripe(running, own, env["SITE_URL"], port)
        env |= payments.environment()
        servers.append(payments)
        readable["Cards that pay:"] = "4242 4242 4242 4242, any date ahead, any code (declined: 4000 0000 0000 0002)"
        say(f"Stripe: a stand-in on port {payments.port}")
    return env, servers, readable


def _start_stripe(running: ExitStack, own: dict[str, str], site_url: str, port: int) -> Stripe:
    """Its payments are kept, so that a booking paid yesterday can be refunded today."""
    secret, publishable, webhook = (own[name] for name in STRIPE_KEYS)
    server = stripe.start(
        DATA / "stripe",
        site_url,
        next_free(port + 2),
        keys=(secret, publishable, webhook),
        keep=True,
        log=_log("stripe"),
    )
    running.callback(server.stop)
    return server


def _where(server: Postgres) -> str:
    """Said when files are not where one would look for them."""
    user = account.server_account()
    if user is None:
        return ""
    if server.folder.is_symlink():
        return (
            f", as {user.name} because it refuses root; its files are in {server.folder.resolve()}, "
            "because that account may not enter this folder's parents"
        )
    return f", as {user.name} because it refuses root"


def _summary(address: str, told: str, readable: dict[str, str], seconds: float) -> None:
    say(f"\nOpenhours is running: {address}/   (ready after {seconds:.0f} s)\n")
    if told.strip():
        for line in told.strip().splitlines():
            say(f"  {line}")
        say()
    for name, page in readable.items():
        say(f"{name:<16} {page}")
    say(f"Logs:            {LOGS.relative_to(application.ROOT)}/")
    say("Stop:            Ctrl-C\n")


def _watch(children: dict[str, Child], servers: list[Server], env: dict[str, str]) -> None:
    """Start again what ends by itself, until it does so too often."""
    ends: dict[str, deque[float]] = {}
    while True:
        time.sleep(0.5)
        for server in servers:
            if not server.child.is_alive():
                _count_end(server.child, ends)
                server.restart()
        for name, child in children.items():
            if not child.is_alive():
                _count_end(child, ends)
                child.end_group()
                children[name] = application.start_program(name, env, child.log)


def _count_end(child: Child, ends: dict[str, deque[float]]) -> None:
    recent = ends.setdefault(child.name, deque(maxlen=RESTARTS))
    now = time.monotonic()
    if len(recent) == RESTARTS and now - recent[0] < RESTART_WINDOW_SECONDS:
        raise ServerFailed(
            f"{child.name} keeps ending: {child.last_log_line()} (log: {child.log}). Stopped everything."
        )
    recent.append(now)
    say(f"{child.name} ended by itself (exit code {child.process.returncode}); starting it again.")
    # A program that fails at once would otherwise use up its attempts within a second.
    time.sleep(len(recent) - 1)


def _stop_all(children: dict[str, Child]) -> None:
    """Ask all to end at once, then see each of them out."""
    say("\nStopping ...")
    for child in children.values():
        child.send(signal.SIGTERM)
    for child in children.values():
        child.stop(timeout=15)


def _stop_on_signals() -> None:
    """The first signal stops everything in order; further ones are ignored, every step has a time limit."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)


def _secrets() -> dict[str, str]:
    """Keys and passwords, made once and kept in the data folder."""
    file = DATA / "secrets.env"
    kept = {}
    if file.exists():
        kept = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    wanted = ("SECRET_KEY", "LINK_KEY", "FIELD_KEYS", PUSH_KEY, *OWN_PASSWORDS, *STRIPE_KEYS)
    if missing := [name for name in wanted if name not in kept]:
        kept |= {name: _new_secret(name) for name in missing}
        partial = DATA / "secrets.partial"
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        partial.write_text("".join(f"{name}={value}\n" for name, value in kept.items()))
        partial.rename(file)
    return kept


def _new_secret(name: str) -> str:
    if name in STRIPE_KEYS:
        return STRIPE_KEYS[name] + secrets.token_hex(16)
    # Any 256 random bits are a key of the curve that web push signs with, written without the padding.
    is_bare = name in OWN_PASSWORDS or name == PUSH_KEY
    return application.new_key().replace("=", "") if is_bare else application.new_key()


def _write_run_env(running: ExitStack, env: dict[str, str]) -> None:
    """Let `make shell` and editors reach the running servers. Only readable by the owner, gone when we stop."""
    own = {name: value for name, value in env.items() if os.environ.get(name) != value or name.startswith("DATABASE_")}
    RUN_ENV.unlink(missing_ok=True)
    RUN_ENV.touch(mode=0o600)
    RUN_ENV.write_text("".join(f"export {name}='{value}'\n" for name, value in sorted(own.items())))
    running.callback(RUN_ENV.unlink, missing_ok=True)


def _port() -> int:
    value = os.environ.get("PORT") or "8000"
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise ServerFailed(f"PORT must be a number from 1 to 65535, not {value!r}.")
    return int(value)


def _log(name: str) -> Path:
    return LOGS / f"{name}.log"


def _tidy_logs() -> None:
    """Keep one older file of each log that has grown large."""
    LOGS.mkdir(exist_ok=True)
    for log in LOGS.glob("*.log"):
        if log.stat().st_size > LOG_LIMIT_BYTES:
            log.rename(log.with_suffix(".log.old"))


if __name__ == "__main__":
    sys.exit(main())
