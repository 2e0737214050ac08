"""The demo verb: a simulated world, loaded once, run by two models over half a year."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from keepwell.services.loading import load_files
from keepwell.services.published import publish_copies
from keepwell.services.runs import RunReport, backfill_days, run_day
from keepwell.services.workspace import CONFIG, Workspace, WorkspaceError, workspace_init
from keepwell.simulation import simulate_world

CUSTOMERS: Final = 850
WORLD_DAYS: Final = 240
DAYS: Final = 180
LAST: Final = date(2026, 6, 30)
SEED: Final = 1
PACKS: Final = ("agency-signals", "b2b-saas")
PORTS: Final = {"agency-signals": 8801, "b2b-saas": 8800}
_WEB: Final = """
[web]
# The simulated world ends here, so in the workspace it is always this day.
today = {today}
port = {port}
"""
CURRENCY: Final = "EUR"
_MARK: Final = ".keepwell-demo"
_SHARED: Final = ("warehouse.duckdb", "facts")

Tell = Callable[[str, float, float, str], None]


@dataclass(frozen=True)
class DemoWorkspace:
    """One workspace of the demo and what its last run said."""

    workspace: Workspace
    report: RunReport


@dataclass(frozen=True)
class DemoSize:
    """How large a demo is."""

    customers: int = CUSTOMERS
    world_days: int = WORLD_DAYS
    days: int = DAYS
    last: date = LAST
    seed: int = SEED
    # The last days that are left to daily runs in the workspace.
    left: int = 0

    @property
    def live_days(self) -> tuple[date, ...]:
        """The days that are left to daily runs, at most all but one."""
        return tuple(self.last - timedelta(days=back) for back in reversed(range(min(self.left, self.days - 1))))


def demo_build(root: Path, *, tell: Tell, size: DemoSize | None = None) -> tuple[DemoWorkspace, ...]:
    """Build the demo in `root` afresh; `tell` hears of every stage: its name, done, total and the unit.

    Raises WorkspaceError when `root` holds something else than an earlier demo.
    """
    how = size or DemoSize()
    _clear(root)
    world = simulate_world(
        out=root / "world",
        customers=how.customers,
        days=how.world_days,
        end=how.last,
        seed=how.seed,
        progress=lambda _, done, total: tell("simulating customers", done, total, "customers"),
    )
    first, *others = [workspace_init(root / pack, pack=pack, currency=CURRENCY) for pack in PACKS]
    for workspace in (first, *others):
        _set_web(workspace, how.last)
    _load(first, world.out, how.last, tell)
    for other in others:
        _copy_data(first, other)
    return tuple(_run(workspace, how, tell) for workspace in (first, *others))


def _clear(root: Path) -> None:
    """Make room for a demo; what an earlier or an interrupted one left is removed, nothing else is."""
    if root.exists() and not root.is_dir():
        raise WorkspaceError(f"{root}: is a file; name another folder with --dir DIR")
    if root.exists() and any(root.iterdir()):
        if not (root / _MARK).exists():
            raise WorkspaceError(f"{root}: holds something that is no demo; name another folder with --dir DIR")
        for name in ("world", *PACKS):
            shutil.rmtree(root / name, ignore_errors=True)
    root.mkdir(parents=True, exist_ok=True)
    (root / _MARK).write_text("keepwell demo builds this folder anew\n", encoding="utf-8")


def _load(workspace: Workspace, world: Path, last: date, tell: Tell) -> None:
    files = sum(path.is_file() for path in world.iterdir())
    loaded: set[Path] = set()

    def count(path: Path, stage: str) -> None:
        if stage == "done":
            loaded.add(path)
        tell("loading files", len(loaded), files, "files")

    # The morning after the last day: as if the nightly export had just come in.
    now = datetime.combine(last + timedelta(days=1), datetime.min.time(), UTC)
    report = load_files(workspace, paths=[world], now=now, progress=lambda step: count(step.path, step.stage))
    if report.problems:
        raise WorkspaceError(report.problems[0])


def _copy_data(source: Workspace, target: Workspace) -> None:
    """The second workspace starts from the same loaded data; what a run keeps is its own."""
    target.data_dir.mkdir(parents=True, exist_ok=True)
    for name in _SHARED:
        original, copy = source.data_dir / name, target.data_dir / name
        if original.is_dir():
            shutil.copytree(original, copy)
        else:
            shutil.copy2(original, copy)


def _set_web(workspace: Workspace, today: date) -> None:
    with (workspace.root / CONFIG).open("a", encoding="utf-8") as config:
        config.write(_WEB.format(today=today, port=PORTS[workspace.root.name]))


def _run(workspace: Workspace, how: DemoSize, tell: Tell) -> DemoWorkspace:
    days = how.days - len(how.live_days)
    last = how.last - timedelta(days=len(how.live_days))
    name = f"computing {days} days of {workspace.name}"
    tell(name, 0, days, "days")
    backfill_days(
        workspace,
        first=last - timedelta(days=days - 1),
        last=last,
        step=lambda _, done, total: tell(name, done, total, "days"),
    )
    report = run_day(workspace, as_of=last)
    publish_copies(workspace)
    return DemoWorkspace(workspace, report)
