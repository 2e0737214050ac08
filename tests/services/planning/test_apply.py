"""Applying puts a whole model in place or nothing, keeps who and why, and can be taken back."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from keepwell.model.problems import DefinitionError
from keepwell.services.planning import folders
from keepwell.services.planning.apply import ModelChangedError, apply_model, history, rollback, version_sources
from keepwell.services.planning.edits import Edit, edit_model
from keepwell.services.planning.sources import current_hash, current_model, model_sources
from keepwell.services.workspace import Workspace, WorkspaceError, workspace_init, workspace_open
from tests.services.planning.conftest import NOW

MINIMUM = ("settings", "minimum_coverage")
LABEL = ("scores", "health", "label")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return workspace_init(tmp_path / "ws", pack="b2b-saas")


def change(workspace: Workspace, value: float, why: str = "a reason", **more: str) -> object:
    proposed = edit_model(model_sources(workspace), [Edit(MINIMUM, value)])
    expected = more.get("expected") or current_hash(workspace)
    return apply_model(workspace, proposed, who="ada", why=why, at=NOW, expected_hash=expected)


def files_of(workspace: Workspace) -> list[Path]:
    return sorted(file for file in workspace.model_dir.rglob("*") if file.is_file())


def test_only_changed_files_are_written(workspace: Workspace) -> None:
    (workspace.model_dir / "README.md").write_text("ours")
    before = {f: (f.read_bytes(), f.stat().st_ino) for f in files_of(workspace)}
    proposed = edit_model(model_sources(workspace), [Edit(LABEL, "Wellbeing")])
    done = apply_model(workspace, proposed, who="ada", why="words", at=NOW, expected_hash=current_hash(workspace))
    assert (done.version, done.written, done.removed) == (2, ("scores.yaml",), ())
    after = {f: (f.read_bytes(), f.stat().st_ino) for f in files_of(workspace)}
    assert {f.name for f in before if before[f] != after[f]} == {"scores.yaml"}
    assert after.keys() == before.keys()
    assert done.hash == current_hash(workspace)
    assert not [p for p in workspace.root.iterdir() if p.name.startswith(".model")]


def test_history_says_who_and_why(workspace: Workspace) -> None:
    first = current_hash(workspace)
    change(workspace, 0.4, "too many without a score")
    applied, start = history(workspace)
    assert (start.version, start.kind, start.before, start.after) == (1, "start", None, first)
    assert (applied.version, applied.kind, applied.before, applied.after) == (
        2,
        "apply",
        first,
        current_hash(workspace),
    )
    assert (applied.who, applied.why, applied.at) == ("ada", "too many without a score", NOW.isoformat())
    assert applied.summary == ("settings: minimum_coverage added: 0.4",)


def test_rollback_is_a_new_entry_and_loses_nothing(workspace: Workspace) -> None:
    original = model_sources(workspace)
    change(workspace, 0.4)
    changed = model_sources(workspace)
    done = rollback(workspace, 1, who="bob", why="it was wrong", at=NOW + timedelta(hours=1))
    assert model_sources(workspace) == original
    assert (done.version, done.entry.kind, done.entry.of) == (3, "rollback", 1)
    assert [entry.version for entry in history(workspace)] == [3, 2, 1]
    assert version_sources(workspace, 2) == changed
    rollback(workspace, 2, who="bob", why="it was right", at=NOW + timedelta(hours=2))
    assert model_sources(workspace) == changed


def test_somebody_else_was_quicker(workspace: Workspace) -> None:
    seen = current_hash(workspace)
    change(workspace, 0.4)
    with pytest.raises(ModelChangedError, match="plan again"):
        change(workspace, 0.3, expected=seen)
    assert current_model(workspace).model.settings.minimum_coverage == 0.4
    assert len(history(workspace)) == 2


def test_edits_by_hand_get_a_version_of_their_own(workspace: Workspace) -> None:
    change(workspace, 0.4)
    path = workspace.model_dir / "model.yaml"
    path.write_text(path.read_text() + "# by hand\n")
    change(workspace, 0.3)
    assert [entry.kind for entry in reversed(history(workspace))] == ["start", "apply", "edit", "apply"]
    assert version_sources(workspace, 3)["model.yaml"].endswith("# by hand\n")
    assert history(workspace)[1].summary == ("only how it is written",)


def test_a_bad_model_changes_nothing(workspace: Workspace) -> None:
    before = model_sources(workspace)
    with pytest.raises(DefinitionError):
        change(workspace, 7)
    assert (model_sources(workspace), history(workspace)) == (before, ())


@pytest.mark.parametrize("name", ["../x.yaml", "/x.yaml", "x.txt", "a/../b.yaml", "./a.yaml", ".."])
def test_files_stay_in_the_folder(workspace: Workspace, name: str) -> None:
    proposed = {**model_sources(workspace), name: "signals: {}\n"}
    with pytest.raises(DefinitionError, match="name below its folder"):
        apply_model(workspace, proposed, who="eve", why="x", at=NOW, expected_hash=current_hash(workspace))


def test_a_reason_is_asked_for_and_nothing_new_is_nothing(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="say why"):
        change(workspace, 0.4, "  ")
    sources = model_sources(workspace)
    with pytest.raises(WorkspaceError, match="nothing to change"):
        apply_model(workspace, sources, who="a", why="b", at=NOW, expected_hash=current_hash(workspace))
    with pytest.raises(WorkspaceError, match="there are: none yet"):
        rollback(workspace, 4, who="a", why="b", at=NOW)


def test_files_can_come_and_go(workspace: Workspace) -> None:
    sources = model_sources(workspace)
    moved = {("more/signals.yaml" if name == "signals.yaml" else name): text for name, text in sources.items()}
    done = apply_model(workspace, moved, who="a", why="order", at=NOW, expected_hash=current_hash(workspace))
    assert (done.written, done.removed) == (("more/signals.yaml",), ("signals.yaml",))
    assert model_sources(workspace) == moved


def test_a_broken_model_on_disk_can_be_rolled_back(workspace: Workspace) -> None:
    change(workspace, 0.4)
    good = model_sources(workspace)
    (workspace.model_dir / "scores.yaml").write_text("scores: [")
    assert current_hash(workspace).startswith("broken-")
    rollback(workspace, 2, who="ada", why="put it right", at=NOW)
    assert model_sources(workspace) == good
    assert [entry.kind for entry in history(workspace)][:2] == ["rollback", "edit"]


def test_a_model_behind_a_link_is_changed_where_it_is(workspace: Workspace, tmp_path: Path) -> None:
    os.rename(workspace.model_dir, tmp_path / "elsewhere")
    workspace.model_dir.symlink_to(tmp_path / "elsewhere")
    change(workspace, 0.4)
    assert workspace.model_dir.is_symlink()
    assert "0.4" in (tmp_path / "elsewhere" / "model.yaml").read_text()


def test_a_model_folder_with_the_data_in_it_is_refused(workspace: Workspace) -> None:
    os.rename(workspace.root / "keepwell.toml", workspace.model_dir / "keepwell.toml")
    toml = workspace.model_dir / "keepwell.toml"
    toml.write_text(toml.read_text().replace('model = "model"', 'model = "."'))
    with pytest.raises(WorkspaceError, match="folder of its own"):
        change(workspace_open(workspace.model_dir), 0.4)


def test_without_exchange_a_kill_between_the_renames_is_put_right(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = model_sources(workspace)
    monkeypatch.setattr(folders, "_exchange", lambda left, right: False)
    renames: list[Path] = []
    really = os.rename

    def rename_once(source: Path, target: Path) -> None:
        if renames:
            raise KeyboardInterrupt
        renames.append(target)
        really(source, target)

    monkeypatch.setattr(folders.os, "rename", rename_once)
    with pytest.raises(KeyboardInterrupt):
        change(workspace, 0.4)
    monkeypatch.undo()
    assert not workspace.model_dir.exists()
    assert model_sources(workspace) == before
    monkeypatch.setattr(folders, "_exchange", lambda left, right: False)
    change(workspace, 0.4)
    assert current_model(workspace).model.settings.minimum_coverage == 0.4


KILLED = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from keepwell.services.planning.apply import apply_model
from keepwell.services.planning.sources import current_hash, model_sources
from keepwell.services.workspace import workspace_open
workspace = workspace_open(Path(sys.argv[1]))
print("ready", flush=True)
for i in range(1000):
    texts = {n: t.rstrip("\\n") + f"\\n# {i}\\n" for n, t in model_sources(workspace).items()}
    apply_model(workspace, texts, who="a", why="b", at=datetime.now(UTC), expected_hash=current_hash(workspace))
"""


