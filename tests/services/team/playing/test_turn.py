"""Runs of playbooks in the database: what is asked for becomes rows, once, in its time, and never after a stop."""

from datetime import timedelta

import pytest

from keepwell.playbooks.events import Happened
from keepwell.services.team.playing.approvals import approval_decide
from keepwell.services.team.playing.beginning import StartRefused
from keepwell.services.team.playing.happenings import happened
from keepwell.services.team.playing.roles import name_people
from keepwell.services.team.playing.starts import start_by_hand, start_from_event, stop_run
from keepwell.services.team.playing.switches import switch, switched_on
from keepwell.services.workspace import WorkspaceError
from keepwell.store.models import (
    Approval,
    AuditEntry,
    CanonicalWrite,
    Happening,
    Hold,
    Offer,
    Outgoing,
    Person,
    PlaybookEffect,
    PlaybookHeldOut,
    PlaybookRun,
    PlaybookTimer,
    Role,
    Task,
)
from tests.playbooks.plays import MONDAY
from tests.services.team.playing.conftest import MakeStage
from tests.services.team.playing.stage import BEGINNING, WHO, known, nobody
from tests.web import MakePerson

pytestmark = pytest.mark.django_db
LADDER = BEGINNING + "    - {name: offer, offer: {kind: pause, months: 2, title: A pause}, message: hello}\n"


def kinds() -> list[str]:
    return list(PlaybookEffect.objects.order_by("at", "pk").values_list("kind", flat=True))


def test_a_ladder_goes_its_way_in_rows(stage: MakeStage) -> None:
    here = stage(LADDER)
    run = here.start()
    assert (run.step, run.phase, run.started_by) == ("pause", "waiting", "a test")
    assert PlaybookTimer.objects.get().due_at == MONDAY + timedelta(days=1)
    message = Outgoing.objects.get()
    assert (message.message, message.run_id, message.step) == ("hello", run.pk, "mail")
    here.after(hours=23)
    assert not Task.objects.exists(), "no step before its time"
    here.after(hours=1)
    task = Task.objects.get()
    assert (task.title, task.kind, task.play) == ("Call Acme", "playbook", "p.call")
    assert task.due_at == here.now + timedelta(hours=4)
    assert task.owner_email == "ann@example.com"
    question = Approval.objects.get()
    assert (question.question, question.state, question.asked_role) == ("Offer Acme a pause?", "open", "manager")
    approval_decide(WHO, question.pk, True, " fine ", here.now)
    here.turn()
    offer = Offer.objects.get()
    assert (offer.kind, offer.terms["months"], offer.state, offer.approval) == ("pause", 2, "open", question)
    run.refresh_from_db()
    assert (run.phase, run.reason, run.success) == ("ended", "done", False)
    assert not PlaybookTimer.objects.exists()


def test_every_effect_has_an_audit_row_and_every_timer_too(stage: MakeStage) -> None:
    here = stage(LADDER)
    here.start()
    here.after(days=9)
    named = [entry.after["effect"] for entry in AuditEntry.objects.filter(after__has_key="effect")]
    effects = set(PlaybookEffect.objects.values_list("key", flat=True))
    assert effects <= set(named)
    assert len(named) == len(set(named))
    assert AuditEntry.objects.filter(action="playbook.waits").count() == 2


def test_the_same_thing_is_heard_once(stage: MakeStage) -> None:
    here = stage(LADDER)
    here.start()
    for _ in range(3):
        happened("c1", Happened.RESPONSE, name="click", key="k", at=here.now)
        here.turn()
    assert Happening.objects.filter(key="k").count() == 1
    assert kinds() == ["message"]


def test_a_reply_ends_it_and_what_waits_does_not_leave(stage: MakeStage) -> None:
    here = stage(LADDER)
    run = here.start()
    here.after(hours=2).happens(Happened.RESPONSE, "reply")
    run.refresh_from_db()
    assert (run.reason, run.responded_at) == ("reply", here.now)
    assert Outgoing.objects.get().state == "cancelled"
    here.after(days=30)
    assert not Task.objects.exists(), "none after a stop"
    assert kinds() == ["message", "end"]


def test_an_answer_from_before_the_start_is_no_answer(stage: MakeStage) -> None:
    here = stage(LADDER)
    run = here.start()
    happened("c1", Happened.RESPONSE, name="reply", key="old", at=here.now - timedelta(minutes=1))
    here.turn()
    run.refresh_from_db()
    assert run.ended_at is None


