"""What a load did, per file and table, and how it tells about its progress."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that was not loaded: where it stands, what is wrong with it, and the row itself as JSON."""

    table: str
    file: str
    line: int
    column: str | None
    value: str | None
    reason: str
    code: str
    row: str


@dataclass(frozen=True)
class FileReport:
    """What happened to the rows of one file for one table; `read` is the sum of the other counts.

    `differing` are events whose id was there already with other values: they were not taken.
    """

    path: Path
    table: str
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    differing: int = 0
    deleted: int = 0
    quarantined: int = 0
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class LoadReport:
    """What a load did; `problems` are about files as a whole, `notes` need no action."""

    files: tuple[FileReport, ...] = ()
    sample: tuple[QuarantinedRow, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    resolved: int = 0

    @property
    def quarantined(self) -> int:
        """Rows that were put in quarantine."""
        return sum(f.quarantined for f in self.files)

    @property
    def clean(self) -> bool:
        """Whether everything loaded."""
        return not self.problems and not self.quarantined


@dataclass(frozen=True)
class ProgressStep:
    """One step of the work on a file: `done` of `total` units, `rows` handled so far."""

    path: Path
    stage: str
    done: int
    total: int
    rows: int = 0


Progress = Callable[[ProgressStep], None]


@dataclass
class Counts:
    """Running counts of one file and table."""

    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    differing: int = 0
    deleted: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def add_quarantined(self, reason: str, rows: int) -> None:
        """Count rows put in quarantine for a reason."""
        self.quarantined += rows
        self.reasons[reason] = self.reasons.get(reason, 0) + rows

    def report(self, path: Path, table: str) -> FileReport:
        """The counts as a report, the most frequent reasons first."""
        reasons = tuple(sorted(self.reasons.items(), key=lambda r: (-r[1], r[0])))
        return FileReport(
            path, table, self.read, self.added, self.changed, self.unchanged, self.repeated, self.differing,
            self.deleted, self.quarantined, reasons,
        )  # fmt: skip
