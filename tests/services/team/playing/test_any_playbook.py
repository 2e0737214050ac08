"""Any playbooks, any events, a simulated clock, the database: what must be true of all of them."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from keepwell.model.message_definitions import Calendar, Cap
from keepwell.model.playbook_definitions import Playbook
from keepwell.playbooks.events import Happened
from keepwell.services.planning.sources import current_model
from keepwell.services.team.playing import desk
from keepwell.services.team.playing.approvals import approval_decide
from keepwell.services.team.playing.happenings import happened
from keepwell.services.team.playing.plays import Plays
from keepwell.store.models import Approval, Happening, PlaybookEffect, PlaybookRun, PlaybookSwitch
from tests.playbooks.plays import MONDAY
from tests.services.team.playing.conftest import MakeStage
from tests.services.team.playing.invariants import broken
from tests.services.team.playing.stage import WHO, Stage, known

pytestmark = pytest.mark.django_db
NAMES = ("p", "q", "r", "s")
CUSTOMERS = ("c1", "c2")
CAP = Cap(messages=2, per_days=3)


LENGTHS = ("20min", "5h", "24h", "2d", "3 business hours", "2 business days", "next business day")
CONDITIONS = ("logins >= 3", "quiet", "logins < 1", {"segment": "danger"})
ACTS: tuple[dict[str, Any], ...] = (
    {"email": "hello"},
    {"in_app": "note"},
    {"offer": {"kind": "custom", "title": "x"}, "message": "hello"},
    {"task": "Call {company}", "within": "4 business hours"},
    {"notify": "Look at {company}", "channel": "slack"},
    {"update": {"lifecycle_stage": "renewal"}},
    {"start": "r"},
)


def any_playbook(draw: random.Random) -> Playbook:
    """A message, then steps that act, wait, ask and jump, forwards and back."""
    trigger: dict[str, Any] = draw.choice([{"signal": "quiet"}, {"segment_entered": "danger"}, {"manual": True}])
    stops = ["reply", "outcome", "login"] + (["signal_off"] if "signal" in trigger else [])
    names = [f"s{number}" for number in range(draw.randint(3, 8))]
    body = {
        "trigger": trigger,
        "steps": [{"name": "s0", "email": "hello"}, *(any_step(draw, name, names) for name in names[1:])],
        "longest": draw.choice(["3d", "4w"]),
        "cap": draw.choice([None, None, {"messages": 1, "per_days": 2}]),
        "re_entry": draw.choice([{}, {}, {"allowed": False}, {"after": "2d"}]),
        "hold_out": draw.choice([0.0, 0.0, 0.5]),
        "stop_on": draw.sample(stops, draw.randint(0, 2)),
    }
    return Playbook.model_validate(body)


def any_step(draw: random.Random, name: str, names: list[str]) -> dict[str, Any]:
    """One step; most go on to the next."""

    def target() -> str:
        return draw.choice([*names, "end"])

    found: dict[str, Any] = {"name": name}
    match draw.choice(["act"] * 6 + ["wait", "wait", "until", "for", "branch", "approval"]):
        case "act":
            found |= draw.choice(ACTS)
        case "wait":
            found["wait"] = draw.choice(LENGTHS)
        case "until":
            found |= {"wait_until": draw.choice(CONDITIONS), "at_most": draw.choice(LENGTHS), "otherwise": target()}
        case "for":
            found |= {"wait_for": ["click"], "at_most": draw.choice(LENGTHS), "otherwise": target()}
        case "branch":
            found |= {"branch": [{"when": draw.choice(CONDITIONS), "go": target()}]}
        case _:
            found |= {"approval": "Really?", "refused": target(), "within": draw.choice(LENGTHS)}
    extra = {
        "after": draw.choice(LENGTHS),
        "day": draw.randint(0, 9),
        "when": draw.choice(CONDITIONS),
        "then": target(),
    }
    return found | {key: value for key, value in extra.items() if draw.random() < 0.12}


def any_story(draw: random.Random) -> list[tuple[int, str, str, str]]:
    """Minutes, customer, what, and its name: over twelve days, mostly starts."""
    happen: list[tuple[str, list[str]]] = [
        (Happened.RESPONSE, ["reply", "click", "login"]),
        (Happened.OUTCOME, ["resolved", "follow_up"]),
        (Happened.FACTS, [""]),
        ("approve", ["yes", ""]),
        ("known", ["quiet", "loud"]),
        *[("start", list(NAMES))] * 4,
    ]
    story = []
    for _ in range(60):
        what, names = draw.choice(happen)
        story.append((draw.randint(0, 12 * 1440), draw.choice(CUSTOMERS), str(what), draw.choice(names)))
    for customer in draw.sample(CUSTOMERS, 1):
        last = draw.choice([(str(Happened.CHURNED), ""), (str(Happened.OUTCOME), "lost")])
        story.append((draw.randint(6 * 1440, 12 * 1440), customer, *last))
    return sorted(story)


@pytest.mark.parametrize("seed", range(10))
def test_nothing_early_nothing_late_nothing_twice(stage: MakeStage, seed: int) -> None:
    draw = random.Random(seed)
    here = stage("x: {trigger: {manual: true}, steps: [{task: A}]}", on=False)
    here.customers = {name: known(name) for name in CUSTOMERS}
    update = {
        "playbooks": {name: any_playbook(draw) for name in NAMES},
        "calendar": Calendar(cap=CAP, holidays=("2026-03-04",)),
    }
    zone = draw.choice(["UTC", "Europe/Berlin", "America/Los_Angeles"])
    plays = Plays(current_model(here.workspace).model.model_copy(update=update), zone)
    with patch.object(desk, "plays_of", lambda _: plays):
        for name in NAMES:
            PlaybookSwitch.objects.create(playbook=name, on=True, changed_at=MONDAY)
        for number, (minutes, customer, what, name) in enumerate(any_story(draw)):
            here.after(minutes=(MONDAY + timedelta(minutes=minutes) - here.now) / timedelta(minutes=1))
            _tell(here, f"{number}", customer, what, name)
            here.turn()
        here.after(days=60)
    assert broken(plays) == []
    assert not PlaybookRun.objects.filter(ended_at=None).exists(), "the longest is four weeks"
    assert not Happening.objects.filter(heard_at=None).exists()
    assert PlaybookEffect.objects.filter(kind__in=["message", "offer"]).exists(), "a story without a word is none"


def _tell(here: Stage, key: str, customer: str, what: str, name: str) -> None:
    if what == "approve":
        for question in Approval.objects.filter(state="open", customer_id=customer).exclude(due_at__lt=here.now):
            approval_decide(WHO, question.pk, bool(name), "", here.now)
    elif what == "known":
        there = here.customers[customer]
        signals = frozenset({"quiet"} if name == "quiet" else ())
        here.customers[customer] = replace(there, facts=replace(there.facts, signals=signals))
    else:
        data = {"by": "the story", "trigger": True} if what == "start" else {}
        happened(customer, what, name=name, key=key, at=here.now, data=data)
