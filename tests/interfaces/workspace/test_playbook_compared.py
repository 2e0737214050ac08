"""The page of a playbook says whether it works."""

from datetime import timedelta
from typing import Any

import pytest

from keepwell.model.definitions import Model
from keepwell.services.planning.sources import current_model
from keepwell.services.published import PortfolioQuery, PortfolioRow, portfolio_rows
from keepwell.services.team.playing.comparing import DAY_SETTING
from keepwell.services.workspace import Workspace
from keepwell.store.models import PlaybookHeldOut, PlaybookRun, WorkspaceSetting
from tests.interfaces.api.conftest import MakeProgram, program
from tests.playbook_rows import run_of
from tests.web import LAST, NOW, MakeClient

__all__ = ["program"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(published: Workspace) -> list[PortfolioRow]:
    return [row for row in portfolio_rows(published, PortfolioQuery()) if row.owner_email]


@pytest.fixture
def name(published: Workspace) -> str:
    model = current_model(published).model
    return next(name for name, found in model.playbooks.items() if found.goal is not None and found.hold_out)


def happened(model: Model, name: str, rows: list[PortfolioRow], treated: int, reached: int, alone: int) -> None:
    """Runs and customers who were left alone, half a year ago; so many runs reached the goal, and no one else."""
    long_ago = NOW - timedelta(days=180)
    for number, row in enumerate(rows[:treated]):
        run = run_of(model, name, row)
        told: dict[str, Any] = {"compared": True, "started_at": long_ago}
        told["reached_on"] = LAST - timedelta(days=170) if number < reached else None
        PlaybookRun.objects.filter(pk=run.pk).update(**told)
    for row in rows[treated : treated + alone]:
        PlaybookHeldOut.objects.create(playbook=name, customer_id=row.customer_id, at=long_ago)
    WorkspaceSetting.objects.create(name=DAY_SETTING, value={"as_of": LAST.isoformat(), "before": None})


def test_the_page_compares_with_customers_who_were_left_alone(
    client_of: MakeClient, published: Workspace, rows: list[PortfolioRow], name: str
) -> None:
    happened(current_model(published).model, name, rows, 20, 15, 15)
    page = client_of("ops").get(f"/playbooks/{name}").content.decode()
    assert "Does it work?" in page
    assert "within 60 days of its start, against those held out" in page
    assert "<strong>75 %</strong>" in page
    assert "<strong>+75</strong> points with the playbook" in page
    assert "More customers reach the goal with it than without." in page


def test_programs_read_the_same(
    program: MakeProgram, published: Workspace, rows: list[PortfolioRow], name: str
) -> None:
    happened(current_model(published).model, name, rows, 20, 15, 15)
    found = program("admin").get(f"/playbooks/{name}")["comparison"]
    assert (found["treated"]["customers"], found["treated"]["reached"], found["held_out"]["customers"]) == (20, 15, 15)
    assert found["difference"]["value"] == 0.75
    assert 0 < found["difference"]["low"] < 0.75 < found["difference"]["high"] < 1


def test_of_few_nothing_is_said(
    client_of: MakeClient, published: Workspace, rows: list[PortfolioRow], name: str
) -> None:
    happened(current_model(published).model, name, rows, 12, 12, 3)
    page = client_of("ops").get(f"/playbooks/{name}").content.decode()
    assert "Too few to say." in page
    assert "from 10 customers on each side" in page
    assert "points with the playbook" not in page


def test_without_anybody_left_alone_nothing_is_compared(client_of: MakeClient, published: Workspace) -> None:
    model = current_model(published).model
    name = next(name for name, found in model.playbooks.items() if not found.hold_out)
    assert "Does it work?" not in client_of("ops").get(f"/playbooks/{name}").content.decode()
