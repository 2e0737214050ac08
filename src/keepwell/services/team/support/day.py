"""What support does when tickets arrive and once a day: learn, judge, and look for patterns."""

from dataclasses import dataclass
from datetime import datetime

from keepwell.services.team.support.classifier import learn
from keepwell.services.team.support.desk import desk_of
from keepwell.services.team.support.escalations import escalate
from keepwell.services.team.support.judging import judge
from keepwell.services.team.support.tickets import desk_tickets
from keepwell.services.workspace import Workspace


@dataclass(frozen=True)
class SupportDone:
    """What was done."""

    judged: int = 0
    opened: int = 0
    refreshed: int = 0


def support_from_day(workspace: Workspace, now: datetime) -> SupportDone:
    """Once a day, after publishing: learn from what people labelled, then as whenever tickets arrive."""
    tickets = desk_tickets(workspace, now)
    if not tickets:
        return SupportDone()
    learn(workspace, desk_of(workspace), tickets, now)
    return tickets_arrived(workspace, now)


def tickets_arrived(workspace: Workspace, now: datetime) -> SupportDone:
    """Judge the tickets that nobody judged, and bring escalations up to date with all of them."""
    desk = desk_of(workspace)
    since = now - desk.window
    judged = judge(workspace, desk, desk_tickets(workspace, now, since=since), now)
    done = escalate(workspace, desk, desk_tickets(workspace, now, since=since), now)
    return SupportDone(judged, done.opened, done.refreshed)
