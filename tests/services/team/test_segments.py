"""Segments of the workspace: who sees and changes them, what they hold, and what is stored for a date."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from keepwell.model.packs import pack_directory, resolve_model
from keepwell.services.published import EVERYONE, PortfolioQuery, portfolio_rows
from keepwell.services.segment_preview import evaluate_definition
from keepwell.services.team import segment_membership
from keepwell.services.team.audit import actor
from keepwell.services.team.segment_drafts import drafted
from keepwell.services.team.segment_membership import (
    _mark,
    _write,
    evaluated,
    members_on,
    refresh_segments,
    refresh_stored,
    stored_dates,
)
from keepwell.services.team.segment_own import own_members
from keepwell.services.team.segment_text import exported
from keepwell.services.team.segments import (
    Draft,
    SegmentConflictError,
    SegmentError,
    members_change,
    peers_of,
    segment_change,
    segment_create,
    segment_delete,
    segment_duplicate,
    visible_segments,
)
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Person, WorkspaceSegment
from keepwell.warehouse.columns import TABLE_COLUMNS
from tests.web import LAST, NOW, MakePerson

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_folder")]
LOW = "when: health_score < 60"
MANY_LOGINS = "when: {event: login, count: '>= 20', within: 30d}"


@pytest.fixture
def fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of stored members for each test."""
    monkeypatch.setattr(segment_membership, "FOLDER", f"workspace_segments_{tmp_path.name}")


@pytest.fixture
def ops(person: MakePerson) -> Person:
    return person("ops")


def made(workspace: Workspace, person: Person, label: str, definition: str = LOW, **more: object) -> WorkspaceSegment:
    return segment_create(workspace, actor(person), person, Draft(label, definition, **more), now=NOW)  # type: ignore[arg-type]


def now_in(workspace: Workspace, segment: WorkspaceSegment) -> frozenset[str]:
    assert segment.owner is not None
    return own_members(workspace, segment.owner, segment.name)


def test_a_segment_is_made_with_a_name_of_its_own(published: Workspace, ops: Person, person: MakePerson) -> None:
    first = made(published, ops, "  Low   health ", description="Below sixty")
    assert (first.name, first.label, first.visibility, first.version) == ("low-health", "Low health", "private", 1)
    assert now_in(published, first) == frozenset(evaluate_definition(published, LOW).members)
    assert made(published, person("csm"), "Low health").name == "low-health-2"
    entry = AuditEntry.objects.get(object_id="low-health")
    assert (entry.action, entry.actor, entry.after["label"]) == ("segment.made", ops, "Low health")


@pytest.mark.parametrize(
    ("label", "definition", "field", "words"),
    [
        ("", LOW, "label", "name"),
        ("SMB", LOW, "label", "already"),
        ("healthy_stable", LOW, "label", "already"),
        ("X", "when: {event: login, count: often}", "definition", "often"),
        ("X", "when: nothing > 3", "definition", "nothing"),
        ("X", "when: {segment: nowhere}", "definition", "nowhere"),
        ("X", "when: [", "definition", "YAML"),
    ],
)
def test_what_cannot_be_kept_is_said_with_its_field(
    published: Workspace, ops: Person, label: str, definition: str, field: str, words: str
) -> None:
    with pytest.raises(SegmentError, match=words) as caught:
        made(published, ops, label, definition)
    assert caught.value.field == field
    assert not WorkspaceSegment.objects.exists()


def test_names_differ_among_what_a_person_sees(published: Workspace, ops: Person, person: MakePerson) -> None:
    made(published, ops, "Ours", shared=True)
    with pytest.raises(SegmentError, match="already"):
        made(published, person("csm"), "ours")
    assert made(published, ops, "Compare").name != "compare"


def test_private_segments_are_seen_by_their_owner_alone(published: Workspace, ops: Person, person: MakePerson) -> None:
    csm, manager, admin = person("csm"), person("manager"), person("admin")
    made(published, csm, "Mine")
    made(published, ops, "For managers", shared=True, roles=("manager",))
    made(published, ops, "For all", shared=True)

    def seen(who: Person) -> set[str]:
        return {one.label for one in visible_segments(who)}

    assert seen(csm) == {"Mine", "For all"}
    assert seen(manager) == {"For managers", "For all"}
    assert seen(admin) == {"For managers", "For all"}
    assert own_members(published, manager, "mine") == frozenset()
    with pytest.raises(SegmentError, match="gone"):
        segment_delete(actor(admin), admin, "mine", now=NOW)
    with pytest.raises(SegmentError, match="unknown segment"):
        made(published, manager, "Sneaky", "when: {segment: mine}")


