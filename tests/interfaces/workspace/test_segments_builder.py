"""The builder and what is done with segments: rows and YAML, live counts, saving, lists by hand, strangers."""

import json
from typing import Any

import pytest
from django.test import Client

from keepwell.services.published import EVERYONE, PortfolioQuery, portfolio_rows
from keepwell.services.segment_preview import evaluate_definition
from keepwell.services.workspace import Workspace
from keepwell.store.models import WorkspaceSegment
from tests.web import MakeClient

pytestmark = pytest.mark.django_db
LOW = {"all": [{"attribute": "health_score", "operator": "less", "value": 60}]}
LOW_TEXT = "when: health_score < 60"


@pytest.fixture
def ops(client_of: MakeClient) -> Client:
    return client_of("ops")


def filled(tree: Any = LOW, **more: Any) -> dict[str, Any]:
    return {"label": "Low", "mode": "rows", "tree": json.dumps(tree), "kind": "dynamic", "shared": "private", **more}


def saved(client: Client, **more: Any) -> WorkspaceSegment:
    answer = client.post("/segments/new", filled(**more))
    assert answer.status_code == 302, answer.context["errors"]
    return WorkspaceSegment.objects.get(name=answer["Location"].rsplit("/", 1)[-1])


def test_the_builder_knows_fields_with_labels_units_and_kinds(ops: Client) -> None:
    page = ops.get("/segments/new")
    assert page.status_code == 200
    assert b"style=" not in page.content
    fields = {field["name"]: field for field in page.context["catalogue"]["fields"]}
    assert fields["arr"] == {"name": "arr", "label": "ARR", "group": "Metrics", "kind": "number", "unit": "EUR"}
    assert (fields["health_band"]["group"], fields["health_band"]["kind"]) == ("Scores and bands", "text")
    assert fields["payment_failure"]["group"] == "Signals"
    assert "login" in page.context["catalogue"]["events"]


def test_rows_show_words_count_sample_and_yaml(ops: Client, published: Workspace) -> None:
    answer = ops.post("/segments/preview", filled())
    found = answer.context["found"]
    assert found.words == "Health is less than 60"
    assert found.total == len(evaluate_definition(published, LOW_TEXT).members)
    assert len(found.sample.rows) == min(10, found.total)
    assert answer.context["state"]["yaml"].startswith("when:\n  all:\n")
    assert b"style=" not in answer.content
    nothing = ops.post("/segments/preview", filled({"all": []}))
    assert b"Add a condition" in nothing.content


def test_problems_name_their_row(ops: Client) -> None:
    tree = {"all": [*LOW["all"], {"any": [{"event": "login", "count": "often"}]}]}
    (problem,) = ops.post("/segments/preview", filled(tree)).context["state"]["problems"]
    assert problem["path"][:5] == ["when", "all", 1, "any", 0]
    (problem,) = ops.post("/segments/preview", filled(mode="yaml", definition="when: [")).context["state"]["problems"]
    assert "YAML" in problem["message"]


@pytest.mark.parametrize("tree", ["", "nonsense", "[]", "3", '{"all": 3}', '{"not": 1}', "null", '{"all": [[]]}'])
def test_nonsense_is_no_accident(ops: Client, tree: str) -> None:
    assert ops.post("/segments/preview", {"mode": "rows", "tree": tree}).status_code == 200
    assert ops.post("/segments/new", {**filled(), "tree": tree}).status_code == 422


def test_yaml_becomes_rows_and_rows_the_same_yaml(ops: Client, published: Workspace) -> None:
    text = """
when:
  any:
    - health_score < 60 and not plan = 'pro'
    - all:
        - {event: login, count: ">= 3", within: 30d, where: "value > 1"}
        - {sequence: [login, {event: feature_used, where: "feature = 'leads'"}], within: 30d}
        - {last_event: login, has: "value > 0"}
        - not: {segment: SMB}
"""
    tree = ops.post("/segments/rows", {"definition": text}).json()["tree"]
    first, second = tree["any"]
    assert first["all"][0] == {"attribute": "health_score", "operator": "less", "value": 60}
    assert first["all"][1] == {"not": {"attribute": "plan", "operator": "equals", "value": "pro"}}
    assert second["all"][0]["where"] == {"all": [{"attribute": "value", "operator": "greater", "value": 1}]}
    assert second["all"][1]["sequence"][0] == {"event": "login"}
    answer = ops.post("/segments/preview", filled(tree))
    assert answer.context["state"]["problems"] == []
    again = ops.post("/segments/rows", {"definition": answer.context["state"]["yaml"]}).json()["tree"]
    assert again == tree
    expected = evaluate_definition(published, text, exact=True)
    assert answer.context["found"].found.ids == frozenset(expected.members)


