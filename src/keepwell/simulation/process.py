"""The hidden process, written down: archetypes, coefficients and the formulas that use them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from keepwell.simulation.arrays import Bools, Floats, Ints, sigmoid


@dataclass(frozen=True)
class Archetype:
    """A kind of customer; `share` among those who were there before the window."""

    name: str
    share: float
    satisfaction: float = 0.0
    value_fit: float = 0.0
    drift: float = 0.0
    usage: float = 1.0
    growth: float = 0.0
    payment_failure: float = 0.09
    season: float = 0.0
    price_sensitivity: float = 1.0


ARCHETYPES: Final = (
    Archetype("steady", 0.37, satisfaction=0.5, value_fit=0.4),
    Archetype("growing", 0.13, satisfaction=0.5, value_fit=0.7, drift=0.06, usage=1.1, growth=0.06),
    Archetype("champion", 0.10, satisfaction=1.4, value_fit=1.1, usage=1.25, growth=0.03, payment_failure=0.03),
    Archetype("declining", 0.10, satisfaction=0.1, value_fit=-0.1, drift=-0.55),
    Archetype("dormant", 0.10, satisfaction=-0.2, value_fit=-0.5, usage=0.05),
    Archetype("payment_trouble", 0.06, satisfaction=0.1, value_fit=0.1, usage=1.0, payment_failure=0.6),
    Archetype("seasonal", 0.06, satisfaction=0.3, value_fit=0.3, season=0.8),
    Archetype("price_sensitive", 0.08, satisfaction=0.3, value_fit=0.1, usage=0.95, price_sensitivity=3.0),
    Archetype("stuck_in_onboarding", 0.0, satisfaction=-0.3, value_fit=-0.4, usage=0.5),
)
STUCK: Final = len(ARCHETYPES) - 1
STUCK_SHARE: Final = 0.5
"""Share of the new customers who get stuck in onboarding."""

SHOCKS: Final = ("bad_release", "champion_left", "price_increase", "competitor", "leaving")
SHOCK_HALF_LIFE: Final = (25.0, 75.0, 60.0, 60.0, 365.0)
SHOCK_SIZE: Final = (-0.9, -1.1, -0.35, -1.0, -2.2)
RELEASE_EXPOSED: Final = 0.45
CHAMPION_LEAVES: Final = 0.020
"""Probability in 30 days; a customer loses its champion at most once."""
COMPETITOR_CALLS: Final = 0.015
PRICE_UPLIFT: Final = 1.07

PLANS: Final = ("basic", "standard", "enterprise")
SEAT_PRICE: Final = (29.0, 49.0, 89.0)
UNITS_PER_SEAT: Final = (20, 40, 80)

TREATMENT_TYPES: Final = ("persuadable", "sure_thing", "lost_cause", "do_not_disturb")
TREATMENT_SHARES: Final = (0.35, 0.40, 0.15, 0.10)
TREATMENT_EFFECTS: Final = (-1.1, -0.1, 0.0, 0.5)

CAUSES: Final = (*SHOCKS[:4], "payment", "low_value", "payment_failure")
LOW_VALUE: Final = CAUSES.index("low_value")
PAYMENT_FAILURE: Final = CAUSES.index("payment_failure")


@dataclass(frozen=True)
class Process:
    """Coefficients of latent health and of the monthly churn hazard (on the logit scale)."""

    satisfaction_weight: float = 0.7
    value_fit_weight: float = 0.6
    satisfaction_spread: float = 0.6
    value_fit_spread: float = 0.6
    reversion: float = 0.06
    volatility: float = 0.12
    drift_limit: float = 2.4
    intercept: float = -3.6
    health: float = -1.05
    payment: float = 1.2
    tenure: float = -0.25
    basic: float = 0.25
    enterprise: float = -0.45
    onboarding: float = 0.5
    renewal_months: float = 8.0
    reversal: float = 0.12
    treatment_days: int = 30
    gate_slope: float = 2.4
    gate_middle: float = -1.75


PROCESS: Final = Process()


@dataclass(frozen=True, eq=False)
class Circumstances:
    """What the churn hazard of a day depends on, one entry per customer."""

    health: Floats
    payment: Floats
    tenure_years: Floats
    plan: Ints
    onboarding_late: Bools
    treatment: Floats


def hazard_logit(now: Circumstances, process: Process = PROCESS) -> Floats:
    """The logit of the monthly churn hazard."""
    plan = np.array([process.basic, 0.0, process.enterprise])[now.plan]
    slow = process.onboarding * now.onboarding_late
    tenure = process.tenure * np.log1p(now.tenure_years)
    linear = process.intercept + process.health * now.health + process.payment * now.payment
    return np.asarray(linear + tenure + plan + slow + now.treatment, dtype=np.float64)


def monthly_hazard(now: Circumstances, process: Process = PROCESS) -> Floats:
    """Probability that a customer free to leave would decide to within 30 days."""
    return sigmoid(hazard_logit(now, process))


def over_months(hazard: Floats, months: float) -> Floats:
    """A monthly hazard as the probability over `months` months (a day is a thirtieth)."""
    return np.asarray(1.0 - (1.0 - hazard) ** months, dtype=np.float64)


def usage_gate(health: Floats, process: Process = PROCESS) -> Floats:
    """The share of its usual use that a customer shows at a latent health."""
    return sigmoid(process.gate_slope * (health - process.gate_middle))
