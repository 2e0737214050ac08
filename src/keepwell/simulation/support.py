"""Tickets: how many, what about, in which tone, and how support answered."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from keepwell.simulation import support_words as say
from keepwell.simulation.accounts import LEAVES_AT
from keepwell.simulation.arrays import NEVER, Columns, Floats, Ints, customer_ids, ids, pick, pick_by_row, words
from keepwell.simulation.course import Course
from keepwell.simulation.staff import Staff
from keepwell.simulation.words import AGENTS, PLACES

BUG, REQUEST, HOW_TO, MONEY, SPEED, DATA, INTEGRATION, MOBILE = range(len(say.CATEGORIES))
USUAL: Final = np.array([0.20, 0.14, 0.22, 0.08, 0.08, 0.10, 0.08, 0.10])
TONE: Final = np.array([-0.35, 0.15, 0.2, -0.1, -0.35, -0.25, -0.15, -0.2])
LEVELS: Final = ("low", "medium", "high")
PRIORITY: Final = np.array([[4, 3, 2], [3, 2, 1], [2, 1, 0]])
"""By urgency (rows) and impact (columns)."""
SEVERITIES: Final = ("critical", "high", "normal", "normal", "low")
ANSWER_HOURS: Final = np.array([0.7, 1.5, 4.0, 8.0, 14.0])
SOLVE_HOURS: Final = np.array([6.0, 16.0, 34.0, 60.0, 90.0])
CHANNELS: Final = ("email", "web", "chat", "phone")
CHANNEL_SHARES: Final = (0.45, 0.3, 0.18, 0.07)


@dataclass(frozen=True, eq=False)
class Tickets:
    """Tickets sorted by time; times are day and second of the local day, hours run from there."""

    who: Ints
    day: Ints
    second: Ints
    category: Ints
    urgency: Ints
    impact: Ints
    sentiment: Floats
    rival: Ints
    person: Ints

    @property
    def priority(self) -> Ints:
        """0 is the most urgent."""
        return np.asarray(PRIORITY[self.urgency, self.impact], dtype=np.int64)


def ticket_rate(course: Course) -> Floats:
    """Expected tickets by day and customer."""
    people, day = course.people, np.arange(course.time.days)[:, None]
    health = np.clip(course.daily.health.astype(np.float64), -2.5, 2.5)
    rate = 0.55 / 30.0 * np.exp(-0.38 * health) * (people.seats / 10.0) ** 0.2
    rate = rate * np.where((day - people.start >= 0) & (day - people.start < 45), 1.7, 1.0)
    rate = rate * np.where(course.daily.owing, 1.6, 1.0)
    weekday = np.where(course.time.weekdays() < 5, 1.3, 0.25)[:, None]
    rate = rate * np.where(course.daily.near_renewal, 2.8, 1.0)
    return np.asarray(rate * (1.0 + 2.0 * _after_release(course)) * weekday * course.present())


def _after_release(course: Course) -> Floats:
    """Between 1 and 0: how fresh a bad release is for a customer it hit."""
    day = np.arange(course.time.days)[:, None]
    fresh = np.zeros((course.time.days, len(course.people)))
    for struck in course.shocks.day[:2]:
        since = day - struck
        fresh += np.where((since >= 0) & (since < 14), 1.0 - since / 14.0, 0.0)
    return np.minimum(fresh, 1.0)


def draw_tickets(course: Course, rng: np.random.Generator, staff: Staff) -> Tickets:
    """The tickets that were written."""
    habit = rng.gamma(1.5, 1 / 1.5, len(course.people))
    count = rng.poisson(ticket_rate(course) * habit)
    day, who = np.nonzero(count)
    repeat = count[day, who]
    day, who = np.repeat(day, repeat), np.repeat(who, repeat)
    second = (np.clip(rng.normal(12.5, 2.8, len(day)), 7.0, 20.0) * 3600).astype(np.int64)
    order = np.lexsort((who, second, day))
    day, who, second = day[order], who[order], second[order]
    category = pick_by_row(rng, _category_shares(course, day, who)) if len(day) else day
    health = course.daily.health[day, who].astype(np.float64)
    sentiment = np.tanh(0.35 * health + TONE[category] + 0.35 * rng.standard_normal(len(day)))
    worry = rng.random((2, len(day))) - 0.22 * sentiment
    return Tickets(
        who=who,
        day=day,
        second=second,
        category=category,
        urgency=np.digitize(worry[0], (0.45, 0.85)),
        impact=np.digitize(worry[1], (0.5, 0.9)),
        sentiment=np.round(sentiment, 2),
        rival=_rivals(course, rng, day, who),
        person=staff.someone(who, day, rng.random(len(day))),
    )


def _category_shares(course: Course, day: Ints, who: Ints) -> Floats:
    shares = np.tile(USUAL, (len(day), 1))
    shares[:, MONEY] += 0.6 * course.daily.owing[day, who]
    shares[:, HOW_TO] += 0.35 * (day - course.people.start[who] < 45)
    fresh = _after_release(course)[day, who]
    shares[:, BUG] += 0.5 * fresh
    shares[:, SPEED] += 0.3 * fresh
    shares[:, INTEGRATION] *= np.where(course.people.has_api[who], 2.5, 0.4)
    shares[:, REQUEST] *= np.where(course.people.growth[who] > 0, 1.8, 1.0)
    return shares


def _rivals(course: Course, rng: np.random.Generator, day: Ints, who: Ints) -> Ints:
    """Which competitor a ticket mentions: often while one calls on the customer, seldom otherwise."""
    called = day - course.shocks.competitor_called[who]
    chance = np.where((called >= 0) & (called < 60), 0.5, 0.01)
    named = rng.integers(0, len(say.COMPETITORS), len(day))
    return np.where(rng.random(len(day)) < chance, named, -1)


def ticket_rows(course: Course, rng: np.random.Generator, staff: Staff, tickets: Tickets, offset: int) -> Columns:
    """tickets.csv; what would happen after the window or after the customer left has not happened."""
    who, count, priority = tickets.who, len(tickets.who), tickets.priority
    subject, body = _texts(rng, tickets)
    answer_hours = ANSWER_HOURS[priority] * np.exp(0.7 * rng.standard_normal(count))
    solve_hours = answer_hours + SOLVE_HOURS[priority] * np.exp(0.8 * rng.standard_normal(count))
    created = course.time.moment(tickets.day, tickets.second)
    answered, solved = (_after(course, tickets, created, hours) for hours in (answer_hours, solve_hours))
    csat, comment = _csat(rng, tickets, solved, solve_hours)
    reopened = np.where(rng.random(count) < 0.06 - 0.05 * tickets.sentiment, 1, 0)
    return {
        "ticket_id": ids("t-%06d", np.arange(count) + offset + 1),
        "customer_id": customer_ids(course.people.number[who]),
        "person_id": ids("p-%06d", staff.number[tickets.person]),
        "subject": subject,
        "body": body,
        "category": words(say.CATEGORIES, tickets.category),
        "type": words(say.TYPES, tickets.category),
        "urgency": words(LEVELS, tickets.urgency),
        "impact": words(LEVELS, tickets.impact),
        "priority": ids("P%d", priority),
        "severity": words(SEVERITIES, priority),
        "status": np.where(np.isnat(solved), np.where(np.isnat(answered), "new", "open"), "solved").astype(object),
        "channel": words(CHANNELS, pick(rng, CHANNEL_SHARES, count)),
        "assignee": words(AGENTS, rng.integers(0, len(AGENTS), count)),
        "is_escalated": (priority <= 1) & (tickets.sentiment < -0.4),
        "reopen_count": reopened,
        "sentiment": tickets.sentiment,
        "csat": csat,
        "csat_comment": comment,
        "created_at": created,
        "first_response_at": answered,
        "resolved_at": solved,
        "tags": _tags(tickets),
    }


def _after(course: Course, tickets: Tickets, created: NDArray[Any], hours: Floats) -> NDArray[Any]:
    """The moment some hours later, if that was in the window and before the customer left."""
    moment = created + (hours * 3600).astype("timedelta64[s]")
    left = course.exited[tickets.who]
    gone = np.where(left < NEVER, course.time.moment(left, LEAVES_AT), course.time.closes)
    return np.where(moment < gone, moment, np.datetime64("NaT", "s"))


def _csat(
    rng: np.random.Generator, tickets: Tickets, solved: NDArray[Any], hours: Floats
) -> tuple[Floats, NDArray[Any]]:
    """Ratings of solved tickets: the tone of the ticket, less for a slow solution."""
    count = len(hours)
    rating = 4.0 + 1.2 * tickets.sentiment - 0.35 * np.log(hours / 24.0) + 0.6 * rng.standard_normal(count)
    given = ~np.isnat(solved) & (rng.random(count) < 0.45)
    csat = np.where(given, np.clip(np.rint(rating), 1, 5), np.nan)
    spoken = given & (rng.random(count) < 0.4)
    return csat, chosen_comment(rng, say.CSAT_COMMENTS, np.digitize(rating, (2.5, 3.5)), spoken)


def chosen_comment(
    rng: np.random.Generator, comments: tuple[tuple[str, ...], ...], tone: NDArray[Any], spoken: NDArray[Any]
) -> NDArray[Any]:
    """A comment in the tone of the answer, where one was given."""
    draws = rng.random(len(tone)).tolist()
    found = [
        comments[t][int(d * len(comments[t]))] if s else None
        for t, d, s in zip(tone.tolist(), draws, spoken.tolist(), strict=True)
    ]
    return np.array(found, dtype=object)


def _tags(tickets: Tickets) -> NDArray[Any]:
    tags = [["negative"] if s < -0.4 else [] for s in tickets.sentiment.tolist()]
    told = [[*t, "competitor"] if r >= 0 else t for t, r in zip(tags, tickets.rival.tolist(), strict=True)]
    return np.array([",".join(t) or None for t in told], dtype=object)


def _texts(rng: np.random.Generator, tickets: Tickets) -> tuple[NDArray[Any], NDArray[Any]]:
    draws = rng.random((len(tickets.who), 6))
    tone = np.digitize(tickets.sentiment, (-0.25, 0.3))
    told = [
        _letter(say.CATEGORIES[c], t, r, d)
        for c, t, r, d in zip(
            tickets.category.tolist(), tone.tolist(), tickets.rival.tolist(), draws.tolist(), strict=True
        )
    ]
    return np.array([t[0] for t in told], dtype=object), np.array([t[1] for t in told], dtype=object)


def _letter(category: str, tone: int, rival: int, draws: list[float]) -> tuple[str, str]:
    """Subject and body of one ticket."""

    def choose(choices: tuple[Any, ...], draw: float) -> Any:
        return choices[int(draw * len(choices))]

    subject, core = choose(say.TEMPLATES[category], draws[0])
    area = choose(say.AREAS, draws[1])
    slots = {"area": area, "Area": area.capitalize(), "n": 3 + int(draws[2] * 40), "city": choose(PLACES, draws[3])[1]}
    lines = [choose(say.OPENINGS[tone], draws[4]), core, choose(say.CLOSINGS[tone], draws[5])]
    if rival >= 0:
        lines.insert(2, choose(say.COMPETITOR_LINES, draws[5]).format(rival=say.COMPETITORS[rival]))
    return subject.format(**slots), " ".join(lines).format(**slots)
