"""What happens to customers from outside: releases, prices, incidents, people who leave, competitors who call."""

from dataclasses import dataclass

import numpy as np

from keepwell.simulation.arrays import NEVER, Floats, Ints
from keepwell.simulation.population import Population
from keepwell.simulation.process import CHAMPION_LEAVES, COMPETITOR_CALLS, RELEASE_EXPOSED, SHOCK_SIZE, SHOCKS
from keepwell.simulation.timeline import Timeline

RELEASE, CHAMPION, PRICE, COMPETITOR, LEAVING = range(len(SHOCKS))


@dataclass(frozen=True)
class WorldEvents:
    """Days on which something happened to the whole world."""

    releases: tuple[int, ...]
    price_announced: int
    incidents: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Shocks:
    """Day and size of each customer's shocks; rows are bad release 1 and 2, champion, price, competitor."""

    day: Ints
    size: Floats
    component: Ints

    @property
    def champion_left(self) -> Ints:
        return np.asarray(self.day[2], dtype=np.int64)

    @property
    def competitor_called(self) -> Ints:
        return np.asarray(self.day[4], dtype=np.int64)


def draw_world_events(rng: np.random.Generator, time: Timeline) -> WorldEvents:
    """Two bad releases, one price increase and two incidents, each in its part of the window."""

    def around(share: float) -> int:
        return int(np.clip(time.days * (share + rng.uniform(-0.05, 0.05)), 0, time.days - 1))

    releases = (around(0.30), around(0.72))
    incidents = tuple((around(share), int(rng.integers(1, 4))) for share in (0.22, 0.85))
    return WorldEvents(releases=releases, price_announced=around(0.45), incidents=incidents)


def draw_shocks(rng: np.random.Generator, people: Population, world: WorldEvents, time: Timeline) -> Shocks:
    """Whom what hits, when and how hard."""
    count = len(people)
    size = np.array(SHOCK_SIZE)
    releases = [np.where(rng.random(count) < RELEASE_EXPOSED, day, NEVER) for day in world.releases]
    listed = np.where(people.plan < 2, world.price_announced, NEVER)
    days = [
        *releases,
        _some_day(rng, CHAMPION_LEAVES, count, time),
        listed,
        _some_day(rng, COMPETITOR_CALLS, count, time),
    ]
    component = np.array([RELEASE, RELEASE, CHAMPION, PRICE, COMPETITOR])
    hardness = rng.gamma(4.0, 0.25, (len(component), count)) * size[component][:, None]
    hardness[3] *= people.price_sensitivity
    return Shocks(day=np.array(days), size=hardness, component=component)


def _some_day(rng: np.random.Generator, monthly: float, count: int, time: Timeline) -> Ints:
    """The first day of something that comes with a monthly probability, if it comes within the window."""
    day = rng.geometric(1.0 - (1.0 - monthly) ** (1 / 30), count) - 1
    return np.where(day < time.days, day, NEVER)