def test_a_kill_leaves_the_old_model_or_the_new_one(workspace: Workspace) -> None:
    for pause in (0.05, 0.3, 0.6):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(workspace.root)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        last = {text.rstrip("\n").splitlines()[-1] for text in model_sources(workspace).values()}
        assert len(last) == 1 or not any(line.startswith("# ") and line[2:].isdigit() for line in last)
    sources = model_sources(workspace)
    change(workspace, 0.4)
    entries = history(workspace)
    assert sources in [version_sources(workspace, entry.version) for entry in entries]
    assert len({entry.version for entry in entries}) == len(entries)
    assert version_sources(workspace, entries[0].version) == model_sources(workspace)


def test_a_message_is_a_file_of_the_model_like_the_others(workspace: Workspace) -> None:
    name = "messages/everything_all_right.md"
    sources = model_sources(workspace)
    base, model = current_hash(workspace), current_model(workspace)
    changed = sources | {name: sources[name].replace("Is everything all right?", "How are you?")}
    done = apply_model(workspace, changed, who="ada", why="shorter", at=NOW, expected_hash=base)
    assert (done.written, done.removed) == ((name,), ())
    assert done.entry.summary == (
        "message everything_all_right: subject changed from Is everything all right? to How are you?",
    )
    assert current_model(workspace).hash == model.hash
    assert current_hash(workspace) != base
    with pytest.raises(ModelChangedError):
        apply_model(workspace, sources, who="eve", why="back", at=NOW, expected_hash=base)
    rollback(workspace, 1, who="eve", why="back", at=NOW)
    assert model_sources(workspace) == sources
