"""Playbooks in words: what starts one, what a step does, when, and where it goes on."""

import re
from string import Formatter
from typing import Final

from keepwell.interfaces.workspace.pages.customer_shown import test_words
from keepwell.model.condition_definitions import AllOf, AnyOf, Condition, InSegment, NoneOf, Test
from keepwell.model.definitions import Model
from keepwell.model.message_definitions import Cap
from keepwell.model.playbook_definitions import (
    DateTrigger,
    EnteredTrigger,
    EventTrigger,
    LeftTrigger,
    Playbook,
    ScoreTrigger,
    SignalTrigger,
    Trigger,
)
from keepwell.model.timelines import timeline
from keepwell.model.words import counted
from keepwell.reporting.words import label_of, listed
from keepwell.services.planning.curve_words import condition_words
from keepwell.services.published.kept_models import segment_shown, signal_shown

ROLES: Final = {
    "owner": "the customer's owner",
    "manager": "a manager",
    "executive": "an executive",
    "support": "support",
    "sales": "sales",
    "product": "product",
    "engineering": "engineering",
    "billing_team": "the billing team",
}
RECIPIENTS: Final = {
    "primary": "the primary contact",
    "champion": "the champion",
    "decision_maker": "the decision maker",
    "admin": "the admin",
    "billing": "the billing contact",
    "exec_sponsor": "the executive sponsor",
    "all_users": "all users",
}
SENDERS: Final = {"owner": "the customer's owner", "executive": "an executive", "team": "the team"}
ANSWERS: Final = {"reply": "a reply", "click": "a click", "meeting": "a meeting", "login": "a login"}
STOPS: Final = {
    **ANSWERS,
    "outcome": "an outcome of who was reached",
    "signal_off": "the signal going off",
    "segment_left": "leaving the segment",
}
COMPANY: Final = "[company]"
"""What stands for the customer's name in a step that is about nobody yet."""
_COMPARED: Final = {
    "equals": "is", "not_equals": "is not", "greater": ">", "greater_or_equal": "≥", "less": "<", "less_or_equal": "≤",
    "between": "is between", "in": "is", "not_in": "is none of", "contains": "contains",
    "starts_with": "starts with", "ends_with": "ends with", "is_unknown": "is unknown", "is_known": "is known",
}  # fmt: skip
_LIQUID: Final = re.compile(r"\{\{\s*([\w.]+)[^}]*\}\}")
_TAGS: Final = re.compile(r"\{%.*?%\}")
_OTHERWISE: Final = re.compile(r"\{%-?\s*(?:else|elsif)\b.*?%\}")
_SNAKE: Final = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")


def playbook_label(model: Model, name: str) -> str:
    """What a playbook is called."""
    found = model.playbooks.get(name)
    return (found.label if found else "") or label_of(name, None)


def trigger_words(model: Model, trigger: Trigger) -> str:
    """What starts a playbook."""
    match trigger:
        case SignalTrigger(signal=name):
            return f"The signal “{signal_shown(model, name)}” turns on"
        case EnteredTrigger(segment_entered=name):
            return f"A customer enters {segment_shown(model, name)[0]}"
        case LeftTrigger(segment_left=name):
            return f"A customer leaves {segment_shown(model, name)[0]}"
        case ScoreTrigger(score=name):
            score = model.scores.get(name)
            label = (score.label if score else "") or label_of(name, None)
            if trigger.below is not None:
                return f"{label} falls below {trigger.below:g}"
            return f"{label} reaches {trigger.reaches:g}"
        case DateTrigger():
            return _date_words(model, trigger)
        case EventTrigger(event=name):
            return f"The event “{name}” arrives"
    return "Somebody starts it, or another playbook does"


def _date_words(model: Model, trigger: DateTrigger) -> str:
    label = label_of(trigger.date, model.metrics.get(trigger.date))
    name = _inside(label)
    days = trigger.days_before if trigger.days_before is not None else trigger.days_after or 0
    if days == 0:
        return f"On the {name}"
    return f"{counted(days, 'day')} {'before' if trigger.days_before is not None else 'after'} the {name}"


