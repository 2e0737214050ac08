"""The journal becomes canonical rows: one sealed file after the other, each of them once.

A sealed file is made into a folder of rows, the rows are loaded, the file is put away. Whatever was killed in
between is done again from the folder, and loading the same rows twice changes nothing.
"""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from keepwell.services.ingest.batch import Batch
from keepwell.services.ingest.journal import Journal
from keepwell.services.ingest.known import Known, known_of, wanted_by
from keepwell.services.ingest.messages import STRIPE, Message, messages_of
from keepwell.services.ingest.places import Places, day_of, journal_of, sync_folder
from keepwell.services.ingest.segment_rows import learn, put_links, put_segment
from keepwell.services.ingest.stripe_rows import put_stripe
from keepwell.services.loading import load_files
from keepwell.services.workspace import Workspace
from keepwell.warehouse.loading import LoadReport
from keepwell.warehouse.loading.links import keep_link
from keepwell.warehouse.storage import Warehouse

_ROWS: Final = ".rows"
_LINKS: Final = ".links"
Waits = Callable[[str], None] | None


def rows_of(messages: Sequence[Message], known: Known) -> Batch:
    """What messages say, as canonical rows."""
    batch = Batch()
    segment = [message for message in messages if message.kind != STRIPE]
    belongs = learn(segment, known)
    # Who belongs where is told by group and identify calls, which may come after what they explain.
    for kinds in (("group",), ("identify",), ("track", "page", "screen")):
        for message in segment:
            if message.kind in kinds:
                put_segment(message, known, belongs, batch)
    put_links(segment, known, belongs, batch)
    for message in messages:
        if message.kind == STRIPE:
            put_stripe(message, known, batch)
    return batch


def load_journal(
    workspace: Workspace, *, now: datetime, step: Callable[[str], None], on_wait: Waits = None
) -> list[LoadReport]:
    """Load what was accepted so far; a report for each file of the journal."""
    places = journal_of(workspace)
    journal = Journal(places)
    try:
        waiting = journal.seal(now)
    finally:
        journal.close()
    _clear(places)
    reports = []
    for path in waiting:
        step("Loading events that came in")
        reports.append(_load(workspace, places, path, now, on_wait))
    return reports


def _load(workspace: Workspace, places: Places, path: Path, now: datetime, on_wait: Waits) -> LoadReport:
    folder = path.with_suffix(_ROWS)
    if not folder.exists():
        _prepare(workspace, path, folder, on_wait)
    files = sorted(folder.glob("*.ndjson"))
    _keep_links(workspace, folder, now, on_wait)
    report = load_files(workspace, paths=files, now=now, on_wait=on_wait)
    if {file.path for file in report.files} >= set(files):
        done = places.done(day_of(path))
        done.mkdir(parents=True, exist_ok=True)
        os.replace(path, done / path.name)
        sync_folder(done)
        shutil.rmtree(folder)
    return report


def _prepare(workspace: Workspace, path: Path, folder: Path, on_wait: Waits) -> None:
    """Make a file's rows from what is known now; they stay the same however often they are loaded."""
    messages = list(messages_of(path))
    with workspace.warehouse("load", on_wait) as warehouse:
        batch = rows_of(messages, known_of(warehouse, wanted_by(messages)))
        links = _needed_links(warehouse, batch)
    fresh = folder.with_suffix(".part")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for name, content in (*batch.files(), (_LINKS, json.dumps(links))):
        with (fresh / name).open("w", encoding="utf-8") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
    sync_folder(fresh)
    os.replace(fresh, folder)


def _needed_links(warehouse: Warehouse, batch: Batch) -> dict[str, str]:
    """Links that are worth keeping: of Stripe's customers, and of users for whom rows wait."""
    users = [name for name in batch.links if name.startswith(("user:", "anonymous:"))]
    rows = warehouse.connection.execute(
        "SELECT DISTINCT value FROM quarantine WHERE state = 'open' AND code = 'unknown_customer'"
        " AND value IN (SELECT unnest(CAST(? AS VARCHAR[])))",
        [users],
    ).fetchall()
    waiting = {name for (name,) in rows}
    return {name: customer for name, customer in batch.links.items() if name in waiting or name not in users}


def _keep_links(workspace: Workspace, folder: Path, now: datetime, on_wait: Waits) -> None:
    links = json.loads((folder / _LINKS).read_text(encoding="utf-8"))
    if links:
        with workspace.warehouse("load", on_wait) as warehouse, warehouse.transaction():
            for unknown, customer in links.items():
                keep_link(warehouse.connection, unknown, customer, now.replace(tzinfo=None))


def _clear(places: Places) -> None:
    """Remove rows whose file was put away already: a kill came between the two."""
    for folder in places.loading.glob(f"*{_ROWS}"):
        if not folder.with_suffix(".ndjson").exists():
            shutil.rmtree(folder)
