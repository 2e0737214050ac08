"""The turns between jobs: in their order, each isolated from the others' errors, until the worker stops."""

import logging
import threading
from datetime import datetime

import pytest

from keepwell.services.team import actions
from keepwell.services.team.actions import actions_turn
from keepwell.services.workspace import Workspace
from tests.web import NOW

pytestmark = pytest.mark.django_db


def test_what_breaks_in_one_turn_keeps_no_other_from_its_own(
    published: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    def breaks(here: Workspace, now: datetime, worker: str) -> int:
        seen.append("breaks")
        raise ValueError("no such thing")

    def works(here: Workspace, now: datetime, worker: str) -> int:
        seen.append("works")
        return 3

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert actions_turn(published, NOW, "w", turns=(("one", breaks), ("two", works))) == 3
    assert seen == ["breaks", "works"] * 3
    assert caplog.text.count("one: no such thing") == 1, "once a minute"


def test_the_shipped_turns_do_nothing_where_nothing_waits(published: Workspace) -> None:
    actions_turn(published, NOW, "w")  # what data tick on checklists is ticked once
    assert actions_turn(published, NOW, "w") == 0


def test_it_acts_until_it_is_stopped(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()

    def turn(here: Workspace, now: datetime, worker: str) -> int:
        stop.set()
        return 0

    monkeypatch.setattr(actions, "TURNS", (("one", turn),))
    actions.act(stop, now=lambda: NOW)
    assert stop.is_set()
