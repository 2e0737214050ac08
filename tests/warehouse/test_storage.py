import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from keepwell.warehouse.storage import Warehouse, WarehouseBusy, WarehouseError
from keepwell.warehouse.tables import TABLES


def test_a_second_process_waits_and_is_told_for_whom(tmp_path: Path) -> None:
    said: list[str] = []
    with Warehouse.open(tmp_path, zone="UTC", doing="load"), pytest.raises(WarehouseBusy) as raised:
        Warehouse.open(tmp_path, zone="UTC", wait_seconds=0.3, on_wait=said.append)
    assert f"process {os.getpid()} (load)" in str(raised.value)
    assert said == [f"waiting for process {os.getpid()} (load), up to 0.3 s"]


def test_closing_gives_the_lock_back(tmp_path: Path) -> None:
    first = Warehouse.open(tmp_path, zone="UTC")
    first.close()
    first.close()
    Warehouse.open(tmp_path, zone="UTC").close()


def test_the_zone_is_kept_and_another_one_refused(tmp_path: Path) -> None:
    Warehouse.open(tmp_path, zone="Europe/Berlin").close()
    with pytest.raises(WarehouseError, match=r"made with time zone Europe/Berlin.* now says UTC"):
        Warehouse.open(tmp_path, zone="UTC")
    Warehouse.open(tmp_path, zone="Europe/Berlin").close()


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc"])
def test_an_unknown_zone_is_refused(tmp_path: Path, zone: str) -> None:
    with pytest.raises(WarehouseError, match="unknown time zone"):
        Warehouse.open(tmp_path, zone=zone)


def test_a_damaged_file_is_a_clear_error_and_frees_the_lock(tmp_path: Path) -> None:
    (tmp_path / "warehouse.duckdb").write_bytes(b"this is no database, but long enough to look like one" * 100)
    for _ in range(2):
        with pytest.raises(WarehouseError, match=r"warehouse\.duckdb cannot be opened"):
            Warehouse.open(tmp_path, zone="UTC")


def _leave_behind(data: Path) -> list[Path]:
    files = [data / "facts" / "events" / "2026-01-01" / "abc.parquet", data / "stage" / "raw.parquet"]
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x")
    return files


def test_leftovers_of_an_interrupted_load_are_removed(tmp_path: Path) -> None:
    program = "import os, sys; from pathlib import Path; from keepwell.warehouse.storage import Warehouse\n"
    program += "Warehouse.open(Path(sys.argv[1]), zone='UTC'); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == -signal.SIGKILL
    files = _leave_behind(tmp_path)
    Warehouse.open(tmp_path, zone="UTC").close()
    assert not any(file.exists() for file in files)


@pytest.mark.parametrize("caught", [False, True])
def test_leftovers_of_a_failed_load_are_removed(tmp_path: Path, *, caught: bool) -> None:
    with suppress(RuntimeError), Warehouse.open(tmp_path, zone="UTC") as warehouse:
        with suppress(*[RuntimeError] if caught else []), warehouse.transaction():
            raise RuntimeError
        if not caught:
            raise RuntimeError
    files = _leave_behind(tmp_path)
    Warehouse.open(tmp_path, zone="UTC").close()
    assert not any(file.exists() for file in files)


def test_whoever_closed_the_folder_in_order_left_nothing_to_look_for(tmp_path: Path) -> None:
    with Warehouse.open(tmp_path, zone="UTC") as warehouse:
        assert (tmp_path / "warehouse.open").exists()
        with warehouse.transaction():
            pass
    assert not (tmp_path / "warehouse.open").exists()


def test_every_small_table_has_the_canonical_columns_and_an_integer_customer(warehouse: Warehouse) -> None:
    for table in TABLES.values():
        if table.facts:
            continue
        found = [c for c, *_ in warehouse.connection.execute(f"DESCRIBE {table.name}").fetchall()]
        assert set(table.column_names) - {"customer_id"} <= set(found)
        assert "customer" in found


def test_a_transaction_that_raises_changes_nothing(warehouse: Warehouse) -> None:
    with pytest.raises(duckdb.Error), warehouse.transaction() as connection:
        connection.execute("INSERT INTO customer_keys VALUES (1, 'c1'); SELECT no_such_column")
    assert warehouse.connection.execute("SELECT count(*) FROM customer_keys").fetchone() == (0,)


def test_a_kill_while_the_file_is_made_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    """An empty file, and half of a new one: what SIGKILL left in real runs."""
    (tmp_path / "warehouse.duckdb").touch()
    (tmp_path / "warehouse.new").write_bytes(b"DUCK" * 100)
    for _ in range(2):
        with Warehouse.open(tmp_path, zone="UTC") as warehouse:
            assert warehouse.connection.execute("SELECT count(*) FROM settings").fetchone() == (2,)
    assert not (tmp_path / "warehouse.new").exists()
