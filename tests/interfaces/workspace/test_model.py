"""The model's pages: seen by all, changed by CS-ops."""

import json
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings
from django.test import Client

from keepwell.interfaces.workspace.model_shown import segment_label
from keepwell.model.definitions import Model, Segment
from keepwell.services.planning.apply import history
from keepwell.services.planning.sources import model_sources
from keepwell.services.team.perform import perform
from keepwell.services.workspace import Workspace, workspace_open
from keepwell.store.models import Job, ModelDraft
from tests.web import NOW, MakeClient

pytestmark = pytest.mark.django_db
COVERAGE = "value:" + json.dumps(["settings", "minimum_coverage"])


@pytest.fixture
def own(published: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of the published workspace whose model may be changed."""
    shutil.copytree(published.root, tmp_path / "own")
    monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(tmp_path / "own"))
    return workspace_open(tmp_path / "own")


@pytest.fixture
def ops(client_of: MakeClient, own: Workspace) -> Client:
    return client_of("ops")


PAGES = (
    "/model",
    "/model/definitions",
    "/model/try",
    "/model/preview",
    "/model/plan",
    "/model/versions",
    "/model/files/scores.yaml",
)


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("role", ["csm", "ops"])
def test_every_page_is_seen_by_all(client_of: MakeClient, own: Workspace, address: str, role: str) -> None:
    assert client_of(role).get(address).status_code == 200


@pytest.mark.parametrize(
    "address", ["/model/edit", "/model/discard", "/model/rebase", "/model/apply", "/model/versions/1/roll-back"]
)
def test_a_manager_changes_nothing(client_of: MakeClient, own: Workspace, address: str) -> None:
    assert client_of("manager").post(address, {COVERAGE: "0.3", "why": "x"}).status_code == 403


def test_what_the_model_refuses_is_said_and_kept_in_the_form(ops: Client) -> None:
    answer = ops.post("/model/edit", {COVERAGE: "7"})
    assert answer.status_code == 422
    assert b"Nothing was changed" in answer.content
    assert b'value="7"' in answer.content
    assert not ModelDraft.objects.exists()


def test_weights_have_to_add_up_and_can_be_changed_together(ops: Client) -> None:
    fields = [f'value:["scores", "health", "components", "{part}", "weight"]' for part in ("product_usage", "adoption")]
    assert ops.post("/model/edit", {fields[0]: "40"}).status_code == 422
    answer = ops.post("/model/edit", {fields[0]: "40", fields[1]: "15"})
    assert answer.status_code == 200
    assert len(answer.context["changes"]) == 2


def test_the_difference_of_one_weight_is_spread_when_asked(ops: Client) -> None:
    field = 'value:["scores", "health", "components", "product_usage", "weight"]'
    refused = ops.post("/model/edit", {field: "45"})
    assert refused.status_code == 422
    assert b"Spread the difference over the others" in refused.content
    assert not ModelDraft.objects.exists()
    hidden = re.findall(r'<input type="hidden" name="(value:[^"]+)" value="([^"]*)">', refused.content.decode())
    fields = {unescape(name): unescape(value) for name, value in hidden}
    assert fields[field] == "45"
    answer = ops.post("/model/edit", fields)
    assert answer.status_code == 200
    components = answer.context["loaded"].model.scores["health"].components
    assert components["product_usage"].weight == 45
    assert sum(part.weight for part in components.values()) == pytest.approx(100)


def test_no_spread_is_offered_that_the_model_refuses(ops: Client) -> None:
    field = 'value:["scores", "health", "components", "product_usage", "weight"]'
    assert b"Spread the difference" not in ops.post("/model/edit", {field: "120"}).content
    assert b"Spread the difference" not in ops.post("/model/edit", {field: "45", COVERAGE: "7"}).content
    assert b"Spread the difference" not in ops.post("/model/edit", {COVERAGE: "7"}).content


def test_a_bad_file_shows_lines_and_keeps_what_was_typed(ops: Client) -> None:
    answer = ops.post("/model/files/scores.yaml", {"text": "scores:\n  health: nonsense\n"})
    assert answer.status_code == 422
    assert b"scores.yaml:2:" in answer.content
    assert b"health: nonsense" in answer.content
    assert ops.get("/model/files/../../keepwell.toml").status_code == 404


def test_plan_apply_and_roll_back_through_the_pages(ops: Client, own: Workspace) -> None:
    before = model_sources(own)
    assert ops.post("/model/edit", {COVERAGE: "0.3"}).status_code == 200
    assert ops.post("/model/plan")["Location"] == "/model/plan"
    assert ops.get("/model/plan").context["waiting"]
    job = Job.objects.get(kind=Job.Kind.PLAN)
    Job.objects.update(state=Job.State.RUNNING, attempts=1, claimed_at=NOW, heartbeat_at=NOW)
    assert perform(own, Job.objects.get(pk=job.pk), now=lambda: NOW)
    assert b"Customers who move" in ops.get("/model/plan").content
    assert ops.post("/model/apply", {"why": ""}).status_code == 422
    assert ops.post("/model/apply", {"why": "More customers get a score"})["Location"] == "/model/versions"
    assert b"More customers get a score" in ops.get("/model/versions").content
    first = history(own)[-1].version
    assert ops.get(f"/model/versions/{first}").status_code == 200
    ops.post(f"/model/versions/{first}/roll-back", {"why": "Back"})
    assert model_sources(own) == before


def test_one_customer_is_tried_but_not_a_strangers(ops: Client, client_of: MakeClient, own: Workspace) -> None:
    found = ops.get("/model/try?q=a").context["found"]
    owned = next(row for row in found if row.owner_email)
    page = ops.get(f"/model/try?customer={owned.customer_id}").content.decode()
    lines = re.findall(r'<tr><td>([^<]*)</td><td class="kw-number">', page)
    assert {"Product usage: Active days in 28 days", "Rounding"} <= set(lines)
    assert all(lines)
    assert client_of("csm").get(f"/model/try?customer={owned.customer_id}").status_code == 404


RAW = re.compile(r"\b[a-z]+_[a-z0-9_]+\b")


@pytest.mark.parametrize("address", ["/model", "/model/definitions", "/model/preview"])
def test_managers_read_labels_and_not_keys(client_of: MakeClient, own: Workspace, address: str) -> None:
    page = client_of("manager").get(address).content.decode()
    shown = re.sub(r"<(script|svg)\b.*?</\1>|<[^>]*>", " ", page.partition("<main")[2] or page, flags=re.DOTALL)
    values = {"decision_maker", "exec_sponsor", "past_due", "plan_change", "seat_change", "plan_usage", "api_call"}
    values |= {"offer_accepted"}
    assert set(RAW.findall(shown)) <= values


def test_segments_are_called_by_their_labels_also_where_the_draft_leaves_them_out() -> None:
    def model_with(**segments: dict[str, Any]) -> Model:
        known = {"segments": {name: Segment(**one) for name, one in segments.items()}}
        return Model.model_construct(**cast(Any, known))

    draft = model_with(at_risk={"label": "In danger", "when": "mrr > 1"}, tier={"label": "Tier", "by": "plan"})
    now = model_with(at_risk={"label": "At risk", "when": "mrr > 1"}, gone={"label": "Left out", "when": "mrr > 1"})
    shown = {name: segment_label((draft, now), name) for name in ("at_risk", "gone", "tier: pro", "no_label")}
    assert shown == {"at_risk": "In danger", "gone": "Left out", "tier: pro": "Tier: pro", "no_label": "No label"}
