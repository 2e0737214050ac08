"""A stage for playbooks."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from keepwell.services.team.playing import turn
from tests.services.team.playing.stage import Stage, workspace_with

MakeStage = Callable[..., Stage]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeStage:
    """Makes a workspace of one's own: `stage("p: {...}")`; its playbooks are switched on."""

    def make(playbooks: str, *, on: bool = True, calendar: str = "", zone: str = "UTC") -> Stage:
        workspace = workspace_with(tmp_path / "stage", playbooks, calendar=calendar, zone=zone)
        monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(workspace.root))
        made = Stage(workspace)
        names = [line.split(":")[0] for line in playbooks.strip("\n").splitlines() if line and line[0].isalpha()]
        return made.on(*names) if on else made

    turn._resting.clear()
    return make
