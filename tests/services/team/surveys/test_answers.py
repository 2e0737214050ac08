"""Answers: taken, changed, kept for metrics, heard, and followed by a task."""

from datetime import timedelta

import pytest

from keepwell.model.problems import DefinitionError
from keepwell.services.published import NothingPublished, PortfolioQuery, portfolio_rows
from keepwell.services.team.alerting import hearing
from keepwell.services.team.surveys.answers import AnswerRefused, answer, comment, opt_out
from keepwell.services.team.surveys.figures import answers, last_comments, one_survey
from keepwell.services.team.tasks import open_tasks_from_run
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import (
    Alert,
    AuditEntry,
    CanonicalWrite,
    Happening,
    Outgoing,
    Suppression,
    SurveyInvitation,
    Task,
)
from keepwell.warehouse.tables import TABLES
from tests.services.team.outbox.world import NOON
from tests.web import LAST, MakePerson

from .world import CSAT, NPS, customers, invited

pytestmark = pytest.mark.django_db


def rows() -> list[dict[str, object]]:
    return [write.row for write in CanonicalWrite.objects.filter(table="survey_responses").order_by("pk")]


def test_an_answer_is_a_canonical_row_that_the_loader_takes(published: Workspace) -> None:
    one = invited(customers(published)[0], about="ticket:t-1")
    answer(published, one.pk, 9, NOON)
    (row,) = rows()
    known = {column.name for column in TABLES["survey_responses"].columns} | {"source", "source_id", "synced_at"}
    assert set(row) <= known
    assert (row["survey"], row["score"], row["ticket_id"]) == ("nps", 9, "t-1")
    assert row["responded_at"] == NOON.isoformat()


def test_the_same_again_changes_nothing_and_another_one_replaces_it(published: Workspace) -> None:
    one = invited(customers(published)[0])
    answer(published, one.pk, 9, NOON)
    answer(published, one.pk, 9, NOON + timedelta(hours=1))
    assert len(rows()) == AuditEntry.objects.filter(action="survey.answered").count() == 1
    answer(published, one.pk, 7, NOON + timedelta(hours=2))
    assert [row["score"] for row in rows()] == [9, 7]
    assert len({row["response_id"] for row in rows()}) == 1, "the later row replaces the earlier"


def test_runs_of_playbooks_hear_a_click(published: Workspace) -> None:
    one = invited(customers(published)[0])
    answer(published, one.pk, 9, NOON)
    happened = Happening.objects.get(customer_id=one.customer_id)
    assert (happened.kind, happened.name) == ("response", "click")


@pytest.mark.parametrize("score", [-1, 11, 99])
def test_what_is_no_answer_is_refused(published: Workspace, score: int) -> None:
    one = invited(customers(published)[0])
    with pytest.raises(AnswerRefused, match="from 0 to 10"):
        answer(published, one.pk, score, NOON)


def test_after_its_end_nothing_is_taken(published: Workspace) -> None:
    one = invited(customers(published)[0])
    with pytest.raises(AnswerRefused, match="has ended"):
        answer(published, one.pk, 9, one.expires_at + timedelta(seconds=1))
    gone = invited(customers(published)[0], survey="not_in_the_model")
    with pytest.raises(AnswerRefused, match="has ended"):
        answer(published, gone.pk, 9, NOON)
    assert not rows()


def test_a_detractor_is_a_task_for_the_owner_due_in_a_day_with_the_comment(published: Workspace) -> None:
    one = invited(customers(published)[0])
    answer(published, one.pk, 3, NOON)
    task = Task.objects.get(play=f"survey:{NPS}:low")
    assert task.due_at == NOON + timedelta(hours=24)
    assert (task.kind, task.priority) == ("survey", 1)
    assert task.owner_email
    assert task.money is not None
    assert task.title == "Answer the detractor at Acme (3 of 10)"
    assert "no comment" in task.reasons[0]
    comment(published, one.pk, "  Too slow  ", NOON)
    task.refresh_from_db()
    (reason,) = task.reasons
    assert "Detractor: ada@acme.example answered 3 of 10" in reason
    assert "“Too slow”" in reason
    assert rows()[-1]["comment"] == "Too slow"


def test_the_daily_run_leaves_the_task_alone(published: Workspace) -> None:
    answer(published, invited(customers(published)[0]).pk, 3, NOON)
    open_tasks_from_run(published, as_of=LAST, now=NOON + timedelta(hours=1), job=None)
    assert Task.objects.get(play=f"survey:{NPS}:low").state == "open"


def test_two_detractors_of_a_customer_are_one_task_with_both(published: Workspace) -> None:
    customer = customers(published)[0]
    for address in ("ada@acme.example", "bob@acme.example"):
        answer(published, invited(customer, address=address).pk, 2, NOON)
    assert len(Task.objects.get(play=f"survey:{NPS}:low").reasons) == 2


