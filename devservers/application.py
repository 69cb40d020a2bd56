"""The application's own processes, as the Procfile names them, and its management commands.

The runner and the tests both start them from here, so what is tested is what runs.
"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet

from devservers import postgres, process
from devservers.ports import LOOPBACK
from devservers.postgres import Postgres
from devservers.process import Child, ServerFailed

ROOT = Path(__file__).resolve().parent.parent
FROM_EMAIL = "Openhours <bookings@openhours.example>"


def programs() -> dict[str, str]:
    """Name and command of each process in the Procfile."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    pairs = (line.split(":", 1) for line in lines if line.strip() and not line.startswith("#"))
    return {name.strip(): command.strip() for name, command in pairs}


def start_program(name: str, env: Mapping[str, str], log: Path) -> Child:
    """Start one process of the Procfile."""
    return process.spawn(name, ["sh", "-c", f"exec {programs()[name]}"], log=log, env=with_our_programs(env), cwd=ROOT)


def manage(
    *arguments: str, env: Mapping[str, str], log: Path | None = None, timeout: float = 300
) -> "subprocess.CompletedProcess[str]":
    """Run a management command to its end; the result holds stdout. What it says on stderr also goes to `log`."""
    result = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=with_our_programs(env),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(f"$ manage.py {' '.join(arguments)}\n{result.stdout}{result.stderr}")
    return result


def migrate(env: Mapping[str, str], log: Path | None = None) -> None:
    """Bring the schema up to date as its owner, and hand out the rights of the two lesser roles.

    Without DATABASE_OWNER_URL there is one role only, which is its own owner and has nothing to hand out.

    :raises ServerFailed: with the last line of what went wrong.
    """
    owner = {**env, "DATABASE_URL": env.get("DATABASE_OWNER_URL") or env["DATABASE_URL"]}
    must("migrate", "--no-input", env=owner, log=log)
    if env.get("DATABASE_OWNER_URL"):
        must("grants", env=owner, log=log)


def must(*arguments: str, env: Mapping[str, str], log: Path | None = None) -> str:
    """Run a management command that has to succeed, and return what it printed."""
    result = manage(*arguments, env=env, log=log)
    if result.returncode != 0:
        lines = (result.stderr.strip() or result.stdout.strip() or "no message").splitlines()
        said = next((line for line in reversed(lines) if "manage.py help" not in line), lines[-1])
        raise ServerFailed(f"manage.py {' '.join(arguments)} failed: {said}" + (f" (log: {log})" if log else ""))
    return result.stdout


def database_addresses(
    server: Postgres, passwords: Mapping[str, str], database: str = postgres.DATABASE
) -> dict[str, str]:
    """The three addresses of one database, one per role."""
    variables = {
        "DATABASE_URL": "openhours_app",
        "DATABASE_OWNER_URL": "openhours_owner",
        "DATABASE_RETENTION_URL": "openhours_retention",
    }
    return {variable: server.address(database, role, passwords[role]) for variable, role in variables.items()}


def wait_for_web(child: Child, port: int, timeout: float = 60) -> None:
    """Wait until the site answers below 500.

    :raises ServerFailed: when it ends or does not answer in time.
    """
    deadline = time.monotonic() + timeout
    problem = ""
    while time.monotonic() < deadline:
        if not child.is_alive():
            raise ServerFailed(f"web stopped: {child.last_log_line()} (log: {child.log})")
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/", timeout=10):
                return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return
            problem = f"the start page answers {error.code}"
            # It answers, so waiting longer helps only while something is still coming up.
            deadline = min(deadline, time.monotonic() + 5)
        except OSError as error:
            problem = str(error)
        time.sleep(0.1)
    raise ServerFailed(f"web does not answer: {problem} (log: {child.log})")


def new_key() -> str:
    """A fresh random key, valid for Fernet as well."""
    return Fernet.generate_key().decode()


def with_our_programs(env: Mapping[str, str]) -> dict[str, str]:
    """The environment with this Python's folder first, so that `celery` is ours."""
    own = str(Path(sys.executable).parent)
    return {**env, "PATH": f"{own}{os.pathsep}{env.get('PATH', os.defpath)}", "PYTHONUNBUFFERED": "1"}
