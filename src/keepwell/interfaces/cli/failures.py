"""What goes wrong, in words and exit codes."""

import os
import sys
import traceback
from enum import IntEnum
from typing import Final

from keepwell.interfaces.cli.output import note
from keepwell.model.expressions import ExpressionError
from keepwell.model.problems import DefinitionError
from keepwell.reporting.reading import ReportError
from keepwell.services.workspace import WorkspaceError
from keepwell.warehouse.lock import WarehouseError

DEBUG: Final = "KEEPWELL_DEBUG"


class Exit(IntEnum):
    """The program's exit codes."""

    DONE = 0
    PROBLEMS = 1
    WRONG_USE = 2


class BadInputError(Exception):
    """Input that cannot be used; the message is for the user and says what to do."""


def explained(error: Exception) -> int:
    """Say on stderr what went wrong and return the exit code."""
    if isinstance(error, BrokenPipeError):
        # Whoever read our output has gone: that is no failure, but the interpreter must not flush into the void.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    if os.environ.get(DEBUG):
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, DefinitionError):
        for problem in error.problems:
            note(str(problem))
    else:
        note(f"error: {_words(error)}")
    return Exit.WRONG_USE


def _words(error: Exception) -> str:
    if isinstance(error, BadInputError | WorkspaceError | WarehouseError | ReportError):
        return str(error)
    if isinstance(error, ExpressionError):
        return f"the model cannot be evaluated: {error}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror or error}"
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return f"unexpected {type(error).__name__}: {first} (set {DEBUG}=1 for details)"
