"""Figures and their aims: ratios of what was measured in turn, and how they are printed and kept."""

import json
import os
import statistics
from pathlib import Path
from typing import Any

AIMS = {
    "month_any10_vs_sql": ("≤", 0.5),
    "month_any1000_vs_sql": ("≤", 0.6),
    "hold_confirm_vs_rows": ("≤", 3),
    "slot_page_rps_c10_vs_pgbench": ("≥", 0.45),
    "slot_page_vs_parts": ("≤", 1.6),
    "bookings_vs_rows_30": ("≥", 0.3),
    "growth_history_1m": ("≤", 1.3),
    "race_winners": ("=", 1),
    "race_slowest_s": ("≤", 3),
    "messages_sent_twice": ("=", 0),
    "webhook_vs_ready": ("≤", 5),
    "slow_clients": ("≥", 0.9),
    "day_grid_vs_sql": ("≤", 4),
    "dashboards_50_idle": ("≤", 0.05),
    "customer_search_200k": ("≤", 2),
}


def report(result: dict[str, Any], target: Path, *, is_part: bool) -> None:
    """Print what was measured beside its aim and write it; with ``is_part`` the other figures of the file stay."""
    result["load_after"] = round(os.getloadavg()[0], 2)
    target.parent.mkdir(exist_ok=True)
    known = json.loads(target.read_text()) if is_part and target.exists() else {}
    target.write_text(json.dumps({**known, **result}, indent=1, sort_keys=True) + "\n")
    for name in sorted(result):
        if name not in AIMS:
            print(f"  {name}: {result[name]}")
    print("\naims (docs/performance.md)")
    for name, (sign, aim) in AIMS.items():
        if name not in result:
            continue
        value = result[name]
        is_met = value <= aim if sign == "≤" else value >= aim if sign == "≥" else value == aim
        print(f"  {'reached' if is_met else 'MISSED '}  {name} = {value} (aim {sign} {aim})")


def median(values: list[float]) -> float:
    return statistics.median(values)


def put_ratio(result: dict[str, Any], name: str, pair: tuple[list[float], list[float]]) -> None:
    ours, base = pair
    ratios = sorted(first / second for first, second in zip(ours, base, strict=True))
    result[name] = round(statistics.median(ratios), 2)
    result[f"{name}_p10_p90"] = [round(ratios[len(ratios) // 10], 2), round(ratios[len(ratios) * 9 // 10], 2)]
    result[f"{name}_ms"] = [round(median(ours), 2), round(median(base), 2)]
