"""The shipped playbooks: what the documents ask for is there, all of it runs, and all of it ends."""

import re
from datetime import UTC, datetime

import pytest

from keepwell.model.packs import pack_names, resolve_model
from keepwell.model.playbook_definitions import EnteredTrigger, SignalTrigger
from keepwell.model.step_definitions import TaskStep
from keepwell.model.timelines import timeline
from keepwell.playbooks.entries import triggered
from keepwell.playbooks.events import TO_CUSTOMER, Effect, Event, Happened, Wanted
from keepwell.playbooks.facts import Facts, Value
from keepwell.playbooks.machine import Machine
from keepwell.playbooks.messages import Around, message_fields, rendered
from keepwell.playbooks.play import Play, ready_play
from keepwell.warehouse.columns import TABLE_COLUMNS

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ALL = [(pack, name) for pack in pack_names() for name in resolve_model(pack).model.playbooks]
ASKED = re.compile(r"if customer\.(\w+) *%}")
NO_NUMBERS = {"recurring_tasks_enabled", "industry", "health_trend"}
MODELS = {pack: resolve_model(pack, tables=TABLE_COLUMNS).model for pack in pack_names()}


def lived(play: Play, *, yes: bool) -> list[Effect]:
    """All effects of a life without answers; approvals are given, or run out."""
    trigger = play.playbook.trigger
    signals = frozenset({trigger.signal} if isinstance(trigger, SignalTrigger) else ())
    segments = frozenset({trigger.segment_entered} if isinstance(trigger, EnteredTrigger) else ())
    facts = Facts(MONDAY.date(), {"company": "Acme"}, segments, signals)
    machine = Machine(play)
    state, new = machine.begin("c1", 1, MONDAY, facts)
    found = list(new)
    while not state.ended:
        assert state.waits_until is not None
        event, moment = Event(Happened.TIMER, timer=state.timer, facts=facts), state.waits_until
        if state.phase == "asking" and yes:
            event, moment = Event(Happened.APPROVAL_GIVEN, "ada", asked=state.asked, facts=facts), state.at
        state, new = machine.step(state, event, moment)
        found += new
    return found


@pytest.mark.parametrize(("pack", "name"), ALL)
@pytest.mark.parametrize("yes", [True, False])
def test_every_playbook_runs_and_ends(pack: str, name: str, yes: bool) -> None:
    play = ready_play(MODELS[pack], name, "Europe/Berlin")
    effects = lived(play, yes=yes)
    assert effects[-1].kind is Wanted.END
    assert any(effect.kind not in (Wanted.END, Wanted.TIMER, Wanted.APPROVAL) for effect in effects) or not yes
    if not yes:
        assert not [effect for effect in effects if effect.kind is Wanted.OFFER], "an offer without approval"
    for effect in effects:
        assert effect.kind not in TO_CUSTOMER or play.calendar.after_quiet(effect.at) == effect.at


@pytest.mark.parametrize(
    ("pack", "name"), [one for one in ALL if re.search(r"payment_fail|failed_payment|late_payment", one[1])]
)
def test_a_failed_payment_is_one_task(pack: str, name: str) -> None:
    """Every task of its playbook is the signal's own, which the day's run opens anyway."""
    play = ready_play(MODELS[pack], name, "UTC")
    trigger = play.playbook.trigger
    assert isinstance(trigger, SignalTrigger)
    plays = {effect.details["play"] for effect in lived(play, yes=True) if effect.kind is Wanted.TASK}
    assert plays == {trigger.signal}


def test_no_pack_is_without() -> None:
    assert {pack for pack, _ in ALL} == set(pack_names())


def due(pack: str, name: str) -> list[tuple[str, str]]:
    """The steps of a playbook that have a deadline."""
    steps = ready_play(MODELS[pack], name, "UTC").steps
    found = {key: getattr(step, "within", None) for key, step in steps.items()}
    return [(key, timeline(within).words) for key, within in found.items() if within]


def test_the_critical_workflow_keeps_the_documents_times() -> None:
    assert due("saas-monitoring", "critical_risk")[:3] == [
        ("ceo_email", "1 hour"),
        ("outreach", "2 hours"),
        ("roadmap", "4 hours"),
    ]
    effects = lived(ready_play(MODELS["saas-monitoring"], "critical_risk", "UTC"), yes=True)
    hours = {e.step: (e.at - MONDAY).total_seconds() / 3600 for e in effects if e.kind in (Wanted.TASK, Wanted.OFFER)}
    assert (hours["phone_call"], hours["other_contacts"], hours["final_offer"]) == (24, 48, 72)