def test_an_answer_that_comes_when_a_timer_is_due_comes_first(stage: MakeStage) -> None:
    here = stage(LADDER)
    here.start()
    here.now += timedelta(hours=24)
    here.happens(Happened.RESPONSE, "reply")
    assert not Task.objects.exists()


def test_an_open_task_of_the_same_play_is_linked(stage: MakeStage) -> None:
    body = "trigger: {manual: true}, re_entry: {}, steps: [{task: 'Call {company}', play: call}]"
    here = stage(f"p: {{{body}}}\nq: {{{body}}}")
    here.start("p")
    here.start("q")
    task = Task.objects.get()
    results = [effect.result for effect in PlaybookEffect.objects.filter(kind="task").order_by("run")]
    assert results == [{"task": task.pk}, {"task": task.pk, "linked": True}]


def test_a_linked_task_says_what_the_step_says(stage: MakeStage) -> None:
    step = "{task: 'Call', play: call, notes: 'About {company}', checklist: [Look, Call]}"
    body = f"trigger: {{manual: true}}, steps: [{step}]"
    here = stage(f"p: {{{body}}}\nq: {{{body}}}")
    there = Task.objects.create(
        customer_id="c1", company="Acme", kind="segment", play="call", title="Call Acme",
        priority=1, opened_on=here.now.date(), opened_at=here.now, due_at=here.now,
    )  # fmt: skip
    here.start("p")
    there.refresh_from_db()
    assert there.notes.startswith("About ")
    assert there.checklist == [{"text": "Look", "done": False}, {"text": "Call", "done": False}]
    Task.objects.filter(pk=there.pk).update(notes="Mine", checklist=[{"text": "Look", "done": True}])
    here.start("q")
    there.refresh_from_db()
    assert (there.notes, there.checklist) == ("Mine", [{"text": "Look", "done": True}]), "what somebody did stays"


@pytest.mark.parametrize(("version", "play", "given"), [(1, "quiet", True), (2, "quiet", False), (1, "rescue", False)])
def test_the_signal_s_own_task_goes_to_whom_the_step_names(
    stage: MakeStage, version: int, play: str, given: bool
) -> None:
    """Unless somebody has touched it, or it is a segment's, which is about more."""
    here = stage("p: {trigger: {signal: quiet}, steps: [{task: 'Help {company}', play: quiet, assign_to: support}]}")
    helper = Person.objects.create_user("support@example.com", role="manager")
    name_people(WHO, {"support": helper.pk}, here.now)
    there = Task.objects.create(
        customer_id="c1", company="Acme", kind="segment", play=play, title="Acme", conditions=["signal 'quiet' is on"],
        priority=1, opened_on=here.now.date(), opened_at=here.now, due_at=here.now, version=version,
    )  # fmt: skip
    here.start()
    found = Task.objects.get(pk=there.pk)
    assert (found.assignee, found.version) == ((helper, 2) if given else (None, version))
    assert Task.objects.count() == 1


@pytest.mark.parametrize(("condition", "linked"), [("signal 'quiet' is on", True), ("logins < 5", False)])
def test_the_task_of_a_segment_that_answers_the_signal_is_linked(
    stage: MakeStage, condition: str, linked: bool
) -> None:
    here = stage("p: {trigger: {signal: quiet}, steps: [{task: 'Call {company}', play: quiet}]}")
    there = Task.objects.create(
        customer_id="c1", company="Acme", kind="segment", play="rescue", title="Rescue Acme", conditions=[condition],
        priority=1, opened_on=here.now.date(), opened_at=here.now, due_at=here.now,
    )  # fmt: skip
    here.start()
    made = PlaybookEffect.objects.get(kind="task").result
    assert (made == {"task": there.pk, "linked": True}) is linked
    assert Task.objects.count() == (1 if linked else 2)


@pytest.mark.parametrize(("segment", "priority"), [("danger", 1), ("rest", 4)])
def test_who_is_well_is_not_urgent(stage: MakeStage, segment: str, priority: int) -> None:
    here = stage(f"p: {{trigger: {{segment_entered: {segment}}}, steps: [{{task: A}}]}}")
    here.start()
    assert Task.objects.get().priority == priority


def test_tasks_go_to_the_role(stage: MakeStage, person: MakePerson) -> None:
    person(Role.CSM, owner_aliases=["ann@example.com"])
    manager = person(Role.MANAGER)
    here = stage("p: {trigger: {manual: true}, steps: [{task: A}, {task: B, assign_to: manager}]}")
    here.start()
    assert [task.assignee for task in Task.objects.order_by("pk")] == [None, manager], "the owner's is of the own book"


