"""Sessions and events: what latent health and habits look like in the product."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from keepwell.simulation.arrays import Bools, Columns, Floats, Ints, stream
from keepwell.simulation.course import Course
from keepwell.simulation.population import MISSING, TRIAL
from keepwell.simulation.process import STUCK, usage_gate
from keepwell.simulation.staff import Staff
from keepwell.simulation.timeline import BEFORE

ACTIONS: Final = (
    ("feature_used", "listings", 1.8),
    ("feature_used", "leads", 1.6),
    ("dashboard_viewed", "dashboard", 1.4),
    ("feature_used", "calendar", 1.2),
    ("photo_uploaded", "photos", 1.1),
    ("task_completed", "tasks", 1.1),
    ("feature_used", "documents", 0.9),
    ("feature_used", "campaigns", 0.7),
    ("feature_used", "reports", 0.6),
    ("ticket_handled", "queue", 0.4),
    ("ticket_approved", "approval_queue", 0.2),
    ("kb_updated", "knowledge_base", 0.0),
    ("feature_used", "automation", -0.2),
    ("feature_used", "integrations", -0.3),
)
"""What people do, with the feature it counts for and how early customers take it up."""
EXTRAS: Final = (
    ("login", None),
    ("app_open", None),
    ("doc_viewed", None),
    ("invite_sent", "team"),
    ("api_call", "api"),
    ("plan_usage", None),
)
LOGIN, APP_OPEN, DOC_VIEWED, INVITE_SENT, API_CALL, PLAN_USAGE = range(len(ACTIONS), len(ACTIONS) + len(EXTRAS))
EVENT_NAMES: Final = tuple(a[0] for a in ACTIONS) + tuple(e[0] for e in EXTRAS)
EVENT_FEATURES: Final = tuple(a[1] for a in ACTIONS) + tuple(e[1] for e in EXTRAS)
DEVICES: Final = ("web", "ios", "android")
DEVICE_SHARES: Final = (0.68, 0.2, 0.12)
WEEK: Final = np.array([1.15, 1.15, 1.1, 1.1, 1.0, 0.55, 0.3])
ACTIONS_PER_SESSION: Final = 3.1
METERED_AT: Final = 4 * 3600
CALLED_AT: Final = 3 * 3600
NOBODY: Final = -1


@dataclass(frozen=True, eq=False)
class Sessions:
    """Sessions sorted by day; `second` is local, `gap` the seconds between two actions."""

    who: Ints
    day: Ints
    second: Ints
    person: Ints
    device: Ints
    actions: Ints
    gap: Floats
    number: Ints


def intensity(course: Course) -> Floats:
    """Expected sessions by day and customer."""
    people, day = course.people, np.arange(course.time.days)[:, None]
    gate = usage_gate(course.daily.health.astype(np.float64))
    age = np.maximum(day - people.start, 0)
    ramp = np.clip((age + 5) / 30.0, 0.4, 1.0)
    fading = np.where(people.archetype == STUCK, 1.6 * np.exp(-age / 5.0) + 0.04, ramp)
    year = 2 * np.pi * (course.time.dates[day + BEFORE].astype(np.int64) % 365) / 365.0
    season = 1.0 + people.season * np.sin(year)
    grown = np.exp(np.clip(people.growth * np.maximum(day - np.maximum(people.start, 0), 0) / 30.0, 0.0, 0.6))
    week = WEEK[course.time.weekdays()][:, None]
    feed = people.missing != MISSING.index("product_feed")
    return np.asarray(people.sessions * gate * fading * season * grown * week * feed * course.present())


def draw_sessions(course: Course, rng: np.random.Generator, staff: Staff, offset: int) -> Sessions:
    """The sessions that took place."""
    expected = intensity(course) * rng.gamma(3.0, 1 / 3.0, course.daily.health.shape)
    day, who = np.nonzero(expected > 0)
    count = rng.poisson(expected[day, who])
    day, who = np.repeat(day, count), np.repeat(who, count)
    rows = len(day)
    maturity = course.daily.health[day, who].astype(np.float64)
    actions = 1 + rng.poisson(ACTIONS_PER_SESSION * (0.45 + 0.65 * usage_gate(maturity)), rows)
    return Sessions(
        who=who,
        day=day,
        second=(np.clip(rng.normal(13.0, 3.0, rows), 6.5, 21.5) * 3600).astype(np.int64),
        person=staff.someone(who, day, rng.random(rows)),
        device=np.searchsorted(np.cumsum(DEVICE_SHARES)[:-1], rng.random(rows), side="right"),
        actions=actions,
        gap=np.exp(rng.normal(4.1, 0.5, rows)),
        number=np.arange(rows) + offset + 1,
    )


def session_batch(course: Course, sessions: Sessions, staff: Staff) -> Columns:
    """Sessions as codes, for the SQL that writes them."""
    return {
        "session": sessions.number,
        "customer": course.people.number[sessions.who],
        "person": staff.number[sessions.person],
        "moment": course.time.moment(sessions.day, sessions.second),
        "duration": ((sessions.actions + 0.5) * sessions.gap).astype(np.int64),
        "actions": sessions.actions,
        "device": sessions.device + 1,
    }


def event_batch(course: Course, seed: int, chunk: int, sessions: Sessions, staff: Staff, offset: int) -> Columns:
    """All events as codes, for the SQL that writes them."""
    rng = stream(seed, chunk, "events")
    parts = [
        _logins(sessions),
        _extra(sessions, np.flatnonzero(sessions.device > 0), APP_OPEN, 1),
        _actions(course, rng, sessions),
        _extra(sessions, np.flatnonzero(rng.random(len(sessions.who)) < _help_rate(course, sessions)), DOC_VIEWED, 25),
        _extra(sessions, np.flatnonzero(rng.random(len(sessions.who)) < 0.008), INVITE_SENT, 40),
        _api_calls(course, rng),
        _metered(course, rng),
    ]
    told = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    session = told["session"]
    of = np.maximum(session, 0)
    person = np.where(session >= 0, staff.number[sessions.person[of]] if len(sessions.who) else 0, NOBODY)
    return {
        "event": np.arange(len(session)) + offset + 1,
        "customer": course.people.number[told["who"]],
        "person": person,
        "code": told["code"] + 1,
        "session": np.where(session >= 0, sessions.number[of] if len(sessions.who) else 0, NOBODY),
        "moment": course.time.moment(told["day"], told["second"]),
        "value": np.ma.masked_invalid(told["value"]),
    }


def _part(who: Ints, day: Ints, second: Ints, code: Ints, session: Ints, value: Floats | None = None) -> Columns:
    empty = np.full(len(who), np.nan)
    known = empty if value is None else value
    return {"who": who, "day": day, "second": second, "code": code, "session": session, "value": known}


def _logins(sessions: Sessions) -> Columns:
    rows = np.arange(len(sessions.who))
    return _part(sessions.who, sessions.day, sessions.second, np.full(len(rows), LOGIN), rows)


def _extra(sessions: Sessions, rows: Ints, code: int, after: int) -> Columns:
    second = sessions.second[rows] + after
    return _part(sessions.who[rows], sessions.day[rows], second, np.full(len(rows), code), rows)


def _help_rate(course: Course, sessions: Sessions) -> Floats:
    """Help pages are read by the new and by the unhappy."""
    new = sessions.day - course.people.start[sessions.who] < 40
    rate = np.where(new, 0.35, 0.05) + 0.05 * (course.daily.health[sessions.day, sessions.who] < -1.0)
    return np.asarray(rate, dtype=np.float64)


def _actions(course: Course, rng: np.random.Generator, sessions: Sessions) -> Columns:
    rows = np.repeat(np.arange(len(sessions.who)), sessions.actions)
    first = np.cumsum(sessions.actions) - sessions.actions
    step = np.arange(len(rows)) - first[rows] + 1
    who, day = sessions.who[rows], sessions.day[rows]
    breadth = _breadth(course, sessions)[rows]
    rank = np.floor(breadth * rng.random(len(rows)) ** 1.5).astype(np.int64)
    code = _repertoire(course, rng)[who, rank]
    second = sessions.second[rows] + (step * sessions.gap[rows]).astype(np.int64)
    return _part(who, day, second, code, rows)


def _breadth(course: Course, sessions: Sessions) -> Ints:
    """How many features are in use on a day: newcomers and the unhappy use fewer."""
    people = course.people
    age = sessions.day - people.start[sessions.who]
    learned = np.clip(0.4 + age / 60.0, 0.0, 1.0)
    health = course.daily.health[sessions.day, sessions.who].astype(np.float64)
    used = people.breadth[sessions.who] * learned * (0.4 + 0.6 * usage_gate(health))
    narrow: Bools = people.archetype[sessions.who] == STUCK
    return np.where(narrow, 1, np.clip(np.rint(used), 1, len(ACTIONS))).astype(np.int64)


def _repertoire(course: Course, rng: np.random.Generator) -> Ints:
    """The order in which each customer takes up features."""
    liking = np.array([weight for _, _, weight in ACTIONS])
    return np.argsort(-(liking + rng.gumbel(0.0, 0.6, (len(course.people), len(ACTIONS)))), axis=1)


def _api_calls(course: Course, rng: np.random.Generator) -> Columns:
    """One event a working day with the number of calls of the customer's programs."""
    weekday = course.time.weekdays()[:, None] < 5
    feed = course.people.missing != MISSING.index("product_feed")
    day, who = np.nonzero(course.present() & weekday & (course.people.has_api & feed))
    pace = 15.0 * np.sqrt(course.people.seats[who]) * usage_gate(course.daily.health[day, who].astype(np.float64))
    calls = rng.poisson(pace).astype(np.float64)
    told = np.flatnonzero(calls > 0)
    nobody = np.full(len(told), NOBODY)
    code, second = np.full(len(told), API_CALL), np.full(len(told), CALLED_AT)
    return _part(who[told], day[told], second, code, nobody, calls[told])


def _metered(course: Course, rng: np.random.Generator) -> Columns:
    """Metered use of the week before, told every Monday."""
    monday = course.time.weekdays()[:, None] == 0
    feed = course.people.missing != MISSING.index("product_feed")
    day, who = np.nonzero(course.present() & monday & feed & (course.people.kind < TRIAL))
    month = course.daily.utilisation[day, who].astype(np.float64) * course.daily.limit[day, who]
    value = np.rint(month * 7 / 30.4 * rng.uniform(0.85, 1.15, len(day)))
    nobody, code = np.full(len(day), NOBODY), np.full(len(day), PLAN_USAGE)
    return _part(who, day, np.full(len(day), METERED_AT), code, nobody, value)
