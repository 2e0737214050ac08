"""Messages of playbooks in the words of one customer; whatever stands in its data arrives as text."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from keepwell.interfaces.site.mail import MailConfig
from keepwell.model.definitions import Settings
from keepwell.model.message_definitions import Message
from keepwell.model.packs import pack_names, resolve_model
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.messages import Around, one_line
from keepwell.services.published import customer_people
from keepwell.services.team.outbox import compose, tokens
from keepwell.services.team.outbox.compose import compose_message, preview_message
from keepwell.services.team.outbox.letters import laid_out, letter
from keepwell.services.team.outbox.recipients import Addressee, account_of, recipients
from keepwell.services.team.outbox.texts import model_now
from keepwell.services.workspace import Workspace
from keepwell.store.models import Outgoing
from tests.services.team.outbox.world import NOON, asked, go_live, running
from tests.web import MakePerson

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail")]
CUSTOMER = "c-00001"
TEXT = "Hi {{ person.first_name }},\n\n**{{ customer.company }}** and [more]({{ link.calendar }}).\n\n{{ owner.name }}"
EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> {{ 7 | times: 6 }} {% for x in y %} **bold**"
    " [a](javascript:b) ]]> </mj-text> \u202edesrever\u202c שלום 😀\r\nBcc: all@evil.example"
)


def message(**fields: Any) -> dict[str, Any]:
    return {"subject": "About {{ customer.company }}", "text": TEXT} | fields


def made(here: Workspace, about: dict[str, Any], **details: Any) -> list[Outgoing]:
    return compose_message(here, asked("hello", **details), running(CUSTOMER, messages={"hello": about}), NOON)


class Shown(HTMLParser):
    """What a reader of HTML sees, and which elements there are."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    @property
    def links(self) -> list[str | None]:
        return [attrs.get("href") for tag, attrs in self.tags if tag == "a"]


def test_a_message_has_its_words_its_recipient_and_its_sender(here: Workspace, person: MakePerson) -> None:
    account = account_of(here, CUSTOMER)
    assert account is not None
    owner = person("csm", email=account.owner_email, name="Maya Brandt")
    (row,) = made(here, message())
    to = recipients(here, account, "primary")[0]
    assert (row.address, row.to_name, row.person_id) == (to.address, to.name, to.person_id)
    assert row.subject == f"About {account.company}"
    assert row.text.startswith(
        f"Hi {to.name.split()[0]},\n\n{account.company} and more (https://calendar.example/book)."
    )
    assert row.text.endswith("Maya Brandt")
    assert row.sender == {"name": "Maya Brandt", "email": owner.email, "title": ""}
    assert (row.state, row.due_at, row.message, row.audience) == ("waiting", NOON, "hello", "customer")
    assert Shown(row.html).links == ["https://calendar.example/book"]


def test_what_is_asked_for_twice_is_one_row(here: Workspace) -> None:
    run = running(CUSTOMER, messages={"hello": message()})
    first = compose_message(here, asked("hello"), run, NOON)
    again = compose_message(here, asked("hello"), run, NOON)
    assert [row.pk for row in first] == [row.pk for row in again]
    assert Outgoing.objects.count() == 1


def test_every_user_gets_a_row_and_it_is_one_contact(here: Workspace) -> None:
    rows = made(here, message(), to="all_users")
    people = {one.email for one in customer_people(here, CUSTOMER) if one.left_company_at is None and one.email}
    assert len(rows) > 1
    assert {row.address for row in rows} <= people
    assert {row.payload["contact"] for row in rows} == {"pb-1"}


def test_a_message_inside_the_product_is_one_row_for_everybody(here: Workspace) -> None:
    (row,) = made(here, message(channel="in_app"), to="all_users", channel="in_app")
    assert (row.channel, row.address, row.person_id) == ("in_app", "", "")
    assert "<html" not in row.html
    assert "<strong>" in row.html


def test_a_button_inside_the_product_comes_along(here: Workspace) -> None:
    (row,) = made(here, message(channel="in_app", button="Open", link="https://app.example/x"), channel="in_app")
    assert (row.payload["button"], row.payload["link"]) == ("Open", "https://app.example/x")


def test_marketing_says_how_to_get_no_more_of_it(here: Workspace) -> None:
    (row,) = made(here, message(purpose="marketing"))
    url = tokens.unsubscribe_url(row.key)
    assert f"Unsubscribe: {url}" in row.text
    assert url in Shown(row.html).links
    assert tokens.unsubscribing(url.rpartition("/")[2]) == row.key
    (personal,) = made(here, message(), key="pb-2")
    assert "nsubscribe" not in personal.text + personal.html