def test_the_high_risk_workflow_keeps_the_documents_times() -> None:
    assert due("saas-monitoring", "high_risk")[:3] == [
        ("personal_email", "4 hours"),
        ("consultation", "24 hours"),
        ("value_report", "48 hours"),
    ]


@pytest.mark.parametrize(
    ("pack", "name", "wanted"),
    [
        ("saas-monitoring", "at_risk", [1, 3, 7]),
        ("saas-monitoring", "usage_limit_campaign", [3, 7]),
        ("household-app", "medium_churn_risk", [1, 3, 5, 7]),
        ("b2b-saas", "usage_limit", [0, 3, 7, 9]),
    ],
)
def test_campaigns_keep_their_days(pack: str, name: str, wanted: list[int]) -> None:
    steps = MODELS[pack].playbooks[name].steps
    assert [step.day for step in steps if step.day is not None] == wanted


def test_the_documents_subjects_are_used() -> None:
    said = {message.subject for model in MODELS.values() for message in model.messages.values()}
    assert said >= {
        "[Urgent] Let's get you back on track",
        "You're crushing it! Let's avoid any interruptions",
        "Final reminder: upgrade before hitting limits",
        "We noticed you haven't logged in recently",
        "Here are features you might have missed",
        "Can we help? Book a free support session",
        "You're a power user! Want to share your success story?",
        "We noticed usage dropped 20%. Need help?",
        "What can we improve?",
    }


@pytest.mark.parametrize("pack", sorted(MODELS))
def test_what_a_signal_asks_for_and_its_playbook_is_one_task(pack: str) -> None:
    """The queue has a task for every serious signal; the first task of its playbook for the owner is the same one.

    While somebody waits for a follow-up, the queue has one for a signal of medium severity, too.
    """
    model = MODELS[pack]
    for playbook in model.playbooks.values():
        called_by = playbook.trigger.signal if isinstance(playbook.trigger, SignalTrigger) else ""
        if not called_by or model.signals[called_by].severity not in ("medium", "high", "critical"):
            continue
        tasks = [step for step in playbook.steps if isinstance(step, TaskStep) and step.assign_to == "owner"]
        assert not tasks or tasks[0].play == called_by


def test_features_are_recommended_by_what_is_not_used() -> None:
    message = MODELS["household-app"].messages["features_missed"]
    used: dict[str, Value] = {"recurring_tasks_enabled": True, "reminders_enabled": False, "photos_uploaded": 3.0}

    def text(**values: Value) -> str:
        facts = Facts(MONDAY.date(), {"company": "Acme", **values})
        return rendered(message, message_fields("c1", facts, MODELS["household-app"].settings, Around())).text

    assert "Reminders" in text(**used)
    assert not [word for word in ("Recurring", "Photos", "Notifications") if word in text(**used)], "used, or unknown"


def test_medium_risk_ends_where_high_risk_takes_over() -> None:
    assert "signal_off" in MODELS["household-app"].playbooks["medium_churn_risk"].stop_on
    check_in = MODELS["household-app"].playbooks["success_check_in"]
    assert check_in.trigger == MODELS["household-app"].playbooks["medium_churn_risk"].trigger


def test_who_is_critical_is_offered_a_discount_else_a_plan_of_its_own_else_a_goodbye() -> None:
    play = ready_play(MODELS["operator-points"], "critical", "UTC")
    asked = [effect.step for effect in lived(play, yes=False) if effect.kind is Wanted.APPROVAL]
    assert asked == ["ask", "ask_plan"]
    assert lived(play, yes=False)[-2].step == "goodbye"
    offers = [effect.details for effect in lived(play, yes=True) if effect.kind is Wanted.OFFER]
    assert len(offers) == 1


def counted_to(number: float, pack: str, name: str) -> str:
    """A message to somebody of whom every number is this."""
    model = MODELS[pack]
    facts = Facts(MONDAY.date(), {"company": "Acme", **dict.fromkeys(model.metrics, number)})
    around = Around(offer={"days": 14}, person={"first_name": "Ann"}, owner={"name": "Ben"})
    return rendered(model.messages[name], message_fields("c1", facts, model.settings, around)).text


@pytest.mark.parametrize("pack", sorted(MODELS))
def test_no_letter_takes_none_for_some(pack: str) -> None:
    """Where a number is asked for, 0 is a number, too: "0 of your requests are not solved" is nothing to write."""
    metrics = MODELS[pack].metrics
    for name, message in MODELS[pack].messages.items():
        asked = ASKED.findall(" ".join((message.subject, message.text, message.button)))
        counts = [one for one in asked if one in metrics and metrics[one].type not in ("text", "boolean")]
        assert not [one for one in counts if one not in NO_NUMBERS], name


