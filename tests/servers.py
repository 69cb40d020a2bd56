"""The PostgreSQL of the test run, and what several stacks share: a migrated template and the static files."""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from devservers import application, postgres
from devservers.postgres import Postgres

FOLDER = "OPENHOURS_TEST_FOLDER"
TEMPLATE = "openhours_template"

_server: Postgres | None = None


def prepare_environment() -> None:
    """Start PostgreSQL, unless another process of this run has, and set what the settings read."""
    global _server
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
    if FOLDER in os.environ:
        return
    folder = new_folder("tests")
    os.environ[FOLDER] = str(folder)
    os.environ.update(application_environment())
    if address := os.environ.get("TEST_DATABASE_URL"):
        os.environ.update(dict.fromkeys(("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_RETENTION_URL"), address))
        return
    passwords = new_passwords()
    # The data is thrown away, so the disk need not be waited for. Fault tests start a server of their own.
    _server = postgres.start(folder / "postgres", fsync=False)
    postgres.provision(_server, passwords, may_create_databases=True)
    addresses = application.database_addresses(_server, passwords)
    # Test databases are created and migrated through DATABASE_URL; tests of the rights step down from the owner.
    os.environ.update({**addresses, "DATABASE_URL": addresses["DATABASE_OWNER_URL"]})
    shared = {"port": _server.port, "password": _server.password, "passwords": passwords}
    (folder / "postgres.json").write_text(json.dumps(shared))


def stop() -> None:
    """End the server in the process that started it, and throw everything away."""
    global _server
    if os.environ.get("PYTEST_XDIST_WORKER") or FOLDER not in os.environ:
        return
    folder = Path(os.environ.pop(FOLDER))
    if _server:
        _server.stop()
        postgres.remove(_server.folder)
        _server = None
    shutil.rmtree(folder, ignore_errors=True)


def application_environment() -> dict[str, str]:
    """Settings of a site that belongs to nobody. The broker's address leads nowhere until a stack has one."""
    return {
        "SECRET_KEY": application.new_key(),
        "LINK_KEY": application.new_key(),
        "FIELD_KEYS": application.new_key(),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "smtp://127.0.0.1:1",
        "DEFAULT_FROM_EMAIL": application.FROM_EMAIL,
        "SITE_URL": "http://localhost:8000",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
        "DEBUG": "false",
        # Nobody is texted or pushed to, whatever is set where the tests run.
        "TWILIO_ACCOUNT_SID": "",
        "VAPID_PRIVATE_KEY": "",
    }


def no_stripe() -> dict[str, str]:
    """A site that takes no payments, whatever is set where the tests run."""
    names = ("SECRET_KEY", "PUBLISHABLE_KEY", "WEBHOOK_SECRET", "API_BASE", "JS_URL")
    return {f"STRIPE_{name}": "" for name in names}


def shared_server() -> tuple[Postgres, dict[str, str]] | None:
    """The run's PostgreSQL and the passwords of our roles; None outside a test run. Not to be stopped."""
    folder = os.environ.get(FOLDER)
    if not folder or not (Path(folder) / "postgres.json").exists():
        return None
    shared = json.loads((Path(folder) / "postgres.json").read_text())
    return Postgres(Path(folder) / "postgres", shared["port"], shared["password"], None, ()), shared["passwords"]


def migrated_template(server: Postgres, passwords: dict[str, str], log: Path) -> str:
    """The name of a migrated, empty database to copy from; migrated once per run."""
    with once("template") as is_first:
        if is_first:
            server.create_database(TEMPLATE, owner="openhours_owner")
            application.migrate({**os.environ, **application.database_addresses(server, passwords, TEMPLATE)}, log)
    return TEMPLATE


def static_files(log: Path) -> Path:
    """The folder of collected static files; collected once per run."""
    folder = Path(os.environ[FOLDER]) / "static" if FOLDER in os.environ else new_folder("static")
    with once("static") as is_first:
        if is_first:
            env = {**application_environment(), **os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
            env |= {"STATIC_ROOT": str(folder), "DATABASE_URL": env.get("DATABASE_URL", "postgresql://127.0.0.1/none")}
            application.must("collectstatic", "--no-input", "--verbosity", "0", env=env, log=log)
    return folder


@contextlib.contextmanager
def once(name: str) -> Iterator[bool]:
    """True for the first process of the run that comes here; the others wait until its block has succeeded."""
    if FOLDER not in os.environ:
        yield True
        return
    done = Path(os.environ[FOLDER]) / f"{name}.done"
    with done.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not done.exists()
        done.touch()


def new_folder(purpose: str) -> Path:
    """A folder that PostgreSQL's account may pass through; in a test run it is gone with the run at the latest."""
    folder = Path(tempfile.mkdtemp(prefix=f"openhours-{purpose}-", dir=os.environ.get(FOLDER)))
    folder.chmod(0o711)
    return folder


def new_passwords() -> dict[str, str]:
    return {role: application.new_key().replace("=", "") for role in postgres.ROLES}
