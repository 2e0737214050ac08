"""The pages of surveys, and the one on which customers answer."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from keepwell.services.published import PortfolioQuery, portfolio_rows
from keepwell.services.team.surveys.answers import answer, comment
from keepwell.services.team.surveys.links import survey_url, token_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import CanonicalWrite, Outgoing, Suppression, SurveyInvitation, WorkspaceSetting
from tests.services.team.surveys.world import NPS, invited
from tests.web import NOW, MakeClient

pytestmark = pytest.mark.django_db


def path_of(one: SurveyInvitation, score: int | None = None) -> str:
    return "/" + survey_url(one.pk, score).split("/", 3)[3]


def invite(published: Workspace, **fields: Any) -> SurveyInvitation:
    row = next(row for row in portfolio_rows(published, PortfolioQuery()) if row.owner_email)
    return invited(row.customer_id, **fields)


def fresh(one: SurveyInvitation) -> SurveyInvitation:
    one.refresh_from_db()
    return one


@pytest.mark.parametrize("method", ["get", "head"])
def test_what_opens_a_link_takes_no_answer(published: Workspace, method: str) -> None:
    one, stranger = invite(published), Client()
    found = getattr(stranger, method)(path_of(one, 9))
    assert found.status_code == 200
    assert fresh(one).score is None
    assert not CanonicalWrite.objects.exists()
    assert not found.cookies
    assert (found["Referrer-Policy"], found["X-Robots-Tag"]) == ("same-origin", "noindex")
    if method == "get":
        assert b'data-send="9"' in found.content
        assert b"Send my answer: 9" in found.content, "without a script there is a button"


def test_one_small_post_takes_it_and_the_next_question_is_on_the_same_page(published: Workspace) -> None:
    one, stranger = invite(published), Client(enforce_csrf_checks=True)
    found = stranger.post(path_of(one), {"score": "3"})
    assert (found.status_code, found["Location"]) == (303, path_of(one))
    assert fresh(one).score == 3
    page = stranger.get(path_of(one)).content.decode()
    assert "your answer is 3" in page
    assert "What disappointed you?" in page
    assert "data-send" not in page
    assert stranger.post(path_of(one), {"comment": "Too <b>slow</b>"}).status_code == 303
    assert fresh(one).comment == "Too <b>slow</b>"
    page = stranger.get(path_of(one) + "?said=words").content.decode()
    assert "a person reads your words" in page
    assert "Too &lt;b&gt;slow" in page
    stranger.post(path_of(one), {"score": "4", "comment": "Much too slow"})
    assert (fresh(one).score, fresh(one).comment) == (4, "Much too slow"), "the number was changed after the words"
    stranger.post(path_of(one), {"score": "2", "comment": ""})
    assert (fresh(one).score, fresh(one).comment) == (2, "Much too slow")


def test_the_answer_may_be_changed_and_a_second_click_on_the_same_link_changes_nothing(published: Workspace) -> None:
    one, stranger = invite(published), Client()
    stranger.post(path_of(one), {"score": "9"})
    assert b"data-send" not in stranger.get(path_of(one, 9)).content
    assert b'data-send="4"' in stranger.get(path_of(one, 4)).content
    stranger.post(path_of(one), {"score": "9"})
    assert CanonicalWrite.objects.count() == 1
    stranger.post(path_of(one), {"score": "4"})
    assert fresh(one).score == 4


@pytest.mark.parametrize("token", ["1:forged", "1", "x", ":", "1:" + "a" * 43])
def test_a_forged_link_says_that_it_does_not_work(published: Workspace, token: str) -> None:
    for method in ("get", "post"):
        found = getattr(Client(), method)(reverse("survey_answer", args=[token]), {"score": "9"})
        assert found.status_code == 404
        assert b"This link does not work" in found.content


def test_a_token_of_one_survey_answers_no_other(published: Workspace) -> None:
    one, other = invite(published), invite(published)
    mixed = f"{other.pk}:{token_of(one.pk).partition(':')[2]}"
    assert Client().post(reverse("survey_answer", args=[mixed]), {"score": "9"}).status_code == 404
    assert fresh(other).score is None


@pytest.mark.parametrize("score", ["11", "-1", "", "nine", "9.5", "٣", "999999999999999999999"])
def test_what_is_no_answer_is_not_taken(published: Workspace, score: str) -> None:
    one = invite(published)
    found = Client().post(path_of(one), {"score": score})
    assert found.status_code == 422
    assert b"from 0 to 10" in found.content
    assert fresh(one).score is None


def test_a_survey_that_has_ended_says_so(published: Workspace) -> None:
    one = invite(published, expires_at=NOW.replace(year=2020))
    for method in ("get", "post"):
        found = getattr(Client(), method)(path_of(one), {"score": "9"})
        assert found.status_code == 410
        assert b"This survey has ended" in found.content
    assert fresh(one).score is None


def test_who_does_not_want_to_be_asked_is_not_asked(published: Workspace) -> None:
    one, stranger = invite(published), Client()
    assert stranger.post(path_of(one), {"stop": "1"})["Location"].endswith("?said=stop")
    page = stranger.get(path_of(one) + "?said=stop").content.decode()
    assert "ada@acme.example" in page
    assert fresh(one).score is None


def test_words_that_were_not_sent_arrive_with_the_wish_not_to_be_asked(published: Workspace) -> None:
    one, stranger = invite(published), Client()
    stranger.post(path_of(one), {"score": "2"})
    assert b'value="1" form="words"' in stranger.get(path_of(one)).content
    stranger.post(path_of(one), {"stop": "1", "comment": "You never answer"})
    assert fresh(one).comment == "You never answer"
    assert Suppression.objects.get().scope == "marketing"
    stranger.post(path_of(one), {"stop": "1", "comment": " "})
    assert fresh(one).comment == "You never answer"
    other = invite(published)
    assert stranger.post(path_of(other), {"stop": "1", "comment": "No number"})["Location"].endswith("?said=stop")


def test_who_does_not_want_to_be_asked_can_say_so_after_the_end(published: Workspace) -> None:
    one, stranger = invite(published, expires_at=NOW.replace(year=2020)), Client()
    assert b"Do not ask me again" in stranger.get(path_of(one)).content
    assert stranger.post(path_of(one), {"stop": "1"})["Location"].endswith("?said=stop")
    assert Suppression.objects.get().scope == "marketing"
    assert b"gets no more surveys" in stranger.get(path_of(one) + "?said=stop").content


def test_the_list_shows_figures_words_and_what_is_off(client_of: MakeClient, published: Workspace) -> None:
    sent = {"channel": "email", "audience": "customer", "made_at": NOW, "due_at": NOW, "state": "sent"}
    for number, score in enumerate((10, 9, 2)):
        one = invite(published, sent_at=NOW, outgoing=Outgoing.objects.create(key=f"o{number}", **sent))
        answer(published, one.pk, score, NOW)
    comment(published, one.pk, "Rather slow", NOW)
    WorkspaceSetting.objects.create(
        name="surveys_week", value={"as_of": "2026-06-30", "surveys": {"ticket_csat": {"asked": 7, "left_out": {}}}}
    )
    page = client_of("viewer").get(reverse("surveys")).content.decode()
    assert "Rather slow" in page
    assert "<strong>33</strong>" in page
    assert "would ask about 7 a week" in page
    assert "100 %" in page


def test_a_survey_has_its_answers_by_group(client_of: MakeClient, published: Workspace) -> None:
    one = invite(published)
    answer(published, one.pk, 2, NOW)
    viewer = client_of("viewer")
    address = reverse("survey", args=[NPS])
    assert one.company in viewer.get(address).content.decode()
    assert one.company in viewer.get(address + "?group=low").content.decode()
    assert one.company not in viewer.get(address + "?group=high").content.decode()
    assert one.company not in viewer.get(address + "?words").content.decode()
    assert viewer.get(reverse("survey", args=["nope"])).status_code == 404


def test_a_stranger_reads_no_words_of_other_people_s_customers(client_of: MakeClient, published: Workspace) -> None:
    one = invite(published, company="Secret Ltd")
    answer(published, one.pk, 2, NOW)
    comment(published, one.pk, "Between us", NOW)
    stranger = client_of("csm", email="stranger@example.com")
    for address in (reverse("surveys"), reverse("survey", args=[NPS])):
        page = stranger.get(address).content.decode()
        assert "Between us" not in page
        assert "Secret Ltd" not in page


def test_operations_switch_and_nobody_below(client_of: MakeClient, published: Workspace) -> None:
    address = reverse("survey_switch", args=[NPS])
    for role in ("viewer", "csm", "manager"):
        assert client_of(role).post(address, {"to": "on"}).status_code == 403
    ops = client_of("ops")
    page = ops.post(address, {"to": "on"}, follow=True).content.decode()
    assert "On since" in page
    assert "Nothing leaves while e-mail to customers is a dry run" in page
    assert "Switched off" in ops.post(address, {"to": "off"}, follow=True).content.decode()
    assert "no survey" in ops.post(reverse("survey_switch", args=["nope"]), {"to": "on"}, follow=True).content.decode()


def test_pages_ask_no_more_the_more_there_is(client_of: MakeClient, published: Workspace) -> None:
    ops = client_of("ops")
    counts = []
    for _ in range(2):
        for score in range(5):
            answer(published, invite(published).pk, score, NOW)
        for address in (reverse("surveys"), reverse("survey", args=[NPS])):
            ops.get(address)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                ops.get(address)
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 16


def test_what_follows_an_answer_is_said_without_placeholders(client_of: MakeClient, published: Workspace) -> None:
    page = client_of("ops").get(reverse("survey", args=[NPS])).content.decode()
    assert "Answer the detractor at [company] ([score] of 10), within 24 hours" in page
    assert "{company}" not in page