def test_who_never_logged_in_is_not_told_when_it_was() -> None:
    assert "days ago" not in counted_to(400.0, "agency-signals", "re_engagement")
    assert "was last here" in MODELS["agency-signals"].messages["re_engagement"].text


@pytest.mark.parametrize("play", ["critical_risk_workflow", "high_risk_workflow"])
def test_a_levels_task_is_the_one_that_its_workflow_means(play: str) -> None:
    """The first letter is the playbook's; the person's task of the level is the next step, and there is one of it."""
    model = MODELS["saas-monitoring"]
    tasks = [segment.task for segment in model.segments.values() if segment.task and segment.task.play == play]
    steps = [s for p in model.playbooks.values() for s in p.steps if isinstance(s, TaskStep) and s.play == play]
    assert len(tasks) == len(steps) == 1
    assert "email" not in tasks[0].title.lower(), "the workflow has sent it already"


def test_who_is_new_in_a_tier_is_looked_after_from_the_first_day() -> None:
    """A new customer enters no segment from another one: onboarding and rhythms begin with its first day."""
    for name in ("enterprise_rhythm", "mid_market_rhythm", "smb_onboarding"):
        trigger = MODELS["portfolio-segments"].playbooks[name].trigger
        assert isinstance(trigger, EnteredTrigger)
        assert trigger.newcomers, name


def test_who_is_critical_hears_from_one_workflow_alone() -> None:
    """Letters of others would use up what may be sent in a week, and the last offer would come days too late."""
    playbooks = MODELS["saas-monitoring"].playbooks
    assert all("segment_left" in playbooks[name].stop_on for name in ("high_risk", "at_risk"))
    play = ready_play(MODELS["saas-monitoring"], "usage_cliff", "UTC")
    facts = Facts(MONDAY.date(), {"company": "Acme"}, frozenset({"CRITICAL"}), frozenset({"usage_cliff_detected"}))
    state, new = Machine(play).begin("c1", 1, MONDAY, facts)
    while not state.ended:
        assert state.waits_until is not None
        event = Event(Happened.TIMER, timer=state.timer, facts=facts)
        state, more = Machine(play).step(state, event, state.waits_until)
        new = (*new, *more)
    assert [effect.step for effect in new if effect.kind in TO_CUSTOMER] == ["ask"]
    assert [effect.step for effect in new if effect.kind is Wanted.TASK] == ["call"]


@pytest.mark.parametrize("name", ["usage_limit_campaign", "consistent_overage", "power_user", "team_collaboration"])
def test_nobody_is_congratulated_while_something_is_wrong(name: str) -> None:
    play = ready_play(MODELS["saas-monitoring"], name, "UTC")
    trigger = play.playbook.trigger
    assert isinstance(trigger, SignalTrigger)
    for wrong, starts in (("usage_cliff_detected", False), ("payment_failure", False), ("", True)):
        facts = Facts(MONDAY.date(), {"health_score": 75.0}, frozenset(), frozenset({trigger.signal, wrong} - {""}))
        assert triggered(play.playbook, Facts(values={"health_score": 75.0}), facts, play.rules) is starts


def test_amounts_say_their_currency() -> None:
    play = ready_play(MODELS["operator-points"], "critical", "UTC", "EUR")
    known: dict[str, Value] = {"company": "Acme", "health_score": 28.0, "mrr": 1240.6}
    _, effects = Machine(play).begin("c1", 1, MONDAY, Facts(MONDAY.date(), known, frozenset({"Critical"})))
    assert effects[0].details["text"] == "Acme is critical: health 28, 1,241 EUR a month."
    _, effects = Machine(play).begin("c1", 1, MONDAY, Facts(MONDAY.date(), {**known, "mrr": None}))
    assert "unknown a month" in effects[0].details["text"]


@pytest.mark.parametrize("pack", sorted(MODELS))
def test_no_letter_takes_one_for_many(pack: str) -> None:
    """What counts may be one: "You used 1 features" is nothing to write. Some are of many by what triggers them."""
    for name in MODELS[pack].messages.keys() - {"next_plan", "team_features", "api_scaling", "usage_limit_roi"}:
        said = counted_to(1.0, pack, name)
        assert not re.search(r"\b1 (active )?(actions|days|features|functions|logins|people|tickets)\b", said), name
