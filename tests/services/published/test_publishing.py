"""Publishing: repeatable, current in one step, and never in the way of who reads."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from keepwell.services.published import (
    EVERYONE,
    NothingPublished,
    PortfolioQuery,
    copies,
    copies_current,
    customer_timeline,
    customer_usage,
    portfolio_page,
    portfolio_summary,
    publish_copies,
)
from keepwell.services.runs import run_day
from keepwell.services.workspace import Workspace, workspace_init

from .conftest import LAST

PUBLISH = "import sys; from pathlib import Path; from keepwell.services.workspace import workspace_open;"
PUBLISH += "from keepwell.services.published import publish_copies; publish_copies(workspace_open(Path(sys.argv[1])))"


def files(workspace: Workspace) -> dict[str, bytes]:
    copies = copies_current(workspace)
    assert copies is not None
    return {path.name: path.read_bytes() for path in copies.folder.iterdir() if path.suffix == ".parquet"}


def test_nothing_is_published_before_the_first_run(tmp_path: Path) -> None:
    workspace = workspace_init(tmp_path / "ws", pack="b2b-saas")
    assert copies_current(workspace) is None
    with pytest.raises(NothingPublished, match="keepwell run"):
        portfolio_page(workspace, PortfolioQuery())


def test_publishing_again_writes_nothing(own: Workspace) -> None:
    first = publish_copies(own)
    stamps = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    assert publish_copies(own) == first
    assert {path: path.stat().st_mtime_ns for path in first.folder.iterdir()} == stamps


def test_the_same_data_make_the_same_bytes(own: Workspace) -> None:
    before = files(own)
    shutil.rmtree(own.data_dir / "published")
    publish_copies(own)
    assert files(own) == before


def test_the_current_date_moves_and_the_last_two_versions_stay(own: Workspace) -> None:
    first = copies_current(own)
    assert first is not None
    versions = [first.version]
    for back in (1, 2):
        run_day(own, as_of=LAST - timedelta(days=back))
        copies = publish_copies(own)
        assert copies.as_of == LAST - timedelta(days=back)
        assert portfolio_summary(own, EVERYONE).as_of == copies.as_of
        versions.append(copies.version)
    kept = {path.name for path in (own.data_dir / "published").iterdir() if path.is_dir()}
    assert kept == set(versions[1:])


def test_months_that_did_not_change_are_not_written_again(own: Workspace) -> None:
    run_day(own, as_of=LAST)
    copies = publish_copies(own)
    links = {path.name: path.stat().st_nlink for path in copies.folder.iterdir()}
    assert links["history-2026-05.parquet"] == 2
    assert links["usage-2026-06.parquet"] == 2
    assert links["timeline.parquet"] == 2
    assert links["history-2026-06.parquet"] == 1


def test_who_reads_never_sees_a_gap(own: Workspace) -> None:
    problems: list[BaseException] = []
    reads = [0]
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                page = portfolio_page(own, PortfolioQuery(limit=5))
                assert page.total
                customer_usage(own, page.rows[0].customer_id, 30)
                customer_timeline(own, page.rows[0].customer_id)
                reads[0] += 1
            except BaseException as error:  # noqa: BLE001 - whatever it is, it must not happen
                problems.append(error)
                return

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for back in (1, 0, 2, 0):
        own.snapshots.point(LAST - timedelta(days=back))
        publish_copies(own)
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert reads[0] > 3


@pytest.mark.slow
def test_a_kill_leaves_the_old_version_or_the_new_one(own: Workspace) -> None:
    own.snapshots.point(LAST - timedelta(days=1))
    for wait in (0.3, 0.9, 1.5, 2.0):
        process = subprocess.Popen([sys.executable, "-c", PUBLISH, str(own.root)])
        time.sleep(wait)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        page = portfolio_page(own, PortfolioQuery())
        assert page.as_of in (LAST, LAST - timedelta(days=1))
        assert page.total
    assert publish_copies(own).as_of == LAST - timedelta(days=1)
    assert not (own.data_dir / "published" / ".fresh").exists()


def test_a_pointer_to_nowhere_counts_as_nothing(own: Workspace) -> None:
    (own.data_dir / "published" / "current.json").write_text(json.dumps({"current": "gone", "previous": None}))
    assert copies_current(own) is None
    assert publish_copies(own).as_of == date(2026, 6, 30)
    assert portfolio_page(own, PortfolioQuery()).total


def test_a_version_that_goes_between_two_looks_is_looked_for_again(
    own: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, asked = copies_current(own), [0]
    assert first is not None

    def gone_at_first(root: Path, key: str) -> str:
        asked[0] += 1
        return "swept-away" if asked[0] == 1 else first.version

    monkeypatch.setattr(copies, "_version", gone_at_first)
    assert copies_current(own) == first