def test_only_ops_and_admins_share(published: Workspace, person: MakePerson, ops: Person) -> None:
    for role in ("csm", "manager"):
        with pytest.raises(SegmentError, match="share") as caught:
            made(published, person(role), f"By {role}", shared=True)
        assert caught.value.field == "roles"
    shared = made(published, ops, "For all", shared=True)
    csm = person("csm")
    with pytest.raises(SegmentError, match="duplicate"):
        segment_delete(actor(csm), csm, shared.name, now=NOW)
    copy = segment_duplicate(published, actor(csm), csm, shared.name, now=NOW)
    assert (copy.owner, copy.visibility, copy.label) == (csm, "private", "For all (copy)")


def test_a_change_needs_the_version_it_started_from(published: Workspace, ops: Person) -> None:
    segment = made(published, ops, "Low")
    draft = Draft("Lower", "when: health_score < 50")
    changed = segment_change(published, actor(ops), ops, segment.name, draft, version=1, now=NOW)
    assert (changed.label, changed.version, changed.name) == ("Lower", 2, "low")
    with pytest.raises(SegmentConflictError):
        segment_change(published, actor(ops), ops, segment.name, Draft("Lost", LOW), version=1, now=NOW)
    changed.refresh_from_db()
    assert changed.label == "Lower"
    assert AuditEntry.objects.filter(action="segment.changed").count() == 1


def test_a_fixed_list_keeps_who_was_found_and_what_people_put_on_it(published: Workspace, ops: Person) -> None:
    segment = made(published, ops, "Pilot", dynamic=False)
    found = set(evaluate_definition(published, LOW).members)
    assert set(segment.members) == found
    everybody = {row.customer_id for row in portfolio_rows(published, PortfolioQuery(scope=EVERYONE))}
    added, removed = sorted(everybody - found)[0], sorted(found)[0]
    members_change(actor(ops), ops, segment.name, add=[added], remove=[removed], now=NOW)
    segment.refresh_from_db()
    assert set(segment.members) == (found | {added}) - {removed}
    relabelled = Draft("Pilot 2", LOW, dynamic=False)
    kept = segment_change(published, actor(ops), ops, segment.name, relabelled, version=2, now=NOW)
    assert added in kept.members
    assert now_in(published, kept) == frozenset(kept.members)
    dynamic = made(published, ops, "Dynamic")
    with pytest.raises(SegmentError, match="fixed list"):
        members_change(actor(ops), ops, dynamic.name, add=[added], now=NOW)


def test_a_list_of_a_csm_takes_the_own_customers_alone(published: Workspace, person: MakePerson) -> None:
    rows = list(portfolio_rows(published, PortfolioQuery(scope=EVERYONE)))
    owner = next(row.owner_email for row in rows if row.owner_email)
    mine = {row.customer_id for row in rows if row.owner_email in (owner, None)}
    csm = person("csm", email=owner)
    segment = made(published, csm, "All of mine", "when: {everyone: true}", dynamic=False)
    assert set(segment.members) == mine
    shown = drafted(published, csm, "when: {everyone: true}")
    assert shown.total == len(mine) < len(rows)


def test_segments_build_on_each_other_without_circles(published: Workspace, ops: Person) -> None:
    low = made(published, ops, "Low")
    listed = made(published, ops, "Listed", MANY_LOGINS, dynamic=False)
    both = made(published, ops, "Both", "when: {all: [{segment: low}, {not: {segment: listed}}]}")
    assert now_in(published, both) == now_in(published, low) - frozenset(listed.members)
    draft = Draft("Low", "when: {any: [{segment: both}, health_score < 10]}")
    with pytest.raises(SegmentError, match="circle: low → both → low"):
        segment_change(published, actor(ops), ops, low.name, draft, version=1, now=NOW)
    with pytest.raises(SegmentError, match="used by Both"):
        segment_delete(actor(ops), ops, low.name, now=NOW)
    segment_delete(actor(ops), ops, both.name, now=NOW)
    segment_delete(actor(ops), ops, low.name, now=NOW)
    assert AuditEntry.objects.filter(action="segment.deleted").count() == 2


def test_members_are_stored_for_a_date_as_the_definition_was(published: Workspace, ops: Person) -> None:
    segment = made(published, ops, "Logins", MANY_LOGINS)
    before = LAST - timedelta(days=10)
    exact = {day: frozenset(evaluate_definition(published, MANY_LOGINS, as_of=day).members) for day in (before, LAST)}
    assert refresh_segments(published, before, NOW) == 1
    assert refresh_segments(published, LAST, NOW) == 1
    assert stored_dates(published) == {before, LAST}
    peers = peers_of(ops)
    for day, ids in exact.items():
        found = members_on(published, segment, day, peers)
        assert (found.ids, found.stored) == (ids, True)
    draft = Draft("Logins", "when: {event: login, count: '>= 1', within: 30d}")
    changed = segment_change(published, actor(ops), ops, segment.name, draft, version=1, now=NOW)
    today = members_on(published, changed, LAST, peers)
    assert not today.stored
    assert today.ids > exact[LAST]
    assert members_on(published, changed, before, peers).ids == exact[before]
    refresh_segments(published, LAST, NOW)
    assert members_on(published, changed, LAST, peers).stored


