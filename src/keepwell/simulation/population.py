"""Who lives in the world: everything about a customer that is drawn before the first day."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from keepwell.simulation.arrays import NEVER, Bools, Columns, Floats, Ints, pick
from keepwell.simulation.process import (
    ARCHETYPES,
    PROCESS,
    SEAT_PRICE,
    STUCK,
    STUCK_SHARE,
    TREATMENT_EFFECTS,
    TREATMENT_SHARES,
    UNITS_PER_SEAT,
)
from keepwell.simulation.timeline import Timeline
from keepwell.simulation.words import INDUSTRY_SHARES, OWNERS, PLACES

KINDS: Final = ("existing", "joined", "joined_after_trial", "trial", "prospect")
KIND_SHARES: Final = (0.85, 0.08, 0.04, 0.015, 0.015)
EXISTING, JOINED, JOINED_AFTER_TRIAL, TRIAL, PROSPECT = range(5)
TRIAL_DAYS: Final = 14
RECENT: Final = 0.55
"""Share of the new customers won by a campaign in the window's last 30 days."""
TERMS: Final = (1, 12)
MISSING: Final = ("nothing", "product_feed", "renewal_date", "surveys", "stale_renewal_date")
MISSING_SHARES: Final = (0.90, 0.035, 0.025, 0.03, 0.01)


@dataclass(frozen=True, eq=False)
class Population:
    """One entry per customer in every array; days are day numbers, `NEVER` is a day that does not come."""

    number: Ints
    kind: Ints
    archetype: Ints
    start: Ints
    since: Ints
    satisfaction: Floats
    value_fit: Floats
    drift: Floats
    drift_from: Ints
    price_sensitivity: Floats
    payment_failure: Floats
    treatment_type: Ints
    treatment_effect: Floats
    plan: Ints
    seats: Ints
    discount: Floats
    term: Ints
    billing: Ints
    by_transfer: Bools
    auto_renew: Bools
    notice: Ints
    company_size: Ints
    industry: Ints
    place: Ints
    owner: Ints
    handover: Ints
    onboarding_days: Ints
    sessions: Floats
    growth: Floats
    season: Floats
    utilisation: Floats
    breadth: Ints
    has_api: Bools
    missing: Ints

    def __len__(self) -> int:
        return len(self.number)

    @property
    def uses_product(self) -> Bools:
        """Whether anybody works in the product: prospects do not yet."""
        return np.asarray(self.kind != PROSPECT)


def populate(rng: np.random.Generator, first: int, count: int, time: Timeline) -> Population:
    """Draw `count` customers numbered from `first` on."""
    kind = pick(rng, KIND_SHARES, count)
    columns: Columns = {"number": np.arange(first, first + count), "kind": kind}
    columns |= _arrivals(rng, kind, time)
    columns |= _character(rng, kind, time)
    columns |= _contract(rng, columns["archetype"])
    columns |= _habits(rng, columns)
    columns |= _circumstances(rng, count, time)
    return Population(**columns)


