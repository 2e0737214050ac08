"""Messages inside the product: each user sees the own ones alone, from pages that may ask."""

import json
import time
from datetime import timedelta
from typing import Any, Final

import jwt
import pytest
from django.test import Client

from keepwell.services.team.outbox.in_app import DISMISSED
from keepwell.store.models import Channel, Happening, Outgoing, OutgoingEvent
from tests.web import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("published")]
KEY: Final = "0123456789abcdef0123456789abcdef-for-tests"
PAGE: Final = "https://app.example.com"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setenv("KEEPWELL_IN_APP_KEY", KEY)
    Channel.objects.create(name="in_app", audience="customer", live=True, settings={"origins": [PAGE]}, changed_at=NOW)


def token(user: str = "u-1", customer: str = "c-1", **claims: Any) -> str:
    said = {"sub": user, "customer": customer, "exp": int(time.time()) + 600, **claims}
    return jwt.encode({name: value for name, value in said.items() if value is not None}, KEY, algorithm="HS256")


def message(customer: str = "c-1", person: str = "u-1", **fields: Any) -> Outgoing:
    about = {
        "key": f"m-{Outgoing.objects.count()}", "channel": "in_app", "audience": "customer", "subject": "New report",
        "text": "It is here.", "payload": {"button": "Open", "link": "https://app.example.com/r"}, "state": "sent",
        "made_at": NOW, "due_at": NOW, "sent_at": NOW,
    }  # fmt: skip
    return Outgoing.objects.create(customer_id=customer, person_id=person, **{**about, **fields})


def called(method: str, path: str, secret: str = "", origin: str = PAGE) -> Any:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return Client(enforce_csrf_checks=True).generic(
        method, f"/in-app/v1/{path}", headers={**headers, **({"Origin": origin} if origin else {})}
    )


def shown(secret: str) -> list[dict[str, Any]]:
    answer = called("GET", "feed", secret)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


def test_a_user_sees_the_own_messages_and_those_for_everybody() -> None:
    mine, everybody = message(), message(person="")
    message(person="u-2"), message(customer="c-2"), message(state="rehearsed"), message(channel="email")
    message(audience="internal")
    assert [one["id"] for one in shown(token())] == [everybody.pk, mine.pk]
    one = shown(token())[1]
    assert {name: one[name] for name in ("title", "text", "button", "link", "seen")} == {
        "title": "New report", "text": "It is here.", "button": "Open", "link": "https://app.example.com/r",
        "seen": False,
    }  # fmt: skip
    assert shown(token("u-1", "c-9")) == []


def test_what_was_put_away_is_gone_for_that_user_alone() -> None:
    everybody = message(person="")
    for _ in range(2):
        assert called("POST", f"messages/{everybody.pk}/seen", token()).status_code == 204
    assert shown(token())[0]["seen"]
    assert not shown(token("u-2"))[0]["seen"]
    assert called("POST", f"messages/{everybody.pk}/dismissed", token()).status_code == 204
    assert shown(token()) == []
    assert len(shown(token("u-2"))) == 1
    assert OutgoingEvent.objects.filter(kind=DISMISSED).count() == 1
    assert OutgoingEvent.objects.filter(kind="seen").count() == 1


def test_following_a_link_answers_the_playbook_once() -> None:
    row = message()
    for _ in range(3):
        assert called("POST", f"messages/{row.pk}/clicked", token()).status_code == 204
    heard = Happening.objects.get()
    assert (heard.customer_id, heard.kind, heard.name) == ("c-1", "response", "click")


