"""What waiting costs: `python -m tests.measure_playing [DATABASE_URL]` prints the milliseconds of a worker's turns.

An idle turn with nothing in the tables, one with 100,000 timers that are not due yet, and turns that fire the first of
them. On SQLite, or on the PostgreSQL server that is named (a database of its own is made there); `postgresql` starts
one.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tests.postgresql import database_url
from tests.services.team.playing.killing import own_database

TIMERS: Final = 100_000
TURNS: Final = 200
FIRED: Final = 400
PLAYBOOK: Final = (
    "p: {trigger: {manual: true}, re_entry: {}, steps: [{wait: 20d}, {task: 'Call {company}'}, {wait: 1d}]}"
)


def main() -> None:
    """Measure, and print a line for each."""
    folder = Path(tempfile.mkdtemp(prefix="keepwell-measure-"))
    try:
        with _chosen(sys.argv[1] if len(sys.argv) > 1 else "") as url:
            stage = _stage(folder, url)
            _measure(stage)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _chosen(wanted: str) -> Iterator[str]:
    if not wanted:
        yield ""
        return
    with own_database(database_url(wanted)) as own:
        yield own


def _stage(folder: Path, url: str) -> Any:
    os.environ |= {
        "KEEPWELL_DATABASE_URL": url,
        "KEEPWELL_WORKSPACE": str(folder / "workspace"),
        "KEEPWELL_SECRET_KEY": "only for tests: " + "0123456789" * 5,
        "DJANGO_SETTINGS_MODULE": "keepwell.interfaces.site.settings",
    }
    (folder / "workspace").mkdir()
    (folder / "workspace" / "keepwell.toml").write_text('[workspace]\nname = "Stage"\n', encoding="utf-8")
    import_module("django").setup()
    import_module("django.core.management").call_command("migrate", verbosity=0)
    staged = import_module("tests.services.team.playing.stage")
    stage = staged.Stage(staged.workspace_with(folder / "workspace", PLAYBOOK))
    stage.customers = {}
    return stage.on("p")


def _measure(stage: Any) -> None:
    _line("idle turn, nothing waits", _times(stage.turn, TURNS))
    _fill(stage)
    _line(f"idle turn, {TIMERS:,} timers wait", _times(stage.turn, TURNS))
    stage.now += timedelta(days=20, seconds=FIRED)
    began = time.perf_counter()
    fired = stage.turn()
    took = time.perf_counter() - began
    print(f"{'fired of ' + format(TIMERS, ','):40}{fired:>10,} in {took:.2f} s: {took / fired * 1000:.1f} ms each")


def _fill(stage: Any) -> None:
    """A run per customer that waits twenty days, a second apart; written as the first of them was."""
    models = import_module("keepwell.store.models")
    first = stage.start("p", "c0")
    runs, timers = models.PlaybookRun.objects, models.PlaybookTimer.objects
    due = timers.get(run=first).due_at
    names = [f"c{number}" for number in range(1, TIMERS)]
    kept = {name: getattr(first, name) for name in ("playbook", "version", "entry", "started_at", "step", "phase")}
    made = [models.PlaybookRun(customer_id=n, company=n, state={**first.state, "customer": n}, **kept) for n in names]
    made = runs.bulk_create(made, batch_size=2000)
    waits = (
        models.PlaybookTimer(run=run, number=1, due_at=due + timedelta(seconds=i)) for i, run in enumerate(made, 1)
    )
    timers.bulk_create(waits, batch_size=2000)


def _times(turn: Callable[[], object], times: int) -> list[float]:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        turn()
        found.append((time.perf_counter() - began) * 1000)
    return found


def _line(what: str, found: list[float]) -> None:
    worst = sorted(found)[int(len(found) * 0.99)]
    print(f"{what:40}{statistics.median(found):>10.2f} ms, p99 {worst:.2f} ms", flush=True)


if __name__ == "__main__":
    main()
