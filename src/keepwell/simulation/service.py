"""service_metrics.csv: latency, errors and availability of the product, with bad releases and incidents."""

from typing import Final

import numpy as np

from keepwell.simulation.arrays import Columns, Floats, ids
from keepwell.simulation.shocks import WorldEvents
from keepwell.simulation.timeline import Timeline

MEASURED_AT: Final = 12 * 3600
BASELINES: Final = {"p95_latency_ms": 320.0, "error_rate": 0.004, "uptime": 0.9995}


def service_rows(rng: np.random.Generator, world: WorldEvents, time: Timeline) -> Columns:
    """One value of each metric a day."""
    strain = _strain(world, time.days)
    noise = rng.standard_normal((3, time.days))
    values = {
        "p95_latency_ms": np.round(BASELINES["p95_latency_ms"] * np.exp(0.06 * noise[0]) * (1 + 1.4 * strain), 1),
        "error_rate": np.round(BASELINES["error_rate"] * np.exp(0.15 * noise[1]) * (1 + 5 * strain), 4),
        "uptime": np.round(np.minimum(1.0, BASELINES["uptime"] + 0.0002 * noise[2] - 0.02 * strain), 4),
    }
    names = tuple(values)
    metric = np.tile(np.arange(len(names)), time.days)
    day = np.repeat(np.arange(time.days), len(names))
    return {
        "service_metric_id": ids("sm-%06d", np.arange(len(day)) + 1),
        "name": np.array(names, dtype=object)[metric],
        "measured_at": time.moment(day, MEASURED_AT + metric * 60),
        "value": np.array([values[name] for name in names])[metric, day],
        "baseline": np.array(tuple(BASELINES.values()))[metric],
    }


def _strain(world: WorldEvents, days: int) -> Floats:
    """0 on a usual day, 1 in an incident, less after a bad release."""
    day = np.arange(days)
    strain = np.zeros(days)
    for release in world.releases:
        strain += np.where((day >= release) & (day < release + 7), 0.4, 0.0)
    for start, length in world.incidents:
        strain += np.where((day >= start) & (day < start + length), 1.0, 0.0)
    return strain
