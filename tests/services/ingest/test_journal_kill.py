"""Writers are killed at random moments; what they were told of is there, once."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keepwell.services.ingest import Journal, Places
from tests.services.ingest.sent import NOW, accepted, in_journal

WRITER = """
import sys, threading
from pathlib import Path
from keepwell.services.ingest import Journal, Places
from tests.services.ingest.sent import NOW, accepted
journal, name, told = Journal(Places(Path(sys.argv[1]))), sys.argv[2], threading.Lock()
def write(thread):
    for number in range(100_000):
        ids = [f"{name}-{thread}-{number}-{place}" for place in range(3)]
        new = journal.append([accepted(userId="u", messageId=one, pad="x" * 500) for one in ids], NOW)
        assert new == [True, True, True]
        with told:
            sys.stdout.write(" ".join(ids) + "\\n")
            sys.stdout.flush()
for thread in range(4):
    threading.Thread(target=write, args=(thread,)).start()
"""


@pytest.mark.slow
def test_killed_writers_lose_nothing_that_they_were_told_of(tmp_path: Path) -> None:
    places, said, luck = Places(tmp_path / "inbox_events"), [], random.Random(4)
    for attempt in range(6):
        out = tmp_path / f"told-{attempt}"
        with out.open("w") as told:
            command = [sys.executable, "-c", WRITER, str(places.root), str(attempt)]
            writers = [subprocess.Popen([*command[:-1], f"{attempt}{one}"], stdout=told) for one in "ab"]
            until = time.monotonic() + 60
            while not out.stat().st_size and time.monotonic() < until:
                time.sleep(0.02)
            time.sleep(luck.random() / 2)
            for writer in writers:
                writer.kill()
                writer.wait()
        # The program was killed as it spoke, too: what it said counts up to its last whole line.
        said += out.read_text().rpartition("\n")[0].split()
    assert len(said) > 100
    again = Journal(places).append([accepted(userId="u", messageId=one) for one in said], NOW)
    assert not any(again)
    written = in_journal(places)
    assert len(written) == len(set(written))
    assert set(said) <= set(written)
    assert all(path.read_bytes().endswith(b"\n") for path in places.open_files())