def test_an_answer_that_is_changed_takes_its_task_back(published: Workspace) -> None:
    one = invited(customers(published)[0])
    answer(published, one.pk, 3, NOON)
    answer(published, one.pk, 10, NOON)
    task = Task.objects.get(play=f"survey:{NPS}:low")
    assert (task.state, task.closed_why) == ("cancelled", "The answer was changed to 10")


def test_a_promoter_of_this_model_is_no_task(published: Workspace) -> None:
    answer(published, invited(customers(published)[0]).pk, 10, NOON)
    assert not Task.objects.exists()


def test_an_alert_hears_of_a_detractor_at_once(published: Workspace) -> None:
    one = invited(customers(published)[0])
    answer(published, one.pk, 2, NOON)
    rules = set(Alert.objects.filter(customer_id=one.customer_id).values_list("rule", flat=True))
    assert any("nps" in rule or "detractor" in rule for rule in rules), rules


def test_an_alert_hears_again_of_who_comes_back_to_a_bad_answer(published: Workspace) -> None:
    one = invited(customers(published)[0])
    for minutes, score in enumerate((2, 9, 2)):
        answer(published, one.pk, score, NOON + timedelta(minutes=minutes))
    (alert,) = Alert.objects.filter(customer_id=one.customer_id, rule__contains="detractor")
    assert alert.times == 2


def test_a_comment_needs_an_answer(published: Workspace) -> None:
    with pytest.raises(AnswerRefused, match="Choose a number"):
        comment(published, invited(customers(published)[0]).pk, "words", NOON)


def test_who_wants_no_more_is_on_the_list(published: Workspace) -> None:
    one = invited(customers(published)[0])
    opt_out(one, NOON)
    opt_out(one, NOON)
    found = Suppression.objects.get()
    assert (found.address, found.scope) == ("ada@acme.example", "marketing")


def test_figures_say_what_came_of_it(published: Workspace, person: MakePerson) -> None:
    first, *others = customers(published, 4)
    message = {"channel": "email", "audience": "customer", "made_at": NOON, "due_at": NOON}
    for number, (customer, score) in enumerate([(first, 10), *zip(others, (9, 8, 2), strict=True)]):
        row = Outgoing.objects.create(key=f"o-{number}", state="sent", **message)
        answer(published, invited(customer, outgoing=row).pk, score, NOON)
    waiting = Outgoing.objects.create(key="waits", state="waiting", **message)
    dead = Outgoing.objects.create(key="dead", state="dead", **message)
    quiet = Outgoing.objects.create(key="quiet", state="rehearsed", **message)
    for outgoing in (waiting, dead, quiet):
        invited(first, outgoing=outgoing)
    ops = person("ops")
    found = one_survey(published, ops, NPS, NOON)
    assert found is not None
    assert (found.sent, found.waiting, found.rehearsed, found.failed, found.answered) == (4, 1, 1, 1, 4)
    assert found.score == 25.0, "two promoters, one detractor, of four"
    assert [(one.label, one.count) for one in found.groups] == [("Detractor", 1), ("Passive", 1), ("Promoter", 2)]
    assert found.rate == 0.8
    other = one_survey(published, ops, CSAT, NOON)
    assert other is not None
    assert (other.score, other.rate) == (None, None)


def test_people_read_the_answers_of_their_own_customers(published: Workspace, person: MakePerson) -> None:
    one = invited(customers(published)[0])
    answer(published, one.pk, 4, NOON)
    comment(published, one.pk, "Slow", NOON)
    everybody, stranger = person("ops"), person("csm", email="stranger@example.com")
    assert list(answers(published, everybody, NPS, group="low")) == [SurveyInvitation.objects.get()]
    assert not answers(published, everybody, NPS, group="high")
    assert last_comments(published, everybody)[NPS][0].comment == "Slow"
    assert not answers(published, stranger)


def test_figures_are_of_the_customers_whom_one_sees(published: Workspace, person: MakePerson) -> None:
    rows = [row for row in portfolio_rows(published, PortfolioQuery()) if row.owner_email]
    first, other = rows[0], next(row for row in rows if row.owner_email != rows[0].owner_email)
    for row, score in ((first, 10), (other, 2)):
        answer(published, invited(row.customer_id).pk, score, NOON)
    csm, ops = person("csm", owner_aliases=[first.owner_email]), person("ops")
    mine, everybody = one_survey(published, csm, NPS, NOON), one_survey(published, ops, NPS, NOON)
    assert mine is not None
    assert everybody is not None
    assert (mine.answered, mine.score) == (1, 100.0)
    assert (everybody.answered, everybody.score) == (2, 0.0)


@pytest.mark.parametrize("error", [DefinitionError([]), WorkspaceError("no model"), NothingPublished("nothing")])
def test_an_answer_is_taken_while_nobody_can_read_the_model(
    published: Workspace, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def unreadable(_: object) -> None:
        raise error

    invitation = invited(customers(published)[0])
    monkeypatch.setattr(hearing, "ruling_of", unreadable)
    answer(published, invitation.pk, 3, NOON)
    invitation.refresh_from_db()
    assert invitation.score == 3
    assert Task.objects.filter(customer_id=invitation.customer_id).exists()
