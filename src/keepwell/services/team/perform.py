"""One attempt at a job, in a process of its own: it can be stopped at any moment, and its memory is given back."""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from keepwell.model.problems import DefinitionError
from keepwell.services.team.handlers import HANDLERS
from keepwell.services.team.jobs import job_fail, job_finish
from keepwell.services.team.running import Handler, Running, TakenOver
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import Job
from keepwell.warehouse.lock import WarehouseBusy, WarehouseError

LOG: Final = logging.getLogger("keepwell.job")
ORPHAN_EXIT: Final = 75
_LOOK_SECONDS: Final = 1.0
_SHOWN_PROBLEMS: Final = 20


def perform(
    workspace: Workspace,
    job: Job,
    *,
    now: Callable[[], datetime],
    handlers: Mapping[str, Handler] = HANDLERS,
) -> bool:
    """Do a job that this process holds and write down how it went; returns whether it went well."""
    running = Running(workspace, job, now)
    try:
        done = handlers[job.kind](running)
    except TakenOver:
        LOG.warning("%s: another worker has it now; this attempt stops", job)
        return False
    except WarehouseBusy as error:
        job_fail(running.claim, str(error), now(), again=True)
        return False
    except (DefinitionError, WorkspaceError, WarehouseError) as error:
        job_fail(running.claim, error_words(error), now())
        return False
    except Exception as error:
        LOG.exception("%s failed", job)
        job_fail(running.claim, error_words(error), now())
        return False
    return job_finish(running.claim, done, now()) and not done.problems


def error_words(error: Exception) -> str:
    """An error as people read it on the job's page."""
    if isinstance(error, DefinitionError):
        shown = [str(problem) for problem in error.problems]
        rest = len(shown) - _SHOWN_PROBLEMS
        return "\n".join(shown[:_SHOWN_PROBLEMS] + ([f"and {rest} more; 'keepwell validate' lists all"] * (rest > 0)))
    if isinstance(error, WorkspaceError | WarehouseError):
        return str(error)
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return f"Unexpected {type(error).__name__}: {first}. The worker's log has the details."


def end_with(parent: int) -> None:
    """End this process when the worker that started it is gone: nobody could cancel it any more."""
    threading.Thread(target=_watch, args=(parent,), name="orphan watch", daemon=True).start()


def _watch(parent: int) -> None:
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(_LOOK_SECONDS)
    os._exit(ORPHAN_EXIT)
