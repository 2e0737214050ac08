"""Worlds on disk: made once for each size and length, used again while the generator is the same."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Self

from keepwell.bench import world
from keepwell.bench.world import END, Size, make_world
from keepwell.services.workspace import Workspace
from keepwell.warehouse.facts import fact_days
from keepwell.warehouse.storage import LAYOUT
from keepwell.warehouse.tables import TABLES

MARKER: Final = "world.json"
MODEL: Final = Path(__file__).parent / "model"
MEMORY_LIMIT: Final = "600MB"
NEXT: Final = END + timedelta(days=1)
DOUBLE: Final = 2

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class World:
    """A folder with a complete world; it is also a workspace with the model of the benchmark."""

    root: Path
    size: Size

    @classmethod
    def open(cls, root: Path) -> Self:
        """The world that a marker describes."""
        return cls(root, Size(**json.loads((root / MARKER).read_text(encoding="utf-8"))["size"]))

    @property
    def workspace(self) -> Workspace:
        """The folder as a workspace, with a workspace's usual settings."""
        return Workspace(self.root, "bench", "UTC", "USD", MODEL, self.root / "data", 60.0, MEMORY_LIMIT)

    @property
    def results(self) -> Path:
        """Where what was computed otherwise than by the engine is kept for comparing."""
        folder = self.root / "results"
        folder.mkdir(exist_ok=True)
        return folder

    def event_files(self) -> list[str]:
        """The files of all events up to END."""
        with self.workspace.warehouse("bench") as warehouse:
            days = fact_days(warehouse, TABLES["events"])
        return [str(fact.path) for day, fact in days.items() if day <= END]

    def forget(self) -> None:
        """Back to what was generated: no daily state, no snapshots, no day after END."""
        shutil.rmtree(self.root / "data" / "snapshots", ignore_errors=True)
        with self.workspace.warehouse("bench") as warehouse:
            run = warehouse.connection.execute
            tables = run("SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'state_')").fetchall()
            for (table,) in tables:
                run(f'DROP TABLE "{table}"')
            run("DELETE FROM fact_days WHERE day > ?", [END])
            run("CHECKPOINT")


def world_ready(root: Path, size: Size, tell: Tell) -> World:
    """The world of a size in `root`, generated unless a complete one of the same generator is there."""
    marker = {"size": asdict(size), "generator": _generator()}
    path = root / MARKER
    if not path.exists() or json.loads(path.read_text(encoding="utf-8")) != marker:
        _refuse_foreign(root)
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        (root / _MINE).touch()
        name = f"generating {size.days} days of {size.per_day:,} events"
        make_world(root / "data", size, step=lambda done, total: tell(name, done, total))
        path.write_text(json.dumps(marker, indent=1) + "\n", encoding="utf-8")
    return World.open(root)


_MINE: Final = ".keepwell-bench"


def _refuse_foreign(root: Path) -> None:
    """Nothing is removed that this program has not made."""
    if root.exists() and any(root.iterdir()) and not (root / _MINE).exists():
        raise FileExistsError(17, "is not a folder of the benchmark; choose another with --dir", str(root))


def _generator() -> str:
    """Changes with the code that generates and with the layout of a warehouse."""
    source = Path(world.__file__).read_bytes()
    return hashlib.sha256(source + LAYOUT.encode()).hexdigest()[:16]
