"""The journal: on disk before it is told, once each, and whole lines whatever was killed."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from keepwell.services.ingest import Journal, JournalError, Places
from keepwell.services.ingest.messages import messages_of
from tests.services.ingest.sent import NOW, accepted, in_journal


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "inbox_events")


def test_a_message_is_written_once(places: Places) -> None:
    journal = Journal(places)
    a, b = (accepted(userId="u", messageId=name) for name in "ab")
    assert journal.append([a, b, a], NOW) == [True, True, False]
    assert journal.append([b], NOW) == [False]
    assert in_journal(places) == ["a", "b"]
    assert [path.name for path in places.open_files()] == ["2026-06-30T09-0001.ndjson"]


def test_a_message_is_remembered_after_a_restart_and_for_a_week(places: Places) -> None:
    assert Journal(places).append([accepted(userId="u", messageId="a")], NOW) == [True]
    Journal(places).seal(NOW)
    again = [accepted(userId="u", messageId="a")]
    assert Journal(places).append(again, NOW + timedelta(days=6)) == [False]
    assert Journal(places).append(again, NOW + timedelta(days=8)) == [True]
    assert sorted(path.name[:10] for path in places.seen.glob("*.sqlite3")) == ["2026-07-06", "2026-07-08"]


def test_what_is_remembered_can_be_lost(places: Places) -> None:
    journal = Journal(places)
    journal.append([accepted(userId="u", messageId="a")], NOW)
    journal.close()
    for path in places.seen.iterdir():
        path.unlink()
    assert Journal(places).append([accepted(userId="u", messageId="a")], NOW) == [False]
    (places.seen / "2026-06-30.sqlite3").write_bytes(b"no database at all" * 100)
    assert Journal(places).append([accepted(userId="u", messageId="a")], NOW) == [False]
    assert in_journal(places) == ["a"]


def test_two_processes_know_of_each_other(places: Places) -> None:
    one, other = Journal(places), Journal(places)
    one.append([accepted(userId="u", messageId="a")], NOW)
    assert other.append([accepted(userId="u", messageId=name) for name in "ab"], NOW) == [False, True]
    assert one.append([accepted(userId="u", messageId=name) for name in "abc"], NOW) == [False, False, True]
    assert in_journal(places) == ["a", "b", "c"]


def test_every_hour_and_every_full_file_begins_another(places: Places) -> None:
    journal = Journal(places, file_bytes=10)
    for number, at in enumerate((NOW, NOW, NOW + timedelta(hours=1))):
        journal.append([accepted(userId="u", messageId=str(number))], at)
    names = [path.name for path in places.open_files()]
    assert names == ["2026-06-30T09-0001.ndjson", "2026-06-30T09-0002.ndjson", "2026-06-30T10-0001.ndjson"]


@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize("cut", [1, 20, 0])
def test_half_a_line_is_cut_off(places: Places, restart: bool, cut: int) -> None:
    journal = Journal(places)
    journal.append([accepted(userId="u", messageId="a")], NOW)
    torn = accepted(userId="u", messageId="b")
    with places.open_files()[0].open("ab") as file:
        file.write(torn.line[: len(torn.line) - cut])
    journal = Journal(places) if restart else journal
    # A whole line that nobody was told of is there all the same.
    assert journal.append([torn, accepted(userId="u", messageId="c")], NOW) == [cut > 0, True]
    assert in_journal(places) == ["a", "b", "c"]
    assert places.open_files()[0].read_bytes().count(b"\n") == 3


def test_sealed_files_are_left_alone_and_remembered(places: Places) -> None:
    journal, loader = Journal(places), Journal(places)
    journal.append([accepted(userId="u", messageId="a")], NOW)
    (sealed,) = loader.seal(NOW)
    assert journal.append([accepted(userId="u", messageId=name) for name in "ab"], NOW) == [False, True]
    assert [m.id for m in messages_of(sealed)] == ["a"]
    assert [path.name for path in places.open_files()] == ["2026-06-30T09-0002.ndjson"]
    assert len(loader.seal(NOW)) == 2


def test_many_requests_share_a_sync(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, syncs, sync = Journal(places), [], os.fsync
    first = threading.Event()

    def slow(handle: int) -> None:
        syncs.append(handle)
        first.wait(0.05)
        sync(handle)

    journal.append([accepted(userId="u", messageId="first")], NOW)
    monkeypatch.setattr(os, "fsync", slow)
    records = [accepted(userId="u", messageId=str(number)) for number in range(64)]
    with ThreadPoolExecutor(16) as pool:
        assert all(new == [True] for new in pool.map(lambda record: journal.append([record], NOW), records))
    assert len(syncs) < 32
    assert sorted(in_journal(places)) == sorted(["first", *map(str, range(64))])


def test_a_full_disk_is_told_to_everybody_and_leaves_nothing(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(places)
    journal.append([accepted(userId="u", messageId="a")], NOW)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(JournalError, match="No space left"):
            journal.append([accepted(userId="u", messageId="b")], NOW)
    assert in_journal(places) == ["a"]
    assert journal.append([accepted(userId="u", messageId="b")], NOW) == [True]