def test_a_task_of_an_owner_who_is_nobody_goes_to_the_manager(stage: MakeStage, person: MakePerson) -> None:
    manager = person(Role.MANAGER)
    here = stage("p: {trigger: {manual: true}, steps: [{task: A}]}")
    here.start()
    assert Task.objects.get().assignee == manager


def test_words_to_colleagues_wait_in_the_outbox(stage: MakeStage, person: MakePerson) -> None:
    manager = person(Role.MANAGER)
    here = stage("p: {trigger: {manual: true}, steps: [{notify: 'Look at {company}', to: manager}]}")
    here.start()
    row = Outgoing.objects.get()
    assert (row.audience, row.channel, row.address, row.text) == (
        "internal", "workspace", manager.email, "Look at Acme",
    )  # fmt: skip


def test_a_customer_is_assigned_and_written_in_canonical_data(stage: MakeStage, person: MakePerson) -> None:
    manager = person(Role.MANAGER)
    here = stage("p: {trigger: {manual: true}, steps: [{assign: manager}, {update: {lifecycle_stage: renewal}}]}")
    here.start()
    first, second = (write.row for write in CanonicalWrite.objects.order_by("pk"))
    assert (first["customer_id"], first["owner_email"]) == ("c1", manager.email)
    assert second["lifecycle_stage"] == "renewal"


def test_a_message_that_nobody_can_get_is_refused_and_no_contact(stage: MakeStage) -> None:
    here = stage("p: {trigger: {manual: true}, steps: [{email: hello}]}")
    here.compose = nobody
    here.start()
    assert PlaybookEffect.objects.get(kind="message").result == {"refused": "nobody there can be written to"}


def test_another_playbook_is_started_when_it_is_on(stage: MakeStage) -> None:
    text = "p: {trigger: {manual: true}, steps: [{start: q}]}\nq: {trigger: {manual: true}, steps: [{task: A}]}"
    here = stage(text, on=False).on("p")
    here.start()
    assert PlaybookEffect.objects.get(kind="start").result == {"refused": "q is switched off"}
    assert here.run("q") is None
    here.on("q").knows()
    PlaybookRun.objects.all().delete()
    here.now += timedelta(days=1)
    here.start()
    found = here.run("q")
    assert found is not None
    assert (found.started_by, found.phase) == ("playbook p", "ended")


def test_messages_of_other_runs_count_against_the_cap(stage: MakeStage) -> None:
    mails = "trigger: {manual: true}, steps: [{email: hello}]"
    text = "\n".join(f"{name}: {{{mails}}}" for name in "pqr")
    here = stage(text, calendar="{quiet_hours: null, cap: {messages: 2, per_days: 7}}")
    for name in "pqr":
        here.start(name)
    assert Outgoing.objects.count() == 2
    waits = here.run("r")
    assert waits is not None
    assert PlaybookTimer.objects.get(run=waits).due_at == MONDAY + timedelta(days=7)
    here.after(days=7)
    assert Outgoing.objects.count() == 3


def test_quiet_hours_are_those_of_today_even_for_an_old_version(stage: MakeStage) -> None:
    here = stage("p: {trigger: {manual: true}, steps: [{wait: 1d}, {email: hello}]}", calendar="{quiet_hours: null}")
    here.start()
    here.workspace.model_dir.joinpath("model.yaml").write_text(
        here.workspace.model_dir.joinpath("model.yaml")
        .read_text()
        .replace("quiet_hours: null", 'quiet_hours: "09:00-15:00"')
        .replace("{email: hello}", "{task: Another}"),
        encoding="utf-8",
    )
    here.after(days=1)
    assert not Outgoing.objects.exists()
    here.after(hours=5)
    assert Outgoing.objects.get().made_at == here.now, "it keeps to its steps, and to today's quiet hours"
    assert not Task.objects.exists()


def test_runs_go_on_while_the_model_cannot_be_read(stage: MakeStage) -> None:
    here = stage(LADDER)
    run = here.start()
    (here.workspace.model_dir / "model.yaml").write_text("metrics: [", encoding="utf-8")
    here.after(hours=24)
    run.refresh_from_db()
    assert run.step == "ask"