def condition_said(model: Model, condition: Condition, *, inside: bool = False) -> str:
    """A condition as a part of a sentence."""
    match condition:
        case AllOf():
            return _joined(model, condition.all, " and ", inside=inside)
        case AnyOf():
            return _joined(model, condition.any, " or ", inside=inside)
        case NoneOf():
            return f"not: {condition_said(model, condition.not_, inside=True)}"
        case InSegment(segment=name):
            return f"in the segment {segment_shown(model, name)[0]}"
        case Test():
            return _test_said(model, condition)
        case str():
            return _plain(test_words(model, condition))
    return _plain(test_words(model, condition_words(condition)))


def _joined(model: Model, parts: tuple[Condition, ...], word: str, *, inside: bool) -> str:
    said = word.join(condition_said(model, part, inside=True) for part in parts)
    return f"({said})" if inside and len(parts) > 1 else said


def _test_said(model: Model, test: Test) -> str:
    compared = _COMPARED.get(test.operator, test.operator)
    values = test.value if isinstance(test.value, tuple) else () if test.value is None else (test.value,)
    value = listed(map(str, values), "and" if test.operator == "between" else "or")
    return " ".join(part for part in (_plain(test_words(model, test.attribute)), compared, value) if part)


def _plain(text: str) -> str:
    """Names that have no label of their own, as words."""
    return _SNAKE.sub(lambda found: label_of(found.group(), None), text)


def length_said(text: str) -> str:
    """A length of time."""
    return timeline(text).words


def stops_said(playbook: Playbook) -> str:
    """What ends a playbook before its last step."""
    return listed([*(STOPS[stop] for stop in playbook.stop_on), "the customer leaving"], "or")


def re_entry_said(playbook: Playbook) -> str:
    """Whether a customer may go through again."""
    again = playbook.re_entry
    if not again.allowed:
        return "Nobody goes through it twice."
    parts = ["after " + length_said(again.after)] if again.after else []
    parts += [f"{counted(again.at_most, 'time')} at most in all"] if again.at_most else []
    return f"Again {listed(parts)}." if parts else "Again at any time, though not twice at once."


def cap_said(model: Model, playbook: Playbook) -> str:
    """How many messages a customer gets at most."""
    own, common = playbook.cap, model.calendar.cap
    parts = [f"{_cap(own)} from this playbook"] if own is not None else []
    parts += [f"{_cap(common)} from all playbooks together"] if common is not None else []
    return f"At most {listed(parts)}." if parts else "No limit on messages."


def _cap(cap: Cap) -> str:
    return f"{counted(cap.messages, 'message')} in {counted(cap.per_days, 'day')}"


def subject_said(model: Model, text: str) -> str:
    """A subject with settings filled in, other placeholders in brackets, and a bar between what it may say instead."""
    plain = _TAGS.sub("", _OTHERWISE.sub(" | ", text))
    return " ".join(_LIQUID.sub(lambda found: _placeholder(model, found[1]), plain).split())


def _placeholder(model: Model, path: str) -> str:
    kind, _, name = path.rpartition(".")
    value = model.settings.values.get(name) if kind == "setting" else None
    return str(value) if isinstance(value, str) and value else f"[{name.replace('_', ' ')}]"


def text_said(model: Model, text: str) -> str:
    """A text of a step with its placeholders in brackets."""
    parts = []
    for literal, name, _, _ in Formatter().parse(text):
        parts.append(literal)
        if name is not None:
            label = label_of(name, model.metrics.get(name))
            parts.append(COMPANY if name == "company" else f"[{_inside(label)}]")
    return "".join(parts)


def _inside(label: str) -> str:
    """A label within a sentence: small at its start, unless it is an abbreviation."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label
