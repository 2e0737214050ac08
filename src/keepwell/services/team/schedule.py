"""When daily runs are due: a pure function of the settings, what is published, and the moment."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

CAUGHT_UP_DAYS: Final = 92
"""How far back missed days are computed; what lies before stays unpublished."""


@dataclass(frozen=True)
class DueRun:
    """A daily run that should have begun: for which day, and since when."""

    day: date
    due_at: datetime

    @property
    def key(self) -> str:
        """What makes the run of a day one and the same job for every worker."""
        return self.day.isoformat()


@dataclass(frozen=True)
class Gap:
    """Days to compute before a run: both ends included."""

    first: date
    last: date


def run_moment(day: date, run_time: time, zone: str) -> datetime:
    """When the run of a day begins, in UTC. A time that a clock change skips is the one as long after midnight."""
    return datetime.combine(day, run_time, ZoneInfo(zone)).astimezone(UTC)


def next_run(run_time: time, zone: str, now: datetime) -> datetime:
    """When the next daily run begins, in UTC."""
    today = now.astimezone(ZoneInfo(zone)).date()
    moment = run_moment(today, run_time, zone)
    return moment if moment > now else run_moment(today + timedelta(days=1), run_time, zone)


def due_run(*, run_time: time, zone: str, last_published: date | None, now: datetime) -> DueRun | None:
    """The newest daily run whose time has come; None when a later day is published already.

    Whether it took place is for the jobs to say: a run is due again and again, and happens once by its key. Runs that
    were missed before it have no tasks of their own to open any more: the run computes their days (`gap_before`).
    """
    day = now.astimezone(ZoneInfo(zone)).date()
    moment = run_moment(day, run_time, zone)
    if moment > now:
        day -= timedelta(days=1)
        moment = run_moment(day, run_time, zone)
    if last_published is not None and last_published > day:
        return None
    return DueRun(day, moment)


def gap_before(day: date, last_published: date | None) -> Gap | None:
    """The days to compute before the run of `day`: from the last published one, which was not over when it was run."""
    if last_published is None or last_published >= day:
        return None
    return Gap(max(last_published, day - timedelta(days=CAUGHT_UP_DAYS)), day - timedelta(days=1))