def test_who_unsubscribed_elsewhere_gets_no_marketing(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "recipients", lambda *_: (Addressee("no@acme.example", unsubscribed=True),))
    (news,) = made(here, message(purpose="marketing"))
    (personal,) = made(here, message(), key="pb-2")
    assert (news.state, personal.state) == ("suppressed", "waiting")


def test_nobody_to_write_to_is_nothing(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "recipients", lambda *_: ())
    assert made(here, message()) == []
    unknown = running("nobody", messages={"hello": message()})
    assert compose_message(here, asked("hello"), unknown, NOON) == []


@pytest.mark.parametrize("about", [{}, {"hello": message(text="{{ customer.company | no_such_filter }}")}])
def test_what_cannot_be_written_says_why_and_the_run_goes_on(here: Workspace, about: dict[str, Any]) -> None:
    (row,) = compose_message(here, asked("hello"), running(CUSTOMER, messages=about), NOON)
    assert row.state == "dead"
    assert row.subject == "Hello"
    assert "hello" in row.error


def test_links_are_counted_only_where_that_is_on(here: Workspace) -> None:
    (plain,) = made(here, message(button="Go", link="https://app.example/?a=1&b=2", purpose="marketing"))
    assert "/m/c/" not in plain.html
    assert "/m/o/" not in plain.html
    go_live(track=True)
    (row,) = made(here, message(button="Go", link="https://app.example/?a=1&b=2", purpose="marketing"), key="pb-2")
    links = Shown(row.html).links
    read = [tokens.clicked(str(url).rpartition("/")[2]) for url in links if "/m/c/" in str(url)]
    assert read == [(row.key, "https://calendar.example/book"), (row.key, "https://app.example/?a=1&b=2")]
    assert tokens.unsubscribe_url(row.key) in links, "who unsubscribes is not counted"
    pictures = [str(attrs["src"]) for tag, attrs in Shown(row.html).tags if tag == "img"]
    assert [tokens.opened(url.rpartition("/")[2].removesuffix(".gif")) for url in pictures] == [row.key]
    assert "/m/c/" not in row.text


def test_the_file_says_whether_links_are_counted(here: Workspace, mail: MailConfig, monkeypatch: Any) -> None:
    monkeypatch.setattr(settings, "MAIL", replace(mail, track=True))
    (row,) = made(here, message())
    assert "/m/o/" in row.html


def test_only_the_values_that_a_message_names_are_read(here: Workspace) -> None:
    about = Message(subject="{{ customer.mrr }}", text="{% if customer.usage_cliff %}{{ customer.plan }}{% endif %}")
    assert compose.used(about) == frozenset({"mrr", "usage_cliff", "plan"})
    few, whole = account_of(here, CUSTOMER, {"mrr", "plan"}), account_of(here, CUSTOMER)
    assert few is not None
    assert whole is not None
    assert {n: whole.facts.values[n] for n in few.facts.values} == few.facts.values
    assert len(few.facts.values) < len(whole.facts.values)
    assert compose.used(Message(subject="s", text="{% assign c = customer %}{{ c.mrr }}")) is None


def test_an_offer_is_in_its_words(here: Workspace) -> None:
    about = message(text="{{ offer.title }} until {{ offer.expires_on }}", button="Accept", link="{{ offer.url }}")
    run = running(CUSTOMER, messages={"hello": about})
    effect = asked("hello", offer={"kind": "pause", "title": "Two months off"}, expires_at="2026-07-14T12:00:00+00:00")
    (row,) = compose_message(here, effect, run, NOON, offer={"url": "https://k.example/o/abc"})
    assert row.text == "Two months off until 14 July 2026\n\nAccept: https://k.example/o/abc"


def test_a_preview_is_what_would_be_sent_and_leaves_nothing(here: Workspace) -> None:
    name = next(n for n, m in model_now(here).messages.items() if m.channel == "email")
    shown = preview_message(here, name, CUSTOMER)
    assert shown.to_address
    assert shown.subject
    assert shown.text
    assert "<html" in shown.html
    assert not shown.problem
    assert Outgoing.objects.count() == 0
    with pytest.raises(KeyError):
        preview_message(here, "no_such_message", CUSTOMER)


def test_every_message_of_the_pack_can_be_written(here: Workspace) -> None:
    for name in model_now(here).messages:
        shown = preview_message(here, name, CUSTOMER)
        assert "{{" not in shown.subject + shown.text
        assert shown.text.strip()


