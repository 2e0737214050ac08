"""Sync loads what came in as it happened."""

from pathlib import Path

import pytest

from keepwell.services.team.sync import Synced, sync
from keepwell.services.workspace import workspace_init
from tests.services.ingest.sent import NOW, accepted, asked, send
from tests.web import LAST

pytestmark = pytest.mark.django_db


def test_events_that_came_in_are_loaded_once(tmp_path: Path) -> None:
    fresh = workspace_init(tmp_path / "fresh", pack="b2b-saas")
    group = accepted("group", userId="u1", groupId="acme", messageId="g", traits={"name": "Acme"})
    send(fresh, group, accepted(userId="u1", messageId="a"), accepted(userId="nobody", messageId="b"))
    steps: list[str] = []
    done = sync(fresh, now=NOW, today=LAST, step=steps.append, on_wait=None)
    assert (done.files, done.rows, done.quarantined) == (3, 4, 1)
    assert "user:nobody" not in asked(fresh, "SELECT string_agg(name, ',') FROM customers")[0][0]
    assert steps == ["Loading events that came in"]
    assert sync(fresh, now=NOW, today=LAST, step=steps.append, on_wait=None) == Synced()
