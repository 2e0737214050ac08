"""Fixtures of the API: programs with tokens."""

from collections.abc import Callable
from typing import Any

import pytest

from keepwell.services.published import PortfolioQuery, portfolio_page
from keepwell.services.team.audit import actor
from keepwell.services.team.people import SCOPES, make_token
from keepwell.services.workspace import Workspace
from keepwell.store.models import Person, Role
from tests.interfaces.api.program import Program
from tests.web import NOW, client_of, make_person, person, published

__all__ = ["client_of", "person", "published"]

MakeProgram = Callable[..., Program]


@pytest.fixture
def program(db: None, published: Workspace) -> MakeProgram:
    """A program that acts for somebody: `program("csm", "read", email=…)`; all scopes when none are named."""

    def make(who: Person | str = Role.OPS, *scopes: str, **fields: Any) -> Program:
        someone = who if isinstance(who, Person) else make_person(who, **fields)
        _, secret = make_token(actor(someone), someone, name="test", scopes=list(scopes or SCOPES), days=None, now=NOW)
        return Program(secret, someone)

    return make


@pytest.fixture
def owned(published: Workspace) -> tuple[str, str]:
    """The id of a customer with an owner, and the owner."""
    rows = portfolio_page(published, PortfolioQuery(limit=60)).rows
    row = next(row for row in rows if row.owner_email)
    return row.customer_id, str(row.owner_email)
