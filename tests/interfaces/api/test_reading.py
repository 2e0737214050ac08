"""What the API tells: the same as the pages, in pages."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from keepwell.services.published import EVERYONE, PortfolioQuery, portfolio_page, portfolio_summary
from keepwell.services.workspace import Workspace
from keepwell.store.models import Job
from tests.interfaces.api.conftest import MakeProgram
from tests.interfaces.api.program import Program, problem, told
from tests.web import LAST

pytestmark = pytest.mark.django_db

YOUNG = "when:\n  attribute: arr\n  operator: greater\n  value: 0\n"


def all_of(mine: Program, path: str, limit: int, **query: Any) -> list[Any]:
    """Every item of a list, page by page."""
    items: list[Any] = []
    offset: int | None = 0
    while offset is not None:
        page = mine.get(path, limit=limit, offset=offset, **query)
        assert len(page["items"]) <= limit
        items += page["items"]
        offset = page["next_offset"]
    assert len(items) == page["total"]
    return items


def test_pages_hold_every_customer_once(program: MakeProgram, published: Workspace) -> None:
    mine = program("ops")
    found = portfolio_page(published, PortfolioQuery(limit=500))
    assert [row["customer_id"] for row in all_of(mine, "/customers", 7)] == [row.customer_id for row in found.rows]
    assert mine.get("/customers", offset=10_000)["items"] == []
    problem(mine.send("GET", "/customers", limit=0), 422)
    problem(mine.send("GET", "/customers", limit=501), 422)


def test_filters_and_order_are_those_of_the_portfolio(program: MakeProgram, published: Workspace) -> None:
    mine = program("ops")
    healthy = mine.get("/customers", band=["Healthy"], sort="name", limit=500)
    query = PortfolioQuery(bands=("Healthy",), sort="name", descending=False, limit=500)
    expected = portfolio_page(published, query)
    assert [row["customer_id"] for row in healthy["items"]] == [row.customer_id for row in expected.rows]
    assert (healthy["total"], healthy["arr"]) == (expected.total, expected.arr)
    assert 0 < healthy["total"] < mine.get("/customers")["total"]
    assert "no order by 'colour'" in problem(mine.send("GET", "/customers", sort="colour"), 422)["detail"]
    owners = {choice["name"]: choice["customers"] for choice in mine.get("/portfolio/choices")["owners"]}
    assert mine.get("/customers", owner="-")["total"] == owners.get("", 0)


def test_a_customer_is_told_in_full(program: MakeProgram, owned: tuple[str, str]) -> None:
    mine, where = program("ops"), f"/customers/{owned[0]}"
    assert mine.get(where)["row"]["customer_id"] == owned[0]
    history = mine.get(f"{where}/history", days=10)
    assert [point["as_of"] for point in history][-1] == LAST.isoformat()
    assert len(history) == 10
    explained = mine.get(f"{where}/explanation")
    score = next(one for one in explained["scores"] if one["score"] is not None)
    assert round(sum(line["amount"] for line in score["contributions"])) == pytest.approx(score["score"], abs=1)
    since = (LAST - timedelta(days=30)).isoformat()
    ledger = mine.get(f"{where}/changes", since=since)["ledger"]
    assert sum(one["difference"] for one in ledger["entries"]) == pytest.approx(ledger["difference"], abs=1e-6)
    problem(mine.send("GET", f"{where}/changes", since="2020-01-01"), 409)
    for part in ("usage", "people", "subscriptions", "next-band", "notes", "tasks", "outcomes"):
        mine.get(f"{where}/{part}")


def test_a_timeline_goes_on_where_it_ended(program: MakeProgram, owned: tuple[str, str]) -> None:
    mine, where = program("ops"), f"/customers/{owned[0]}/timeline"
    told(mine.post(f"/customers/{owned[0]}/notes", {"text": "seen today"}), 201)
    first = mine.get(where, limit=3)
    assert first["entries"][0]["kind"] == "note"
    assert datetime.fromisoformat(first["entries"][-1]["at"]).tzinfo is not None
    second = mine.get(where, limit=3, before=first["next_before"])
    assert second["entries"][0]["at"] < first["entries"][-1]["at"]


def test_the_portfolio_is_summed_within_the_book(
    program: MakeProgram, owned: tuple[str, str], published: Workspace
) -> None:
    mine = program("csm", email=owned[1]).get("/portfolio/summary")
    everybody = program("ops").get("/portfolio/summary")
    assert 0 < mine["customers"] < everybody["customers"]
    assert everybody["arr"] == pytest.approx(portfolio_summary(published, EVERYONE).arr)


def test_segments_of_the_model_are_told(program: MakeProgram) -> None:
    mine = program("ops")
    shown = mine.get("/segments", by="primary")
    rows = {line["row"]["name"]: line["row"] for line in shown["overview"]["lines"]}
    name, row = max(rows.items(), key=lambda pair: pair[1]["customers"])
    profile = mine.get(f"/segments/{name}")
    assert profile["profile"]["segment"]["customers"] == row["customers"]
    assert len(all_of(mine, f"/segments/{name}/members", 5)) == row["customers"]
    assert mine.get(f"/segments/{name}/trend")[-1]["customers"] == row["customers"]
    moved = mine.get("/segments/movement", by="primary")
    assert sum(one["customers"] for one in moved["moves"]) == len(all_of(mine, "/segments/movement/customers", 20))
    assert mine.get("/segments/overlap")["rows"]
    problem(mine.send("GET", "/segments/nobody"), 404)
    problem(mine.send("GET", "/segments", by="nothing"), 422)


def test_segments_are_made_changed_and_deleted(program: MakeProgram) -> None:
    mine, other = program("ops"), program("csm")
    tried = told(mine.post("/segment-evaluations", {"definition": YOUNG}))
    assert tried["problems"] == []
    assert tried["customers"] > 0
    made = told(mine.post("/workspace-segments", {"label": "Paying", "definition": YOUNG}), 201)
    where = f"/workspace-segments/{made['name']}"
    assert len(all_of(mine, f"/segments/{made['name']}/members", 25)) == tried["customers"]
    problem(other.send("GET", where), 404)
    problem(other.send("GET", f"/segments/{made['name']}"), 404)
    change = {"label": "Paying", "definition": YOUNG, "shared": True, "version": 1}
    assert told(mine.send("PUT", where, change))["version"] == 2
    problem(mine.send("PUT", where, change), 409)
    assert [one["name"] for one in other.get("/workspace-segments")["items"]] == [made["name"]]
    problem(other.send("DELETE", where), 409)
    copy = told(other.send("POST", f"{where}/duplicate"), 201)
    assert copy["owner"]["id"] == other.person.pk
    assert "segments:" in mine.get(f"{where}/yaml")["yaml"]
    told(mine.send("DELETE", where), 204)
    problem(mine.send("GET", where), 404)


def test_what_is_wrong_with_a_definition_is_said(program: MakeProgram) -> None:
    mine = program("csm")
    tried = told(mine.post("/segment-evaluations", {"definition": "when: {attribute: nothing, operator: exists}"}))
    assert tried["problems"]
    refused = mine.post("/workspace-segments", {"label": "X", "definition": "when: ["})
    assert problem(refused, 422)["errors"][0]["where"] == "body.definition"
    problem(mine.post("/workspace-segments", {"label": "X", "definition": YOUNG, "shared": True}), 422)


def test_the_model_is_read_checked_drafted_and_planned(program: MakeProgram) -> None:
    mine = program("ops")
    model = mine.get("/model")
    card = mine.get("/model/scorecard")
    assert card["measures"]
    assert card["measures"][0]["editable"]
    assert told(mine.post("/model/validate", {"files": model["files"]}))["hash"] == model["hash"]
    broken = {"files": {"scores.yaml": "scores: [\n"}}
    assert problem(mine.post("/model/validate", broken), 422)["errors"][0]["where"].startswith("scores.yaml:")
    problem(mine.send("PUT", "/model/draft", broken), 422)
    assert mine.get("/model/draft")["changed"] == []
    problem(mine.send("POST", "/model/plan"), 409)
    edit = next(one for row in card["bands"] for one in row["editable"] if one["label"] == "from" and one["value"])
    edits = {"edits": [{"path": edit["path"], "value": edit["value"] - 1}]}
    draft = told(mine.send("PATCH", "/model/draft", edits))
    assert draft["changed"]
    assert mine.get("/model/draft/distribution")["scores"]
    problem(mine.send("GET", "/model/plan"), 404)
    job = told(mine.send("POST", "/model/plan"), 202)
    assert (job["kind"], Job.objects.get().pk) == ("plan", job["id"])
    assert mine.get("/model/plan")["result"] is None
    assert "Plan the change first" in problem(mine.post("/model/apply", {"why": "better"}), 409)["detail"]
    told(mine.send("DELETE", "/model/draft"), 204)
    assert mine.get("/model/draft")["changed"] == []
    problem(mine.send("GET", "/model/versions/999"), 404)


def test_the_state_of_the_data_is_told_and_repairs_are_jobs(program: MakeProgram) -> None:
    mine = program("ops")
    state = program("viewer").get("/data")
    assert {"customers", "events"} <= {table["table"] for table in state["tables"]}
    waiting = sum(group["rows"] for group in state["quarantine"])
    assert mine.get("/data/quarantine")["total"] == waiting
    mine.get("/data/identities")
    assert told(mine.post("/data/quarantine/retry", {}), 202)["kind"] == "retry"
    problem(mine.post("/data/quarantine/nothing/correct", {"cells": {"a": "b"}}), 404)
    problem(mine.post("/data/links", {"unknown_id": "x", "customer_id": "nobody"}), 409)
    problem(mine.send("DELETE", "/data/links/x"), 404)
    problem(program("csm").send("GET", "/data/quarantine"), 403)
    assert Job.objects.count() == 1


def test_who_one_is(program: MakeProgram) -> None:
    mine = program("csm", "read", name="Maya")
    told_of = mine.get("/me")
    assert (told_of["person"]["name"], told_of["scopes"]) == ("Maya", ["read"])
    assert (told_of["as_of"], told_of["currency"]) == (LAST.isoformat(), "EUR")
