"""Progress on stderr: bars with a rate on a terminal, nothing elsewhere: a log wants reports, not bars."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from keepwell.interfaces.cli.output import note

_SHOWN: Final = 60


class _Rate(ProgressColumn):
    """Units per second."""

    def render(self, task: Task) -> Text:
        """The rate of a task, empty before it is known."""
        speed = task.finished_speed or task.speed
        unit = task.fields.get("unit", "")
        return Text(f"{speed:,.0f} {unit}/s" if speed and speed >= 1 else "", style="progress.data.speed")


class Stages:
    """Stages of work, each told by name with how much of it is done."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    @property
    def visible(self) -> bool:
        """Whether bars are shown."""
        return self._progress is not None

    def tell(self, name: str, done: float, total: float, unit: str = "") -> None:
        """Say how far a stage is; `unit` names what is counted, for the rate."""
        if self._progress is None:
            return
        if name not in self._tasks:
            shown = name if len(name) <= _SHOWN else "…" + name[1 - _SHOWN :]
            self._tasks[name] = self._progress.add_task(shown, total=total, unit=unit)
        self._progress.update(self._tasks[name], completed=done, total=total)

    def start(self, name: str) -> None:
        """Say that a stage began of which nobody knows how long it takes."""
        if self._progress is not None and name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None, unit="")

    def wait(self, text: str) -> None:
        """Say that another process is waited for."""
        note(text)


@contextmanager
def stages() -> Iterator[Stages]:
    """Show stages while the block runs; the bars are gone afterwards, the reports stay."""
    if not sys.stderr.isatty():
        yield Stages(None)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Stages(progress)
