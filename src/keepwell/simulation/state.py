"""Where every customer stands on the current day, and what has been noted so far."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from keepwell.simulation.arrays import NEVER, Bools, Floats, Ints, Log
from keepwell.simulation.population import TRIAL, Population, monthly_revenue, plan_limit
from keepwell.simulation.process import PROCESS, SHOCKS
from keepwell.simulation.shocks import Shocks, WorldEvents
from keepwell.simulation.timeline import Timeline

STAGES: Final = ("onboarding", "adoption", "value", "renewal", "expansion")
ONBOARDING, ADOPTION, VALUE, RENEWAL, EXPANSION = range(5)
PAYMENTS: Final = ("current", "overdue", "failed", "cancelled")
CURRENT, OVERDUE, FAILED, CANCELLED = range(4)
STATUSES: Final = ("prospect", "trial", "active", "churned")


@dataclass(frozen=True, eq=False)
class Setting:
    """What does not change from day to day."""

    people: Population
    shocks: Shocks
    world: WorldEvents
    time: Timeline
    day_of_month: Ints
    reverse_draw: Floats


@dataclass(eq=False)
class Records:
    """What the days leave behind."""

    contracts: Log = field(
        default_factory=lambda: Log(
            who=np.int64,
            day=np.int64,
            change=object,
            effective=np.int64,
            plan_before=np.int64,
            plan_after=np.int64,
            seats_before=np.int64,
            seats_after=np.int64,
            mrr_before=np.float64,
            mrr_after=np.float64,
            reason=object,
        )
    )
    invoices: Log = field(
        default_factory=lambda: Log(
            who=np.int64, day=np.int64, amount=np.float64, failures=np.int64, paid=np.int64, transfer=np.bool_
        )
    )
    touches: Log = field(
        default_factory=lambda: Log(
            who=np.int64, day=np.int64, kind=object, outcome=object, executive=np.bool_, health=np.float64
        )
    )
    history: Log = field(
        default_factory=lambda: Log(
            who=np.int64,
            day=np.int64,
            second=np.int64,
            plan=np.int64,
            seats=np.int64,
            mrr=np.float64,
            payment=np.int64,
            renewal=np.int64,
            stage=np.int64,
            status=np.int64,
            owner=np.int64,
        )
    )


@dataclass(eq=False)
class State:
    """The changing side of every customer, one entry each."""

    base: Floats
    shock: Floats
    plan: Ints
    seats: Ints
    uplift: Floats
    mrr: Floats
    owner: Ints
    renewal: Ints
    stage: Ints
    failed_from: Ints
    failed_until: Ints
    overdue_from: Ints
    overdue_until: Ints
    unpaid_exit: Ints
    treated_until: Ints
    smooth_hazard: Floats
    decided: Ints
    leave: Ints
    reverse: Ints
    exited: Ints
    cause: Ints
    expanded: Ints
    hazard: Floats
    exit_probability: Floats
    records: Records = field(default_factory=Records)

    @property
    def health(self) -> Floats:
        """Latent health: the slow walk and all shocks that still last."""
        return np.asarray(self.base + self.shock.sum(axis=0), dtype=np.float64)

    def present(self, people: Population, day: int) -> Bools:
        """Who is a customer, on trial or paying, today."""
        return np.asarray(people.uses_product & (people.start <= day) & (self.exited > day))

    def paying(self, people: Population, day: int) -> Bools:
        """Who pays today."""
        return np.asarray((people.since <= day) & (self.exited > day))

    def limit(self) -> Ints:
        """Units that today's contract allows in a month."""
        return plan_limit(self.plan, self.seats)

    def payment_code(self, day: int) -> Ints:
        """Today's payment status."""
        failed = (self.failed_from <= day) & (day < self.failed_until)
        overdue = (self.overdue_from <= day) & (day < self.overdue_until)
        owing = np.where(failed, FAILED, np.where(overdue, OVERDUE, CURRENT))
        return np.where(self.exited <= day, CANCELLED, owing)


def home_health(people: Population, day: int, time: Timeline) -> Floats:
    """Where a customer's health is pulled to on a day."""
    middle = PROCESS.satisfaction_weight * people.satisfaction + PROCESS.value_fit_weight * people.value_fit
    months = np.maximum(day - people.drift_from, 0) / 30.0
    return np.asarray(middle + np.clip(people.drift * months, -PROCESS.drift_limit, 0.8), dtype=np.float64)


def first_state(rng: np.random.Generator, setting: Setting) -> State:
    """The evening before the first day."""
    people, count = setting.people, len(setting.people)
    ones, never = np.ones(count), np.full(count, NEVER)
    spread = PROCESS.volatility / np.sqrt(2 * PROCESS.reversion)
    return State(
        base=home_health(people, 0, setting.time) + spread * rng.standard_normal(count),
        shock=np.zeros((len(SHOCKS), count)),
        plan=people.plan.copy(),
        seats=people.seats.copy(),
        uplift=ones.copy(),
        mrr=np.where(people.kind < TRIAL, monthly_revenue(people.plan, people.seats, people.discount, ones), 0.0),
        owner=people.owner.copy(),
        renewal=first_renewal(people, setting.time),
        stage=np.full(count, ONBOARDING),
        smooth_hazard=np.full(count, 0.015),
        hazard=np.zeros(count),
        exit_probability=np.zeros(count),
        cause=np.full(count, -1),
        expanded=np.full(count, -NEVER),
        treated_until=np.full(count, -1),
        failed_from=never.copy(),
        failed_until=never.copy(),
        overdue_from=never.copy(),
        overdue_until=never.copy(),
        unpaid_exit=never.copy(),
        exited=never.copy(),
        decided=never.copy(),
        leave=never.copy(),
        reverse=never.copy(),
    )


def first_renewal(people: Population, time: Timeline) -> Ints:
    """The first end of a contract term within or after the window; none without a contract."""
    signed = people.since < NEVER
    since = np.where(signed, people.since, time.add_months(np.full(len(people), -40), 0))
    months = time.months_of(np.zeros_like(since)) - time.months_of(since)
    terms = np.maximum(-(-months // people.term), 1)
    end = time.add_months(since, terms * people.term)
    later = time.add_months(since, (terms + 1) * people.term)
    return np.where(signed, np.where(end < 0, later, end), NEVER)