def _arrivals(rng: np.random.Generator, kind: Ints, time: Timeline) -> Columns:
    count = len(kind)
    tenure = 40 + np.minimum(rng.exponential(800.0, count), 3200.0).astype(np.int64)
    campaign = min(30, time.days // 2)
    window = np.where(
        rng.random(count) < RECENT,
        time.days - 1 - rng.integers(0, max(campaign, 1), count),
        rng.integers(0, time.days, count),
    )
    since = _early_in_month(np.where(kind == EXISTING, -tenure, window), time)
    trial_start = time.days - 1 - rng.integers(0, min(TRIAL_DAYS, time.days), count)
    start = np.where(kind == JOINED_AFTER_TRIAL, since - TRIAL_DAYS, since)
    start = np.where(kind == TRIAL, trial_start, np.where(kind == PROSPECT, window, start))
    return {"since": np.where(kind >= TRIAL, NEVER, since), "start": start}


def _early_in_month(day: Ints, time: Timeline) -> Ints:
    """Contracts begin on the 28th at the latest, so that every month has their anniversary."""
    dates = time.date_of(day)
    of_month = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    return np.asarray(day - np.maximum(of_month - 28, 0))


def _character(rng: np.random.Generator, kind: Ints, time: Timeline) -> Columns:
    count = len(kind)
    archetype = pick(rng, [a.share for a in ARCHETYPES], count)
    archetype = np.where((kind != EXISTING) & (rng.random(count) < STUCK_SHARE), STUCK, archetype)
    treatment = pick(rng, TREATMENT_SHARES, count)
    effect = np.array(TREATMENT_EFFECTS)[treatment]
    return {
        "archetype": archetype,
        "satisfaction": _trait("satisfaction", archetype) + PROCESS.satisfaction_spread * rng.standard_normal(count),
        "value_fit": _trait("value_fit", archetype) + PROCESS.value_fit_spread * rng.standard_normal(count),
        "drift": _trait("drift", archetype) * rng.uniform(0.6, 1.4, count),
        "drift_from": rng.integers(-45, max(int(time.days * 0.85), 1), count),
        "price_sensitivity": _trait("price_sensitivity", archetype),
        "payment_failure": _trait("payment_failure", archetype),
        "treatment_type": treatment,
        "treatment_effect": np.where(effect == 0.0, 0.0, effect + 0.1 * rng.standard_normal(count)),
        "growth": _trait("growth", archetype) * rng.uniform(0.5, 1.5, count),
        "season": _trait("season", archetype),
    }


def _trait(name: str, archetype: Ints) -> Floats:
    return np.array([getattr(a, name) for a in ARCHETYPES], dtype=np.float64)[archetype]


def _contract(rng: np.random.Generator, archetype: Ints) -> Columns:
    count = len(archetype)
    target = np.clip(np.exp(np.log(6500.0) + 1.2 * rng.standard_normal(count)), 1000.0, 250_000.0)
    lean = np.log(target) + 0.35 * rng.standard_normal(count)
    plan = (lean > np.log(4500.0)).astype(np.int64) + (lean > np.log(20_000.0))
    discount = np.round(np.where(rng.random(count) < 0.3, rng.uniform(0.05, 0.2, count), 0.0), 2)
    seats = np.maximum(1, np.rint(target / 12.0 / (np.array(SEAT_PRICE)[plan] * (1 - discount)))).astype(np.int64)
    term = np.array(TERMS)[(rng.random(count) > 0.04 + 0.05 * (plan == 0)).astype(np.int64)]
    yearly = (term == 12) & (rng.random(count) < 0.25 + 0.25 * (plan == 2))
    return {
        "plan": plan,
        "discount": discount,
        "seats": seats,
        "term": term,
        "billing": np.where(yearly, 12, 1),
        "by_transfer": rng.random(count) < np.where(yearly, 0.6, 0.2),
        "auto_renew": rng.random(count) < 0.7,
        "notice": rng.integers(8, 41, count),
        "company_size": np.rint(seats * np.exp(0.9 + 0.6 * rng.standard_normal(count))).astype(np.int64) + 1,
    }


def _habits(rng: np.random.Generator, known: dict[str, Any]) -> Columns:
    archetype, plan, seats = known["archetype"], known["plan"], known["seats"]
    count = len(archetype)
    stuck = archetype == STUCK
    spread = np.exp(np.log(0.54) + 0.25 * rng.standard_normal(count))
    limit = seats * np.array(UNITS_PER_SEAT)[plan]
    utilisation = rng.beta(3.0, 3.0, count) * (0.75 + 0.25 * _trait("usage", archetype))
    breadth = np.exp(0.66 + 0.18 * known["value_fit"] + 0.25 * plan + 0.55 * rng.standard_normal(count))
    return {
        "sessions": spread * _trait("usage", archetype) * (seats / 10.0) ** 0.12,
        "utilisation": np.maximum(np.where(limit > 0, utilisation, 0.0), 0.02),
        "breadth": np.clip(np.rint(breadth), 1, 14).astype(np.int64),
        "has_api": (rng.random(count) < 0.15 + 0.2 * plan) & ~stuck,
        "onboarding_days": np.where(stuck, 120, rng.integers(14, 41, count)),
    }


def _circumstances(rng: np.random.Generator, count: int, time: Timeline) -> Columns:
    handover = rng.integers(0, time.days, count)
    return {
        "industry": pick(rng, INDUSTRY_SHARES, count),
        "place": rng.integers(0, len(PLACES), count),
        "owner": rng.integers(0, len(OWNERS), count),
        "handover": np.where(rng.random(count) < 0.03, handover, NEVER),
        "missing": pick(rng, MISSING_SHARES, count),
    }


def monthly_revenue(plan: Ints, seats: Ints, discount: Floats, uplift: Floats) -> Floats:
    """Monthly recurring revenue in whole cents."""
    return np.asarray(np.round(seats * np.array(SEAT_PRICE)[plan] * (1 - discount) * uplift, 2), dtype=np.float64)


def plan_limit(plan: Ints, seats: Ints) -> Ints:
    """Units a customer may use in a month."""
    return np.asarray(seats * np.array(UNITS_PER_SEAT)[plan], dtype=np.int64)
