"""Playbooks in words and as a drawing: every playbook of every pack, and shapes of one's own."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from django.template.loader import render_to_string

from keepwell.interfaces.workspace.playbook_flow import Flow, flow_of
from keepwell.interfaces.workspace.playbook_runs_shown import line_shown
from keepwell.interfaces.workspace.playbook_steps import StepShown, steps_shown
from keepwell.interfaces.workspace.playbook_words import (
    cap_said,
    condition_said,
    playbook_label,
    re_entry_said,
    stops_said,
    subject_said,
    text_said,
    trigger_words,
)
from keepwell.model.condition_definitions import AllOf, AnyOf, InSegment, NoneOf
from keepwell.model.definitions import Model
from keepwell.model.packs import pack_directory, resolve_model
from keepwell.model.playbook_definitions import DateTrigger, EventTrigger, ManualTrigger, Playbook, ReEntry
from keepwell.services.team.playing.timelines import Moment
from keepwell.warehouse.columns import TABLE_COLUMNS

PACKS = sorted(Path(one.name).name for one in files("keepwell.packs").iterdir() if (one / "model.yaml").is_file())


def pack(name: str) -> Model:
    return resolve_model(pack_directory(name), tables=TABLE_COLUMNS).model


def drawn(steps: list[dict[str, object]]) -> tuple[tuple[StepShown, ...], Flow]:
    playbook = Playbook.model_validate({"trigger": {"manual": True}, "steps": steps})
    shown = steps_shown(pack("b2b-saas"), playbook)
    return shown, flow_of(shown, "Somebody starts it")


@pytest.mark.parametrize("name", PACKS)
def test_every_playbook_is_said_and_drawn(name: str) -> None:
    model = pack(name)
    assert model.playbooks or name == "none"
    for key, playbook in model.playbooks.items():
        steps = steps_shown(model, playbook)
        flow = flow_of(steps, trigger_words(model, playbook.trigger))
        assert len(flow.boxes) == len(steps) + 2
        for step in steps:
            assert step.title, (key, step.name)
            assert "{" not in step.title + step.only_if
            assert len(step.exits) >= 1
        _inside(flow)
        said = [playbook_label(model, key), stops_said(playbook), re_entry_said(playbook), cap_said(model, playbook)]
        assert all(said)
        svg = render_to_string("workspace/playbooks/flow.html", {"flow": flow, "steps": steps, "label": key})
        assert 'style="' not in svg
        assert svg.count("<g class=") == len(flow.boxes)


def _inside(flow: Flow) -> None:
    """Boxes stand below each other without touching; all lines stay within the drawing."""
    for above, below in zip(flow.boxes, flow.boxes[1:], strict=False):
        assert above.y + above.height < below.y
    for arrow in flow.arrows:
        for x, y in _points(arrow.path):
            assert 0 <= x <= flow.width
            assert 0 <= y <= flow.height


def _points(path: str) -> Iterator[tuple[float, float]]:
    x = y = 0.0
    for letter, rest in re.findall(r"([MHVQ])([^MHVQ]*)", path):
        numbers = [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", rest)]
        match letter:
            case "H":
                x = numbers[0]
            case "V":
                y = numbers[0]
            case _:
                x, y = numbers[-2:]
        yield x, y


def test_ways_that_lead_further_and_back_have_lanes_of_their_own() -> None:
    steps, flow = drawn([
        {"name": "ask", "approval": "Offer {company} a pause?", "within": "1d", "refused": "end"},
        {"name": "look", "branch": [{"when": "health_score >= 40", "go": "write"}], "otherwise": "call"},
        {"name": "write", "email": "personal_help", "then": "end"},
        {"name": "call", "task": "Call {company}"},
        {"name": "rest", "wait": "3d", "then": "ask"},
    ])  # fmt: skip
    assert [(one.label, one.number) for one in steps[0].exits] == [
        ("Approved", 2),
        ("Refused, or no answer within 1 day", 6),
    ]
    assert [(one.label, one.number) for one in steps[1].exits] == [("If Health score ≥ 40", 3), ("Otherwise", 4)]
    assert flow.loops
    back = [arrow for arrow in flow.arrows if arrow.back]
    assert len(back) == 1
    left = min(x for x, _ in _points(back[0].path))
    assert left < flow.boxes[1].x
    lanes = [max(x for x, _ in _points(one.path)) for one in flow.arrows if not one.back and "Q" in one.path]
    assert len(lanes) == len(set(lanes)) == 2, "two ways beside each other are told apart"
    assert all(lane > flow.boxes[1].x + flow.boxes[1].width for lane in lanes)
    straight = [arrow for arrow in flow.arrows if "Q" not in arrow.path]
    assert len(straight) == 4, "start, approval, branch and call go on to the next box; the letter and the rest do not"
    _inside(flow)


def test_where_a_run_stands_is_in_the_drawing() -> None:
    steps, _ = drawn([{"name": "call", "task": "Call"}, {"name": "rest", "wait": "3d"}])
    flow = flow_of(steps, "x", {"call": "done", "rest": "now"})
    assert [box.state for box in flow.boxes] == ["", "done", "now", ""]


def test_long_words_are_wrapped_and_never_lost_in_the_table() -> None:
    text = (
        "Call everybody who was ever seen at the company and ask them one after the other what they would change " * 2
    )
    steps, flow = drawn([{"task": text.strip()}])
    titles = [line.text for line in flow.boxes[1].texts if line.style == "title"]
    assert len(titles) == 3
    assert titles[-1].endswith("…")
    assert steps[0].title == text.strip()


def test_conditions_triggers_and_texts_in_words() -> None:
    model = pack("b2b-saas")
    both = AllOf(all=("health_score < 40", AnyOf(any=(InSegment(segment="revenue_at_risk"), "arr > 1000"))))
    assert condition_said(model, both) == "Health score < 40 and (in the segment Revenue at risk or ARR > 1,000)"
    assert condition_said(model, NoneOf.model_validate({"not": "arr > 5"})) == "not: ARR > 5"
    assert trigger_words(model, DateTrigger(date="renewal_date", days_before=1)) == "1 day before the renewal date"
    assert trigger_words(model, DateTrigger(date="renewal_date", days_after=0)) == "On the renewal date"
    assert trigger_words(model, EventTrigger(event="payment failed")) == "The event “payment failed” arrives"
    assert "Somebody" in trigger_words(model, ManualTrigger(manual=True))
    assert text_said(model, "Call {company}: {arr}, {nothing_known}") == "Call [company]: [ARR], [nothing known]"
    assert subject_said(model, "{{ customer.company | default: 'x' }}: {% if a %}hi{% endif %}") == "[company]: hi"
    either = "{% if a > 1 %}Hi{% elsif a %}Hello{% else %}Welcome{% endif %}!"
    assert subject_said(model, either) == "Hi | Hello | Welcome!"
    assert subject_said(model, "{{ setting.product_name }}: {{ setting.no_such }}") == "Our product: [no such]"
    again = Playbook.model_validate({"trigger": {"manual": True}, "steps": [{"wait": "1d"}]})
    assert re_entry_said(again.model_copy(update={"re_entry": ReEntry(allowed=False)})).startswith("Nobody")
    twice = re_entry_said(again.model_copy(update={"re_entry": ReEntry(after="30d", at_most=2)}))
    assert twice == "Again after 30 days and 2 times at most in all."


def test_what_was_heard_is_no_doing_of_the_step_it_was_heard_at() -> None:
    shown, _ = drawn([{"wait": "1d"}, {"task": "Call {company} about {arr}"}])
    steps = {step.name: step for step in shown}
    last, now = shown[-1].name, datetime(2026, 6, 30, 9, tzinfo=UTC)
    heard = line_shown(Moment(now, last, "response: login"), steps, "Acme")
    assert (heard.title, heard.what, heard.icon) == ("The customer logged in", "At step 2", "message")
    assert line_shown(Moment(now, last, "outcome: follow_up"), steps, "Acme").title == "Outcome: follow up"
    done = line_shown(Moment(now, last, "task", "task", "Call Acme about 5 EUR"), steps, "Acme")
    assert (done.title, done.what) == ("2. Call Acme about 5 EUR", "Task")
    way = line_shown(Moment(now, shown[0].name, f"goes on to {last}"), steps, "Acme")
    assert way.what == "Goes on to 2. Call Acme about [ARR]"
