"""What tests of the workspace share: a small published world, people by role, and browsers that are signed in."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings
from django.test import Client

from keepwell.services.loading import load_files
from keepwell.services.published import publish_copies
from keepwell.services.runs import backfill_days
from keepwell.services.workspace import Workspace, workspace_init, workspace_open
from keepwell.simulation import simulate_world
from keepwell.store.models import Person, Role
from tests.worlds import copied, take_warehouse

LAST: Final = date(2026, 6, 30)
"""The published day, and the day that it is in the workspace of tests."""
DAYS: Final = 45
CUSTOMERS: Final = 60
PASSWORD: Final = "long enough for everybody"  # noqa: S105 - of people who live in tests
NOW: Final = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)

MakePerson = Callable[..., Person]
MakeClient = Callable[..., Client]
_numbers = count(1)


@lru_cache
def published_workspace() -> Workspace:
    """The process's workspace (b2b-saas) with sixty customers and forty-five published days; made once, only read."""
    return workspace_open(copied("web", Path(settings.KEEPWELL_WORKSPACE), _made))


@lru_cache
def signals_workspace() -> Workspace:
    """The same world by the agency-signals pack with two published days; made once, only read."""
    root = Path(settings.KEEPWELL_WORKSPACE).parent / "signals"
    workspace = workspace_init(root, pack="agency-signals", name="Agencies", currency="EUR")
    return _computed(take_warehouse(published_workspace().data_dir, workspace), 2)


@lru_cache
def household_workspace() -> Workspace:
    """The same world by the household-app pack with one published day; made once, only read."""
    root = Path(settings.KEEPWELL_WORKSPACE).parent / "households"
    workspace = workspace_init(root, pack="household-app", name="Households", currency="EUR")
    return _computed(take_warehouse(published_workspace().data_dir, workspace), 1)


@lru_cache
def world() -> Path:
    """Files of the small world."""
    folder = Path(settings.KEEPWELL_WORKSPACE).parent / "world"
    simulate_world(out=folder, customers=CUSTOMERS, days=90, end=LAST, seed=1)
    return folder


def _made(root: Path) -> Workspace:
    workspace = workspace_init(root, pack="b2b-saas", name="Test workspace", currency="EUR")
    morning_after = datetime.combine(LAST + timedelta(days=1), datetime.min.time(), UTC)
    assert not load_files(workspace, paths=[world()], now=morning_after).problems
    return _computed(workspace, DAYS)


def _computed(workspace: Workspace, days: int) -> Workspace:
    backfill_days(workspace, first=LAST - timedelta(days=days - 1), last=LAST)
    publish_copies(workspace)
    return workspace


@pytest.fixture(scope="session")
def published() -> Workspace:
    """The published workspace, in which it is the published day."""
    settings.WEB = settings.WEB.__class__(**{**vars(settings.WEB), "today": LAST})
    return published_workspace()


@pytest.fixture
def signals(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The agency-signals workspace; pages and services of this test read it."""
    workspace = signals_workspace()
    monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(workspace.root))
    return workspace


def make_person(role: str = Role.CSM, **fields: Any) -> Person:
    """Somebody with a role; `email`, `name`, `team`, `owner_aliases` … as given."""
    email = fields.pop("email", f"{role}{next(_numbers)}@example.com")
    return Person.objects.create_user(email, PASSWORD, **{"role": role, "name": email.split("@")[0].title(), **fields})


def signed_in(who: Person | str = Role.CSM, **fields: Any) -> Client:
    """A browser in which a person, or somebody new with a role, is signed in; `client.person` says who."""
    person = who if isinstance(who, Person) else make_person(who, **fields)
    client = Client()
    client.force_login(person)
    client.person = person  # type: ignore[attr-defined]
    return client


@pytest.fixture
def person(db: None) -> MakePerson:
    """Makes people: `person("manager", team=team)`."""
    return make_person


@pytest.fixture
def client_of(db: None, published: Workspace) -> MakeClient:
    """Signs people in: `client_of("csm", email="owner@example.com")` or `client_of(somebody)`."""
    return signed_in
