"""The course of the world: every day of every customer, and what it left behind."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from keepwell.simulation.arrays import NEVER, Bools, Columns, Ints, stream
from keepwell.simulation.contracts import note_before, step_growth, step_renewals, step_stage, step_starts, utilisation
from keepwell.simulation.population import PROSPECT, Population
from keepwell.simulation.shocks import Shocks, WorldEvents
from keepwell.simulation.state import Setting, State, first_state
from keepwell.simulation.steps import (
    step_billing,
    step_contacts,
    step_decisions,
    step_exits,
    step_hazard,
    step_health,
)
from keepwell.simulation.timeline import BEFORE, Timeline

EVENING: Final = 20 * 3600
SINGLE: Final = np.float32


@dataclass(frozen=True, eq=False)
class Daily:
    """Truth by day (rows) and customer (columns)."""

    health: NDArray[np.float32]
    hazard: NDArray[np.float32]
    exit_probability: NDArray[np.float32]
    utilisation: NDArray[np.float32]
    limit: NDArray[np.int32]
    owing: Bools
    near_renewal: Bools

    def __len__(self) -> int:
        return len(self.health)


@dataclass(frozen=True, eq=False)
class Course:
    """All that happened to a group of customers, before it is told as tables."""

    people: Population
    shocks: Shocks
    world: WorldEvents
    time: Timeline
    daily: Daily
    state: State
    contracts: Columns
    invoices: Columns
    touches: Columns
    history: Columns

    @property
    def exited(self) -> Ints:
        """The day each customer left; `NEVER` for those who stayed."""
        return self.state.exited

    def present(self) -> Bools:
        """Day × customer: who uses the product; nobody does on the day of leaving."""
        day = np.arange(self.time.days)[:, None]
        people = self.people
        return np.asarray(people.uses_product & (people.start <= day) & (day < self.exited))


def run_course(seed: int, chunk: int, people: Population, shocks: Shocks, world: WorldEvents, time: Timeline) -> Course:
    """Live through all days of the window."""
    rng = stream(seed, chunk, "course")
    setting = _setting(rng, people, shocks, world, time)
    state = first_state(rng, setting)
    note_before(setting, state)
    daily = _empty(time.days, len(people))
    last = _attributes(setting, state, -1)
    for day, weekday in enumerate(time.weekdays().tolist()):
        step_stage(setting, state, day)
        last = _note_first(setting, state, day, last)
        _live(rng, setting, state, day, weekday)
        last = _note_changes(setting, state, day, last)
        _keep(daily, setting, state, day)
    logs = state.records
    return Course(
        people=people,
        shocks=shocks,
        world=world,
        time=time,
        daily=daily,
        state=state,
        contracts=logs.contracts.columns(),
        invoices=logs.invoices.columns(),
        touches=logs.touches.columns(),
        history=logs.history.columns(),
    )


def _setting(
    rng: np.random.Generator, people: Population, shocks: Shocks, world: WorldEvents, time: Timeline
) -> Setting:
    signed = np.where(people.since < NEVER, people.since, 0)
    return Setting(
        people=people,
        shocks=shocks,
        world=world,
        time=time,
        day_of_month=time.day_of_month[signed + BEFORE],
        reverse_draw=rng.random(len(people)),
    )


def _live(rng: np.random.Generator, setting: Setting, state: State, day: int, weekday: int) -> None:
    step_starts(setting, state, day)
    step_health(rng, setting, state, day)
    step_contacts(rng, setting, state, day, weekday)
    step_hazard(setting, state, day)
    step_decisions(rng, setting, state, day)
    step_exits(setting, state, day)
    step_renewals(rng, setting, state, day)
    step_billing(rng, setting, state, day)
    step_growth(rng, setting, state, day)


def _empty(days: int, count: int) -> Daily:
    shape = (days, count)
    return Daily(
        health=np.zeros(shape, SINGLE),
        hazard=np.zeros(shape, SINGLE),
        exit_probability=np.zeros(shape, SINGLE),
        utilisation=np.zeros(shape, SINGLE),
        limit=np.zeros(shape, np.int32),
        owing=np.zeros(shape, np.bool_),
        near_renewal=np.zeros(shape, np.bool_),
    )


def _keep(daily: Daily, setting: Setting, state: State, day: int) -> None:
    daily.health[day] = state.health
    daily.hazard[day] = state.hazard
    daily.exit_probability[day] = state.exit_probability
    daily.utilisation[day] = utilisation(setting, state, day)
    daily.limit[day] = state.limit()
    daily.owing[day] = np.isin(state.payment_code(day), (1, 2))
    daily.near_renewal[day] = (setting.people.term == 12) & (state.renewal - day <= 60)


def _attributes(setting: Setting, state: State, day: int) -> dict[str, NDArray[Any]]:
    """What customers.csv tells about today."""
    people = setting.people
    status = np.where(state.exited <= day, 3, np.where(people.since <= day, 2, np.where(people.kind == PROSPECT, 0, 1)))
    return {
        "plan": state.plan.copy(),
        "seats": state.seats.copy(),
        "mrr": np.where(people.since <= day, state.mrr, 0.0),
        "payment": state.payment_code(day),
        "renewal": state.renewal.copy(),
        "stage": state.stage.copy(),
        "status": status,
        "owner": state.owner.copy(),
    }


def _note_first(setting: Setting, state: State, day: int, last: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Customers seen for the first time, noted at midnight, before anything happens to them."""
    who = np.flatnonzero(np.maximum(setting.people.start, 0) == day)
    now = _attributes(setting, state, day)
    state.records.history.add(who, day=day, second=0, **{name: values[who] for name, values in now.items()})
    for name, values in now.items():
        last[name][who] = values[who]
    return last


def _note_changes(setting: Setting, state: State, day: int, last: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Customers for whom anything changed today, noted in the evening."""
    now = _attributes(setting, state, day)
    seen = (setting.people.start <= day) & (state.exited >= day)
    changed = np.any([now[name] != last[name] for name in now], axis=0)
    who = np.flatnonzero(seen & changed)
    state.records.history.add(who, day=day, second=EVENING, **{name: values[who] for name, values in now.items()})
    return now
