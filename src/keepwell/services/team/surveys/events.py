"""Surveys that are sent after an event, at once when it arrives."""

import logging
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction

from keepwell.model.definitions import Model
from keepwell.model.survey_definitions import OnHappening
from keepwell.services.team.surveys.asking import Asker
from keepwell.services.team.surveys.defined import surveys_on
from keepwell.services.team.surveys.occasions import Occasion
from keepwell.services.workspace import Workspace
from keepwell.signals.alert_rules import Incident

MOST: Final = 100_000
LOG: Final = logging.getLogger("keepwell.surveys")


def asking_events(model: Model) -> frozenset[str]:
    """The events after which any survey is sent."""
    triggers = (trigger for survey in model.surveys.values() for trigger in survey.on)
    return frozenset(trigger.event for trigger in triggers if isinstance(trigger, OnHappening))


def ask_after(workspace: Workspace, model: Model, incidents: Iterable[Incident], now: datetime) -> int:
    """Ask about events; how many people were asked. What goes wrong here must not undo what else follows from them."""
    try:
        with transaction.atomic():
            return _ask(workspace, model, incidents, now)
    except Exception:
        LOG.exception("surveys after events")
        return 0


def _ask(workspace: Workspace, model: Model, incidents: Iterable[Incident], now: datetime) -> int:
    on, asked, zone = surveys_on(), 0, ZoneInfo(workspace.zone)
    for name, survey in model.surveys.items():
        if name not in on:
            continue
        events = {trigger.event for trigger in survey.on if isinstance(trigger, OnHappening)}
        found: dict[str, Occasion] = {}
        for one in (one for incident in incidents for one in _occasions(incident, events, on[name], zone)):
            # Who did it first is asked, whatever comes with it in the same moment.
            found.setdefault(one.name, one)
        fresh = [one for key, one in found.items() if _new(name, key, on[name])]
        asked += Asker(workspace, name, survey, now).ask(fresh).asked if fresh else 0
    return asked


def _occasions(incident: Incident, events: set[str], since: datetime, zone: ZoneInfo) -> Iterable[Occasion]:
    """One a day for each customer and event: thousands of clicks are one reason to ask."""
    for event in incident.names:
        if event in events and incident.at >= since:
            key = f"event:{event}:{incident.customer_id}:{incident.at.astimezone(zone).date()}"
            words = event.replace("_", " ").capitalize()
            yield Occasion(incident.customer_id, key, incident.at, words, users=incident.users)


def _new(survey: str, key: str, since: datetime) -> bool:
    """Whether an occasion is new to this process; one that was looked at today is not looked at again.

    What was undone was not looked at.
    """
    seen = _seen()
    name = (survey, key, since)
    if name in seen:
        return False
    if len(seen) >= MOST:
        seen.clear()
    transaction.on_commit(lambda: seen.add(name))
    return True


@lru_cache(maxsize=1)
def _seen() -> set[tuple[str, str, datetime]]:
    return set()