@pytest.mark.parametrize(
    "text", ["when: {any_item: segments, match: \"key = 'a'\"}", "when: {segment: {everyone: true}}"]
)
def test_what_rows_cannot_show_stays_yaml(ops: Client, text: str) -> None:
    said = ops.post("/segments/rows", {"definition": text}).json()
    assert said["tree"] is None
    assert "Rows cannot show" in said["problem"]


def test_values_are_suggested_from_customers_one_may_see(
    ops: Client, client_of: MakeClient, published: Workspace
) -> None:
    rows = list(portfolio_rows(published, PortfolioQuery(scope=EVERYONE)))
    owners = {row.owner_email for row in rows if row.owner_email}
    assert set(ops.get("/segments/values?field=owner_email").json()["values"]) == owners
    csm = client_of("csm", email=sorted(owners)[0])
    assert csm.get("/segments/values?field=owner_email").json()["values"] == [sorted(owners)[0]]
    assert "median" in ops.get("/segments/values?field=arr").json()["hint"]
    for name in ("nothing", "a%22%20OR%201", "customer_id", ""):
        assert ops.get(f"/segments/values?field={name}").json() == {"values": [], "hint": ""}


def test_a_segment_is_saved_shown_changed_and_deleted(ops: Client, published: Workspace) -> None:
    segment = saved(ops)
    count = len(evaluate_definition(published, LOW_TEXT).members)
    shown = ops.get(f"/segments/{segment.name}", headers={"HX-Request": "true", "HX-Target": "figures"})
    assert shown.context["profile"].segment.customers == count
    assert ops.get(f"/segments/{segment.name}?part=trend").context["points"][-1].customers == count
    listed = ops.get("/segments", headers={"HX-Request": "true", "HX-Target": "figures"}).context["shown"].own
    assert [(line.row.label, line.row.customers) for line in listed] == [("Low", count)]
    assert ops.get(f"/portfolio?own={segment.name}").context["shown"].total == count
    assert f'name="own" value="{segment.name}"' in ops.get("/portfolio").content.decode()
    edit = ops.get(f"/segments/{segment.name}/edit")
    assert edit.context["tree"] == LOW
    change = filled(label="Lower", version=1)
    assert ops.post(f"/segments/{segment.name}/edit", change).status_code == 302
    late = ops.post(f"/segments/{segment.name}/edit", filled(label="Late", version=1))
    assert late.status_code == 409
    assert b"Open it again" in late.content
    assert ops.post(f"/segments/{segment.name}/delete").status_code == 302
    assert not WorkspaceSegment.objects.exists()


def test_what_is_wrong_stands_at_its_field_and_nothing_is_lost(ops: Client) -> None:
    answer = ops.post("/segments/new", filled(label=""))
    assert answer.status_code == 422
    assert answer.context["errors"].keys() == {"label"}
    assert answer.context["tree"] == LOW
    answer = ops.post("/segments/new", filled(shared="roles"))
    assert answer.context["errors"].keys() == {"roles"}
    answer = ops.post("/segments/new", filled({"all": []}))
    assert answer.context["errors"].keys() == {"definition"}


def test_a_list_is_kept_by_hand(ops: Client, published: Workspace) -> None:
    segment = saved(ops, tree={"all": []}, kind="fixed")
    assert segment.members == []
    row = next(iter(portfolio_rows(published, PortfolioQuery())))
    found = ops.get(f"/segments/{segment.name}/members", {"q": row.name})
    assert row.customer_id in [one.customer_id for one in found.context["found"].rows]
    ops.post(f"/segments/{segment.name}/members", {"add": [row.customer_id, "nobody"]})
    segment.refresh_from_db()
    assert segment.members == [row.customer_id]
    page = ops.get(f"/segments/{segment.name}", headers={"HX-Request": "true", "HX-Target": "figures"})
    assert [one.customer_id for one in page.context["members"]] == [row.customer_id]
    ops.post(f"/segments/{segment.name}/members", {"remove": [row.customer_id]})
    segment.refresh_from_db()
    assert segment.members == []