def test_a_customer_enters_once_and_again_as_the_playbook_allows(stage: MakeStage) -> None:
    here = stage("p: {trigger: {manual: true}, re_entry: {after: 30d}, steps: [{wait: 1h}]}")
    here.start()
    here.start()
    assert PlaybookRun.objects.count() == 1, "not twice at once"
    here.after(days=1).start()
    assert PlaybookRun.objects.count() == 1, "not so soon again"
    here.after(days=31).start()
    assert sorted(PlaybookRun.objects.values_list("entry", flat=True)) == [1, 2]


def test_who_is_held_out_is_left_alone(stage: MakeStage) -> None:
    here = stage("p: {trigger: {signal: quiet}, hold_out: 0.5, steps: [{task: A}]}")
    names = [f"c{number}" for number in range(40)]
    here.customers = {name: known(name) for name in names}
    for name in names:
        happened(name, "start", name="p", key=name, at=here.now, data={"by": "x", "trigger": True})
    here.turn()
    left, begun = PlaybookHeldOut.objects.count(), PlaybookRun.objects.count()
    assert left + begun == 40
    assert 8 <= left <= 32
    assert AuditEntry.objects.filter(action="playbook.held_out").count() == left


def test_lost_customers_and_those_outside_the_audience_do_not_start(stage: MakeStage) -> None:
    here = stage("p: {trigger: {manual: true}, audience: logins > 2, steps: [{task: A}]}")
    with pytest.raises(StartRefused, match="those that it is for"):
        start_by_hand(WHO, "p", "c1", here.now, look=here.look)
    here.knows(values={"logins": 3.0})
    Hold.objects.create(customer_id="c1", kind=Hold.Kind.LOST, since=MONDAY.date())
    with pytest.raises(StartRefused, match="lost"):
        start_by_hand(WHO, "p", "c1", here.now, look=here.look)
    with pytest.raises(WorkspaceError, match="no playbook 'x'"):
        start_by_hand(WHO, "x", "c1", here.now, look=here.look)


def test_a_person_starts_and_stops_one_that_is_off(stage: MakeStage) -> None:
    here = stage(LADDER, on=False)
    run = start_by_hand(WHO, "p", "c1", here.now, look=here.look, compose=here.compose)
    assert run.started_by == "ops@example.com, by hand"
    stopped = stop_run(WHO, run, here.now)
    assert (stopped.reason, stopped.phase) == ("cancelled by ops@example.com", "ended")
    assert AuditEntry.objects.get(action="playbook.ended").actor_name == "ops@example.com"
    assert stop_run(WHO, run, here.now).reason == stopped.reason
    assert Outgoing.objects.get().state == "cancelled"


def test_events_start_what_is_on(stage: MakeStage) -> None:
    text = "p: {trigger: {event: invoice_failed}, steps: [{task: A}]}\nq: {trigger: {event: other}, steps: [{task: B}]}"
    here = stage(text, on=False)
    assert start_from_event(here.workspace, "c1", "invoice_failed", "e1", here.now, here.now) == 0
    here.on("p", "q")
    for _ in range(2):
        assert start_from_event(here.workspace, "c1", "invoice_failed", "e1", here.now, here.now) == 1
        here.turn()
    assert [run.started_by for run in PlaybookRun.objects.all()] == ["event invoice_failed"]


def test_switches(stage: MakeStage) -> None:
    here = stage(LADDER, on=False)
    assert switched_on() == set()
    here.on("p").on("p")
    assert switched_on() == {"p"}
    assert AuditEntry.objects.filter(action="playbook.switched_on").count() == 1
    switch(WHO, here.workspace, "p", False, here.now)
    assert switched_on() == set()
    with pytest.raises(WorkspaceError):
        here.on("nothing")


def test_one_customers_trouble_is_not_the_others(stage: MakeStage) -> None:
    here = stage(LADDER)
    here.customers["c2"] = known("Bolt")

    def breaks(workspace: object, effect: object, run: PlaybookRun, now: object, **_: object) -> list[Outgoing]:
        if run.customer_id == "c1":
            raise ValueError("broken")
        return []

    here.compose = breaks
    for customer in ("c1", "c2"):
        happened(customer, "start", name="p", key=customer, at=here.now, data={"by": "x"})
    here.turn()
    assert list(PlaybookRun.objects.values_list("customer_id", flat=True)) == ["c2"]
    assert here.turn() == 0, "not at once again"
    here.now += timedelta(minutes=2)
    here.compose = nobody
    assert here.turn() > 0
    assert PlaybookRun.objects.count() == 2
