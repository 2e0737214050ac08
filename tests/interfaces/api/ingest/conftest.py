"""Fixtures of ingestion: a workspace of the test's own, and programs with write keys."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from keepwell.interfaces.api.ingest import keys
from keepwell.services.team.audit import actor
from keepwell.services.team.people import make_token
from keepwell.services.workspace import workspace_init
from keepwell.store.models import Person, Role
from tests.interfaces.api.ingest.programs import Sender
from tests.web import NOW, make_person

MakeSender = Callable[..., Sender]


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of the test's own, an allowance that nobody used, and keys that nobody knows."""
    workspace_init(tmp_path / "own", pack="b2b-saas")
    monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(tmp_path / "own"))
    monkeypatch.setattr(keys, "ALLOWANCE", keys.Allowance())
    monkeypatch.setattr(keys, "KNOWN", keys.KnownKeys())


@pytest.fixture
def sender(db: None) -> MakeSender:
    """A program that sends for somebody: `sender()`, `sender("csm")`, `sender("ops", "read")`."""

    def make(who: Person | str = Role.OPS, *scopes: str, **fields: Any) -> Sender:
        someone = who if isinstance(who, Person) else make_person(who, **fields)
        chosen = list(scopes or ["ingest"])
        _, secret = make_token(actor(someone), someone, name="key", scopes=chosen, days=None, now=NOW)
        return Sender(secret)

    return make
