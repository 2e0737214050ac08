"""The hidden truth as files: what a prediction, an effect or a segment can be checked against."""

from dataclasses import astuple, fields
from string import Template
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from keepwell.simulation import process
from keepwell.simulation.arrays import NEVER, Columns, Floats, Ints, customer_ids, known, words
from keepwell.simulation.course import Course
from keepwell.simulation.population import KINDS, MISSING
from keepwell.simulation.process import ARCHETYPES, CAUSES, PROCESS, SHOCKS, TREATMENT_TYPES
from keepwell.simulation.shocks import WorldEvents
from keepwell.simulation.timeline import Timeline
from keepwell.simulation.truth_text import README

DAILY_SELECT: Final = (
    "SELECT printf('c-%05d', customer) AS customer_id,"
    " CAST(day AS DATE) AS day, health, monthly_hazard, exit_probability, plan_utilisation FROM batch"
)
DAILY_ORDER: Final = "day, customer_id"


def truth_rows(course: Course) -> Columns:
    """truth/customers.csv: one row per customer."""
    people, state, time = course.people, course.state, course.time
    left = course.exited < NEVER
    decided = state.cause >= 0
    return {
        "customer_id": customer_ids(people.number),
        "kind": words(KINDS, people.kind),
        "archetype": words([a.name for a in ARCHETYPES], people.archetype),
        "satisfaction": people.satisfaction,
        "value_fit": people.value_fit,
        "drift_per_month": people.drift,
        "drift_from": time.date_of(people.drift_from),
        "price_sensitivity": people.price_sensitivity,
        "payment_failure_probability": people.payment_failure,
        "usual_sessions_per_day": people.sessions,
        "usual_features": people.breadth,
        "treatment_type": words(TREATMENT_TYPES, people.treatment_type),
        "treatment_effect": people.treatment_effect,
        "champion_left": _within(course, course.shocks.champion_left),
        "competitor_called": _within(course, course.shocks.competitor_called),
        "mean_monthly_hazard": _mean_hazard(course),
        "exit_probability": 1.0 - np.prod(1.0 - course.daily.exit_probability.astype(np.float64), axis=0),
        "decided_to_leave": _within(course, np.where(decided, state.decided, NEVER)),
        "churned": left,
        "churned_on": _within(course, course.exited),
        "cause": known(decided, words(CAUSES, np.maximum(state.cause, 0))),
        "missing_data": words(MISSING, people.missing),
    }


def _within(course: Course, days: Ints) -> NDArray[Any]:
    """Dates of what happened in the window and while the customer was there."""
    seen = (days < course.time.days) & (days <= course.exited)
    return course.time.date_of(np.where(seen, days, NEVER))


def _mean_hazard(course: Course) -> Floats:
    hazard = course.daily.hazard.astype(np.float64)
    days = np.maximum((hazard > 0).sum(axis=0), 1)
    return np.asarray(hazard.sum(axis=0) / days, dtype=np.float64)


def daily_batch(course: Course) -> Columns:
    """truth/daily.parquet: every customer on every day it was there, as codes for the SQL that writes it."""
    day, who = np.nonzero(course.present())
    return {
        "customer": course.people.number[who],
        "day": course.time.date_of(day).astype("datetime64[s]"),
        "health": course.daily.health[day, who],
        "monthly_hazard": course.daily.hazard[day, who],
        "exit_probability": course.daily.exit_probability[day, who],
        "plan_utilisation": course.daily.utilisation[day, who],
    }


def truth_readme(time: Timeline, world: WorldEvents, seed: int) -> str:
    """The process in words and formulas, with the coefficients that were used."""
    coefficients = {f.name: f"{getattr(PROCESS, f.name):g}" for f in fields(PROCESS)}
    dates = {
        "releases": ", ".join(_day(time, d) for d in world.releases),
        "price": _day(time, world.price_announced),
        "incidents": ", ".join(f"{_day(time, d)} ({length} days)" for d, length in world.incidents),
    }
    tables = {"archetypes": _archetypes(), "shocks": _shocks(), "treatments": _treatments()}
    return Template(README).substitute(
        coefficients | dates | tables, seed=seed, causes=", ".join(CAUSES), uplift=f"{process.PRICE_UPLIFT - 1:.0%}"
    )


def _day(time: Timeline, day: int) -> str:
    return str(time.date_of(np.array([day]))[0])


def _archetypes() -> str:
    names = [f.name for f in fields(ARCHETYPES[0])]
    rows = [[f"{v:g}" if isinstance(v, float) else v for v in astuple(a)] for a in ARCHETYPES]
    return _table(names, rows)


def _shocks() -> str:
    rows = zip(SHOCKS, process.SHOCK_SIZE, process.SHOCK_HALF_LIFE, strict=True)
    return _table(["shock", "mean size", "half-life in days"], [[n, f"{s:g}", f"{h:g}"] for n, s, h in rows])


def _treatments() -> str:
    rows = zip(TREATMENT_TYPES, process.TREATMENT_SHARES, process.TREATMENT_EFFECTS, strict=True)
    return _table(["type", "share", "mean effect on the logit"], [[n, f"{s:g}", f"{e:g}"] for n, s, e in rows])


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
