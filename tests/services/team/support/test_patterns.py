"""What opens an escalation, and what does not."""

from datetime import timedelta
from typing import Any

import pytest

from keepwell.services.published.tickets import Account, Measured
from keepwell.services.team.support.documents import Known, document_of, figures_of
from keepwell.services.team.support.patterns import Found, Seen, patterns
from keepwell.services.team.support.quoting import plain
from keepwell.services.team.support.tickets import DeskTicket
from keepwell.services.team.support.topics import topics
from tests.web import NOW

from .made import desk, many, ticket

SPREADSHEET: dict[str, Any] = {
    "subject": "Export pets as a spreadsheet",
    "category": "Feature Request",
    "plan": "Premium",
}
CRASH: dict[str, Any] = {"subject": "Calendar crashes on save", "category": "Bug", "priority": "P2"}


def found_in(tickets: list[DeskTicket], measured: tuple[Measured, ...] = (), **more: Any) -> list[Found]:
    settings = {"competitors": ["PetDesk"], **more.pop("settings", {})}
    return patterns(Seen(desk(**settings), tickets, measured, NOW, **more))


def names(tickets: list[DeskTicket], *measured: Measured, **more: Any) -> list[str]:
    return [one.pattern for one in found_in(tickets, measured, **more)]


@pytest.mark.parametrize(("count", "there"), [(4, []), (5, ["feature_request"])])
def test_five_requests_for_the_same_thing(count: int, there: list[str]) -> None:
    assert names(many(count, **SPREADSHEET)) == there


def test_requests_for_different_things_are_no_pattern() -> None:
    things = ("Dark theme", "Vet appointments", "Feeding plan", "Two houses", "Spanish language")
    assert names([ticket(f"t-{n}", subject=s, category="Feature Request") for n, s in enumerate(things)]) == []


def test_requests_older_than_the_window_do_not_count() -> None:
    old = [ticket(f"o-{n}", hours_ago=24 * 31, customer_id=f"o-{n}", **SPREADSHEET) for n in range(4)]
    assert names([*old, *many(4, **SPREADSHEET)]) == []


@pytest.mark.parametrize(("count", "there"), [(9, []), (10, ["bug"])])
def test_ten_tickets_about_the_same_bug(count: int, there: list[str]) -> None:
    assert names(many(count, customers=3, **CRASH)) == there


@pytest.mark.parametrize(("customers", "there"), [(99, ["bug"]), (100, ["bug", "widespread_bug"])])
def test_a_bug_of_a_hundred_households(customers: int, there: list[str]) -> None:
    assert names(many(120, customers=customers, **CRASH)) == there


def test_a_competitor_named_once_is_enough() -> None:
    found = found_in([ticket(subject="Hm", body="petdesk can do this.", category="How-To")])
    assert [(one.pattern, one.subject) for one in found] == [("competitor", "PetDesk")]
    assert found[0].why == "1 customer named PetDesk in 30 days"


@pytest.mark.parametrize(("plan", "there"), [("Enterprise", ["enterprise_request"]), ("Premium", [])])
def test_a_request_of_an_enterprise_customer(plan: str, there: list[str]) -> None:
    assert names([ticket(**{**SPREADSHEET, "plan": plan})]) == there


@pytest.mark.parametrize(("fields", "there"), [
    ({"priority": "P0"}, ["critical"]),
    ({"priority": "P0", "resolved_at": NOW}, []),
    ({"priority": "P1"}, []),
    ({"priority": "P1", "tags": "vip,security"}, ["security"]),
    ({"priority": "P1", "category": "Security incident"}, ["security"]),
])  # fmt: skip
def test_p0_and_security(fields: dict[str, Any], there: list[str]) -> None:
    assert names([ticket(**{"category": "Bug", "subject": "Login", **fields})]) == there


@pytest.mark.parametrize(("value", "baseline", "hours_ago", "there"), [
    (641.0, 320.0, 1, ["latency"]),
    (640.0, 320.0, 1, []),
    (641.0, 320.0, 24 * 4, []),
    (641.0, None, 1, []),
])  # fmt: skip
def test_latency_at_twice_its_baseline(value: float, baseline: float | None, hours_ago: int, there: list[str]) -> None:
    assert names([], Measured("p95_latency_ms", NOW - timedelta(hours=hours_ago), value, baseline)) == there


def test_without_a_baseline_the_month_before_is_usual() -> None:
    usual = [Measured("p95_latency", NOW - timedelta(days=9 - n), 100.0, None) for n in range(8)]
    assert names([], *usual, Measured("p95_latency", NOW, 201.0, None)) == ["latency"]
    assert names([], *usual, Measured("p95_latency", NOW, 199.0, None)) == []
    assert names([], Measured("error_rate", NOW, 9.0, 1.0)) == []


