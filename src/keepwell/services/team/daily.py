"""The daily run: sync, the missed days, the day itself, publishing, and what there is to do."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from keepwell.services.freshness import feed_ages, stale_feeds
from keepwell.services.published import copies_current, publish_copies
from keepwell.services.reading import read_published
from keepwell.services.runs import RunReport, backfill_days, run_day
from keepwell.services.team.alerting.days import open_from_day
from keepwell.services.team.housekeeping import tidy_up
from keepwell.services.team.jobs import Done
from keepwell.services.team.opportunities import open_opportunities_from_day
from keepwell.services.team.playing.contacts import contacts_arrived
from keepwell.services.team.playing.starts import start_from_day
from keepwell.services.team.running import Running
from keepwell.services.team.schedule import Gap, gap_before
from keepwell.services.team.seen_days import keep_day
from keepwell.services.team.segment_membership import refresh_segments, refresh_stored
from keepwell.services.team.support.day import support_from_day, tickets_arrived
from keepwell.services.team.surveys.daily import surveys_from_day
from keepwell.services.team.surveys.defined import surveys_of
from keepwell.services.team.sync import Synced, sync
from keepwell.services.team.tasks import open_tasks_from_run
from keepwell.services.workspace import Workspace
from keepwell.warehouse.storage import Warehouse

MOST_WARNINGS: Final = 100
NO_CUSTOMERS: Final = "There are no customers yet: put files into the inbox, or load them with 'keepwell load PATH'."


def run_daily(running: Running) -> Done:
    """Everything of a day; killed anywhere and begun again, it ends the same, and opens no task twice."""
    day = _day(running)
    synced = _sync(running.within(0, 0.3))
    if not _customers(running):
        return Done(_loaded(synced), (*synced.problems, NO_CUSTOMERS)[:MOST_WARNINGS], problems=True)
    caught_up = _catch_up(running.within(0.3, 0.6), day)
    running.step(f"Computing {day}", 0.6)
    report = _compute(running, day)
    running.step("Publishing what pages read", 0.8)
    publish_copies(running.workspace, on_wait=running.waits)
    refresh_stored(running.workspace, day - timedelta(days=caught_up + 1), day - timedelta(days=1), running.now())
    segments = refresh_segments(running.workspace, day, running.now())
    if running.workspace.snapshots.latest() == day:
        keep_day(running.workspace, day)
    counts = {
        **_loaded(synced),
        "days caught up": caught_up,
        **_computed(report),
        "workspace segments": segments,
        **_tasks(running, day),
        **_opportunities(running, day),
        **_answers(running),
        **_playbooks(running, day),
        **_alerts(running, day),
        **_support(running, day),
        **_surveys(running, day),
    }
    tidy_up(running.now())
    stale = _stale(running.workspace, day)
    warnings = (*synced.problems, *report.warnings)[:MOST_WARNINGS]
    return Done(counts, warnings, problems=bool(synced.problems or stale), result=_result(report))


def run_backfill(running: Running) -> Done:
    """A range of days; tasks are for daily runs alone."""
    first, last = (date.fromisoformat(running.job.arguments[name]) for name in ("first", "last"))
    reports = _backfill(running.within(0, 0.9), Gap(first, last))
    running.step("Publishing what pages read", 0.9)
    publish_copies(running.workspace, on_wait=running.waits)
    running.step("Looking who is in the workspace's segments", 0.95)
    refresh_stored(running.workspace, first, last, running.now())
    counts = {"days": len(reports), **_computed(reports[-1])}
    return Done(counts, reports[-1].warnings, result=_result(reports[-1]))


def run_load(running: Running) -> Done:
    """What waits is loaded and shown; figures follow with the next run."""
    synced = _sync(running.within(0, 0.8))
    if copies_current(running.workspace) is not None:
        running.step("Publishing what pages read", 0.8)
        publish_copies(running.workspace, on_wait=running.waits)
        running.step("Looking for patterns in tickets", 0.95)
        tickets_arrived(running.workspace, running.now())
    return Done(
        {**_loaded(synced), **_answers(running)}, synced.problems[:MOST_WARNINGS], problems=bool(synced.problems)
    )


def run_publish(running: Running) -> Done:
    """The copies that pages read, written anew where something changed."""
    running.step("Publishing what pages read")
    copies = publish_copies(running.workspace, on_wait=running.waits)
    return Done({"dates": len(copies.dates)})


def _day(running: Running) -> date:
    if running.job.as_of is not None:
        return running.job.as_of
    return _today(running)


def _today(running: Running) -> date:
    return running.now().astimezone(ZoneInfo(running.workspace.zone)).date()


def _sync(running: Running) -> Synced:
    running.step("Looking for new data")
    now, today = running.now(), _today(running)
    return sync(running.workspace, now=now, today=today, step=running.step, on_wait=running.waits)


def _customers(running: Running) -> bool:
    with running.workspace.warehouse("daily run", running.waits) as warehouse:
        return _any_customer(warehouse)


def _any_customer(warehouse: Warehouse) -> bool:
    return warehouse.connection.execute("SELECT 1 FROM customer_keys LIMIT 1").fetchone() is not None


def _catch_up(running: Running, day: date) -> int:
    """Compute the missed days and, once more, the last published one: it was not over when it was computed."""
    gap = gap_before(day, running.workspace.snapshots.latest())
    return len(_backfill(running, gap)) - 1 if gap else 0


def _backfill(running: Running, gap: Gap) -> Sequence[RunReport]:
    running.step(f"Computing {gap.first} to {gap.last}")
    return backfill_days(
        running.workspace,
        first=gap.first,
        last=gap.last,
        step=lambda _, done, total: running.step(f"Computing {gap.first} to {gap.last}", done / max(total, 1)),
        on_wait=running.waits,
    )


def _compute(running: Running, day: date) -> RunReport:
    """A day that lies before the current one is published without becoming the current one."""
    latest = running.workspace.snapshots.latest()
    if latest is not None and day < latest:
        return backfill_days(running.workspace, first=day, last=day, on_wait=running.waits)[-1]
    return run_day(running.workspace, as_of=day, on_wait=running.waits)


def _tasks(running: Running, day: date) -> dict[str, int]:
    """Tasks follow from the current day alone: those of an older one would be about what is no longer so."""
    if running.workspace.snapshots.latest() != day:
        return {}
    running.step("Opening tasks", 0.9)
    opened = open_tasks_from_run(running.workspace, as_of=day, now=running.now(), job=running.job)
    return {
        "tasks opened": opened.opened,
        "tasks kept": opened.kept,
        "tasks closed": opened.closed,
        "holds ended": opened.holds_ended,
    }


def _answers(running: Running) -> dict[str, int]:
    """Meetings and replies that came with the data; they are news on whatever day they are loaded."""
    return {"answers heard": contacts_arrived(running.workspace, running.now(), running.waits)}


def _playbooks(running: Running, day: date) -> dict[str, int]:
    """What the day starts and ends; the worker's next turns do it."""
    if running.workspace.snapshots.latest() != day:
        return {}
    running.step("Starting playbooks", 0.95)
    started = start_from_day(running.workspace, day, running.now())
    return {"playbooks called for": started.starts, "runs that hear of the day": started.heard}