def test_nobody_puts_others_customers_on_a_list(client_of: MakeClient, published: Workspace) -> None:
    rows = [row for row in portfolio_rows(published, PortfolioQuery()) if row.owner_email]
    owner = rows[0].owner_email
    other = next(row for row in rows if row.owner_email != owner)
    csm = client_of("csm", email=owner)
    segment = saved(csm, tree={"all": []}, kind="fixed")
    csm.post(f"/segments/{segment.name}/members", {"add": [other.customer_id, rows[0].customer_id]})
    segment.refresh_from_db()
    assert segment.members == [rows[0].customer_id]
    assert not csm.get(f"/segments/{segment.name}/members", {"q": other.customer_id}).context["found"].rows


def test_an_export_holds_what_one_may_see(ops: Client, client_of: MakeClient, published: Workspace) -> None:
    segment = saved(ops, shared="shared", kind="fixed")
    answer = ops.get(f"/segments/{segment.name}/export")
    assert answer["Content-Disposition"] == f'attachment; filename="{segment.name}.yaml"'
    assert all(customer in answer.content.decode() for customer in segment.members)
    owner = next(row.owner_email for row in portfolio_rows(published, PortfolioQuery()) if row.owner_email)
    rows = portfolio_rows(published, PortfolioQuery(scope=EVERYONE))
    mine = {row.customer_id for row in rows if row.owner_email in (owner, None)}
    text = client_of("csm", email=owner).get(f"/segments/{segment.name}/export").content.decode()
    assert not [customer for customer in set(segment.members) - mine if f"- {customer}\n" in text]
    assert b"model/segments.yaml" in ops.get(f"/segments/{segment.name}/export?form=text").content


def test_private_segments_are_invisible_to_others(client_of: MakeClient, ops: Client) -> None:
    segment = saved(client_of("csm"))
    figures = {"HX-Request": "true", "HX-Target": "figures"}
    for other in (ops, client_of("admin"), client_of("manager"), client_of("csm")):
        for page in ("", "/edit", "/export", "/members"):
            assert other.get(f"/segments/{segment.name}{page}").status_code == 404
        assert other.post(f"/segments/{segment.name}/delete").status_code == 404
        assert other.post(f"/segments/{segment.name}/duplicate").status_code == 404
        assert not other.get("/segments", headers=figures).context["shown"].own
        assert segment.name not in json.dumps(other.get("/segments/new").context["catalogue"])
        assert other.get(f"/portfolio?own={segment.name}").context["shown"].total == 0
        compared = other.get(f"/segments/compare?segment={segment.name}")
        assert compared.context["chosen"] == []
    assert WorkspaceSegment.objects.filter(pk=segment.pk).exists()


def test_roles_decide_who_builds_and_who_shares(client_of: MakeClient, published: Workspace) -> None:
    viewer = client_of("viewer")
    for address in ("/segments/new", "/segments/values?field=plan"):
        assert viewer.get(address).status_code == 403
    assert viewer.post("/segments/preview", filled()).status_code == 403
    assert b"New segment" not in viewer.get("/segments").content
    for role in ("csm", "manager"):
        answer = client_of(role).post("/segments/new", filled(shared="shared"))
        assert answer.status_code == 422
        assert "roles" in answer.context["errors"]
    shared = saved(client_of("admin"), shared="roles", roles=["viewer"])
    assert viewer.get(f"/segments/{shared.name}").status_code == 200
    assert client_of("csm").get(f"/segments/{shared.name}").status_code == 404
    assert Client().get("/segments/new").status_code == 302


def test_queries_do_not_grow_with_segments(ops: Client, django_assert_max_num_queries: Any) -> None:
    counts = []
    for number in (1, 3):
        while WorkspaceSegment.objects.count() < number:
            saved(ops, label=f"Low {WorkspaceSegment.objects.count()}")
        with django_assert_max_num_queries(20) as counted:
            ops.get("/segments", headers={"HX-Request": "true", "HX-Target": "figures"})
        counts.append(len(counted))
    assert counts[0] == counts[1]