def test_what_was_dealt_with_counts_no_more() -> None:
    tickets = many(5, **SPREADSHEET)
    assert names(tickets, done={"feature_request": {tickets[0].ticket_id}}) == []
    slow = Measured("p95_latency_ms", NOW - timedelta(hours=2), 900.0, 300.0)
    assert names([], slow, quiet={"p95_latency_ms": NOW - timedelta(hours=1)}) == []
    assert names([], slow, quiet={"p95_latency_ms": NOW - timedelta(hours=3)}) == ["latency"]


def test_thresholds_are_settings() -> None:
    assert names(many(2, **SPREADSHEET), settings={"escalate_feature_requests": 2}) == ["feature_request"]


def test_alike_subjects_are_one_topic_in_any_number() -> None:
    said = (
        "Export pet as spreadsheet",
        "Please export pets as a spreadsheet",
        "Exports of pets: spreadsheets!",
        "Login",
    )
    found = topics([ticket(f"t-{n}", subject=subject) for n, subject in enumerate(said)])
    assert [len(topic.tickets) for topic in found] == [3, 1]


def known(tickets: list[DeskTicket], **settings: Any) -> Known:
    accounts = {
        name: Account(name, "Enterprise" if n % 2 else "Premium", 100.0, 50 if n == 0 else 90, "", None, 3)
        for n, name in enumerate(sorted({one.row.customer_id for one in tickets}))
    }
    desks = {"competitors": ["PetDesk"], "customers_word": "households", "sender_name": "Casey", **settings}
    return Known(desk(**desks, sender_title="Customer Success"), NOW, accounts, "USD", {"c-000": 4.0, "c-001": 9.0})


PRODUCT_DOCUMENT = """\
# Feature Request Escalation: Export pets as a spreadsheet

**Submitted by**: Casey (Customer Success)
**Date**: 2026-06-30
**Priority**: High

## Summary

6 requests for the same thing in 30 days. It comes from 6 households with 600 USD of MRR.

## Customer Evidence

- **Total Requests**: 6 households in last 30 days
- **Customer Segments**:
  - 3 Enterprise customers
  - 3 Premium customers
- **Revenue at Risk**: 600 USD MRR
- **Sample Tickets**: #t-005, #t-004, #t-003, #t-002, #t-001

## Customer Quotes

> "I would pay double for this export."
> — Sarah, Premium customer

## Competitive Analysis

- **PetDesk**: Named in 6 of these tickets (#t-003, #t-004, #t-005)

## Recommended Action
"""


def test_the_document_for_product_is_filled_from_data() -> None:
    body = "Hello, I would pay double for this export. PetDesk has it."
    tickets = many(6, body=body, person="Sarah Lee", **SPREADSHEET)
    found = next(one for one in found_in(tickets) if one.pattern == "feature_request")
    text = document_of(found, known(tickets))
    assert text.startswith(PRODUCT_DOCUMENT)
    assert "Reduce churn risk for 1 at-risk household\n" in text
    assert "Potential to upsell 3 Premium customers" in text
    assert "1 of 2 of these customers who answered are detractors" in text
    figures = figures_of(found, known(tickets))
    assert (figures["customers"], figures["mrr"], figures["plans"]) == (6, 600.0, {"Enterprise": 3, "Premium": 3})


def test_the_document_for_engineering_is_filled_from_data() -> None:
    tickets = many(3, body="When I save, error 500 appears and all is lost.", **{**CRASH, "priority": "P0"})
    found = next(one for one in found_in(tickets) if one.pattern == "critical")
    text = document_of(found, known(tickets))
    assert "# Engineering Escalation: Calendar crashes on save\n" in text
    assert "**Severity**: P0 (Critical)\n" in text
    assert "- **Affected Households**: 3 households\n- **Affected Users**: 9 users\n" in text
    assert "- **Revenue Impact**: 300 USD MRR at risk\n- **First Reported**: 2026-06-09 13:00 UTC\n" in text
    assert "1. As told in #t-000: When I save, error 500 appears" in text
    assert "- #t-000: When I save, error 500 appears" in text
    assert "- #t-002 (customer\\_id" not in text
    assert "- #t-002 (customer_id: c-002)\n" in text


def test_a_document_of_a_measurement_needs_no_ticket() -> None:
    (found,) = found_in([], (Measured("p95_latency_ms", NOW, 900.0, 300.0),))
    text = document_of(found, known([]))
    assert "3.0 times its baseline" in text
    assert "Expected: about 300; actual: 900" in text
    assert "No ticket is about it yet." in text


@pytest.mark.parametrize(
    "text", ["<script>", "[x](http://e.example)", "# Head", "@everyone", "a\n\n## b", "`rm`", "#12"]
)
def test_what_customers_write_arrives_as_text(text: str) -> None:
    said = plain(text)
    assert "\n" not in said
    for bad in ("<script>", "](http:", "@e"):
        assert bad not in said
    assert not said.startswith(("#", "`"))


def test_who_names_a_competitor_is_quoted_doing_so() -> None:
    body = "We would like to export all of it, we need it. A friend showed us PetDesk and there it works."
    (found,) = found_in([ticket(subject="Export", body=body, category="How-To")])
    assert '> "A friend showed us PetDesk and there it works."' in document_of(found, known(list(found.tickets)))
