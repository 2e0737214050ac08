"""What became of messages: told once, stops what waits for it, and ends what nobody wants."""

from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from keepwell.services.team.audit import Actor
from keepwell.services.team.outbox import tokens, tracking
from keepwell.services.team.outbox.heard import News, came_in, heard
from keepwell.services.team.outbox.suppression import SuppressionError, allow, suppress, suppressed, suppressions
from keepwell.services.team.outbox.tracking import record_event
from keepwell.store.models import AuditEntry, CanonicalWrite, Happening, Outgoing, OutgoingEvent, Suppression
from tests.services.team.outbox.world import NOON, fresh, waiting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail")]
WHO = Actor("ops@example.com")
LATER = NOON + timedelta(hours=1)


def sent(**fields: Any) -> Outgoing:
    row = waiting(**fields)
    Outgoing.objects.filter(pk=row.pk).update(state="sent", sent_at=NOON, provider_id=f"<id-{row.pk}@p.example>")
    return fresh(row)


def reply(row: Outgoing, **headers: str) -> EmailMessage:
    mail = EmailMessage()
    about = {"From": "Ada <ada@acme.example>", "Subject": "Re: hello", "Message-ID": "<r1@acme.example>"}
    for name, value in (about | {n.replace("_", "-"): v for n, v in headers.items()}).items():
        mail[name] = value
    mail.set_content("Yes, let us talk.")
    return mail


def test_an_event_is_told_once() -> None:
    row = sent()
    assert record_event(row, "clicked", "k", LATER, {"url": "https://a.example"}) is not None
    assert record_event(row, "clicked", "k", LATER) is None
    assert OutgoingEvent.objects.count() == 1
    (heard_of,) = Happening.objects.all()
    assert (heard_of.customer_id, heard_of.kind, heard_of.name, heard_of.run_id) == (
        row.customer_id, "response", "click", None,
    )  # fmt: skip
    assert AuditEntry.objects.filter(action="outgoing.clicked", customer_id=row.customer_id).count() == 1


@pytest.mark.parametrize("kind", ["delivered", "opened", "auto_reply", "bounced"])
def test_only_replies_and_clicks_are_responses(kind: str) -> None:
    record_event(sent(), kind, "k", LATER)
    assert Happening.objects.count() == 0


def test_a_link_is_counted_once_and_a_virus_scanner_is_no_customer() -> None:
    row = sent()
    assert tracking.click(row.key, "https://a.example", NOON + timedelta(seconds=3))
    assert Happening.objects.count() == 0, "nobody reads that fast"
    assert tracking.click(row.key, "https://a.example", LATER)
    assert not tracking.click(row.key, "https://a.example", LATER)
    assert tracking.click(row.key, "https://b.example", LATER)
    assert Happening.objects.count() == 2
    assert not tracking.click("no such key", "https://a.example", LATER)


def test_who_unsubscribes_gets_no_marketing_and_keeps_the_rest() -> None:
    row = sent(purpose="marketing")
    tracking.unsubscribe(row.key, LATER)
    tracking.unsubscribe(row.key, LATER)
    assert suppressed(row.address.upper(), "marketing") is not None
    assert suppressed(row.address, "personal") is None
    assert OutgoingEvent.objects.filter(kind="unsubscribed").count() == 1
    allow(WHO, Suppression.objects.get().pk, LATER)
    tracking.unsubscribe(row.key, LATER)
    assert suppressed(row.address, "marketing") is not None, "who asks again is heard again"


@pytest.mark.parametrize("kind", ["bounced", "complained"])
def test_who_cannot_be_reached_or_complains_gets_nothing(kind: str) -> None:
    row = sent()
    record_event(row, kind, "k", LATER)
    assert suppressed(row.address, "personal") is not None


def test_a_full_mailbox_is_no_reason_to_stop() -> None:
    row = sent()
    event = heard(News("bounced", "1", provider_id=row.provider_id, raw={"Type": "SoftBounce"}), LATER)
    assert event is not None
    assert suppressed(row.address, "personal") is None


def test_what_arrived_was_sent_whatever_was_thought() -> None:
    row = waiting()
    Outgoing.objects.filter(pk=row.pk).update(state="dead", attempts=1, error="unconfirmed")
    heard(News("delivered", "1", metadata={"keepwell": row.key}), LATER)
    assert (fresh(row).state, row.sent_at, row.error) == ("sent", LATER, "")


