"""Surveys, occasions and invitations, for tests."""

from datetime import timedelta
from itertools import count
from typing import Any, Final

from keepwell.model.survey_definitions import Survey
from keepwell.services.published import portfolio_rows
from keepwell.services.published.portfolio_query import PortfolioQuery
from keepwell.services.team.surveys.asking import Asked, Asker
from keepwell.services.team.surveys.occasions import Occasion
from keepwell.services.workspace import Workspace
from keepwell.store.models import SurveyInvitation
from tests.services.team.outbox.world import NOON

_numbers = count(1)
NPS: Final = "quarterly_nps"
CSAT: Final = "ticket_csat"


def survey(**fields: Any) -> Survey:
    """A survey as a model would have it."""
    about = {"kind": "nps", "question": "How likely?", "on": {"every_days": 90}}
    return Survey.model_validate(about | fields)


def occasion(customer_id: str, name: str = "", **fields: Any) -> Occasion:
    """A reason to ask."""
    return Occasion(customer_id, name or f"test:{next(_numbers)}", NOON, "Test", **fields)


def asked(workspace: Workspace, *found: Occasion, name: str = NPS, now: Any = NOON, **fields: Any) -> Asked:
    """Ask about occasions."""
    return Asker(workspace, name, survey(**fields), now).ask(found)


def customers(workspace: Workspace, most: int = 3) -> list[str]:
    """Some customers who are there."""
    return [row.customer_id for row in portfolio_rows(workspace, PortfolioQuery())][:most]


def invited(customer_id: str, **fields: Any) -> SurveyInvitation:
    """An invitation that was sent a day ago."""
    sent = NOON - timedelta(days=1)
    about: dict[str, Any] = {
        "key": f"test-{next(_numbers)}",
        "survey": NPS,
        "kind": "nps",
        "customer_id": customer_id,
        "company": "Acme",
        "address": "ada@acme.example",
        "sent_at": sent,
        "expires_at": sent + timedelta(days=14),
    }
    return SurveyInvitation.objects.create(**about | fields)
