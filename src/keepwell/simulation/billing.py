"""Subscriptions, their changes, invoices and payments, told from what the days noted."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from keepwell.simulation.accounts import LEAVES_AT
from keepwell.simulation.arrays import NEVER, Bools, Columns, Ints, customer_ids, ids, known, words
from keepwell.simulation.course import Course
from keepwell.simulation.population import TRIAL_DAYS
from keepwell.simulation.process import CAUSES, PLANS
from keepwell.simulation.words import CHURN_REASONS

SIGNED_AT: Final = 5 * 60
BILLED_AT: Final = 3600
CHARGED_AT: Final = 6 * 3600
CHARGED_AFTER: Final = (0, 5, 12, 21)
DUE_DAYS: Final = 14
BEGINS: Final = ("new", "renewal", "expansion", "contraction", "trial_started")
DECLINES: Final = ("card_declined", "insufficient_funds", "expired_card", "processing_error")
PRODUCT: Final = "Agency Suite"
PAST: Final = 10_000
NOT_YET: Final = np.datetime64("NaT", "s")


@dataclass(frozen=True, eq=False)
class Terms:
    """Periods at one plan, quantity and price, sorted by customer and day; each is one subscription."""

    key: NDArray[Any]
    who: Ints
    day: Ints
    plan: Ints
    seats: Ints
    mrr: NDArray[np.float64]
    trial: Bools
    last: Bools

    def key_at(self, who: Ints, day: Ints) -> NDArray[Any]:
        """The subscription a customer had on a day."""
        row = np.searchsorted(_place(self.who, self.day), _place(who, day), side="right") - 1
        return self.key[np.maximum(row, 0)]


def _place(who: Ints, day: Ints) -> Ints:
    return who * NEVER + day + PAST


def terms_of(course: Course) -> Terms:
    """The subscriptions of all customers: every change of contract begins a new one."""
    noted = course.contracts
    begins = np.flatnonzero(np.isin(noted["change"].astype(str), BEGINS))
    order = begins[np.argsort(_place(noted["who"][begins], noted["day"][begins]), kind="stable")]
    place = _place(noted["who"][order], noted["day"][order])
    row = order[np.r_[place[1:] != place[:-1], True]] if len(order) else order
    who = noted["who"][row]
    first = np.r_[True, who[1:] != who[:-1]] if len(who) else np.empty(0, np.bool_)
    position = np.arange(len(who)) - np.maximum.accumulate(np.where(first, np.arange(len(who)), 0)) + 1
    keys = [f"sub-{n:05d}-{p}" for n, p in zip(course.people.number[who].tolist(), position.tolist(), strict=True)]
    return Terms(
        key=np.array(keys, dtype=object),
        who=who,
        day=noted["day"][row],
        plan=noted["plan_after"][row],
        seats=noted["seats_after"][row],
        mrr=noted["mrr_after"][row],
        trial=noted["change"][row] == "trial_started",
        last=np.r_[first[1:], True] if len(who) else first,
    )


def subscription_rows(course: Course, terms: Terms) -> Columns:
    """One row per term; the last one of a leaver tells when and why it ended."""
    time, people, who = course.time, course.people, terms.who
    left = np.where(terms.last, course.exited[who], NEVER)
    decided = np.where(terms.last & ~terms.trial, course.state.decided[who], NEVER)
    replaced = time.moment(np.where(terms.last, NEVER, np.r_[terms.day[1:], NEVER]), SIGNED_AT)
    ended = np.where(terms.last, time.moment(left, LEAVES_AT), replaced)
    at_end = (decided < NEVER) & (course.state.cause[who] >= 0) & (course.state.leave[who] > decided)
    why = known(decided < NEVER, words([CHURN_REASONS[c] for c in CAUSES], course.state.cause[who]))
    yearly = people.term[who] == 12
    status = np.where(np.isnat(ended), np.where(terms.trial, "trialing", "active"), "canceled")
    return {
        "subscription_id": terms.key,
        "customer_id": customer_ids(people.number[who]),
        "product": words((PRODUCT,), np.zeros_like(who)),
        "plan": words(PLANS, terms.plan),
        "status": status.astype(object),
        "quantity": terms.seats,
        "billing_interval": words(("month", "year"), (people.billing[who] == 12).astype(np.int64)),
        "mrr": terms.mrr,
        "arr": np.round(terms.mrr * 12, 2),
        "discount_pct": np.round(people.discount[who] * 100, 2),
        "started_at": time.moment(terms.day, SIGNED_AT),
        "trial_end": np.where(terms.trial, _forward(course, terms.day + TRIAL_DAYS), NOT_YET),
        "renewal_date": np.where(yearly & ~terms.trial, _term_end(course, terms), np.datetime64("NaT", "D")),
        "auto_renew": people.auto_renew[who] & ~terms.trial,
        "cancel_at_period_end": at_end,
        "canceled_at": time.moment(decided, LEAVES_AT),
        "ended_at": ended,
        "cancellation_reason": why,
    }


def _forward(course: Course, day: Ints) -> NDArray[Any]:
    """Dates that are known ahead, as moments."""
    return course.time.date_of(day).astype("datetime64[s]")


def _term_end(course: Course, terms: Terms) -> NDArray[Any]:
    """The next anniversary after the first day of each term that lies in the window."""
    since = np.where(terms.trial, terms.day, course.people.since[terms.who])
    safe = np.where(terms.trial, -40, since)
    seen = np.maximum(terms.day, 0)
    years = (course.time.months_of(seen) - course.time.months_of(safe)) // 12
    end = course.time.add_months(np.minimum(safe, seen), years * 12)
    return course.time.date_of(np.where(end > seen, end, course.time.add_months(safe, (years + 1) * 12)))


def change_rows(course: Course, terms: Terms, offset: int) -> Columns:
    """Every movement of contracts, in order of time."""
    order = np.lexsort((course.contracts["who"], course.contracts["day"]))
    noted = {name: values[order] for name, values in course.contracts.items()}
    leaving = np.isin(noted["change"].astype(str), ("churned", "cancellation_scheduled"))
    said = words([CHURN_REASONS[c] for c in CAUSES], np.maximum(course.state.cause[noted["who"]], 0))
    at = np.where(leaving | (noted["change"] == "cancellation_reversed"), LEAVES_AT, SIGNED_AT)
    occurred = course.time.moment(noted["day"], at)
    return {
        "change_id": ids("chg-%06d", np.arange(len(order)) + offset + 1),
        "customer_id": customer_ids(course.people.number[noted["who"]]),
        "subscription_id": terms.key_at(noted["who"], noted["day"]),
        "change_type": noted["change"],
        "occurred_at": occurred,
        "effective_at": np.where(noted["effective"] > noted["day"], _forward(course, noted["effective"]), occurred),
        "mrr_before": noted["mrr_before"],
        "mrr_after": noted["mrr_after"],
        "plan_before": known(noted["plan_before"] >= 0, words(PLANS, noted["plan_before"])),
        "plan_after": known(noted["change"] != "churned", words(PLANS, noted["plan_after"])),
        "quantity_before": noted["seats_before"],
        "quantity_after": noted["seats_after"],
        "reason": np.where(noted["change"] == "churned", said, noted["reason"]),
    }


def with_opening(course: Course) -> Columns:
    """All invoices, with the last one that each customer got before the window."""
    people, time = course.people, course.time
    old = np.flatnonzero(people.since < 0)
    since, every = people.since[old], people.billing[old]
    months = time.months_of(np.zeros_like(since)) - time.months_of(since)
    day = time.add_months(since, months // every * every)
    day = np.where(day < 0, day, time.add_months(since, (months // every - 1) * every))
    known = day >= since
    old, day, every = old[known], day[known], every[known]
    opening: Columns = {
        "who": old,
        "day": day,
        "amount": np.round(_first_mrr(course)[old] * every, 2),
        "failures": np.zeros_like(old),
        "paid": day,
        "transfer": people.by_transfer[old],
    }
    return {name: np.concatenate([values, course.invoices[name]]) for name, values in opening.items()}


def _first_mrr(course: Course) -> NDArray[Any]:
    first = np.zeros(len(course.people))
    new = course.contracts["change"] == "new"
    first[course.contracts["who"][new]] = course.contracts["mrr_after"][new]
    return first


def invoice_rows(course: Course, terms: Terms, invoices: Columns, offset: int) -> Columns:
    """Invoices; an unpaid one stays open, whatever became of the customer."""
    who, day, time = invoices["who"], invoices["day"], course.time
    paid = np.where(invoices["paid"] < course.exited[who], invoices["paid"], NEVER)
    paid_at = time.moment(paid, CHARGED_AT)
    due = _forward(course, day + np.where(invoices["transfer"], DUE_DAYS, 1))
    return {
        "invoice_id": ids("inv-%06d", np.arange(len(who)) + offset + 1),
        "customer_id": customer_ids(course.people.number[who]),
        "subscription_id": terms.key_at(who, day),
        "status": np.where(np.isnat(paid_at), "open", "paid").astype(object),
        "amount_due": invoices["amount"],
        "amount_paid": np.where(np.isnat(paid_at), 0.0, invoices["amount"]),
        "issued_at": time.moment(day, BILLED_AT),
        "due_at": due,
        "paid_at": paid_at,
    }


def payment_rows(course: Course, rng: np.random.Generator, invoices: Columns, offset: int, invoiced: int) -> Columns:
    """Every attempt to collect an invoice, while the customer was there and within the window."""
    failed = np.repeat(np.arange(len(invoices["who"])), invoices["failures"])
    first = np.cumsum(invoices["failures"]) - invoices["failures"]
    attempt = np.arange(len(failed)) - first[failed]
    row = np.concatenate([failed, np.arange(len(invoices["who"]))])
    day = np.concatenate([invoices["day"][failed] + np.array(CHARGED_AFTER)[attempt], invoices["paid"]])
    good = np.arange(len(row)) >= len(failed)
    declined = words(DECLINES, rng.integers(0, len(DECLINES), len(row)))
    who = invoices["who"][row]
    told = np.flatnonzero((day < course.exited[who]) & ~np.isnat(course.time.moment(day, CHARGED_AT)))
    told = told[np.lexsort((row[told], day[told]))]
    return {
        "payment_id": ids("pay-%06d", np.arange(len(told)) + offset + 1),
        "customer_id": customer_ids(course.people.number[who[told]]),
        "invoice_id": ids("inv-%06d", row[told] + invoiced + 1),
        "status": np.where(good[told], "succeeded", "failed").astype(object),
        "amount": invoices["amount"][row[told]],
        "failure_code": known(~good[told], declined[told]),
        "attempted_at": course.time.moment(day[told], CHARGED_AT),
    }
