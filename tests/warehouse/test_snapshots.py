"""Snapshots are written by a connection that has other things to do, and that finds itself as it was."""

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest

from keepwell.warehouse.snapshots import SnapshotColumn, Snapshots

DAYS = np.array([10, 10, 11, 11])
COLUMNS = [
    SnapshotColumn("id", "text", np.array([0.0, 1.0, 0.0, 1.0]), ("a", "b")),
    SnapshotColumn("plan", "text", np.array([np.nan, 0.0, 0.0, np.nan]), ("pro",)),
    SnapshotColumn("tags", "list", np.array([0.0, 1.0, 1.0, 0.0]), ("", "x\x1fy")),
    SnapshotColumn("phone", "text", np.full(4, np.nan), ()),
    SnapshotColumn("left", "date", np.array([np.nan, np.nan, 5.0, np.nan])),
    SnapshotColumn("arr", "number", np.array([1.5, np.nan, np.nan, 2.0])),
    SnapshotColumn("score", "integer", np.array([7.0, np.nan, 8.0, 9.0])),
    SnapshotColumn("paid", "boolean", np.array([1.0, 0.0, np.nan, 1.0])),
    SnapshotColumn("since", "date", np.array([0.0, np.nan, 1.0, 2.0])),
    SnapshotColumn("q", "code", np.array([0, 12, 0, 11], np.uint8)),
]
SETTINGS = (
    "SELECT current_setting('threads'), current_setting('preserve_insertion_order'), count(*) FROM duckdb_tables()"
)


def _one(day: int) -> list[SnapshotColumn]:
    return [SnapshotColumn(c.name, c.kind, c.values[day == DAYS], c.texts) for c in COLUMNS]


@pytest.mark.parametrize("many", [1, 1_000])
def test_a_date_is_the_same_bytes_alone_and_among_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, many: int
) -> None:
    monkeypatch.setattr("keepwell.warehouse.snapshots.MANY_ROWS", many)
    together, alone = Snapshots(tmp_path / "together"), Snapshots(tmp_path / "alone")
    with duckdb.connect() as connection:
        with together.writer(connection).staged(DAYS, COLUMNS) as writer:
            paths = [writer.publish(date(2026, 1, day), day, {"about": "x"}) for day in (10, 11)]
        for day, path in zip((10, 11), paths, strict=True):
            with alone.writer(connection).staged(np.array([day, day]), _one(day)) as writer:
                assert writer.publish(date(2026, 1, day), day, {"about": "x"}).read_bytes() == path.read_bytes()
        rows = connection.execute("FROM read_parquet(?)", [str(paths[0])]).fetchall()
    assert rows == [
        ("a", None, [], None, None, 1.5, 7, True, date(1970, 1, 1), 0),
        ("b", "pro", ["x", "y"], None, None, None, None, False, None, 12),
    ]


@pytest.mark.parametrize("fails", [False, True])
def test_the_connection_is_left_as_it_was(tmp_path: Path, *, fails: bool) -> None:
    with duckdb.connect(config={"threads": 2}) as connection:
        before = connection.execute(SETTINGS).fetchall()
        if fails:
            wrong = [SnapshotColumn("id", "number", np.array(["a", "b", "c", "d"], dtype=object))]
            with (
                pytest.raises(ValueError, match="could not convert"),
                Snapshots(tmp_path).writer(connection).staged(DAYS, wrong),
            ):
                pass
        else:
            with Snapshots(tmp_path).writer(connection).staged(DAYS, COLUMNS[3:]):
                pass
        assert connection.execute(SETTINGS).fetchall() == before


def test_what_is_beside_the_rows_is_that_of_the_file_which_is_there_now(tmp_path: Path) -> None:
    snapshots, day = Snapshots(tmp_path), date(2026, 1, 10)
    with duckdb.connect() as connection:
        for words in ("first", "other"):
            with snapshots.writer(connection).staged(DAYS, COLUMNS) as writer:
                writer.publish(day, 10, {"about": words})
            found = snapshots.about(day)
            assert found["about"] == words
            found["about"] = "changed by a reader"
            assert snapshots.about(day)["about"] == words


def test_a_date_without_rows_is_empty_beside_one_with_rows(tmp_path: Path) -> None:
    snapshots, first, second = Snapshots(tmp_path), date(2026, 1, 10), date(2026, 1, 11)
    column = SnapshotColumn("id", "text", np.array(["a", "b"], dtype=object))
    with duckdb.connect() as connection:
        with snapshots.writer(connection).staged(np.array([11, 11]), [column]) as writer:
            paths = [writer.publish(day, number, {}) for day, number in ((first, 10), (second, 11))]
        found = [connection.execute("SELECT id FROM read_parquet(?)", [str(path)]).fetchall() for path in paths]
    assert found == [[], [("a",), ("b",)]]
