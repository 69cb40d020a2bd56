"""``make bench``: measures what docs/performance.md promises, prints it, and writes ``.data/bench.json``.

Every figure is a ratio to a floor measured in the same run, because absolute times do not carry to another machine.
``--only`` measures some groups of figures, and adds them to what the file has of others.
``--quick`` takes fewer repetitions, a smaller history and only 10 therapists; its figures are not for quoting.
A run ends after 15 minutes, a quick one after 3, with the figures that it has by then.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from benchmarks import messages, site
from benchmarks.asking import ROOT, Worker, paired
from benchmarks.report import median, put_ratio, report
from devservers import application, mailbox, postgres, valkey
from devservers.postgres import Postgres
from tests.servers import static_files

LONGEST_SECONDS, LONGEST_QUICK_SECONDS = 900, 180
FIGURES = (
    "engine",
    "rows",
    "messages",
    "desk",
    "customers",
    "pages",
    "slow",
    "notices",
    "receipts",
    "bookings",
    "idle",
)


class OutOfTime(Exception):
    """The run has lasted as long as it may."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=FIGURES, help="figures to measure, by group")
    asked = parser.parse_args()
    quick, figures, begun = asked.quick, asked.only, time.monotonic()
    today = datetime.now(tz=UTC).date()
    result: dict[str, Any] = {"quick": quick, "load_before": round(os.getloadavg()[0], 2)}
    folder = Path(tempfile.mkdtemp(prefix="openhours-bench-"))
    folder.chmod(0o711)
    signal.signal(signal.SIGALRM, _end)
    signal.alarm(LONGEST_QUICK_SECONDS if quick else LONGEST_SECONDS)
    try:
        if {"engine", "rows", "messages", "desk", "customers"} & set(figures):
            with servers(folder) as (server, env):
                if "engine" in figures:
                    in_process(server, env, today, result, quick=quick)
                if "rows" in figures:
                    hold_and_confirm(server, env, today, result, quick=quick)
                if "messages" in figures:
                    messages_in_bulk(server, env, today, result, folder, quick=quick)
                if "desk" in figures:
                    desk_day(server, env, today, result, quick=quick)
                if "customers" in figures:
                    customer_search(server, env, today, result, quick=quick)
        if site.FIGURES & set(figures):
            site.over_http(today, result, figures, quick=quick)
    except OutOfTime:
        print("Out of time: some figures are missing.", flush=True)
    finally:  # what fails takes only its own figures with it
        signal.alarm(0)
        shutil.rmtree(folder, ignore_errors=True)
        result["seconds"] = round(time.monotonic() - begun)
        report(result, ROOT / ".data" / "bench.json", is_part=len(figures) < len(FIGURES))
    return 0


def _end(*_: object) -> None:
    raise OutOfTime


@contextmanager
def servers(folder: Path) -> Iterator[tuple[Postgres, dict[str, str]]]:
    """A PostgreSQL with fsync and a Valkey for the in-process figures."""
    passwords = {role: application.new_key() for role in postgres.ROLES}
    server = postgres.start(folder / "postgres")
    broker = valkey.start(folder / "valkey")
    try:
        postgres.provision(server, passwords)
        addresses = application.database_addresses(server, passwords)
        env = {
            **os.environ,
            **{key: application.new_key() for key in ("SECRET_KEY", "LINK_KEY", "FIELD_KEYS")},
            **addresses,
            "DATABASE_URL": addresses["DATABASE_OWNER_URL"],
            "REDIS_URL": broker.url,
            "STATIC_ROOT": str(static_files(folder / "static.log")),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "WARNING",
        }
        application.migrate(env)
        yield server, env
    finally:
        broker.stop()
        server.stop()
        postgres.remove(folder / "postgres")


def new_worker(
    server: Postgres, env: dict[str, str], today: date, *, staff: int, past: int, name: str = ""
) -> tuple[Worker, dict[str, str]]:
    """Copy the migrated database, fill it, and start a worker on it."""
    name = name or f"bench_{staff}_{past}"
    server.create_database(name, owner="openhours_owner", template=postgres.DATABASE)
    own = {**env, "DATABASE_URL": env["DATABASE_URL"].rpartition("/")[0] + f"/{name}"}
    fill = [sys.executable, "-m", "benchmarks.worker", str(today), "fill", str(staff), str(past)]
    filled = subprocess.run(fill, env=own, cwd=ROOT, capture_output=True, text=True, check=False)
    if filled.returncode:
        raise SystemExit(filled.stderr)
    return Worker(own, int(filled.stdout), today), own


