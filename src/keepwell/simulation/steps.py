"""The steps of one day: health, contacts, decisions to leave, billing."""

from typing import Final

import numpy as np

from keepwell.simulation.arrays import NEVER, Bools, Floats, Ints
from keepwell.simulation.process import (
    LOW_VALUE,
    PAYMENT_FAILURE,
    PROCESS,
    SHOCK_HALF_LIFE,
    SHOCK_SIZE,
    Circumstances,
    monthly_hazard,
    over_months,
)
from keepwell.simulation.shocks import LEAVING
from keepwell.simulation.state import FAILED, OVERDUE, Setting, State, home_health
from keepwell.simulation.timeline import BEFORE

DECAY: Final = 0.5 ** (1.0 / np.array(SHOCK_HALF_LIFE))[:, None]
PAID_AFTER: Final = (0, 5, 12, 21, 26, NEVER)
"""Days from the invoice to the payment, by failed attempts: charged four times, then paid by hand, or never."""
OCCASIONAL: Final = np.cumsum((0.50, 0.27, 0.15, 0.06))
CHRONIC: Final = np.cumsum((0.33, 0.29, 0.22, 0.11))
DUNNING_DAYS: Final = 27
DUE_DAYS: Final = 14


def step_health(rng: np.random.Generator, setting: Setting, state: State, day: int) -> None:
    """One day of the mean-reverting walk; shocks fade and new ones strike."""
    pull = PROCESS.reversion * (home_health(setting.people, day, setting.time) - state.base)
    state.base = state.base + pull + PROCESS.volatility * rng.standard_normal(len(setting.people))
    state.shock *= DECAY
    for when, size, component in zip(setting.shocks.day, setting.shocks.size, setting.shocks.component, strict=True):
        state.shock[component] += np.where((when == day) & state.present(setting.people, day), size, 0.0)


def step_contacts(rng: np.random.Generator, setting: Setting, state: State, day: int, weekday: int) -> None:
    """Calls and meetings by the CSM: more for the unhappy, which is why contact and churn go together."""
    people, health = setting.people, state.health
    monthly = 0.30 + 0.35 * (health < -1.0) + 0.25 * (state.plan == 2) + 0.5 * (day - people.since < 40)
    draw, keeps, form, board = rng.random((4, len(people)))
    met = state.present(people, day) & (weekday < 5) & (draw < monthly / 21.0)
    who = np.flatnonzero(met)
    shows = keeps[who] < 1.0 / (1.0 + np.exp(-(1.6 + 0.7 * health[who])))
    kind = np.where(form[who] < 0.55, "call", np.where((state.plan[who] == 2) & (form[who] > 0.8), "qbr", "meeting"))
    missed = np.where(kind == "call", "left_message", "no_show")
    state.records.touches.add(
        who,
        day=day,
        kind=kind,
        outcome=np.where(shows, "completed", missed),
        executive=(kind == "qbr") | (board[who] < 0.08),
        health=health[who],
    )
    state.treated_until[who[shows]] = day + PROCESS.treatment_days


def step_hazard(setting: Setting, state: State, day: int) -> None:
    """Today's monthly hazard, and its average over about a month, which decides at a renewal."""
    people = setting.people
    code = state.payment_code(day)
    tenure = np.maximum(day - people.since, 0)
    now = Circumstances(
        health=state.health,
        payment=np.select([code == FAILED, code == OVERDUE], [1.0, 0.5], 0.0),
        tenure_years=tenure / 365.25,
        plan=state.plan,
        onboarding_late=(tenure > 30) & (tenure < people.onboarding_days),
        treatment=people.treatment_effect * (day < state.treated_until),
    )
    paying = state.paying(people, day)
    state.hazard = np.where(paying, monthly_hazard(now), 0.0)
    state.smooth_hazard = np.where(paying, state.smooth_hazard + (state.hazard - state.smooth_hazard) / 30.0, 0.015)


def exit_chance(setting: Setting, state: State, day: int) -> Floats:
    """Probability that the decision to leave falls today: any day on monthly terms, else when notice is due."""
    free = state.paying(setting.people, day) & (state.decided == NEVER)
    any_day = over_months(state.hazard, 1 / 30)
    at_renewal = over_months(state.smooth_hazard, PROCESS.renewal_months)
    due = state.renewal - setting.people.notice == day
    return np.where(free, np.where(setting.people.term == 1, any_day, np.where(due, at_renewal, 0.0)), 0.0)


