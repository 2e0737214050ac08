"""Messages filled in: every shipped one, with much, with nothing, and with what somebody hostile would enter."""

from datetime import date

import pytest

from keepwell.model.definitions import Settings
from keepwell.model.message_definitions import Message
from keepwell.model.packs import pack_names, resolve_model
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.messages import Around, markdown_escaped, message_fields, one_line, rendered

AROUND = Around(
    person={"first_name": "Ada"},
    owner={"name": "Grace"},
    sender={"name": "Alex", "title": "CEO"},
    offer={
        "title": "A pause",
        "url": "https://x.example/o",
        "expires_on": date(2026, 4, 1),
        "days": 14,
        "sessions": 1,
        "grace_days": 60,
        "terms": "None of your data is lost.",
    },
    link={"product": "https://x.example", "survey": "https://x.example/s"},
)
HOSTILE = [
    "<script>alert(1)</script>",
    "{{ setting.secret }}{% assign x = 1 %}",
    "Evil\r\nBcc: all@example.com",
    "\u202eevil",
    "🐙 Ünïcode & Co.",
]


def fill(text: str, subject: str = "s", **values: object) -> str:
    facts = Facts(values=values)  # type: ignore[arg-type]
    fields = message_fields("c1", facts, Settings(values={"secret": "no"}), AROUND)
    done = rendered(Message(subject=subject, text=text), fields)
    return f"{done.subject}|{done.text}"


@pytest.mark.parametrize("pack", pack_names())
@pytest.mark.parametrize("known", [False, True])
def test_every_shipped_message_reads_well(pack: str, known: bool) -> None:
    model = resolve_model(pack).model
    numbers = {name: 3.0 for name, metric in model.metrics.items() if metric.type in (None, "number")}
    facts = Facts(values={"company": "Acme", **numbers} if known else {})
    fields = message_fields("c1", facts, model.settings, AROUND if known else Around(offer=AROUND.offer))
    assert model.messages
    for name, message in model.messages.items():
        done = rendered(message, fields)
        assert done.subject, name
        assert len(done.text.split()) > 5, name
        assert not any(mark in f"{done.subject} {done.text}" for mark in ("{{", "{%", "  ", "3.0", "\n\n\n")), name
        assert "http" in done.link or not known or not message.link, name


@pytest.mark.parametrize("company", HOSTILE)
def test_hostile_values_arrive_as_text(company: str) -> None:
    found = fill("Dear {{ customer.company }}!", "For {{ customer.company }}", company=company)
    subject, _, text = found.partition("|")
    assert "\n" not in subject
    assert "\u202e" not in found
    assert "no" not in found.split()
    assert text == f"Dear {one_line(company)}!"


def test_markdown_in_values_is_no_markdown() -> None:
    assert markdown_escaped("[a](javascript:x) <b>*c*") == r"\[a\]\(javascript:x\) &lt;b&gt;\*c\*"
    fields = message_fields("c", Facts(values={"company": "*A*"}), Settings(), Around(), as_text=markdown_escaped)
    assert rendered(Message(subject="s", text="{{ customer.company }}"), fields).text == r"\*A\*"


def test_numbers_and_dates_are_plain() -> None:
    assert fill("{{ customer.a }} {{ customer.b }} {{ customer.c }}", a=14.0, b=0.5, c=date(2026, 4, 1)) == (
        "s|14 0.5 1 April 2026"
    )


def test_what_is_unknown_is_left_out_or_replaced() -> None:
    assert fill("{% if customer.a %}A{% else %}B{% endif %}{{ customer.a | default: 'C' }}", a=None) == "s|BC"


def test_one_line() -> None:
    assert one_line(" a\r\n\tb\u2028c\x00 ") == "a b c"


def test_addresses_stay_what_they_are() -> None:
    around = Around(offer={"url": "https://x.example/a_b", "title": "a_b"})
    fields = message_fields("c", Facts(), Settings(), around, as_text=markdown_escaped)
    assert fields["offer"] == {"url": "https://x.example/a_b", "title": r"a\_b"}
