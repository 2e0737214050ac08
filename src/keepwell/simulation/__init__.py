"""A seeded world of customers whose hidden truth is written down."""

from keepwell.simulation.world import WorldSummary, simulate_world

__all__ = ["WorldSummary", "simulate_world"]
