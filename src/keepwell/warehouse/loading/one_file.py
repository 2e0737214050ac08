"""One file, from its bytes to a committed change."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import duckdb

from keepwell.warehouse.facts import remove_unlisted
from keepwell.warehouse.loading.checking import check_rows
from keepwell.warehouse.loading.encoding import UnreadableFileError
from keepwell.warehouse.loading.feeds import note_feeds
from keepwell.warehouse.loading.files import InputFile
from keepwell.warehouse.loading.links import linked_rows
from keepwell.warehouse.loading.lookups import Lookups, LookupTable
from keepwell.warehouse.loading.mapped import mapped_plans
from keepwell.warehouse.loading.mapping import MappedFile, Mapping, lookup_names, source_names
from keepwell.warehouse.loading.merge_customers import merge_customers
from keepwell.warehouse.loading.merge_facts import merge_facts
from keepwell.warehouse.loading.merge_small import merge_small
from keepwell.warehouse.loading.opening import open_file
from keepwell.warehouse.loading.plan import Plan, canonical_plan, normal_name
from keepwell.warehouse.loading.quarantine import Desk, sample, settle_fixed
from keepwell.warehouse.loading.reading import RawFile, count_rows
from keepwell.warehouse.loading.report import Counts, FileReport, Progress, ProgressStep, QuarantinedRow
from keepwell.warehouse.loading.rows import Intake
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import CUSTOMERS, Table


@dataclass
class FileLoader:
    """Loads files one after the other and collects what there is to report."""

    warehouse: Warehouse
    now: datetime
    mapping: Mapping | None = None
    progress: Progress | None = None
    reports: list[FileReport] = field(default_factory=list)
    sample: list[QuarantinedRow] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _opened: Lookups | None = None

    def load(self, file: InputFile, *, settle: Callable[[], None] | None = None) -> bool:
        """Load one file in one transaction; `settle` does what else belongs to it before it ends.

        Returns whether it was loaded; when not, the problem is on the list and the data folder as before.
        """
        stage = self.warehouse.stage
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(parents=True)
        kept = len(self.reports), len(self.sample)
        try:
            # A reader that gives up would spoil the transaction, so reading comes first.
            raw = self._open(file, stage)
            lookups = self._lookups(file, stage)
            with self.warehouse.transaction():
                days = self._transfer(raw, self._plans(raw, file, lookups), stage)
                if settle is not None:
                    settle()
        except (UnreadableFileError, duckdb.Error, OSError) as error:
            del self.reports[kept[0] :], self.sample[kept[1] :]
            self.problems.append(f"{file.path}: not loaded: {_plain(error)}")
            return False
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        for table, day in days:
            remove_unlisted(self.warehouse, table, day)
        return True

    def _transfer(self, raw: RawFile, plans: list[Plan], stage: Path) -> list[tuple[Table, date]]:
        if not raw.rows and raw.broken is None:
            self.problems.append(f"{raw.path}: no rows, only a header")
        self._note_left_over(raw, plans)
        self.problems += [f"{raw.path}: {p}" for p in raw.problems]
        days: list[tuple[Table, date]] = []
        for position, plan in enumerate(plans):
            folder = stage / f"{position}-{plan.table.name}"
            folder.mkdir()
            days += [(plan.table, d) for d in self._put(raw, plan, folder, first=position == 0)]
        return days

    def _open(self, file: InputFile, stage: Path) -> RawFile:
        self._tell(file.path, "reading", 0, 1, 0)
        return open_file(self.warehouse.connection, file.path, file.form, stage, self._expected(file))

    def _lookups(self, file: InputFile, stage: Path) -> dict[str, LookupTable]:
        entry = self._entry(file)
        if entry is None or self.mapping is None:
            return {}
        if self._opened is None:
            self._opened = Lookups(self.warehouse.connection, self.mapping.lookups, self.mapping.folder)
        return self._opened.open(lookup_names(entry), file.path, stage)

    def _entry(self, file: InputFile) -> MappedFile | None:
        return self.mapping.for_file(file.path) if self.mapping and file.table is None else None

    def _expected(self, file: InputFile) -> Callable[[str], bool]:
        entry = self._entry(file)
        if entry is not None:
            mapped = {n.lower() for n in source_names(entry)}
            return lambda name: name.strip().lower() in mapped
        names = file.table.column_names if file.table else ()
        return lambda name: normal_name(name) in names

    def _plans(self, raw: RawFile, file: InputFile, lookups: dict[str, LookupTable]) -> list[Plan]:
        entry = self._entry(file)
        if entry is not None:
            return mapped_plans(raw, entry, self.warehouse.zone, lookups) if raw.columns else []
        return [canonical_plan(raw, file.table, self.warehouse.zone)] if file.table else []

    def _note_left_over(self, raw: RawFile, plans: list[Plan]) -> None:
        """Rows that no target of a mapping takes are not lost silently."""
        conditions = [p.where for p in plans]
        if not conditions or None in conditions:
            return
        taken = " OR ".join(c for c in conditions if c is not None)
        left = count_rows(self.warehouse.connection, f"{raw.relation} WHERE NOT ({taken})")
        if left:
            self.notes.append(f"{raw.path}: {left} rows meet no condition of the mapping and were not taken")

    def _put(self, raw: RawFile, plan: Plan, folder: Path, *, first: bool) -> list[date]:
        """Put the rows of a file into one table; returns the fact days that were rewritten."""
        connection, table, counts = self.warehouse.connection, plan.table, Counts()
        desk = Desk(connection, self._next_load(), table, raw.path, raw.lines, counts)
        if first and raw.broken is not None:
            counts.read += count_rows(connection, raw.broken)
            desk.take_broken(raw.broken)
        self._tell(raw.path, "checking", 0, 1, raw.rows)
        checked = check_rows(connection, raw.relation, plan, folder / "checked.parquet")
        counts.read += checked.rows
        desk.take_checked(checked.bad, checked.checks, raw)
        present = frozenset(plan.cells) | ({table.json_column} if plan.extras else frozenset())
        good = linked_rows(connection, table, checked.good)
        intake = Intake(self.warehouse, table, good, present, desk, self.now)
        days = self._merge(intake, folder / "days")
        settle_fixed(desk, raw, plan, good)
        note_feeds(intake)
        self._record(raw, desk)
        self.notes += [f"{raw.path}: {n}" for n in plan.notes]
        return days

    def _merge(self, intake: Intake, folder: Path) -> list[date]:
        if intake.table is CUSTOMERS:
            merge_customers(intake)
        elif intake.table.facts:
            path, rows = intake.desk.file, intake.desk.counts.read
            return merge_facts(intake, folder, lambda done, total: self._tell(path, "writing", done, total, rows))
        else:
            merge_small(intake)
        return []

    def _record(self, raw: RawFile, desk: Desk) -> None:
        c, connection = desk.counts, self.warehouse.connection
        counts = [c.read, c.added, c.changed, c.unchanged, c.repeated + c.differing, c.deleted, c.quarantined]
        values = [desk.load_id, str(raw.path), raw.sha256, desk.table.name, self.now.replace(tzinfo=None), *counts]
        connection.execute(f"INSERT INTO loads VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608
        self.reports.append(c.report(raw.path, desk.table.name))
        if c.differing:
            events = "1 event has" if c.differing == 1 else f"{c.differing:,} events have"
            self.notes.append(f"{raw.path}: {events} the id of an earlier one and other values; the first one stays")
        if c.quarantined:
            self.sample += sample(desk)
        self._tell(raw.path, "done", 1, 1, c.read)

    def _next_load(self) -> int:
        found = self.warehouse.connection.execute("SELECT coalesce(max(load_id), 0) + 1 FROM loads").fetchone()
        return 1 if found is None else int(found[0])

    def _tell(self, path: Path, stage: str, done: int, total: int, rows: int) -> None:
        if self.progress is not None:
            self.progress(ProgressStep(path, stage, done, total, rows))


def _plain(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