def test_days_that_are_computed_anew_have_their_members_anew(published: Workspace, ops: Person) -> None:
    segment, other = made(published, ops, "Logins", MANY_LOGINS), made(published, ops, "Others", MANY_LOGINS)
    before, earlier = LAST - timedelta(days=10), LAST - timedelta(days=12)
    exact = frozenset(evaluate_definition(published, MANY_LOGINS, as_of=before).members)
    for day in (earlier, before):
        _write(
            published,
            day,
            {one.name: _mark(one) for one in (segment, other)},
            {"logins": ["x"], "others": ["x"]},
            NOW,
        )
    draft = Draft("Others", "when: {event: login, count: '>= 1', within: 30d}")
    changed = segment_change(published, actor(ops), ops, other.name, draft, version=1, now=NOW)
    late = made(published, ops, "Late", MANY_LOGINS)
    assert refresh_stored(published, before, LAST, NOW) == 1
    peers = peers_of(ops)
    assert members_on(published, segment, before, peers).ids == exact
    assert members_on(published, late, before, peers).stored
    assert members_on(published, changed, before, peers).ids == {"x"}, (
        "its definition of that day is not known any more"
    )
    assert members_on(published, segment, earlier, peers).ids == {"x"}, "it was not computed anew"


def test_what_cannot_be_evaluated_does_not_keep_others_from_being_stored(published: Workspace, ops: Person) -> None:
    made(published, ops, "Fine")
    made(published, ops, "Broken")
    WorkspaceSegment.objects.filter(name="broken").update(definition="when: no_such_field > 1")
    assert refresh_segments(published, LAST, NOW) == 1
    broken = WorkspaceSegment.objects.get(name="broken")
    assert "no_such_field" in members_on(published, broken, LAST, peers_of(ops)).problem


def test_conditions_on_properties_read_the_events_themselves(published: Workspace, ops: Person) -> None:
    definition = "when: {event: feature_used, where: \"feature = 'leads'\", within: 30d}"
    exact = evaluate_definition(published, definition, exact=True)
    found = evaluated(published, definition, LAST, peers_of(ops))
    assert found.problem == ""
    assert found.ids == frozenset(exact.members)


def test_problems_are_placed_at_their_row(published: Workspace, ops: Person) -> None:
    text = "when:\n  all:\n  - health_score < 60\n  - any:\n    - {event: login, count: often}\n"
    (problem,) = drafted(published, ops, text).problems
    assert problem.path[:4] == ("when", "all", 1, "any")
    assert problem.line == 5
    unknown = "when:\n  all:\n  - health_score < 60\n  - {attribute: helth_score, operator: less, value: 3}\n"
    (problem,) = drafted(published, ops, unknown).problems
    assert problem.path == ("when", "all", 1, "attribute")
    assert "did you mean 'health_score'" in problem.message
    (problem,) = drafted(published, ops, unknown.replace("helth_score", "health")).problems
    assert "did you mean 'health_score'" in problem.message, "not health_raw, which has more letters in common"


def test_an_export_is_a_segment_of_a_model(
    published: Workspace, ops: Person, person: MakePerson, tmp_path: Path
) -> None:
    made(published, ops, "Low")
    listed = made(published, ops, "Listed", dynamic=False, shared=True)
    definition = "when:\n  all: [{segment: low}, {segment: listed}, {event: login, within: 30d}, \"plan = 'pro'\"]"
    both = made(published, ops, "Both", definition, description="Low and here")
    folder = Path(shutil.copytree(pack_directory("b2b-saas"), tmp_path / "model"))
    for segment in (both, listed):
        text = exported(published, ops, segment)
        assert all(customer in text for customer in listed.members)
        (folder / f"own-{segment.name}.yaml").write_text(text, encoding="utf-8")
    model = resolve_model(folder, tables=TABLE_COLUMNS).model
    assert (model.segments["both"].label, model.segments["both"].dimension) == ("Both", "both")
    assert "listed" in model.segments
    nobody = exported(published, person("csm"), listed)
    owned = {row.customer_id for row in portfolio_rows(published, PortfolioQuery()) if row.owner_email}
    assert not [customer for customer in owned if customer in nobody]
