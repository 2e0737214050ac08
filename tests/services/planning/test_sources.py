"""The model on disk: read once, and again as soon as a file of it is another one."""

from pathlib import Path

import pytest

from keepwell.model.problems import DefinitionError
from keepwell.model.step_definitions import TaskStep
from keepwell.services.planning import sources
from keepwell.services.planning.sources import Sources, current_model, read_sources
from keepwell.services.workspace import workspace_open
from tests.services.team.playing.stage import workspace_with


def test_a_model_is_read_once_until_a_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, read = workspace_with(tmp_path, "p: {trigger: {manual: true}, steps: [{task: A}]}"), list[Path]()

    def counted(folder: Path) -> Sources:
        read.append(folder)
        return read_sources(folder)

    monkeypatch.setattr(sources, "read_sources", counted)
    assert current_model(workspace) is current_model(workspace_open(tmp_path))
    assert len(read) == 1

    file = workspace.model_dir / "model.yaml"
    fresh = file.with_suffix(".new")
    fresh.write_text(file.read_text(encoding="utf-8").replace("task: A", "task: B"), encoding="utf-8")
    fresh.replace(file)
    step = current_model(workspace).model.playbooks["p"].steps[0]
    assert isinstance(step, TaskStep)
    assert (step.task, len(read)) == ("B", 2)

    added = workspace.model_dir / "more.yaml"
    added.write_text("segments: {nobody: {when: nothing}}\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(DefinitionError):
            current_model(workspace)
    added.unlink()
    assert "p" in current_model(workspace).model.playbooks
