"""The engine that a process keeps for reading: threads, forks and files that are replaced get what is there."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from keepwell.warehouse.scratch import scratch


def written(path: Path, number: int) -> Path:
    """A file whose one value is a number, in place of what was there."""
    fresh = path.with_suffix(".tmp")
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {number} AS number FROM range(3)) TO '{fresh}' (FORMAT parquet)")
    os.replace(fresh, path)
    return path


def read(path: Path) -> int:
    with scratch() as connection:
        found = connection.execute("SELECT DISTINCT number FROM read_parquet(?)", [str(path)]).fetchall()
    return int(found[0][0])


def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    for number in range(4):
        assert read(written(tmp_path / "day.parquet", number)) == number


def test_threads_ask_at_once(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{number}.parquet", number) for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(read, paths * 5)) == list(range(8)) * 5


def test_a_question_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(duckdb.BinderException), scratch() as connection:
        connection.execute("CREATE TEMP VIEW mine AS SELECT 1").execute("SELECT nothing")
    with pytest.raises(duckdb.CatalogException), scratch() as connection:
        connection.execute("SELECT * FROM mine")
    assert read(written(tmp_path / "day.parquet", 5)) == 5


def test_a_process_that_was_forked_reads(tmp_path: Path) -> None:
    path = written(tmp_path / "day.parquet", 7)
    assert read(path) == 7
    pid = os.fork()
    if not pid:
        os._exit(read(path))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
