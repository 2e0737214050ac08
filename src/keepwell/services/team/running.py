"""What a job that is being worked on knows, and how it tells what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from keepwell.services.team.jobs import Claim, Done, job_step
from keepwell.services.workspace import Workspace
from keepwell.store.models import Job


class TakenOver(Exception):  # noqa: N818  it is a state, not a fault
    """Another worker has the job now; this attempt stops and writes nothing more."""


@dataclass(frozen=True)
class Running:
    """One attempt at a job."""

    workspace: Workspace
    job: Job
    now: Callable[[], datetime]
    span: tuple[float, float] = (0.0, 1.0)

    @property
    def claim(self) -> Claim:
        """What this attempt writes with."""
        return Claim(self.job.pk, self.job.attempts)

    def within(self, first: float, last: float) -> "Running":
        """The same attempt for a part of the work: its progress moves between two shares of the whole."""
        low, high = self.span
        return Running(self.workspace, self.job, self.now, (low + first * (high - low), low + last * (high - low)))

    def step(self, text: str, done: float = 0.0) -> None:
        """Say what is being done and which share of this part is done. Raises TakenOver."""
        low, high = self.span
        if not job_step(self.claim, text, low + done * (high - low)):
            raise TakenOver

    def waits(self, text: str) -> None:
        """Say that another process is waited for."""
        self.step(text[:1].upper() + text[1:])


Handler = Callable[[Running], Done]
