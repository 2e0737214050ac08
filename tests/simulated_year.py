"""A year of playbooks and alerts: every pack's, switched on, for a simulated company, with a clock that jumps.

`python -m tests.simulated_year [--customers 850] [--days 365] [--packs NAME …] [--keep DIR]` simulates the world,
computes and publishes every day, then lives through them: the day arrives in the morning, people answer questions, log
outcomes and reply, events come through the journal, colleagues take alerts up, put them away, resolve them or do not
look, the worker turns every quarter of an hour in which something is due, and channels rehearse. It ends with 1 when a
rule of `tests/services/team/{playing,alerting}/invariants.py` is broken. Each pack has a workspace, a database and a
process of its own, as many at a time as there are cores.
"""

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from itertools import pairwise, repeat
from pathlib import Path
from typing import Any, Final

from keepwell.model.packs import pack_names
from keepwell.services.loading import load_files
from keepwell.services.playbook_facts import day_facts
from keepwell.services.runs import backfill_days
from keepwell.services.workspace import Workspace, workspace_init, workspace_open
from keepwell.simulation import simulate_world

LAST: Final = date(2026, 6, 30)
BEFORE: Final = 100
"""Days of the world before the year, so that metrics have something to look back on."""
COLUMNS: Final = ("runs", "ended", "held out", "effects", "messages", "tasks", "approvals", "audit", "turns", "broken")
ALERTS: Final = ("alerts", "again", "resting", "overdue", "escalated", "by people", "told")


def main() -> int:
    """Live through the year of every pack; returns how many rules were broken, at most 1."""
    arguments = _arguments()
    if arguments.live:
        print(json.dumps(lived(workspace_open(arguments.keep), arguments.days)))
        return 0
    root = arguments.keep or Path(tempfile.mkdtemp(prefix="keepwell-year-"))
    began = time.monotonic()
    try:
        workspaces = made(root, arguments.packs, arguments.customers, arguments.days)
        print(f"{len(workspaces)} workspaces of {arguments.customers} customers in {time.monotonic() - began:.0f} s")
        print(f"{'pack':20}" + "".join(f"{name:>10}" for name in COLUMNS) + f"{'seconds':>10}", flush=True)
        with ThreadPoolExecutor(os.cpu_count()) as packs:
            longest = sorted(workspaces.items(), key=lambda made: _news(made[1]), reverse=True)
            broken = sum(packs.map(_told, *zip(*longest, strict=True), repeat(arguments.days)))
    finally:
        if arguments.keep is None:
            shutil.rmtree(root, ignore_errors=True)
    print(f"{'all rules hold' if not broken else f'{broken} broken'}; {time.monotonic() - began:.0f} s in all")
    return min(broken, 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--customers", type=int, default=850)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--packs", nargs="*", default=list(pack_names()))
    parser.add_argument("--keep", type=Path, help="work here, and leave everything there")
    parser.add_argument("--live", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def made(root: Path, packs: list[str], customers: int, days: int) -> dict[str, Workspace]:
    """A workspace per pack with every day of the year published; the world is loaded once and copied."""
    world = root / "world"
    simulate_world(out=world, customers=customers, days=days + BEFORE, end=LAST, seed=7)
    found: dict[str, Workspace] = {}
    for pack in packs:
        workspace = workspace_init(root / pack, pack=pack, name=pack, currency="EUR")
        if not found:
            morning = datetime.combine(LAST + timedelta(days=1), datetime.min.time(), UTC)
            assert not load_files(workspace, paths=[world], now=morning).problems
        else:
            first = next(iter(found.values()))
            workspace.data_dir.mkdir(parents=True, exist_ok=True)
            shutil.copy2(first.data_dir / "warehouse.duckdb", workspace.data_dir)
            shutil.copytree(first.data_dir / "facts", workspace.data_dir / "facts")
        found[pack] = workspace
    for workspace in found.values():
        backfill_days(workspace, first=LAST - timedelta(days=days - 1), last=LAST)
    return found


def _news(workspace: Workspace) -> int:
    """How many signals turned on in the last month: where most happens takes longest, and begins first."""
    days = [day_facts(workspace.snapshots, day, ()) for day in workspace.snapshots.dates()[-30:]]
    there = [
        {customer: facts.signals for customer in day.customers() if (facts := day.facts(customer))} for day in days
    ]
    return sum(len(now[who] - before.get(who, now[who])) for before, now in pairwise(there) for who in now)


def _told(pack: str, workspace: Workspace, days: int) -> int:
    """Live through a pack's year in a process of its own, and print its line; returns how many rules it broke."""
    program = [sys.executable, "-m", "tests.simulated_year", "--live", "--keep", str(workspace.root)]
    ended = subprocess.run([*program, "--days", str(days)], capture_output=True, text=True, check=False)
    if ended.returncode:
        print(f"{pack}: {ended.stderr[-3000:]}")
        return 1
    found = json.loads(ended.stdout.splitlines()[-1])
    print(f"{pack:20}" + "".join(f"{found[name]:>10,}" for name in COLUMNS) + f"{found['seconds']:>10.0f}")
    print(f"{'':20}" + "  ".join(f"{name} {found[name]:,}" for name in ALERTS))
    for what in found["rules"]:
        print(f"  {what}")
    sys.stdout.flush()
    return int(found["broken"])


def lived(workspace: Workspace, days: int) -> dict[str, Any]:
    """Set Django up for the workspace and live through its last so many published days."""
    os.environ |= {
        "KEEPWELL_WORKSPACE": str(workspace.root),
        "KEEPWELL_SECRET_KEY": "only for tests: " + "0123456789" * 5,
        "DJANGO_SETTINGS_MODULE": "keepwell.interfaces.site.settings",
    }
    import_module("django").setup()
    import_module("django.core.management").call_command("migrate", verbosity=0)
    # A year is lived through in minutes and thrown away: no disk has to keep it through a power cut.
    import_module("django.db").connection.cursor().execute("PRAGMA synchronous=OFF")
    logging.disable(logging.WARNING)
    year = import_module("tests.simulated_people").Year(workspace)
    began = time.monotonic()
    for day in workspace.snapshots.dates()[-days:]:
        year.day(day)
    return {**year.counts(), "seconds": time.monotonic() - began}


if __name__ == "__main__":
    sys.exit(main())
