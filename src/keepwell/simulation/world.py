"""`simulate_world`: a directory of canonical tables about customers who do not exist, and the truth about them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from keepwell.simulation.accounts import agency_names, customer_rows
from keepwell.simulation.activity import (
    DEVICES,
    EVENT_FEATURES,
    EVENT_NAMES,
    Sessions,
    draw_sessions,
    event_batch,
    session_batch,
)
from keepwell.simulation.arrays import stream
from keepwell.simulation.billing import (
    change_rows,
    invoice_rows,
    payment_rows,
    subscription_rows,
    terms_of,
    with_opening,
)
from keepwell.simulation.course import Course, run_course
from keepwell.simulation.files import WorldFiles
from keepwell.simulation.milestones import milestone_rows
from keepwell.simulation.population import populate
from keepwell.simulation.service import service_rows
from keepwell.simulation.shocks import WorldEvents, draw_shocks, draw_world_events
from keepwell.simulation.staff import Staff, hire, people_rows
from keepwell.simulation.support import draw_tickets, ticket_rows
from keepwell.simulation.timeline import Timeline, timeline
from keepwell.simulation.truth import DAILY_ORDER, DAILY_SELECT, daily_batch, truth_readme, truth_rows
from keepwell.simulation.voice import interaction_rows, survey_rows
from keepwell.warehouse.tables import TABLES

CHUNK: Final = 1000
"""Customers simulated at a time, which bounds the memory that a world of any size needs."""
FEWEST_DAYS: Final = 7
WORLD: Final = -1
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class WorldSummary:
    """What was written: rows per table, the directory, and where the truth is."""

    out: Path
    truth: Path
    counts: MappingProxyType[str, int]


def simulate_world(
    *,
    out: Path,
    customers: int,
    days: int,
    end: date,
    seed: int,
    zone: str = "UTC",
    progress: Progress | None = None,
) -> WorldSummary:
    """Simulate `customers` agencies over the `days` days up to and with `end`, and write all tables to `out`.

    The same arguments give the same bytes. `progress` is told ("customers", done, total) as the work goes on.
    Raises `ValueError` for fewer than one customer, fewer than seven days or a negative seed.
    """
    if customers < 1 or days < FEWEST_DAYS or seed < 0:
        raise ValueError(f"needs at least 1 customer, {FEWEST_DAYS} days and a seed of 0 or more")
    out.mkdir(parents=True, exist_ok=True)
    time = timeline(end, days, zone)
    world = draw_world_events(stream(seed, 0, "world"), time)
    with WorldFiles(out) as files:
        files.add_csv("service_metrics", service_rows(stream(seed, 0, "service"), world, time))
        for chunk, first in enumerate(range(1, customers + 1, CHUNK)):
            count = min(CHUNK, customers + 1 - first)
            _write_chunk(files, seed, chunk, live(seed, chunk, first, count, world, time))
            if progress:
                progress("customers", first + count - 1, customers)
    truth = out / "truth"
    (truth / "README.md").write_text(truth_readme(time, world, seed), encoding="utf-8")
    tables = {name: rows for name, rows in sorted(files.counts.items()) if name in TABLES}
    return WorldSummary(out=out, truth=truth, counts=MappingProxyType(tables))


def live(seed: int, chunk: int, first: int, count: int, world: WorldEvents, time: Timeline) -> Course:
    """Draw some customers and live through the window with them."""
    people = populate(stream(seed, chunk, "people"), first, count, time)
    shocks = draw_shocks(stream(seed, chunk, "shocks"), people, world, time)
    return run_course(seed, chunk, people, shocks, world, time)


def _write_chunk(files: WorldFiles, seed: int, chunk: int, course: Course) -> None:
    counts = files.counts
    shift = int(stream(seed, 0, "names").integers(0, 1_000_000))
    staff = hire(course, stream(seed, chunk, "staff"), counts["staff"])
    counts["staff"] += len(staff.who)
    files.add_csv("customers", customer_rows(course, shift))
    _write_contracts(files, seed, chunk, course)
    drawn = draw_tickets(course, stream(seed, chunk, "tickets"), staff)
    tickets = ticket_rows(course, stream(seed, chunk, "letters"), staff, drawn, counts["tickets"])
    files.add_csv("tickets", tickets)
    voice, touch, growth = (stream(seed, chunk, name) for name in ("surveys", "interactions", "milestones"))
    files.add_csv("survey_responses", survey_rows(course, voice, staff, tickets, counts["survey_responses"]))
    files.add_csv("interactions", interaction_rows(course, touch, staff, counts["interactions"]))
    files.add_csv("milestones", milestone_rows(course, growth, staff, counts["milestones"]))
    sessions = draw_sessions(course, stream(seed, chunk, "sessions"), staff, counts["sessions"])
    _write_activity(files, seed, chunk, course, staff, sessions)
    names = agency_names(course.people.number, shift)
    files.add_csv("people", people_rows(course, staff, names, _last_seen(course, staff, sessions)))
    files.add_csv("truth/customers", truth_rows(course))
    files.add_parquet("truth/daily", daily_batch(course), DAILY_SELECT, DAILY_ORDER)


def _write_contracts(files: WorldFiles, seed: int, chunk: int, course: Course) -> None:
    terms, counts = terms_of(course), files.counts
    invoices, invoiced = with_opening(course), counts["invoices"]
    rng = stream(seed, chunk, "payments")
    files.add_csv("subscriptions", subscription_rows(course, terms))
    files.add_csv("subscription_changes", change_rows(course, terms, counts["subscription_changes"]))
    files.add_csv("invoices", invoice_rows(course, terms, invoices, invoiced))
    files.add_csv("payments", payment_rows(course, rng, invoices, counts["payments"], invoiced))


def _write_activity(files: WorldFiles, seed: int, chunk: int, course: Course, staff: Staff, sessions: Sessions) -> None:
    events = event_batch(course, seed, chunk, sessions, staff, files.counts["events"])
    files.add_parquet("events", events, EVENTS_SELECT, "occurred_at, event_id")
    files.add_parquet("sessions", session_batch(course, sessions, staff), SESSIONS_SELECT, "started_at, session_id")


def _last_seen(course: Course, staff: Staff, sessions: Sessions) -> NDArray[Any]:
    """When each person last used the product."""
    last = np.full(len(staff.who), -1)
    np.maximum.at(last, sessions.person, np.arange(len(sessions.who)))
    moments = np.append(course.time.moment(sessions.day, sessions.second), np.datetime64("NaT", "s"))
    return np.asarray(moments[last])


def _key(prefix: str, column: str, width: int) -> str:
    return f"CASE WHEN {column} >= 0 THEN printf('{prefix}%0{width}d', {column}) END"


def _word(choices: tuple[str | None, ...], column: str) -> str:
    listed = ", ".join("NULL" if c is None else f"'{c}'" for c in choices)
    return f"CAST([{listed}][{column}] AS VARCHAR)"


EVENTS_SELECT: Final = (
    f"SELECT {_key('e-', 'event', 9)} AS event_id, {_key('c-', 'customer', 5)} AS customer_id,"  # noqa: S608 - constants
    f" {_key('p-', 'person', 6)} AS person_id, {_word(EVENT_NAMES, 'code')} AS name,"
    f" {_word(EVENT_FEATURES, 'code')} AS feature, {_key('s-', 'session', 9)} AS session_id,"
    " CAST(moment AS TIMESTAMP) AS occurred_at, value FROM batch"
)
SESSIONS_SELECT: Final = (
    f"SELECT {_key('s-', 'session', 9)} AS session_id, {_key('c-', 'customer', 5)} AS customer_id,"  # noqa: S608
    f" {_key('p-', 'person', 6)} AS person_id, CAST(moment AS TIMESTAMP) AS started_at,"
    f" duration AS duration_seconds, actions AS action_count, {_word(DEVICES, 'device')} AS device FROM batch"
)
