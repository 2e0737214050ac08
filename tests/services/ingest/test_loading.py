"""The journal becomes canonical rows: once, whole, and whatever was killed."""

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from keepwell.services.ingest import journal_of, loading
from keepwell.services.loading import load_files
from keepwell.services.workspace import Workspace, workspace_init
from tests.services.ingest.sent import AT, NOW, accepted, asked, load, put, send, stripe_event

EVENTS = (
    "SELECT k.customer_id, s.text, e.event_id FROM read_parquet('{0}/facts/events/**/*.parquet') e"
    " JOIN customer_keys k USING (customer) JOIN symbols s ON s.code = e.name ORDER BY 3"
)


@pytest.fixture
def fresh(tmp_path: Path) -> Workspace:
    return workspace_init(tmp_path / "fresh", pack="b2b-saas")


def events(workspace: Workspace) -> list[tuple[Any, ...]]:
    if not list(workspace.data_dir.glob("facts/events/**/*.parquet")):
        return []
    return asked(workspace, EVENTS.format(workspace.data_dir))


def hour() -> list[Any]:
    """What an hour may bring: of somebody before anybody said who it is, too."""
    return [
        accepted(userId="u1", messageId="m1", event="login"),
        accepted("group", userId="u1", groupId="acme", messageId="m2", traits={"name": "Acme", "plan": "pro"}),
        accepted("identify", userId="u1", messageId="m3", traits={"email": "ada@acme.com", "name": "Ada"}),
        accepted(userId="u1", messageId="m4", event="feature_used", properties={"feature": "export"}),
        accepted("page", userId="u1", messageId="m5", context={"groupId": "acme"}),
        accepted(
            "group", userId="u1", groupId="acme", messageId="m6", traits={"mrr": 9}, at=NOW + timedelta(minutes=1)
        ),
    ]


def told(workspace: Workspace) -> list[Any]:
    return [
        events(workspace),
        asked(workspace, "SELECT name, plan, mrr, traits FROM customers"),
        asked(workspace, "SELECT person_id, email, name, product_user_id, source FROM people"),
        asked(workspace, "SELECT valid_from, plan, mrr FROM customer_history ORDER BY 1"),
        asked(workspace, "SELECT count(*) FROM quarantine WHERE state = 'open'"),
    ]


def test_an_hour_becomes_rows_and_its_file_is_put_away(fresh: Workspace) -> None:
    send(fresh, *hour())
    (report,) = load(fresh)
    assert report.clean, report
    seen = told(fresh)
    assert [row[:2] for row in seen[0]] == [("acme", "login"), ("acme", "feature_used"), ("acme", "page_viewed")]
    assert seen[1] == [("Acme", "pro", 9, None)]
    assert seen[2] == [("u1", "ada@acme.com", "Ada", "u1", "segment")]
    assert [row[1:] for row in seen[3]] == [("pro", None), ("pro", 9)]
    places = journal_of(fresh)
    assert [path.name for path in places.done(NOW.date()).iterdir()] == ["2026-06-30T09-0001.ndjson"]
    assert list(places.loading.iterdir()) == []
    assert load(fresh) == []
    assert send(fresh, *hour()) == [False] * 6, "loaded messages are remembered"


def test_unknown_customers_wait_until_somebody_says_who_they_are(fresh: Workspace) -> None:
    send(fresh, accepted(userId="u1", messageId="a"), accepted(userId="u2", messageId="b"))
    assert load(fresh)[0].quarantined == 2
    send(fresh, accepted("group", userId="u1", groupId="acme", messageId="c"), now=NOW + timedelta(hours=1))
    assert load(fresh)[0].resolved == 1
    assert events(fresh) == [("acme", "login", "a")]
    put(fresh.root, "customers.csv", "customer_id,name\nbolt,Bolt\n")
    put(fresh.root, "people.csv", "person_id,customer_id,email\np2,bolt,bo@bolt.io\n")
    load_files(fresh, paths=[fresh.root / "customers.csv", fresh.root / "people.csv"], now=NOW)
    send(fresh, accepted("identify", userId="u2", messageId="d", traits={"email": "bo@bolt.io"}))
    assert load(fresh)[0].resolved == 1
    assert events(fresh)[1] == ("bolt", "login", "b")
    assert asked(fresh, "SELECT person_id, product_user_id FROM people WHERE email = 'bo@bolt.io'") == [("p2", "u2")]