def test_what_a_provider_refuses_afterwards_is_given_up() -> None:
    row = sent()
    heard(News("rejected", "1", provider_id=row.provider_id.strip("<>"), said="on our list"), LATER)
    assert fresh(row).state == "dead"
    assert "on our list" in row.error


def test_news_of_other_messages_and_of_other_kinds_are_passed_over() -> None:
    sent()
    assert heard(News("opened", "1", provider_id="somebody-else"), LATER) is None
    assert heard(News("opened", "1"), LATER) is None
    assert heard(News("queued", "1", metadata={"keepwell": "test-1"}), LATER) is None


def test_news_come_twice_and_count_once() -> None:
    row = sent()
    news = News("clicked", "event-1", provider_id=row.provider_id, url="https://a.example")
    assert heard(news, LATER) is not None
    assert heard(news, LATER) is None
    assert Happening.objects.count() == 1


@pytest.mark.parametrize("way", ["address", "id", "provider"])
def test_a_reply_is_known_by_its_address_or_by_what_it_refers_to(way: str) -> None:
    row = sent()
    headers = {
        "address": {"To": f"Reply+{tokens.reply_mark(row.pk).upper()}@reply.keepwell.example"},
        "id": {"References": f"<x@y> <kw.{tokens.reply_mark(row.pk)}@keepwell.example>"},
        "provider": {"In_Reply_To": row.provider_id},
    }[way]
    event = came_in(reply(row, **headers), [], "1", LATER)
    assert event is not None
    assert (event.outgoing_id, event.kind) == (row.pk, "replied")
    assert event.data["text"].strip() == "Yes, let us talk."
    assert [one.name for one in Happening.objects.all()] == ["reply"]
    assert came_in(reply(row, **headers), [], "2", LATER) is None, "the same mail twice"


@pytest.mark.parametrize(
    "headers",
    [{"Auto_Submitted": "auto-replied"}, {"Precedence": "auto_reply"}, {"X_Autoreply": "yes"}, {"Return_Path": "<>"}],
)
def test_an_answer_of_a_program_stops_nothing(headers: dict[str, str]) -> None:
    row = sent()
    event = came_in(reply(row, In_Reply_To=row.provider_id, **headers), [], "1", LATER)
    assert event is not None
    assert event.kind == "auto_reply"
    assert Happening.objects.count() == 0


def test_a_mark_that_was_not_made_here_says_nothing() -> None:
    row = sent()
    forged = f"reply+{row.pk}-{'0' * 20}@reply.keepwell.example"
    assert came_in(reply(row, To=forged), [forged], "1", LATER) is None
    assert tokens.replied_to("x") is None
    assert tokens.replied_to("٣-abc") is None
    assert tokens.unsubscribing("forged:abc") is None
    assert tokens.clicked(tokens.unsubscribe_url("a").rpartition("/")[2]) is None, "a token is for one thing"


def test_a_personal_mail_and_its_reply_go_into_the_data() -> None:
    row = sent()
    came_in(reply(row, In_Reply_To=row.provider_id), [], "1", LATER)
    rows = [write.row for write in CanonicalWrite.objects.order_by("pk")]
    assert [(r["interaction_id"].split("-")[1], r["direction"]) for r in rows] == [
        ("mail", "outbound"), ("reply", "inbound"),
    ]  # fmt: skip
    assert rows[0]["responded_at"] == LATER.isoformat()
    assert rows[0]["customer_id"] == row.customer_id


def test_the_list_is_kept_by_people_too() -> None:
    one = suppress(WHO, " Ada@Acme.example ", why="by_hand", scope="marketing", note="by phone", now=NOON)
    assert one.address == "ada@acme.example"
    assert suppress(WHO, "ada@acme.example", why="bounced", now=LATER).scope == "all"
    assert suppress(WHO, "ada@acme.example", why="unsubscribed", scope="marketing", now=LATER).scope == "all"
    assert [found.address for found in suppressions("ADA")] == ["ada@acme.example"]
    assert AuditEntry.objects.filter(action="address.suppressed").count() == 2
    allow(WHO, one.pk, LATER)
    assert suppressed("ada@acme.example", "personal") is None
    assert suppressed("ada@acme.example", "marketing") is not None, "it wanted none before it bounced"
    allow(WHO, one.pk, LATER)
    assert suppressed("ada@acme.example", "marketing") is None
    with pytest.raises(SuppressionError):
        allow(WHO, one.pk, LATER)
    with pytest.raises(SuppressionError):
        suppress(WHO, "no address", why="by_hand", now=NOON)
