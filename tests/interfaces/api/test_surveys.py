"""Surveys and checklists through the API."""

import pytest

from keepwell.services.team.surveys.answers import answer, comment
from keepwell.services.workspace import Workspace
from tests.interfaces.api.conftest import MakeProgram
from tests.interfaces.api.program import problem, told
from tests.interfaces.workspace.test_surveys import invite
from tests.services.team.surveys.world import NPS
from tests.web import NOW

pytestmark = pytest.mark.django_db


def test_surveys_are_listed_and_switched(program: MakeProgram, published: Workspace) -> None:
    ops = program("ops", "read", "work")
    found = {one["name"]: one for one in told(ops.send("GET", "/surveys"))}
    assert found[NPS]["on_since"] is None
    assert [group["group"] for group in found[NPS]["groups"]] == ["low", "middle", "high"]
    assert told(ops.send("POST", f"/surveys/{NPS}/switch", {"on": True}))["on_since"]
    assert told(ops.send("GET", f"/surveys/{NPS}"))["on_since"]
    problem(ops.send("GET", "/surveys/nope"), 404)
    problem(ops.send("POST", "/surveys/nope/switch", {"on": True}), 404)
    problem(program("csm", "read", "work").send("POST", f"/surveys/{NPS}/switch", {"on": True}), 403)


def test_answers_are_for_those_who_see_the_customer(program: MakeProgram, published: Workspace) -> None:
    one = invite(published)
    answer(published, one.pk, 2, NOW)
    comment(published, one.pk, "Slow", NOW)
    (item,) = told(program("ops", "read").send("GET", "/surveys/answers?group=low&commented=true"))["items"]
    assert (item["score"], item["group"], item["comment"]) == (2, "low", "Slow")
    assert told(program("ops", "read").send("GET", "/surveys/answers?group=high"))["total"] == 0
    assert told(program("csm", "read").send("GET", "/surveys/answers"))["total"] == 0


def test_checklists_are_read_and_ticked(program: MakeProgram, published: Workspace) -> None:
    csm = program("csm", "read", "work")
    lists = {one["name"]: one for one in told(csm.send("GET", "/checklists"))}
    assert lists["daily"]["period"] == "2026-06-30"
    done = told(csm.send("POST", "/checklists/weekly/movement", {"done": True, "note": "Looked"}))
    item = next(i for one in done if one["name"] == "weekly" for i in one["items"] if i["name"] == "movement")
    assert (item["done"], item["note"], item["by"]) == (True, "Looked", csm.person.email)
    problem(csm.send("POST", "/checklists/weekly/nope", {"done": True}), 409)
    problem(program("viewer", "read").send("POST", "/checklists/weekly/movement", {"done": True}), 403)