def in_process(server: Postgres, env: dict[str, str], today: date, result: dict[str, Any], *, quick: bool) -> None:
    million = 100_000 if quick else 1_000_000
    print("filling the databases …", flush=True)
    workers = {
        "none": new_worker(server, env, today, staff=10, past=0)[0],
        "50k": new_worker(server, env, today, staff=10, past=50_000)[0],
        "1m": new_worker(server, env, today, staff=10, past=million)[0],
    }
    if not quick:
        workers |= {str(staff): new_worker(server, env, today, staff=staff, past=50_000)[0] for staff in (100, 1000)}
    try:
        for worker in workers.values():
            paired(worker, "month", "sql", 5)
        ten = paired(workers["50k"], "month", "sql", 30 if quick else 100)
        put_ratio(result, "month_any10_vs_sql", ten)
        assert workers["50k"].answers["month"] == workers["50k"].answers["sql"], "both must find the same starts"
        if not quick:
            hundred, thousand = (paired(workers[name], "month", "sql", 30) for name in ("100", "1000"))
            put_ratio(result, "month_any100_vs_sql", hundred)
            put_ratio(result, "month_any1000_vs_sql", thousand)
            result["growth_staff_100_vs_10"] = round(median(hundred[0]) / median(ten[0]), 2)
            result["growth_staff_1000_vs_10"] = round(median(thousand[0]) / median(ten[0]), 2)
        growth = interleaved(workers, ("none", "50k", "1m"), 20 if quick else 60)
        result["growth_history_50k"] = round(median(growth["50k"]) / median(growth["none"]), 2)
        result["growth_history_1m"] = round(median(growth["1m"]) / median(growth["none"]), 2)
    finally:
        for worker in workers.values():
            worker.close()


def hold_and_confirm(
    server: Postgres, env: dict[str, str], today: date, result: dict[str, Any], *, quick: bool
) -> None:
    """A hold and its confirmation, and the same rows written by nothing but prepared statements, in turn."""
    worker, _ = new_worker(server, env, today, staff=10, past=50_000, name="bench_rows")
    try:
        worker.ask("learn")
        result["booking_rows"] = worker.answers["learn"]["rows"]
        paired(worker, "book", "rows", 10)
        put_ratio(result, "hold_confirm_vs_rows", paired(worker, "book", "rows", 40 if quick else 150))
    finally:
        worker.close()


def messages_in_bulk(
    server: Postgres, env: dict[str, str], today: date, result: dict[str, Any], folder: Path, *, quick: bool
) -> None:
    """Two workers send reminders that are all due, to a mail server on the same machine."""
    worker, own = new_worker(server, env, today, staff=10 if quick else 60, past=0, name="bench_messages")
    worker.close()
    box = mailbox.start(folder / "mails", web=False)
    try:
        result |= messages.measure({**own, "EMAIL_URL": box.email_url}, box.mails, 1_000 if quick else 10_000)
    finally:
        box.stop()


def desk_day(server: Postgres, env: dict[str, str], today: date, result: dict[str, Any], *, quick: bool) -> None:
    """A day of 30 therapists with 300 bookings, and the statements of that page alone, in turn."""
    worker, _ = new_worker(server, env, today, staff=30, past=50_000, name="bench_desk")
    try:
        worker.ask("open_desk")
        paired(worker, "desk_day", "desk_sql", 5)
        put_ratio(result, "day_grid_vs_sql", paired(worker, "desk_day", "desk_sql", 20 if quick else 60))
        assert worker.answers["desk_day"] == 300, "every booking has its block"
    finally:
        worker.close()


def customer_search(server: Postgres, env: dict[str, str], today: date, result: dict[str, Any], *, quick: bool) -> None:
    """The same searches among 2,000 and 200,000 customers (quick: 20,000), in turn: the 95th percentiles compared."""
    workers = {}
    for name, count in (("few", 2_000), ("many", 20_000 if quick else 200_000)):
        workers[name], own = new_worker(server, env, today, staff=10, past=0, name=f"bench_customers_{name}")
        fill = [sys.executable, "-m", "benchmarks.worker", str(today), "customers", str(count)]
        subprocess.run(fill, env=own, cwd=ROOT, check=True)
    try:
        for _ in range(20):
            for worker in workers.values():
                worker.ask("search")
        taken = interleaved(workers, ("few", "many"), 176 if quick else 528, act="search")
        slow = {name: sorted(all_of)[len(all_of) * 95 // 100] for name, all_of in taken.items()}
        result["customer_search_200k"] = round(slow["many"] / slow["few"], 2)
        result["customer_search_p95_ms"] = [round(slow["many"], 2), round(slow["few"], 2)]
    finally:
        for worker in workers.values():
            worker.close()


def interleaved(
    workers: dict[str, Worker], names: tuple[str, ...], times: int, act: str = "month"
) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(times):
        for name in names:
            taken[name].append(workers[name].ask(act))
    return taken


if __name__ == "__main__":
    raise SystemExit(main())
