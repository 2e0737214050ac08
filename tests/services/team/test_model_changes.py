"""A draft of the model, its plan, applying it and going back."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from keepwell.model.problems import DefinitionError
from keepwell.services.planning.apply import history
from keepwell.services.planning.edits import Edit, EditError
from keepwell.services.planning.sources import current_hash, model_sources
from keepwell.services.team.audit import actor
from keepwell.services.team.model_changes import (
    ModelChangeError,
    apply_draft,
    discard_draft,
    draft_of,
    edit_draft,
    rebase_draft,
    request_plan,
    roll_back,
    write_draft,
)
from keepwell.services.team.perform import perform
from keepwell.services.workspace import Workspace, workspace_open
from keepwell.store.models import AuditEntry, Job, ModelDraft, Person
from tests.web import NOW, MakePerson

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def own(published: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of the published workspace whose model may be changed."""
    shutil.copytree(published.root, tmp_path / "own")
    monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(tmp_path / "own"))
    return workspace_open(tmp_path / "own")


def a_change() -> Edit:
    """A change that keeps the model valid: the minimum coverage."""
    return Edit(("settings", "minimum_coverage"), 0.3)


def planned(workspace: Workspace, who: Person) -> Job:
    job = request_plan(actor(who), workspace, who, NOW)
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, attempts=1, claimed_at=NOW, heartbeat_at=NOW)
    assert perform(workspace, Job.objects.get(pk=job.pk), now=lambda: NOW)
    return Job.objects.get(pk=job.pk)


def test_without_changes_the_draft_is_the_model(own: Workspace, person: MakePerson) -> None:
    draft = draft_of(own, person("ops"))
    assert (draft.changed, draft.outdated, draft.plan) == ((), False, None)
    assert draft.sources == model_sources(own)


def test_a_refused_edit_changes_nothing(own: Workspace, person: MakePerson) -> None:
    who = person("ops")
    with pytest.raises(EditError):
        edit_draft(own, who, [Edit(("scores", "nothing", "here"), 1)], NOW)
    with pytest.raises(DefinitionError):
        edit_draft(own, who, [Edit(("settings", "minimum_coverage"), 7)], NOW)
    with pytest.raises(DefinitionError) as caught:
        write_draft(own, who, "model.yaml", "model: [", NOW)
    assert caught.value.problems
    assert not ModelDraft.objects.exists()


def test_an_edit_taken_back_leaves_no_draft(own: Workspace, person: MakePerson) -> None:
    who = person("ops")
    text = model_sources(own)["model.yaml"]
    assert write_draft(own, who, "model.yaml", text + "# more\n", NOW).changed == ("model.yaml",)
    assert write_draft(own, who, "model.yaml", text, NOW).changed == ()
    assert not ModelDraft.objects.exists()


def test_apply_needs_a_plan_of_exactly_this_draft(own: Workspace, person: MakePerson) -> None:
    who = person("ops")
    with pytest.raises(ModelChangeError, match="nothing to plan"):
        request_plan(actor(who), own, who, NOW)
    edit_draft(own, who, [a_change()], NOW)
    with pytest.raises(ModelChangeError, match="Plan the change first"):
        apply_draft(actor(who), own, who, why="because", now=NOW)
    planned(own, who)
    edit_draft(own, who, [Edit(("settings", "minimum_coverage"), 0.2)], NOW)
    with pytest.raises(ModelChangeError, match="Plan the change first"):
        apply_draft(actor(who), own, who, why="because", now=NOW)


def test_plan_apply_and_roll_back_leave_the_files_as_they_were(own: Workspace, person: MakePerson) -> None:
    who, before = person("ops"), model_sources(own)
    edit_draft(own, who, [a_change()], NOW)
    job = planned(own, who)
    assert job.result["customers"] > 0
    assert [change["path"] for change in job.result["changes"]] == ["settings: minimum_coverage"]
    applied = apply_draft(actor(who), own, who, why="See more customers", now=NOW)
    assert model_sources(own) != before
    assert not ModelDraft.objects.exists()
    assert Job.objects.filter(kind=Job.Kind.BACKFILL, key__startswith=f"model-{applied.version}-").count() == 1
    first = history(own)[-1].version
    roll_back(actor(who), own, first, why="It was worse", now=LATER)
    assert model_sources(own) == before
    assert [entry.kind for entry in history(own)] == ["rollback", "apply", "start"]
    said = list(AuditEntry.objects.filter(object_kind="model").order_by("pk").values_list("action", flat=True))
    assert said == ["model.applied", "model.rolled_back"]


def test_two_people_change_the_model(own: Workspace, person: MakePerson) -> None:
    one, other = person("ops"), person("ops")
    edit_draft(own, one, [a_change()], NOW)
    write_draft(own, other, "segments.yaml", model_sources(own)["segments.yaml"] + "# mine\n", NOW)
    planned(own, one)
    apply_draft(actor(one), own, one, why="first", now=NOW)
    assert draft_of(own, other).outdated
    with pytest.raises(ModelChangeError, match="meanwhile"):
        request_plan(actor(other), own, other, NOW)
    draft = rebase_draft(own, other, NOW)
    assert (draft.outdated, draft.changed, draft.base_hash) == (False, ("segments.yaml",), current_hash(own))
    discard_draft(other)
    assert draft_of(own, other).changed == ()