# --- hostile values ---------------------------------------------------------------------------------------------------
ABOUT = Message.model_validate(
    message(
        text=f"{{{{ person.first_name }}}}: {TEXT}\n\n{{{{ customer.website_url }}}}", preview="{{ customer.company }}"
    )
)


def written(value: str) -> tuple[str, str, str]:
    facts = Facts(values={"company": value, "website_url": value})
    around = Around(
        person={"first_name": value, "name": value}, owner={"name": value}, link={"calendar": "https://c.example/book"}
    )
    one = letter(ABOUT, value, facts, Settings(), around)
    return one.subject, one.text, laid_out(one)


def test_hostile_values_arrive_as_text() -> None:
    subject, text, page = written(EVIL)
    assert "\n" not in subject
    assert "\r" not in subject
    assert "\u202e" not in subject + text + page
    for whole in (subject, text, " ".join(Shown(page).words)):
        assert "<script>alert(1)</script>" in whole
        assert "{{ 7 | times: 6 }}" in whole
        assert "**bold** [a](javascript:b)" in whole
        assert "שלום 😀 Bcc: all@evil.example" in whole
    clean = written("Acme")[2]
    assert [tag for tag, _ in Shown(page).tags] == [tag for tag, _ in Shown(clean).tags], "no element more, none less"
    assert Shown(page).links == ["https://c.example/book"]


@given(st.text(alphabet=st.sampled_from(list("<>&\"'`*_[](){}%!#+-=~|\\/:;.,\n\r\t 0a\u202e\u2028😀א@")), max_size=30))
@settings_of(max_examples=300, deadline=None)
def test_no_value_makes_an_element_or_a_link(value: str) -> None:
    text = value if one_line(value) else "x"
    subject, _, page = written(text)
    assert len(subject.splitlines()) == 1
    shown, clean = Shown(page), Shown(written("Acme")[2])
    assert [tag for tag, _ in shown.tags] == [tag for tag, _ in clean.tags]
    assert shown.links == clean.links


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://", "x y", "/a"])
def test_a_link_that_leads_nowhere_good_makes_no_button(link: str) -> None:
    about = Message(subject="s", text=f"[words]({link})", button="Go", link=link)
    one = letter(about, "c", Facts(), Settings(), Around())
    assert (one.button, one.link) == ("", "")
    assert not [url for url in Shown(laid_out(one)).links if url]


@pytest.mark.parametrize(
    ("text", "signed"),
    [
        ("Hi Ann,\n\nHave a look.\n\nMaya Brandt\nAcme Inc.", "Maya Brandt\nAcme Inc."),
        ("Hi Ann,\n\nHave a look.\r\n\r\nBest regards,\r\n\r\nMaya", "Best regards,\n\nMaya"),
        ("Have a look.\n\nBest regards,\nMaya", "Best regards,\nMaya"),
        ("Hi Ann,\n\nHave a look.", ""),
        ("Hi Ann,\n\n- one\n- two", ""),
        ("Hi Ann,\n\n[pick a time](https://a.example/b)", ""),
        ("Two months off", ""),
    ],
)
def test_the_button_stands_where_the_sign_off_begins(text: str, signed: str) -> None:
    about = Message(subject="s", text=text, button="Go", link="https://app.example/go")
    one = letter(about, "c", Facts(), Settings(), Around())
    assert one.text.endswith(f"\n\nGo: https://app.example/go\n\n{signed}".rstrip())
    assert one.text.startswith(text[:8].rstrip())
    page = laid_out(one)
    after = page[page.index("https://app.example/go") :]
    assert all((line in after) is (line in signed) for line in ("Have a look", "Maya", "Best regards"))


def test_every_shipped_letter_has_its_button_before_the_name() -> None:
    """Whoever signs, in every pack: the last words of a letter with a button are a name, not the button."""
    facts, person = Facts(values={"company": "Acme"}), {"name": "Ann Lee", "first_name": "Ann"}
    who = {"name": "Maya Brandt", "title": "CEO"}
    link = {"product": "https://a.example/p", "survey": "https://a.example/s", "calendar": "https://a.example/c"}
    around = Around(person=person, owner=who, sender=who, offer={"url": "https://a.example/o"}, link=link)
    late = []
    for pack in pack_names():
        model = resolve_model(pack).model
        for name, about in model.messages.items():
            one = letter(about, "c", facts, model.settings, around)
            if about.channel == "email" and one.button and one.text.endswith(one.link):
                late.append((pack, name))
    assert not late
