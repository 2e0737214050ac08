"""Words in Slack, Teams and others: where they go, as what they arrive, and what failures say."""

import json
import logging
from typing import Any, ClassVar

import pytest

from keepwell.connectors.channels.chat import Words, place_of, say, trouble_of, variable_of
from keepwell.connectors.channels.results import GiveUp, Retry, Sent
from tests.connectors.channels.hostile import listening, status

SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TEAMS = "workflows://prod-1.westeurope.logic.azure.com:443/643e69f83c8944/4NZkOjKlmn"


class Answer:
    """What `requests` answers."""

    content, text = b"ok", "ok"
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What would have gone to the internet; every service answers 200."""
    found: list[tuple[str, Any]] = []

    def post(url: str, data: str) -> Answer:
        found.append((url, json.loads(data)))
        return Answer(200)

    monkeypatch.setattr("requests.post", lambda url, data="", **_: post(url, data))
    monkeypatch.setattr("requests.request", lambda _, url, data="", **__: post(url, data))
    return found


def test_a_target_has_a_place_of_its_own_or_shares_the_channels() -> None:
    both = {"KEEPWELL_CHAT_SLACK": "slack://a", "KEEPWELL_CHAT_SLACK_ESCALATIONS": " slack://b "}
    assert place_of("slack", "", both) == "slack://a"
    assert place_of("slack", "escalations", both) == "slack://b"
    assert place_of("slack", "billing", both) == "slack://a"
    assert place_of("teams", "", both) is None
    # An address of a person, or anything else, is no name of a variable.
    assert variable_of("slack", "maya@example.com") == "KEEPWELL_CHAT_SLACK"
    assert variable_of("slack", "X; rm") == "KEEPWELL_CHAT_SLACK"


def test_without_a_place_it_says_what_to_set() -> None:
    assert say("teams", "", Words("a", "b"), {}) == GiveUp(
        "KEEPWELL_CHAT_TEAMS is not set, so nobody can be told through teams."
    )


def test_an_address_that_cannot_be_used_is_not_repeated() -> None:
    result = say("slack", "", Words("a", "b"), {"KEEPWELL_CHAT_SLACK": "not-an-address-with-a-secret"})
    assert isinstance(result, GiveUp)
    assert "secret" not in result.why
    assert trouble_of("not-an-address") and not trouble_of(SLACK) and not trouble_of(TEAMS)  # noqa: PT018


def test_names_mention_nobody_in_slack(posts: list[tuple[str, Any]]) -> None:
    words = Words("Hi <!channel>", "Acme <@U12345> <https://evil.example|log in> & \u202ereversed")
    assert say("slack", "", words, {"KEEPWELL_CHAT_SLACK": SLACK}) == Sent()
    url, body = posts[0]
    assert url == SLACK
    assert body["mrkdwn"] is False
    said = body["attachments"][0]
    assert said["title"] == "Hi &lt;!channel&gt;"
    assert said["text"] == "Acme &lt;@U12345&gt; &lt;https://evil.example|log in&gt; &amp; reversed"


def test_names_mention_nobody_in_teams(posts: list[tuple[str, Any]]) -> None:
    bad = "<at>all</at> [log in](http://evil.example)"
    assert say("teams", "", Words(f"Hi {bad}", bad), {"KEEPWELL_CHAT_TEAMS": TEAMS}) == Sent()
    card = posts[0][1]["attachments"][0]["content"]
    for block in card["body"]:
        assert "](" not in block["text"]
    assert "entities" not in card.get("msteams", {})


def test_where_to_look_is_a_link(posts: list[tuple[str, Any]]) -> None:
    words = Words("Late", "Acme\nMRR: 1,200 EUR", "https://keepwell.example/alerts/1_2")
    assert say("teams", "", words, {"KEEPWELL_CHAT_TEAMS": TEAMS}) == Sent()
    shown = posts[0][1]["attachments"][0]["content"]["body"][-1]["text"]
    assert shown == "Acme\n\nMRR: 1,200 EUR\n\n[Open in Keepwell](https://keepwell.example/alerts/1_2)"
    assert say("slack", "", words, {"KEEPWELL_CHAT_SLACK": SLACK}) == Sent()
    assert posts[1][1]["attachments"][0]["text"] == "Acme\nMRR: 1,200 EUR\n\nhttps://keepwell.example/alerts/1_2"


@pytest.mark.parametrize(("code", "kind"), [(404, GiveUp), (403, GiveUp), (500, Retry), (429, Retry)])
def test_failures_say_whether_it_is_worth_trying_again(code: int, kind: type) -> None:
    with listening(status(code)) as server:
        place = f"json://127.0.0.1:{server.port}/very-secret-path"
        result = say("slack", "", Words("a", "b"), {"KEEPWELL_CHAT_SLACK": place})
    assert isinstance(result, kind), result
    assert not isinstance(result, Sent)
    assert "very-secret-path" not in result.why


def test_what_is_said_arrives_whole(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with listening(status(200)) as server:
        place = f"json://127.0.0.1:{server.port}/"
        assert say("slack", "", Words("Überfällig", "Zeile 1\nZeile 2 🚀"), {"KEEPWELL_CHAT_SLACK": place}) == Sent()
    body = json.loads(server.requests[0][1])
    assert (body["title"], body["message"]) == ("Überfällig", "Zeile 1\nZeile 2 🚀")
