"""Switching a playbook on once its budget was seen, and off with a word on the runs that are under way."""

from datetime import datetime

from keepwell.services.team.audit import Actor
from keepwell.services.team.playing.budgets import budget_of, replayable
from keepwell.services.team.playing.definitions import playbook_model
from keepwell.services.team.playing.starts import stop_run
from keepwell.services.team.playing.switches import switch
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import PlaybookRun

UNSEEN = "Look at its alert budget first: what it would have asked of the team over the past 90 days."


def playbook_on(who: Actor, workspace: Workspace, playbook: str, now: datetime) -> None:
    """Switch a playbook on. Raises WorkspaceError while nobody can have seen the budget of what it is now."""
    model = playbook_model(workspace)
    if playbook in model.playbooks and replayable(model, playbook):
        kept = budget_of(workspace, model, playbook)
        if kept.result is None or not kept.same:
            raise WorkspaceError(UNSEEN)
    switch(who, workspace, playbook, True, now)


def playbook_off(who: Actor, workspace: Workspace, playbook: str, *, stop: bool, now: datetime) -> int:
    """Switch a playbook off; its runs go on to their end, or with `stop` end now. How many were stopped."""
    switch(who, workspace, playbook, False, now)
    running = PlaybookRun.objects.filter(playbook=playbook, ended_at__isnull=True).order_by("pk") if stop else ()
    stopped = 0
    for run in running:
        stop_run(who, run, now)
        stopped += 1
    return stopped