def test_columns_that_nobody_sent_stay_and_never_came(fresh: Workspace) -> None:
    put(fresh.root, "customers.csv", 'customer_id,name,tier,traits,synced_at\nacme,Acme,gold,"{""a"": 1}",2026-06-01\n')
    load_files(fresh, paths=[fresh.root / "customers.csv"], now=NOW)
    send(fresh, accepted("group", userId="u1", groupId="acme", traits={"plan": "pro", "b": 2}), *hour()[:1])
    load(fresh)
    assert asked(fresh, "SELECT name, tier, plan, traits FROM customers") == [("Acme", "gold", "pro", '{"a":1,"b":2}')]
    columns = asked(fresh, "SELECT columns FROM feeds WHERE table_name = 'events'")[0][0]
    assert "feature" not in columns
    assert "occurred_at" in columns


def test_stripe_events_are_rows_of_the_linked_customer(fresh: Workspace) -> None:
    put(fresh.root, "customers.csv", "customer_id,name\nacme,Acme\n")
    load_files(fresh, paths=[fresh.root / "customers.csv"], now=NOW)
    bill = {"id": "in_1", "customer": "cus_1", "status": "open", "currency": "eur", "amount_due": 9900, "created": 1}
    send(fresh, stripe_event("invoice.payment_failed", bill, id="evt_1"))
    assert load(fresh)[0].quarantined == 2
    send(fresh, stripe_event("customer.updated", {"id": "cus_1", "metadata": {"customer_id": "acme"}}, id="evt_2"))
    assert load(fresh)[0].resolved == 2
    paid = {**bill, "status": "paid", "amount_paid": 9900}
    send(fresh, stripe_event("invoice.paid", paid, id="evt_3", at=int(NOW.timestamp()) + 9))
    assert load(fresh)[0].clean
    assert asked(fresh, "SELECT status, amount_paid FROM invoices") == [("paid", 99)]
    assert asked(fresh, "SELECT status FROM payments ORDER BY attempted_at") == [("failed",), ("succeeded",)]


class Killed(BaseException):
    """As SIGKILL would: nothing behind it happens."""


def killing(real: Callable[..., Any], attempt: int, after: bool) -> Callable[..., Any]:
    """What does as it should, until it is killed before or after it did so often."""
    calls = count(1)

    def called(*given: Any, **named: Any) -> Any:
        number = next(calls)
        if number == attempt and not after:
            raise Killed
        done = real(*given, **named)
        if number == attempt:
            raise Killed
        return done

    return called


STEPS = [(os, "replace"), (os, "fsync"), (loading, "sync_folder"), (loading, "load_files"), (loading, "_keep_links")]


@pytest.mark.parametrize(("place", "name"), STEPS, ids=lambda one: getattr(one, "__name__", one))
@pytest.mark.parametrize("after", [False, True])
def test_a_load_that_was_killed_is_repeated(
    fresh: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, after: bool
) -> None:
    undisturbed = workspace_init(tmp_path / "undisturbed", pack="b2b-saas")
    for workspace in (fresh, undisturbed):
        send(workspace, *hour())
    load(undisturbed)
    for attempt in range(1, 20):
        with monkeypatch.context() as patched:
            patched.setattr(place, name, killing(getattr(place, name), attempt, after))
            try:
                load(fresh)
                break
            except Killed:
                pass
    load(fresh)
    assert told(fresh) == told(undisturbed)
    places = journal_of(fresh)
    assert list(places.loading.iterdir()) == []
    assert [path.name for path in places.done(NOW.date()).iterdir()] == ["2026-06-30T09-0001.ndjson"]


