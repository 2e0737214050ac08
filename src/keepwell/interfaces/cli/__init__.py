"""The command line: `keepwell …`. Exit 0: done; 1: finished with problems reported; 2: wrong use or bad model."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.commands import COMMANDS
from keepwell.interfaces.cli.failures import explained

for _command in COMMANDS:
    import_module(f"keepwell.interfaces.cli.commands.{_command}")


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; bad input never ends in a traceback."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="keepwell")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception as error:  # noqa: BLE001 - the last door: whatever it is, people get a sentence
        return explained(error)
    return 0


def main() -> NoReturn:
    """The entry point of the `keepwell` program."""
    sys.exit(run())