def _opportunities(running: Running, day: date) -> dict[str, int]:
    """The pipeline follows from the current day alone, like tasks."""
    if running.workspace.snapshots.latest() != day:
        return {}
    opened = open_opportunities_from_day(running.workspace, day, running.now())
    return {"opportunities opened": opened.opened, "opportunities gone": opened.gone}


def _alerts(running: Running, day: date) -> dict[str, int]:
    """Alerts, too, are about the current day alone."""
    if running.workspace.snapshots.latest() != day:
        return {}
    found = open_from_day(running.workspace, day, running.now())
    return {"alerts opened": found.opened, "alerts resolved": found.resolved}


def _surveys(running: Running, day: date) -> dict[str, int]:
    """Who is asked after what happened until the current day."""
    if running.workspace.snapshots.latest() != day or not surveys_of(running.workspace):
        return {}
    running.step("Sending surveys", 0.97)
    with running.workspace.warehouse("surveys", running.waits) as warehouse:
        sent = surveys_from_day(running.workspace, warehouse, day, running.now())
    return {"people asked": sent.asked, "reminders": sent.reminded}


def _support(running: Running, day: date) -> dict[str, int]:
    """Patterns in tickets, too, are about the current day."""
    if running.workspace.snapshots.latest() != day:
        return {}
    running.step("Looking for patterns in tickets", 0.98)
    done = support_from_day(running.workspace, running.now())
    return {"tickets judged": done.judged, "escalations opened": done.opened}


def _stale(workspace: Workspace, day: date) -> bool:
    published = read_published(workspace, day)
    return bool(stale_feeds(feed_ages(published.model.model, day, published.about)))


def _loaded(synced: Synced) -> dict[str, Any]:
    return {"files loaded": synced.files, "rows read": synced.rows, "rows quarantined": synced.quarantined}


def _computed(report: RunReport) -> dict[str, Any]:
    return {"customers": report.customers, "churned": report.churned}


def _result(report: RunReport) -> dict[str, Any]:
    return {"as_of": report.as_of.isoformat(), "bands": report.bands, "segments": report.segments}
