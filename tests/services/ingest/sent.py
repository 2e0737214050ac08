"""Messages for tests, and a workspace to load them into."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from keepwell.services.ingest import Accepted, Journal, Message, Places, checked, checked_stripe, journal_of
from keepwell.services.ingest.batch import Batch
from keepwell.services.ingest.known import Known
from keepwell.services.ingest.loading import load_journal, rows_of
from keepwell.services.ingest.messages import message_of, messages_of
from keepwell.services.workspace import Workspace
from keepwell.warehouse.loading import LoadReport

NOW: Final = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
AT: Final = int(NOW.timestamp())


def accepted(kind: str = "track", **body: Any) -> Accepted:
    """A message as it is written; received at `at`."""
    at = body.pop("at", NOW)
    body.setdefault("messageId", f"m{abs(hash(json.dumps(body, sort_keys=True, default=str)))}")
    if kind == "track":
        body.setdefault("event", "login")
    return checked(body, kind, received_at=at, fallback_id="none")


def stripe_event(kind: str, thing: dict[str, Any], *, id: str = "evt_1", before: Any = None, at: int = AT) -> Accepted:
    """An event of Stripe as it is written."""
    data = {"object": thing, **({"previous_attributes": before} if before is not None else {})}
    return checked_stripe({"id": id, "type": kind, "created": at, "data": data}, received_at=NOW)


def read(record: Accepted) -> Message:
    found = message_of(record.line)
    assert found is not None
    return found


def batch_of(*records: Accepted, known: Known | None = None) -> Batch:
    return rows_of([read(record) for record in records], known or Known())


def rows(batch: Batch, table: str) -> list[dict[str, Any]]:
    """The rows of a table, whichever file they are in."""
    contents = [content for name, content in batch.files() if name.rsplit("_", 1)[0] == table]
    return [json.loads(line) for content in contents for line in content.splitlines()]


def in_journal(places: Places) -> list[str]:
    """The ids of all messages that are written, in order."""
    files = [*places.sealed(), *places.open_files()]
    return [message.id for path in files for message in messages_of(path)]


def send(workspace: Workspace, *records: Accepted, now: datetime = NOW) -> list[bool]:
    journal = Journal(journal_of(workspace))
    try:
        return journal.append(records, now)
    finally:
        journal.close()


def load(workspace: Workspace, now: datetime = NOW + timedelta(minutes=5)) -> list[LoadReport]:
    return load_journal(workspace, now=now, step=lambda text: None)


def asked(workspace: Workspace, sql: str) -> list[tuple[Any, ...]]:
    with workspace.warehouse("test") as warehouse:
        return warehouse.connection.execute(sql).fetchall()


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
