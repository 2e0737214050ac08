"""How contracts begin, renew, grow and shrink, and which stage a customer is in."""

from typing import Final

import numpy as np

from keepwell.simulation.arrays import NEVER, Bools, Floats, Ints
from keepwell.simulation.population import JOINED_AFTER_TRIAL, TRIAL, monthly_revenue, plan_limit
from keepwell.simulation.process import PRICE_UPLIFT, usage_gate
from keepwell.simulation.state import ADOPTION, EXPANSION, ONBOARDING, RENEWAL, VALUE, Setting, State
from keepwell.simulation.steps import note_contract

TIGHT: Final = 0.95
LOOSE: Final = 0.25
EXPANDS: Final = 0.03
"""Daily probability of an upgrade while more than `TIGHT` of the plan is used."""


def utilisation(setting: Setting, state: State, day: int) -> Floats:
    """Share of the plan's monthly units that a customer uses at today's pace."""
    people = setting.people
    grown = np.exp(np.clip(people.growth * np.maximum(day - people.start, 0) / 30.0, 0.0, 1.0))
    grown = np.where(people.start < 0, np.exp(people.growth * day / 30.0), grown)
    first = plan_limit(people.plan, people.seats)
    return np.asarray(people.utilisation * grown * usage_gate(state.health) / 0.9 * first / state.limit())


def step_starts(setting: Setting, state: State, day: int) -> None:
    """Trials that begin and contracts that are signed today."""
    people = setting.people
    tried = (people.kind == TRIAL) | (people.kind == JOINED_AFTER_TRIAL)
    signed = people.since == day
    _note_trial(state, np.flatnonzero((people.start == day) & tried), day, "trial_started")
    _note_trial(state, np.flatnonzero(signed & (people.kind == JOINED_AFTER_TRIAL)), day, "trial_ended")
    who = np.flatnonzero(signed)
    note_new(state, who, np.full(len(who), day))


def note_before(setting: Setting, state: State) -> None:
    """Contracts and trials that began before the window."""
    people = setting.people
    signed = np.flatnonzero(people.since < 0)
    note_new(state, signed, people.since[signed])
    tried = (people.kind == TRIAL) | (people.kind == JOINED_AFTER_TRIAL)
    trying = np.flatnonzero(tried & (people.start < 0) & (people.since >= 0))
    _note_begin(state, trying, people.start[trying], "trial_started", np.zeros(len(trying)))


def _note_trial(state: State, who: Ints, day: int, change: str) -> None:
    _note_begin(state, who, np.full(len(who), day), change, np.zeros(len(who)))


def note_new(state: State, who: Ints, day: Ints) -> None:
    """Note the first contract of `who`."""
    _note_begin(state, who, day, "new", state.mrr[who])


def _note_begin(state: State, who: Ints, day: Ints, change: str, mrr: Floats) -> None:
    state.records.contracts.add(
        who,
        day=day,
        change=change,
        effective=day,
        plan_before=-1,
        plan_after=state.plan[who],
        seats_before=0,
        seats_after=state.seats[who],
        mrr_before=0.0,
        mrr_after=mrr,
        reason=None,
    )


def step_renewals(rng: np.random.Generator, setting: Setting, state: State, day: int) -> None:
    """Terms that end today go on; on a renewal some shrink, and list prices may have risen."""
    people = setting.people
    renews = state.paying(people, day) & (state.renewal == day)
    shrinks = renews & (utilisation(setting, state, day) < LOOSE) & (state.health < -0.2)
    shrinks &= rng.random(len(people)) < np.where(people.term == 1, 0.06, 0.35)
    who = np.flatnonzero(renews)
    yearly = who[people.term[who] == 12]
    note_contract(state, yearly, day, "renewal", effective=state.renewal[yearly])
    state.renewal[who] = setting.time.add_months(state.renewal[who], people.term[who])
    announced = (day >= setting.world.price_announced + 20) & (state.plan < 2) & (state.uplift == 1.0)
    _raise_prices(setting, state, np.flatnonzero(renews & announced & (people.since < day)), day)
    _shrink(setting, state, np.flatnonzero(shrinks & (state.seats > 1)), day)


def _raise_prices(setting: Setting, state: State, who: Ints, day: int) -> None:
    state.uplift[who] = PRICE_UPLIFT
    _change(setting, state, who, day, "expansion", state.plan[who], state.seats[who], "price_increase")


def _shrink(setting: Setting, state: State, who: Ints, day: int) -> None:
    down = (state.plan[who] > 0) & (state.seats[who] < 8)
    seats = np.where(down, state.seats[who], np.maximum(1, (state.seats[who] * 0.7).astype(np.int64)))
    _change(setting, state, who, day, "contraction", state.plan[who] - down, seats, "low_usage")


def step_growth(rng: np.random.Generator, setting: Setting, state: State, day: int) -> None:
    """Customers that reach their plan's limit and are content buy seats or the next plan."""
    people = setting.people
    draw, form, amount = rng.random((3, len(people)))
    ready = state.paying(people, day) & (state.decided == NEVER) & (day - people.since > 30)
    ready &= (day - state.expanded > 30) & (state.health > -0.5) & (utilisation(setting, state, day) > TIGHT)
    who = np.flatnonzero(ready & (draw < EXPANDS))
    up = (state.plan[who] < 2) & (form[who] < 0.4)
    seats = np.where(up, state.seats[who], np.ceil(state.seats[who] * (1.15 + 0.35 * amount[who])).astype(np.int64))
    state.expanded[who] = day
    _change(setting, state, who, day, "expansion", state.plan[who] + up, seats, "plan_limit")


def _change(
    setting: Setting, state: State, who: Ints, day: int, change: str, plan: Ints, seats: Ints, reason: str
) -> None:
    mrr = monthly_revenue(plan, seats, setting.people.discount[who], state.uplift[who])
    note_contract(state, who, day, change, plan=plan, seats=seats, mrr=mrr, reason=reason)
    state.plan[who], state.seats[who], state.mrr[who] = plan, seats, mrr


def step_stage(setting: Setting, state: State, day: int) -> None:
    """The lifecycle stage, and the owner when customers are handed over."""
    people = setting.people
    age = day - people.start
    early = np.where(
        (age < people.onboarding_days) | ~people.uses_product, ONBOARDING, np.where(age < 150, ADOPTION, VALUE)
    )
    grown = (early != ONBOARDING) & (day - state.expanded < 60)
    near: Bools = (people.term == 12) & (early != ONBOARDING) & (state.renewal - day <= 60)
    state.stage = np.where(near, RENEWAL, np.where(grown, EXPANSION, early))
    state.owner = np.where(people.handover == day, 1 - state.owner, state.owner)