def step_decisions(rng: np.random.Generator, setting: Setting, state: State, day: int) -> None:
    """Who decides to leave, why, and who takes it back."""
    people = setting.people
    state.exit_probability = exit_chance(setting, state, day)
    who = np.flatnonzero(rng.random(len(people)) < state.exit_probability)
    at_once = people.term[who] == 1
    state.decided[who] = day
    state.cause[who] = _causes(state, who, day)
    state.leave[who] = np.where(at_once, day, state.renewal[who])
    stays = ~at_once & (setting.reverse_draw[who] < PROCESS.reversal)
    state.reverse[who] = np.where(stays, (day + state.renewal[who]) // 2, NEVER)
    state.shock[LEAVING, who] += np.where(at_once, 0.0, SHOCK_SIZE[LEAVING])
    note_contract(state, who[~at_once], day, "cancellation_scheduled", effective=state.leave[who[~at_once]])
    back = np.flatnonzero(state.reverse == day)
    state.decided[back] = state.leave[back] = NEVER
    state.cause[back] = -1
    state.shock[LEAVING, back] = 0.0
    note_contract(state, back, day, "cancellation_reversed")


def _causes(state: State, who: Ints, day: int) -> Ints:
    """The largest part of today's hazard: a shock, a payment problem or plainly too little value."""
    code = state.payment_code(day)[who]
    payment = PROCESS.payment * np.select([code == FAILED, code == OVERDUE], [1.0, 0.5], 0.0)
    parts = np.vstack([PROCESS.health * state.shock[:LEAVING, who], payment[None, :]])
    low_value = PROCESS.health * (state.base[who] - 0.4)
    return np.where(parts.max(axis=0) > np.maximum(low_value, 0.15), parts.argmax(axis=0), LOW_VALUE)


def step_exits(setting: Setting, state: State, day: int) -> None:
    """Whoever's time has come leaves: after notice, or because dunning ran out."""
    paying = state.paying(setting.people, day)
    unpaid = paying & (state.unpaid_exit == day)
    state.cause[unpaid] = PAYMENT_FAILURE
    state.decided[unpaid] = day
    who = np.flatnonzero(unpaid | (paying & (state.leave == day)))
    note_contract(state, who, day, "churned", seats=np.zeros_like(who), mrr=np.zeros(len(who)))
    state.exited[who] = day


def step_billing(rng: np.random.Generator, setting: Setting, state: State, day: int) -> None:
    """Invoices on the contract's day of the month, and how each of them will be paid."""
    people, time = setting.people, setting.time
    draws = rng.random((3, len(people)))
    months = time.months_of(np.full(len(people), day)) - time.months_of(np.minimum(people.since, day))
    due = state.paying(people, day) & (setting.day_of_month == time.day_of_month[day + BEFORE])
    who = np.flatnonzero(due & (months % people.billing == 0))
    transfer = people.by_transfer[who]
    chance = people.payment_failure[who] * np.exp(-0.35 * np.clip(state.health[who], -2.5, 2.5))
    failures = _failures(draws[:, who], np.minimum(chance, 0.85), people.payment_failure[who] > 0.2)
    delay = np.where(transfer, _transfer_delay(draws[1, who], failures), np.array(PAID_AFTER)[failures])
    paid = np.where(delay < NEVER, day + delay, NEVER)
    amount = np.round(state.mrr[who] * people.billing[who], 2)
    state.records.invoices.add(
        who,
        day=day,
        amount=amount,
        failures=np.where(transfer, 0, np.minimum(failures, 4)),
        paid=paid,
        transfer=transfer,
    )
    _owe(state, who, day, paid, (failures > 0) & ~transfer, transfer & (delay > DUE_DAYS))


def _failures(draws: Floats, chance: Floats, chronic: Bools) -> Ints:
    """How often the card fails for one invoice; five stands for an invoice that is never paid."""
    shares = np.where(chronic, CHRONIC[:, None], OCCASIONAL[:, None])
    steps = 1 + (draws[2] >= shares).sum(axis=0)
    return np.where(draws[0] < chance, steps, 0).astype(np.int64)


def _transfer_delay(draw: Floats, failures: Ints) -> Ints:
    """Days until a transfer arrives: in time, or late by up to 25 days."""
    return np.where(failures > 0, DUE_DAYS + 2 + np.floor(draw * 24), np.floor(draw * 13) + 1).astype(np.int64)


def _owe(state: State, who: Ints, day: int, paid: Ints, failed: Bools, late: Bools) -> None:
    state.failed_from[who[failed]] = day
    state.failed_until[who[failed]] = paid[failed]
    state.overdue_from[who[late]] = day + DUE_DAYS + 1
    state.overdue_until[who[late]] = paid[late]
    state.unpaid_exit[who] = np.where(paid == NEVER, day + DUNNING_DAYS, NEVER)


def note_contract(
    state: State,
    who: Ints,
    day: int,
    change: str,
    *,
    plan: Ints | None = None,
    seats: Ints | None = None,
    mrr: Floats | None = None,
    effective: Ints | None = None,
    reason: object = None,
) -> None:
    """Note a change of contract; what is not given stays as it is."""
    state.records.contracts.add(
        who,
        day=day,
        change=change,
        effective=day if effective is None else effective,
        plan_before=state.plan[who],
        plan_after=state.plan[who] if plan is None else plan,
        seats_before=state.seats[who],
        seats_after=state.seats[who] if seats is None else seats,
        mrr_before=state.mrr[who],
        mrr_after=state.mrr[who] if mrr is None else mrr,
        reason=reason,
    )