def test_a_file_that_cannot_be_loaded_stays_and_others_are_loaded(
    fresh: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(fresh, accepted("group", userId="u1", groupId="acme", messageId="a"))
    load(fresh)
    send(fresh, accepted(userId="u1", messageId="b"))
    places, real = journal_of(fresh), loading.rows_of

    def spoilt(*given: Any) -> Any:
        batch = real(*given)
        batch.event({"event_id": "x", "nothing": 1})
        monkeypatch.setattr(batch, "files", lambda: iter([("events_00000.ndjson", '{"event_id": "x"}\n')]))
        return batch

    with monkeypatch.context() as patched:
        patched.setattr(loading, "rows_of", spoilt)
        assert "not loaded" in load(fresh)[0].problems[0]
    assert len(places.sealed()) == 1
    send(fresh, accepted(userId="u1", messageId="c"))
    load(fresh)
    assert [row[2] for row in events(fresh)] == ["c"]
    shutil.rmtree(places.sealed()[0].with_suffix(".rows"))
    load(fresh)
    assert [row[2] for row in events(fresh)] == ["b", "c"]


def test_a_name_that_no_database_holds_keeps_nothing_from_being_loaded(fresh: Workspace) -> None:
    odd = {"id": "dp_1", "charge": "\ud800ch", "payment_intent": "pi\x00", "amount": 500, "currency": "usd"}
    send(fresh, stripe_event("charge.dispute.created", odd), accepted("group", groupId="acme", userId="u"))
    load(fresh)
    assert not journal_of(fresh).sealed()
    assert asked(fresh, "SELECT name FROM customers") == [("acme",)]


@pytest.mark.parametrize("backwards", [False, True])
def test_what_billing_says_of_payments_is_news_of_the_customer(
    fresh: Workspace, tmp_path: Path, backwards: bool
) -> None:
    """Whichever event came first; what came before anybody said whose it is changes no customer."""
    known = "customer_id,name,plan,payment_status,updated_at\nacme,Acme,pro,current,2026-06-01T00:00:00Z\n"
    load_files(fresh, paths=[put(tmp_path, "customers.csv", known)], now=NOW)
    linked = {"id": "cus_1", "metadata": {"customer_id": "acme"}}
    bill = {"id": "in_1", "customer": "cus_1", "status": "open", "currency": "eur", "amount_due": 9900, "created": AT}
    later = {"id": "in_2", "metadata": {"customer_id": "acme"}, "status": "paid", "currency": "eur", "created": AT}
    sent = [
        stripe_event("customer.created", linked, id="e0", at=AT - 90),
        stripe_event("invoice.payment_failed", bill, id="e1", at=AT - 60),
        stripe_event("invoice.paid", {**later, "customer": "cus_1"}, id="e2", at=AT - 30),
        stripe_event("invoice.payment_failed", {**bill, "id": "in_9", "customer": "cus_9"}, id="e3"),
    ]
    for event in reversed(sent) if backwards else sent:
        send(fresh, event)
        load(fresh)
    assert asked(fresh, "SELECT name, plan, payment_status FROM customers") == [("Acme", "pro", "current")]
    found = asked(fresh, "SELECT valid_from, plan, payment_status FROM customer_history ORDER BY 1")
    told_by_now = ["current", "current"] if backwards else ["current", "failed", "current"]
    assert [(plan, state) for _, plan, state in found] == [("pro", state) for state in told_by_now]
    send(fresh, accepted(event="payment_failed", userId="u1", context={"groupId": "acme"}, messageId="t1"))
    load(fresh)
    assert asked(fresh, "SELECT plan, payment_status, count(*) FROM customers GROUP BY ALL") == [("pro", "failed", 1)]
