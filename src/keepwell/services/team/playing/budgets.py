"""The alert budget of a playbook as a job: the worker replays the past, and what came out is kept to be read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keepwell.model.definitions import Model
from keepwell.model.playbook_definitions import EventTrigger, ManualTrigger
from keepwell.playbooks.play import playbook_version
from keepwell.services.planning.sources import current_model
from keepwell.services.playbook_simulation import DEFAULT_DAYS, simulate_playbook
from keepwell.services.published.copies import copies_current
from keepwell.services.published.kept_models import model_of
from keepwell.services.team.audit import Actor
from keepwell.services.team.capacity import weekly_capacity
from keepwell.services.team.jobs import WAITING, Done, job_enqueue
from keepwell.services.team.running import Running
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import Job, Person, Role

_ENDED_WELL: Final = (Job.State.DONE, Job.State.PROBLEMS)


@dataclass(frozen=True)
class KeptBudget:
    """The newest replay of a playbook: asked for, under way, failed, or done. `same` says that the playbook is still
    as it was then, `newest` that no later day has been published since."""

    job: Job | None
    same: bool = False
    newest: bool = False

    @property
    def waiting(self) -> bool:
        """Whether the worker is still at it."""
        return self.job is not None and self.job.state in WAITING

    @property
    def result(self) -> dict[str, Any] | None:
        """The budget as plain data, once it is there."""
        return self.job.result if self.job is not None and self.job.state in _ENDED_WELL else None

    @property
    def failed(self) -> str:
        """Why there is none, in words."""
        if self.job is None or self.waiting or self.result is not None:
            return ""
        return self.job.error or f"The replay was {self.job.get_state_display().lower()}."


def replayable(model: Model, playbook: str) -> bool:
    """Whether published days can tell when a playbook would have started."""
    return not isinstance(model.playbooks[playbook].trigger, EventTrigger | ManualTrigger)


def budget_of(workspace: Workspace, model: Model, playbook: str) -> KeptBudget:
    """What is known of a playbook's budget."""
    job = Job.objects.filter(kind=Job.Kind.BUDGET, arguments__playbook=playbook).order_by("-pk").first()
    if job is None:
        return KeptBudget(None)
    same = job.arguments.get("version") == playbook_version(model, playbook)
    return KeptBudget(job, same, job.as_of == workspace.snapshots.latest())


def budget_ask(who: Actor, workspace: Workspace, playbook: str, now: datetime) -> Job:
    """Ask for the replay of a playbook; one that is under way, or that says the same, is not made again."""
    model = current_model(workspace).model
    if playbook not in model.playbooks:
        raise WorkspaceError(f"There is no playbook '{playbook}' in the model.")
    if not replayable(model, playbook):
        raise WorkspaceError("It starts by hand or with an event, so the past says nothing about it.")
    kept = budget_of(workspace, model, playbook)
    if kept.job is not None and kept.same and kept.newest and (kept.waiting or kept.result is not None):
        return kept.job
    latest = workspace.snapshots.latest()
    arguments = {"playbook": playbook, "version": playbook_version(model, playbook), "days": DEFAULT_DAYS}
    key = f"{playbook[:60]} · {latest} · {now:%Y-%m-%d %H:%M:%S.%f}"
    return job_enqueue(who, kind=Job.Kind.BUDGET, key=key, now=now, as_of=latest, arguments=arguments)[0]


def share_of_one(capacity: int | None) -> int | None:
    """What each CSM can do of the team's week, in even shares; None without a capacity or without CSMs."""
    people = Person.objects.filter(role=Role.CSM, is_active=True).count()
    return max(1, capacity // people) if capacity and people else None


def run_budget(running: Running) -> Done:
    """The worker's part: replay the days and count by week and owner."""
    wanted, workspace = running.job.arguments, running.workspace

    def told(done: int, total: int) -> None:
        running.step(f"Replaying day {done} of {total}", done / total if total else 0.0)

    copies = copies_current(workspace)
    capacity = None if copies is None else weekly_capacity(model_of(workspace, copies).model)
    found = simulate_playbook(
        workspace,
        str(wanted["playbook"]),
        days=int(wanted.get("days", DEFAULT_DAYS)),
        as_of=running.job.as_of,
        capacity=capacity,
        progress=told,
    )
    counts = {"customers": found.customers, "runs": found.runs, "held out": found.held_out}
    return Done(counts, result=found.as_dict())
