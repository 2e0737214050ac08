"""customers.csv: every state a customer was in, dated, so that history can be replayed."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from keepwell.simulation.arrays import NEVER, Columns, Ints, customer_ids, known, words
from keepwell.simulation.course import Course
from keepwell.simulation.population import MISSING, plan_limit
from keepwell.simulation.process import CAUSES, PLANS
from keepwell.simulation.state import PAYMENTS, STAGES, STATUSES
from keepwell.simulation.words import CHURN_REASONS, INDUSTRIES, OWNERS, PLACES, agency_name, domain_of

LEAVES_AT: Final = 9 * 3600
TIERS: Final = ("SMB", "Mid-Market", "Enterprise")
TIER_FROM: Final = (25_000.0, 100_000.0)
EMPLOYEES_UNKNOWN: Final = 37
"""Every so many customers the number of employees is unknown."""


def agency_names(numbers: Ints, shift: int) -> list[str]:
    """Names of the customers, in order."""
    return [agency_name(n, shift) for n in numbers.tolist()]


def customer_rows(course: Course, shift: int) -> Columns:
    """One row per customer and state, oldest first within a customer."""
    history = course.history
    order = np.lexsort((history["second"], history["day"], history["who"]))
    told = {name: values[order] for name, values in history.items()}
    who, time, people = told["who"], course.time, course.people
    names = agency_names(people.number, shift)
    domains = [domain_of(name) for name in names]
    customer = told["status"] != STATUSES.index("prospect")
    synced = time.moment(told["day"], told["second"])
    place = people.place[who]
    return {
        "customer_id": customer_ids(people.number[who]),
        "name": words(names, who),
        "domain": words(domains, who),
        "industry": words(INDUSTRIES, people.industry[who]),
        "company_size": _company_size(course, who),
        "country": words([country for country, _ in PLACES], place),
        **_contract(course, told, customer),
        "owner_email": words(OWNERS, told["owner"]),
        "phone": words([_phone(n) for n in people.number.tolist()], who),
        "email": words([f"office@{domain}" for domain in domains], who),
        **_ending(course, told),
        "created_at": time.moment(people.start)[who],
        "updated_at": synced,
        "synced_at": synced,
        "traits": words([f'{{"city":"{city}"}}' for _, city in PLACES], place),
    }


def _contract(course: Course, told: Columns, customer: NDArray[Any]) -> Columns:
    who, people = told["who"], course.people
    arr = np.round(told["mrr"] * 12, 2)
    signed = (told["status"] >= STATUSES.index("active")) & customer
    return {
        "lifecycle_stage": known(customer, words(STAGES, told["stage"])),
        "status": words(STATUSES, told["status"]),
        "tier": known(signed, words(TIERS, np.searchsorted(TIER_FROM, arr, side="right"))),
        "customer_since": np.where(signed, course.time.date_of(people.since[who]), np.datetime64("NaT", "D")),
        "renewal_date": np.where(signed, _renewal(course, told), np.datetime64("NaT", "D")),
        "auto_renew": known(signed, words(("false", "true"), people.auto_renew[who].astype(np.int64))),
        "contract_term_months": known(signed, people.term[who].astype(object)),
        "plan": known(customer, words(PLANS, told["plan"])),
        "currency": words(("EUR",), np.zeros_like(who)),
        "mrr": np.where(signed, told["mrr"], np.nan),
        "arr": np.where(signed, arr, np.nan),
        "seats_purchased": known(customer, told["seats"].astype(object)),
        "plan_limit": known(customer, plan_limit(told["plan"], told["seats"]).astype(object)),
        "payment_status": known(signed, words(PAYMENTS, told["payment"])),
    }


def _renewal(course: Course, told: Columns) -> NDArray[Any]:
    """The renewal date; for some customers unknown, for some never updated after it passed."""
    missing, first = course.people.missing[told["who"]], _first_renewal(course, told)
    day = np.where(missing == MISSING.index("stale_renewal_date"), first, told["renewal"])
    return course.time.date_of(np.where(missing == MISSING.index("renewal_date"), NEVER, day))


def _first_renewal(course: Course, told: Columns) -> Ints:
    """The first renewal day noted for the customer of each row (rows are sorted by customer and time)."""
    starts = np.flatnonzero(np.r_[True, told["who"][1:] != told["who"][:-1]])
    earliest = np.full(len(course.people), NEVER)
    earliest[told["who"][starts]] = told["renewal"][starts]
    return earliest[told["who"]]


def _company_size(course: Course, who: Ints) -> NDArray[Any]:
    people = course.people
    told = known(people.number % EMPLOYEES_UNKNOWN != 0, people.company_size)
    return np.asarray(told[who])


def _ending(course: Course, told: Columns) -> Columns:
    """When and why a customer left; what it said is not always the cause."""
    who = told["who"]
    gone = told["status"] == STATUSES.index("churned")
    said = [CHURN_REASONS[cause] for cause in CAUSES]
    cause = np.maximum(course.state.cause[who], 0)
    honest = (course.people.number[who] * 7) % 10 < 7
    vague = known(course.people.number[who] % 2 == 0, np.full(len(who), "Other"))
    left = course.time.moment(course.exited[who], LEAVES_AT)
    return {
        "churned_at": np.where(gone, left, np.datetime64("NaT", "s")),
        "churn_reason": known(gone, np.where(honest, words(said, cause), vague)),
    }


def _phone(number: int) -> str:
    """A number from the range kept for fiction."""
    return f"+1-{201 + number % 700}-555-{100 + number // 7 % 100:04d}"
