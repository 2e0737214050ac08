"""demo and doctor: a small demo builds twice, and the doctor finds what is wrong."""

import json
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from keepwell.interfaces.cli.commands import demo
from keepwell.services.demo import DemoSize, demo_build
from keepwell.services.doctor import State, examine
from keepwell.warehouse.lock import lock_acquire, lock_release
from tests.interfaces.cli_world import LAST, contents, keepwell

SMALL = DemoSize(customers=12, world_days=20, days=3)


def test_a_demo_builds_and_builds_again_the_same(tmp_path: Path) -> None:
    told: list[str] = []
    first = demo_build(tmp_path / "demo", tell=lambda name, *_: told.append(name), size=SMALL)
    before = [contents(part.workspace.root, ["snapshots/*"]) for part in first]
    second = demo_build(tmp_path / "demo", tell=lambda *_: None, size=SMALL)
    assert before == [contents(part.workspace.root, ["snapshots/*"]) for part in second]
    assert [part.workspace.root.name for part in second] == ["agency-signals", "b2b-saas"]
    assert all(len(files) == SMALL.days + 1 for files in before)
    assert "loading files" in told


def test_a_demo_touches_nothing_but_a_demo(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    ran = keepwell("demo", "--dir", tmp_path / "mine")
    assert ran.code == 2
    assert "no demo" in ran.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_the_doctor_is_content_with_a_fresh_workspace(scored: Path) -> None:
    findings = examine(scored, today=LAST)
    assert {finding.state for finding in findings} <= {State.OK, State.NOTE}
    assert {f.check for f in findings} == {"config", "model", "engine", "lock", "disk", "snapshots", "freshness"}


def test_the_doctor_says_what_is_old(scored: Path) -> None:
    findings = {f.check: f for f in examine(scored, today=date(2026, 8, 1))}
    assert findings["snapshots"].state is State.WARNING
    assert "32 days ago" in findings["snapshots"].message


def test_the_doctor_sees_who_holds_the_lock(copy: Path) -> None:
    held = lock_acquire(copy / "data" / "warehouse.lock", doing="a long load", wait_seconds=0, on_wait=None)
    try:
        (finding,) = [f for f in examine(copy, today=LAST) if f.check == "lock"]
    finally:
        lock_release(held)
    assert finding.state is State.WARNING
    assert "a long load" in finding.message


def test_a_held_lock_is_waited_for_and_then_said(copy: Path) -> None:
    config = copy / "keepwell.toml"
    config.write_text(config.read_text().replace("wait_seconds = 60", "wait_seconds = 0"))
    held = lock_acquire(copy / "data" / "warehouse.lock", doing="a long load", wait_seconds=0, on_wait=None)
    try:
        ran = keepwell("-w", copy, "run", "--as-of", LAST)
    finally:
        lock_release(held)
    assert ran.code == 2
    assert "a long load" in ran.err


@pytest.mark.parametrize(
    ("file", "text", "check"), [("keepwell.toml", "[workspace", "config"), ("model/model.yaml", "model: {", "model")]
)
def test_the_doctor_names_what_is_broken(copy: Path, file: str, text: str, check: str) -> None:
    (copy / file).write_text(text)
    ran = keepwell("-w", copy, "doctor", "--format", "json")
    assert ran.code == 2
    assert any(f["check"] == check and f["state"] == "error" for f in json.loads(ran.out))


def test_the_doctor_warns_of_a_changed_model(copy: Path) -> None:
    assert keepwell("-w", copy, "run", "--as-of", LAST).code == 0
    model = copy / "model" / "model.yaml"
    model.write_text(model.read_text().replace("title:", "title: New", 1))
    findings = examine(copy, today=LAST)
    assert any("the model changed" in finding.message for finding in findings)


def test_the_demo_command_names_reports_and_commands_that_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "DemoSize", partial(DemoSize, world_days=45))
    ran = keepwell("demo", "--dir", tmp_path / "demo", "--customers", 12, "--days", 30, "--no-serve")
    assert ran.code == 0, ran.err
    reports = [line.split(": ")[1] for line in ran.out.splitlines() if line.startswith("  report: ")]
    assert len(reports) == 2
    assert all(Path(path).stat().st_size for path in reports)
    commands = [line.split()[1:] for line in ran.out.splitlines() if " -w " in line]
    shown = [arguments for arguments in commands if arguments[-1] != "serve"]
    assert [arguments[1].split("/")[-1] for arguments in commands if arguments not in shown] == [
        "b2b-saas",
        "agency-signals",
    ]
    assert "keepwell-demo" in ran.out
    assert "manager@demo.keepwell.example" in ran.out
    assert len(shown) == 3
    assert [keepwell(*arguments).code for arguments in shown] == [0, 0, 0]
