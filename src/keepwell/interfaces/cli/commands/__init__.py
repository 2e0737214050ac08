"""One module per command, each putting itself on the app. A new command is a module and its name here."""

from typing import Final

COMMANDS: Final = (
    "init",
    "load",
    "run",
    "show",
    "portfolio",
    "quality",
    "explain",
    "plan",
    "export",
    "report",
    "demo",
    "demo_days",
    "serve",
    "people",
    "doctor",
    "validate",
    "score",
    "segments",
    "schema",
    "simulate",
    "simulate_playbook",
    "bench",
)