def test_nobody_reacts_to_what_is_not_theirs() -> None:
    row = message()
    for secret in (token("u-2"), token("u-1", "c-2")):
        assert called("POST", f"messages/{row.pk}/seen", secret).status_code == 404
    assert called("POST", f"messages/{row.pk}/stolen", token()).status_code == 404
    assert called("POST", "messages/999999/seen", token()).status_code == 404
    assert not OutgoingEvent.objects.exists()


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "nonsense",
        jwt.encode({"sub": "u-1", "customer": "c-1", "exp": 4e9}, "another key, and long enough for it", "HS256"),
        jwt.encode({"sub": "u-1", "customer": "c-1", "exp": int(time.time()) + 60}, "", "none"),
        token(exp=int(time.time()) - 600),
        token(exp=int(time.time()) + 7 * 86400),
        token(exp=None),
        token(customer=None),  # type: ignore[arg-type]
        token(user=None),  # type: ignore[arg-type]
        token(customer=""),
        token(customer=["c-1"]),  # type: ignore[arg-type]
        token(customer="c\x00"),
        token(user="u" * 300),
    ],
    # The moment is part of a token, and names of tests are the same for every process.
    ids=[str(number) for number in range(13)],
)
def test_a_token_that_does_not_work(secret: str) -> None:
    message()
    answer = called("GET", "feed", secret)
    assert answer.status_code == 401
    assert "Traceback" not in answer.content.decode()
    assert answer["Access-Control-Allow-Origin"] == PAGE, "the page can read why"


@pytest.mark.parametrize("key", ["", "short"])
def test_without_a_key_nothing_is_answered(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("KEEPWELL_IN_APP_KEY", key)
    assert called("GET", "feed", token()).status_code == 404


def test_only_named_pages_may_ask() -> None:
    assert called("GET", "feed", token(), origin="https://evil.example").status_code == 403
    assert "Access-Control-Allow-Origin" not in called("OPTIONS", "feed", origin="https://evil.example")
    asked = called("OPTIONS", "messages/1/seen")
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Origin"] == PAGE
    assert asked["Access-Control-Allow-Methods"] == "POST"
    assert asked["Access-Control-Allow-Headers"] == "authorization"
    assert "Access-Control-Allow-Credentials" not in asked
    assert asked["Vary"] == "Origin"
    assert called("GET", "feed", token(), origin="").status_code == 200, "a server may ask, too"


@pytest.mark.parametrize(("method", "path"), [("POST", "feed"), ("GET", "messages/1/seen"), ("DELETE", "feed")])
def test_other_methods_are_not_taken(method: str, path: str) -> None:
    assert called(method, path, token()).status_code == 405


def test_queries_do_not_grow_with_messages(django_assert_num_queries: Any) -> None:
    for _ in range(30):
        message()
    with django_assert_num_queries(3):
        assert len(shown(token())) == 20


def test_the_script_is_small_and_open_to_all(client: Client) -> None:
    answer = client.get("/in-app/v1/in-app.js")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert len(answer.content) < 5_000
    text = answer.content.decode()
    assert not any(word in text for word in ("innerHTML", "eval(", "document.write", "insertAdjacentHTML"))
    again = client.get("/in-app/v1/in-app.js", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    assert "sessionid" not in answer.cookies


def test_hostile_words_stay_words() -> None:
    message(subject="<img src=x onerror=alert(1)>", text="{{ x }} <script>")
    answer = called("GET", "feed", token())
    assert answer["Content-Type"] == "application/json"
    assert json.loads(answer.content)["messages"][0]["title"] == "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("exp", [10**20, 10**400, float("inf"), "9" * 30, -1, 0, True, [], None])
def test_a_token_that_ends_at_no_moment_is_refused(exp: Any) -> None:
    assert called("GET", "feed", token(exp=exp)).status_code == 401


@pytest.mark.parametrize("secret", ["\xe9.\xe9.\xe9", "a.b", "....", "e30.e30.", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_is_refused(secret: str) -> None:
    assert called("GET", "feed", secret).status_code == 401
    assert called("POST", "messages/99999999999999999999999/seen", secret).status_code == 401


def test_a_message_of_a_number_that_no_message_has_is_not_found() -> None:
    assert called("POST", "messages/99999999999999999999999/seen", token()).status_code == 404


def test_what_was_put_away_hides_no_older_message() -> None:
    older = message(sent_at=NOW - timedelta(days=1))
    for _ in range(45):
        assert called("POST", f"messages/{message().pk}/dismissed", token()).status_code == 204
    assert [one["id"] for one in shown(token())] == [older.pk]
    assert len(shown(token(user="u-2"))) == 0


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "x" * 256, 7, None, ["u-1"], {"$ne": ""}])
def test_a_token_for_a_name_that_nobody_has_is_refused(name: Any) -> None:
    assert called("GET", "feed", token(user=name)).status_code == 401
    assert called("GET", "feed", token(customer=name)).status_code == 401
