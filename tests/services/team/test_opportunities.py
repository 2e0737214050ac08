"""The pipeline: what a day opens and closes, what people do with it, and who may see it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from keepwell.reporting.expansion import Expansion
from keepwell.services.team.audit import Actor
from keepwell.services.team.opportunities import (
    GONE_AFTER,
    QUIET,
    OpportunitiesOpened,
    OpportunityError,
    bring_day,
    open_opportunities_from_day,
    opportunity_contacted,
    opportunity_lost,
    opportunity_reopened,
    opportunity_won,
    visible_opportunities,
)
from keepwell.services.team.pipeline import PipelineQuery, pipeline_found, pipeline_totals
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Hold, Opportunity
from tests.web import LAST, NOW, MakePerson

pytestmark = pytest.mark.django_db
WHO = Actor("Anna")
ONE = Expansion(
    customer_id="acme", name="Acme", owner="Anna@example.com", plan="pro", arr=1200.0, signal="SEATS", label="Seats",
    value=50.0, value_period="month", yearly=600.0, why_no_value="", urgency="HIGH", reason="90 % are taken.",
    action="PROACTIVE_UPGRADE_OUTREACH", renewal_date=None, at_risk=False,
)  # fmt: skip


@pytest.fixture
def found() -> list[Expansion]:
    """What the signals of a day say."""
    return []


def day(found: list[Expansion], as_of: date = LAST) -> OpportunitiesOpened:
    return bring_day(as_of, NOW + (as_of - LAST), found, {"acme", "blue"})


def test_the_published_day_opens_what_its_signals_say_once(published: Workspace) -> None:
    first = open_opportunities_from_day(published, LAST, NOW)
    assert first.opened > 0
    assert first.opened == Opportunity.objects.count()
    again = open_opportunities_from_day(published, LAST, NOW)
    assert (again.opened, again.kept, again.gone) == (0, first.opened, 0)
    one = Opportunity.objects.order_by("pk").first()
    assert one is not None
    assert one.title
    assert one.reason
    assert AuditEntry.objects.filter(action="opportunities.opened").count() == 1


def test_todays_values_replace_yesterdays(found: list[Expansion]) -> None:
    found.append(ONE)
    day(found)
    found[0] = replace(ONE, value=80.0)
    assert day(found, LAST + timedelta(days=1)).kept == 1
    assert Opportunity.objects.get().value == Decimal("80.00")


def test_a_signal_that_stays_off_leaves_the_pipeline(found: list[Expansion]) -> None:
    found.append(ONE)
    day(found)
    found.clear()
    assert day(found, LAST + GONE_AFTER - timedelta(days=1)).gone == 0
    assert day(found, LAST + GONE_AFTER).gone == 1
    assert Opportunity.objects.get().state == "gone"
    assert AuditEntry.objects.filter(action="opportunity.gone", customer_id="acme").count() == 1


def test_what_somebody_works_on_stays_when_the_signal_is_off(found: list[Expansion]) -> None:
    found.append(ONE)
    day(found)
    one = Opportunity.objects.get()
    opportunity_contacted(WHO, one.pk, version=one.version, note="called", now=NOW)
    found.clear()
    day(found, LAST + 3 * GONE_AFTER)
    assert Opportunity.objects.get().state == "contacted"


def test_after_won_the_signal_is_quiet_for_a_while(found: list[Expansion]) -> None:
    found.append(ONE)
    day(found)
    one = Opportunity.objects.get()
    won = opportunity_won(WHO, one.pk, version=one.version, value=None, note="", now=NOW)
    assert won.won_value == Decimal("600.00")
    assert day(found, LAST + QUIET - timedelta(days=1)).opened == 0
    assert day(found, LAST + QUIET + timedelta(days=1)).opened == 1


def test_lost_needs_a_reason_and_can_be_taken_back(found: list[Expansion]) -> None:
    found.append(ONE)
    day(found)
    one = Opportunity.objects.get()
    with pytest.raises(OpportunityError, match="why it was lost"):
        opportunity_lost(WHO, one.pk, version=one.version, note=" ", now=NOW)
    lost = opportunity_lost(WHO, one.pk, version=one.version, note="no budget", now=NOW)
    assert (lost.state, lost.note) == ("lost", "no budget")
    with pytest.raises(OpportunityError, match="reopen it first"):
        opportunity_won(WHO, one.pk, version=lost.version, value=None, note="", now=NOW)
    assert opportunity_reopened(WHO, one.pk, version=lost.version, now=NOW).state == "identified"


def test_two_people_at_once_one_is_told(found: list[Expansion]) -> None:
    found.append(ONE)
    day(found)
    one = Opportunity.objects.get()
    opportunity_contacted(WHO, one.pk, version=one.version, note="", now=NOW)
    with pytest.raises(OpportunityError, match="Somebody else"):
        opportunity_lost(WHO, one.pk, version=one.version, note="no", now=NOW)


def test_a_customer_who_left_takes_everything_along(found: list[Expansion]) -> None:
    found.append(ONE)
    day(found)
    one = Opportunity.objects.get()
    opportunity_contacted(WHO, one.pk, version=one.version, note="", now=NOW)
    bring_day(LAST + timedelta(days=1), NOW, (), {"blue"})
    assert Opportunity.objects.get().note == "The customer left"


def test_whom_somebody_marked_as_lost_is_no_chance_whatever_the_data_say(found: list[Expansion]) -> None:
    found.append(ONE)
    day(found)
    of_acme = Opportunity.objects.filter(customer_id="acme")
    assert of_acme.exists()
    Hold.objects.create(customer_id="acme", kind="lost", since=LAST)
    for later in (1, 2):
        day(found, LAST + timedelta(days=later))
        assert set(of_acme.values_list("state", flat=True)) == {"gone"}, "and it does not come back"
    Hold.objects.update(ended_on=LAST + timedelta(days=3))
    day(found, LAST + timedelta(days=3))
    assert "identified" in set(of_acme.values_list("state", flat=True))


def test_the_list_is_by_urgency_then_value_and_only_ones_own(found: list[Expansion], person: MakePerson) -> None:
    found += [
        replace(ONE, signal="A", urgency="LOW", value=9000.0, value_period="year"),
        replace(ONE, signal="B", value=10.0),
        replace(ONE, signal="C", value=20.0),
        replace(ONE, customer_id="blue", name="Blue", owner="jon@example.com"),
    ]
    day(found)
    anna = person("csm", email="anna@example.com")
    assert [one.signal for one in pipeline_found(anna, PipelineQuery())] == ["C", "B", "A"]
    assert visible_opportunities(person("ops")).count() == 4
    identified = pipeline_totals(anna, NOW)[0]
    assert (identified.count, identified.yearly) == (3, Decimal("9360.00"))
