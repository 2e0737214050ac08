"""A job as people read it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from keepwell.interfaces.workspace.templatetags.keepwell import day
from keepwell.model.words import counted, with_unit
from keepwell.services.team.job_requests import AGAIN
from keepwell.services.team.jobs import WAITING
from keepwell.store.models import Job

_COLORS: Final = {
    Job.State.QUEUED: "secondary",
    Job.State.RUNNING: "lime",
    Job.State.DONE: "green",
    Job.State.PROBLEMS: "yellow",
    Job.State.FAILED: "red",
    Job.State.CANCELLED: "secondary",
}
_IN_SHORT: Final = ("customers", "tasks opened", "days", "rows read", "rows quarantined", "rows loaded")
_MINUTE: Final = 60
_HOUR: Final = 3600


@dataclass(frozen=True)
class ShownJob:
    """A job with everything that pages say about it."""

    job: Job
    title: str
    color: str
    took: str
    percent: int
    active: bool
    can_cancel: bool
    can_repeat: bool
    in_short: str
    span: "Span | None"
    counts: tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class Span:
    """The days of a backfill, and how many of them were made; None while that is not known."""

    first: date
    last: date
    made: int | None

    @property
    def asked(self) -> int:
        """How many days it is about."""
        return (self.last - self.first).days + 1


def shown_job(job: Job, now: datetime) -> ShownJob:
    """A job in words; `now` is for how long it has been running."""
    active = job.state in WAITING
    span = _span(job)
    counts = tuple((_counted(name, span), value) for name, value in job.counts.items())
    return ShownJob(
        job=job,
        title=_title(job),
        color=_COLORS[Job.State(job.state)],
        took=_took(job, now),
        percent=round(job.progress * 100),
        active=active,
        can_cancel=active and not job.cancel_requested,
        can_repeat=job.state in AGAIN,
        in_short=_in_short(job),
        span=span,
        counts=counts,
    )


def _span(job: Job) -> Span | None:
    """The range of a backfill of several days; one day is said as a day."""
    if job.kind != Job.Kind.BACKFILL:
        return None
    try:
        first, last = (date.fromisoformat(str(job.arguments[name])) for name in ("first", "last"))
    except (KeyError, ValueError):
        return None
    made = job.counts.get("days")
    return Span(first, last, made if isinstance(made, int) else None) if first != last else None


def _counted(name: str, span: Span | None) -> str:
    """What was counted; of a range all but the number of days is of its last one."""
    if span is None:
        return name.capitalize()
    return "Days made" if name == "days" else f"{name.capitalize()} on the last day"


def _title(job: Job) -> str:
    if job.kind == Job.Kind.DAILY and job.as_of:
        return f"Daily run of {day(job.as_of)}"
    if job.kind == Job.Kind.BACKFILL and job.key.startswith("model-"):
        return f"Figures by version {job.key.split('-')[1]} of the model"
    if job.kind == Job.Kind.BACKFILL:
        return f"Backfill of {job.key.split(' · ')[0]}"
    if job.kind == Job.Kind.BUDGET:
        return f"Alert budget of {job.arguments.get('playbook', 'a playbook')}"
    if job.kind == Job.Kind.RETRY:
        return job.key.split(" · ")[0]
    return str(job.get_kind_display())


def _took(job: Job, now: datetime) -> str:
    if job.claimed_at is None or job.state == Job.State.QUEUED:
        return ""
    seconds = max(0.0, ((job.finished_at or now) - job.claimed_at).total_seconds())
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if job.finished_at else f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE)} s"
    return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE)} min"


def _in_short(job: Job) -> str:
    said = [with_unit(f"{job.counts[name]:,}", name) for name in _IN_SHORT if job.counts.get(name)]
    if job.warnings:
        said.append(counted(len(job.warnings), "warning"))
    return ", ".join(said)
