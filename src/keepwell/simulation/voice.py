"""What customers say when asked and how they answer: surveys, calls, meetings and e-mails."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from keepwell.simulation import support_words as say
from keepwell.simulation.arrays import NEVER, Columns, Floats, Ints, customer_ids, ids, words
from keepwell.simulation.course import Course
from keepwell.simulation.population import MISSING
from keepwell.simulation.staff import DECISION_MAKER, Staff
from keepwell.simulation.support import chosen_comment
from keepwell.simulation.words import OWNERS

ASKED_AT: Final = 10 * 3600
NPS_EVERY: Final = 90
ASKED_PEOPLE: Final = 4
MAILS: Final = 0.9
"""E-mails from the CSM in 30 days."""
HOUR: Final = np.timedelta64(3600, "s")


def survey_rows(course: Course, rng: np.random.Generator, staff: Staff, tickets: Columns, offset: int) -> Columns:
    """survey_responses.csv: NPS every quarter, CSAT with tickets, effort after onboarding; sorted by time."""
    parts = [_nps(course, rng, staff), _effort(course, rng, staff), _csat(course, tickets)]
    told = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    silent = customer_ids(course.people.number[course.people.missing == MISSING.index("surveys")])
    kept = np.flatnonzero(
        ~np.isnat(told["responded_at"]) & ~np.isin(told["customer_id"].astype(str), silent.astype(str))
    )
    kept = kept[np.argsort(told["responded_at"][kept], kind="stable")]
    key: Columns = {"response_id": ids("r-%06d", np.arange(len(kept)) + offset + 1)}
    return key | {name: values[kept] for name, values in told.items()}


def _nps(course: Course, rng: np.random.Generator, staff: Staff) -> Columns:
    """Up to four people of a customer are asked every 90 days; about a third answers."""
    phase = rng.integers(0, NPS_EVERY, len(course.people))
    age = np.arange(course.time.days)[:, None] - course.people.start
    asked = course.present() & (age > 21) & ((age + phase) % NPS_EVERY == 0)
    day, who = np.nonzero(asked)
    day, who = np.repeat(day, ASKED_PEOPLE), np.repeat(who, ASKED_PEOPLE)
    person = staff.someone(who, day, rng.random(len(day)))
    twice = np.r_[False, (who[1:] == who[:-1]) & (person[1:] == person[:-1])] if len(who) else who.astype(bool)
    answers = np.flatnonzero((rng.random(len(day)) < 0.33) & ~twice)
    day, who, person = day[answers], who[answers], person[answers]
    feeling = course.daily.health[day, who] + 0.8 * rng.standard_normal(len(day))
    score = np.clip(np.rint(7.7 + 1.5 * feeling), 0, 10)
    spoken = rng.random(len(day)) < 0.55
    comment = chosen_comment(rng, say.NPS_COMMENTS, np.digitize(score, (6.5, 8.5)), spoken)
    return _answers(course, rng, staff, who, day, person, "nps", score, comment)


def _effort(course: Course, rng: np.random.Generator, staff: Staff) -> Columns:
    """One effort score when onboarding is over: 7 is easy."""
    people = course.people
    done = people.start + people.onboarding_days
    inside = (done >= 0) & (done < course.time.days) & (done < course.exited) & people.uses_product
    who = np.flatnonzero(inside & (rng.random(len(people)) < 0.5))
    day = done[who]
    score = np.clip(np.rint(5.2 + course.daily.health[day, who] + 0.7 * rng.standard_normal(len(who))), 1, 7)
    comment = chosen_comment(rng, say.CES_COMMENTS, np.digitize(score, (3.5, 5.5)), rng.random(len(who)) < 0.5)
    return _answers(course, rng, staff, who, day, staff.first[who], "ces", score, comment)


def _answers(
    course: Course,
    rng: np.random.Generator,
    staff: Staff,
    who: Ints,
    day: Ints,
    person: Ints,
    survey: str,
    score: Floats,
    comment: NDArray[Any],
) -> Columns:
    sent = course.time.moment(day, ASKED_AT)
    wait = np.minimum(rng.exponential(20.0, len(who)), 200.0) * 3600
    responded = sent + wait.astype("timedelta64[s]")
    return {
        "customer_id": customer_ids(course.people.number[who]),
        "person_id": ids("p-%06d", staff.number[person]),
        "ticket_id": np.full(len(who), None, dtype=object),
        "survey": np.full(len(who), survey, dtype=object),
        "score": np.asarray(score, dtype=np.float64),
        "comment": comment,
        "sent_at": sent,
        "responded_at": _if_still_here(course, who, responded),
    }


def _if_still_here(course: Course, who: Ints, moment: NDArray[Any]) -> NDArray[Any]:
    left = course.exited[who]
    gone = np.where(left < NEVER, course.time.moment(left), course.time.closes)
    return np.where(moment < gone, moment, np.datetime64("NaT", "s"))


def _csat(course: Course, tickets: Columns) -> Columns:
    """Ratings of tickets, once more as survey responses."""
    rated = np.flatnonzero(~np.isnan(tickets["csat"]))
    solved = tickets["resolved_at"][rated]
    return {
        "customer_id": tickets["customer_id"][rated],
        "person_id": tickets["person_id"][rated],
        "ticket_id": tickets["ticket_id"][rated],
        "survey": np.full(len(rated), "csat", dtype=object),
        "score": tickets["csat"][rated],
        "comment": tickets["csat_comment"][rated],
        "sent_at": solved,
        "responded_at": solved,
    }


def interaction_rows(course: Course, rng: np.random.Generator, staff: Staff, offset: int) -> Columns:
    """interactions.csv: the calls and meetings of the hidden process, and e-mails; sorted by time."""
    parts = [_touches(course, rng, staff), _mails(course, rng, staff)]
    told = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    kept = np.flatnonzero(~np.isnat(told["occurred_at"]))
    kept = kept[np.argsort(told["occurred_at"][kept], kind="stable")]
    key: Columns = {"interaction_id": ids("i-%06d", np.arange(len(kept)) + offset + 1)}
    return key | {name: values[kept] for name, values in told.items()}


def _touches(course: Course, rng: np.random.Generator, staff: Staff) -> Columns:
    touches = course.touches
    who, day = touches["who"], touches["day"]
    kept = np.flatnonzero(day < course.exited[who])
    who, day = who[kept], day[kept]
    executive = touches["executive"][kept]
    leader = staff.with_role(who, day, DECISION_MAKER)
    person = np.where(executive, leader, staff.someone(who, day, rng.random(len(who))))
    second = rng.integers(9 * 4, 17 * 4, len(who)) * 900
    at = course.time.moment(day, second)
    completed = touches["outcome"][kept] == "completed"
    mood = np.tanh(0.5 * touches["health"][kept] + 0.3 * rng.standard_normal(len(who)))
    return {
        "customer_id": customer_ids(course.people.number[who]),
        "person_id": ids("p-%06d", staff.number[person]),
        "kind": touches["kind"][kept],
        "direction": words(("outbound", "inbound"), (rng.random(len(who)) < 0.2).astype(np.int64)),
        "owner_email": _owners(course, who, day),
        "with_executive": executive,
        "occurred_at": at,
        "outcome": touches["outcome"][kept],
        "responded_at": np.where(completed, at, np.datetime64("NaT", "s")),
        "sentiment": np.where(completed, np.round(mood, 2), np.nan),
    }


def _mails(course: Course, rng: np.random.Generator, staff: Staff) -> Columns:
    """E-mails of the CSM; the content answer sooner and more often."""
    working = (course.time.weekdays() < 5)[:, None] & course.present()
    day, who = np.nonzero(working & (rng.random(course.daily.health.shape) < MAILS / 21.0))
    health = course.daily.health[day, who].astype(np.float64)
    at = course.time.moment(day, rng.integers(8 * 60, 18 * 60, len(day)) * 60)
    wait = (rng.exponential(16.0, len(day)) * 3600).astype("timedelta64[s]") + HOUR
    answers = rng.random(len(day)) < 1.0 / (1.0 + np.exp(-(0.1 + 0.8 * health)))
    reply = _if_still_here(course, who, at + wait)
    bounced = rng.random(len(day)) < 0.01
    return {
        "customer_id": customer_ids(course.people.number[who]),
        "person_id": ids("p-%06d", staff.number[staff.someone(who, day, rng.random(len(day)))]),
        "kind": np.full(len(day), "email", dtype=object),
        "direction": np.full(len(day), "outbound", dtype=object),
        "owner_email": _owners(course, who, day),
        "with_executive": np.zeros(len(day), np.bool_),
        "occurred_at": at,
        "outcome": np.where(bounced, "bounced", "completed").astype(object),
        "responded_at": np.where(answers & ~bounced, reply, np.datetime64("NaT", "s")),
        "sentiment": np.full(len(day), np.nan),
    }


def _owners(course: Course, who: Ints, day: Ints) -> NDArray[Any]:
    handed = course.people.handover[who] <= day
    return words(OWNERS, np.where(handed, 1 - course.people.owner[who], course.people.owner[who]))
