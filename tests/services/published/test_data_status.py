"""The state of the data as the page shows it."""

from datetime import UTC

from keepwell.services.published import data_status, quarantine_rows
from keepwell.services.reading import read_published
from keepwell.services.workspace import Workspace
from keepwell.warehouse.tables import TABLES

from .conftest import LAST, NOW


def test_tables_feeds_and_loads(scored: Workspace) -> None:
    status = data_status(scored)
    assert [table.table for table in status.tables] == list(TABLES)
    events = next(table for table in status.tables if table.table == "events")
    assert (events.state, events.until, events.age) == ("fresh", LAST, 0)
    assert events.rows == sum(source.rows for source in events.sources) > 0
    assert len(status.loads) == len(TABLES)
    assert status.last_load_at == NOW.astimezone(UTC).replace(tzinfo=None)
    assert status.loads[0].read == status.loads[0].added + status.loads[0].repeated
    assert status.quarantine == ()
    assert status.as_of == LAST


def test_coverage_counts_every_customer_once(scored: Workspace) -> None:
    published = read_published(scored)
    rows = [row for row in published.rows() if row["status"] != "churned"]
    coverage = {metric.metric: metric for metric in data_status(scored).coverage}
    assert set(coverage) == {name.removeprefix("m.") for name in published.columns if name.startswith("m.")}
    for name, metric in coverage.items():
        assert metric.customers == len(rows)
        assert metric.known + metric.assumed + metric.stale + metric.absent + metric.unused == len(rows)
        assert metric.known + metric.assumed == sum(row[f"m.{name}"] is not None for row in rows)
    assert any(metric.unused for metric in coverage.values())


def test_tables_that_never_came_are_absent(bare: Workspace) -> None:
    status = data_status(bare)
    states = {table.table: table.state for table in status.tables}
    assert states["events"] == "absent"
    assert states["customers"] == "fresh"
    absent = {metric.metric for metric in status.coverage if metric.absent == 3}
    assert "active_days_28d" in absent
    assert any("events" in warning for warning in status.warnings)


def test_quarantine_by_reason(bare: Workspace) -> None:
    status = data_status(bare)
    groups = {(group.code, group.column): group for group in status.quarantine}
    unknown = groups["unknown_customer", "customer_id"]
    assert (unknown.table, unknown.rows, unknown.retryable) == ("tickets", 2, True)
    assert unknown.files[0].endswith("tickets.csv")
    assert status.quarantined == 3
    page = quarantine_rows(bare, table="tickets", code="unknown_customer", column="customer_id", reason=unknown.reason)
    assert page.total == 2
    assert [row.line for row in page.rows] == [3, 4]
    assert quarantine_rows(bare, limit=1, offset=2).total == 3
    assert len(quarantine_rows(bare, limit=1, offset=2).rows) == 1
    assert quarantine_rows(bare, table="events").total == 0
