"""Surveys in words: after what they are sent, and what their scores mean."""

from collections.abc import Mapping
from typing import Any, Final

from keepwell.interfaces.workspace.playbook_words import COMPANY
from keepwell.model.survey_definitions import (
    OnChange,
    OnDate,
    OnHappening,
    OnMilestone,
    OnPeriod,
    Survey,
    SurveyTrigger,
)
from keepwell.model.timelines import timeline

KINDS: Final[Mapping[str, str]] = {"nps": "NPS", "csat": "CSAT", "ces": "CES"}
SCORES: Final[Mapping[str, str]] = {"nps": "NPS, −100 to 100", "csat": "mean of 1 to 5", "ces": "mean of 1 to 7"}
GROUP_COLORS: Final[Mapping[str, str]] = {"low": "red", "middle": "yellow", "high": "green"}


def trigger_words(trigger: SurveyTrigger) -> str:
    """After what a survey is sent."""
    match trigger:
        case OnDate(date=name, after_days=days):
            return f"{days} days after “{name.replace('_', ' ')}”"
        case OnPeriod(every_days=days):
            return f"every {days} days"
        case OnChange(change=change):
            return f"after {'an' if change[0] in 'aeiou' else 'a'} {change}"
        case OnMilestone(milestone=kind):
            return f"after {kind.replace('_', ' ')} is done"
        case OnHappening(event=event):
            return f"at the event “{event}”"
    return "after a ticket is resolved"


def sent_when(survey: Survey) -> str:
    """All of it in one sentence."""
    words = " or ".join(trigger_words(trigger) for trigger in survey.on)
    later = f", {timeline(survey.delay).words} later" if survey.delay else ""
    return f"{words[0].upper()}{words[1:]}{later}"


def about(survey: Survey) -> list[tuple[str, str]]:
    """The rest of the definition, label and words."""
    remind = f"After {survey.remind_after_days} days, once" if survey.remind_after_days else "None"
    found: list[tuple[str, Any]] = [
        ("Sent", sent_when(survey)),
        ("To", f"{survey.to.replace('_', ' ').capitalize()} contact, where the trigger names nobody"),
        ("Reminder", remind),
        ("Ends", f"After {survey.expires_after_days} days"),
        ("Pause", f"Nobody who was asked anything in the last {survey.pause_days} days"),
    ]
    for group in ("low", "middle", "high"):
        task = getattr(survey.tasks, group)
        if task is not None:
            title = task.task.format(company=COMPANY, score="[score]")
            found.append((f"Task, {group} score", f"{title}, within {timeline(task.within).words}"))
    return found
