"""Milestones: onboarding, training, certification, integrations, wishes, advocacy and goals."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from keepwell.simulation.arrays import NEVER, Columns, Floats, Ints, customer_ids, ids, sigmoid, words
from keepwell.simulation.course import Course
from keepwell.simulation.process import STUCK
from keepwell.simulation.staff import Staff

STARTS_AT: Final = 8 * 3600 + 1800
ENDS_AT: Final = 16 * 3600


@dataclass(frozen=True)
class Plan:
    """How often a kind of milestone begins (per 30 days, at health 0), how health moves that, how long it takes."""

    kind: str
    names: tuple[str, ...]
    monthly: float
    by_health: float
    days: float
    finishes: float
    due_days: int = 0
    goal_value: float = 0.0


PLANS: Final = (
    Plan("training", ("Listings basics", "Lead handling", "Campaigns", "Reporting"), 0.30, 0.2, 12, 0.8, 30),
    Plan("certification", ("Certified administrator", "Certified agent"), 0.05, 0.4, 25, 0.7, 60),
    Plan("integration", ("Portal sync", "Calendar sync", "Accounting export", "Website widget"), 0.08, 0.3, 15, 0.85),
    Plan("feature_request", ("Bulk edit", "Offline mode", "Custom reports", "Map search"), 0.18, 0.15, 70, 0.35),
    Plan("referral", ("Referred an agency",), 0.03, 0.9, 20, 0.7),
    Plan("community", ("Forum post", "Webinar attended", "Answered a question"), 0.12, 0.6, 1, 1.0),
    Plan("case_study", ("Case study",), 0.008, 1.1, 40, 0.6),
    Plan("goal", ("More viewings", "Faster replies", "Paperless contracts"), 0.06, 0.3, 60, 0.65, 90, 1.0),
)
STEPS: Final = (("kickoff", 0.1), ("data_import", 0.4), ("team_setup", 0.7), ("go_live", 1.0))


def milestone_rows(course: Course, rng: np.random.Generator, staff: Staff, offset: int) -> Columns:
    """milestones.csv, sorted by time."""
    parts = [_onboarding(course, rng), *(_of_plan(course, rng, plan) for plan in PLANS)]
    told = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((told["who"], told["start"]))
    who, start, end = (told[name][order] for name in ("who", "start", "end"))
    end = np.where(end < course.exited[who], end, NEVER)
    completed = course.time.moment(end, ENDS_AT)
    done = ~np.isnat(completed)
    person = staff.someone(who, start, rng.random(len(who)))
    partial = np.round(np.minimum(rng.random(len(who)), 0.9), 2)
    due = course.time.date_of(told["due"][order]).astype("datetime64[s]")
    return {
        "milestone_id": ids("m-%06d", np.arange(len(who)) + offset + 1),
        "customer_id": customer_ids(course.people.number[who]),
        "person_id": ids("p-%06d", staff.number[person]),
        "kind": told["kind"][order],
        "key": told["key"][order],
        "name": told["name"][order],
        "status": np.where(done, "completed", "in_progress").astype(object),
        "progress": np.where(done, 1.0, partial),
        "value": told["value"][order],
        "due_at": due,
        "started_at": course.time.moment(start, STARTS_AT),
        "completed_at": completed,
    }


def _onboarding(course: Course, rng: np.random.Generator) -> Columns:
    """Four steps for everybody who signed or is on trial; those who are stuck do the first one or two."""
    people = course.people
    who = np.repeat(np.flatnonzero(people.uses_product & (people.start < course.time.days)), len(STEPS))
    step = np.arange(len(who)) % len(STEPS)
    share = np.array([s for _, s in STEPS])[step]
    start = people.start[who]
    end = start + np.rint(share * people.onboarding_days[who]).astype(np.int64)
    reached = np.where(people.archetype[who] == STUCK, step < 1 + (people.number[who] % 2), True)
    names = [key.replace("_", " ").capitalize() for key, _ in STEPS]
    return {
        "who": who,
        "start": start,
        "end": np.where(reached, end, NEVER),
        "due": start + np.rint(share * 30).astype(np.int64),
        "kind": np.full(len(who), "onboarding", dtype=object),
        "key": words([key for key, _ in STEPS], step),
        "name": words(names, step),
        "value": np.full(len(who), np.nan),
    }


def _of_plan(course: Course, rng: np.random.Generator, plan: Plan) -> Columns:
    rate = plan.monthly / 30.0 * np.exp(plan.by_health * np.clip(course.daily.health.astype(np.float64), -2.5, 2.5))
    day, who = np.nonzero(rng.random(rate.shape) < rate * course.present())
    name = rng.integers(0, len(plan.names), len(day))
    finishes = rng.random(len(day)) < _finish(course, plan, day, who)
    lasts = np.rint(rng.gamma(3.0, plan.days / 3.0, len(day))).astype(np.int64)
    keys = [n.lower().replace(" ", "_") for n in plan.names]
    value = np.rint(rng.uniform(10, 60, len(day))) if plan.goal_value else np.full(len(day), np.nan)
    return {
        "who": who,
        "start": day,
        "end": np.where(finishes, day + lasts, NEVER),
        "due": np.where(plan.due_days > 0, day + plan.due_days, NEVER),
        "kind": np.full(len(day), plan.kind, dtype=object),
        "key": words(keys, name),
        "name": words(plan.names, name),
        "value": np.asarray(value, dtype=np.float64),
    }


def _finish(course: Course, plan: Plan, day: Ints, who: Ints) -> Floats:
    """Content customers finish what they began."""
    if plan.finishes >= 1.0:
        return np.ones(len(day))
    usual = np.log(plan.finishes / (1.0 - plan.finishes))
    return sigmoid(usual + 0.5 * course.daily.health[day, who].astype(np.float64))
