"""Started against left alone: the same goal over the same days on both sides."""

from datetime import timedelta
from typing import Any

import pytest

from keepwell.playbooks.facts import Facts
from keepwell.services.team.playing.comparing import FEWEST, Arm, Comparison, comparison_of, window_of
from keepwell.services.team.playing.plays import plays_of
from keepwell.services.team.playing.starts import start_by_hand
from keepwell.store.models import PlaybookHeldOut, PlaybookRun
from tests.playbooks.plays import MONDAY
from tests.services.team.playing.conftest import MakeStage
from tests.services.team.playing.stage import WHO, Stage

pytestmark = pytest.mark.django_db
DAY = MONDAY.date()
GOAL = """
p:
  trigger: {signal: quiet}
  hold_out: 0.5
  goal: logins >= 5
  longest: %s
  steps:
    - {name: pause, wait: 2d}
"""


def told(day: int, logins: int, *, quiet: bool = True, active: bool = True) -> Facts:
    signals = frozenset({"quiet"} if quiet else ())
    return Facts(DAY + timedelta(days=day), {"logins": logins}, frozenset(), signals, active=active)


def both(here: Stage, customers: int = 8) -> tuple[list[str], list[str]]:
    """Start the playbook for some customers, of whom half are left alone; who is on which side."""
    names = [f"c{number}" for number in range(customers)]
    here.day(DAY, {n: told(0, 0) for n in names}, {n: told(-1, 0, quiet=False) for n in names})
    here.turn()
    treated = sorted(PlaybookRun.objects.values_list("customer_id", flat=True))
    alone = sorted(PlaybookHeldOut.objects.values_list("customer_id", flat=True))
    assert sorted([*treated, *alone]) == names
    assert min(len(treated), len(alone)) >= 2
    return treated, alone


def later(here: Stage, day: int, logins: dict[str, int], **more: Any) -> None:
    here.now = MONDAY + timedelta(days=day)
    here.day(DAY + timedelta(days=day), {n: told(day, count, **more) for n, count in logins.items()}, None)


def compared(here: Stage, day: int, seen: frozenset[str] | None = None) -> Comparison:
    kept = plays_of(here.workspace).current("p")
    assert kept is not None
    found = comparison_of(kept.play, seen, DAY + timedelta(days=day))
    assert found is not None
    return found


def test_both_sides_are_judged_over_the_same_days(stage: MakeStage) -> None:
    here = stage(GOAL % "10d")
    treated, alone = both(here)
    later(here, 5, {treated[0]: 9, treated[1]: 4, alone[0]: 9, alone[1]: 0})
    assert PlaybookRun.objects.get(customer_id=treated[0]).reached_on == DAY + timedelta(days=5)
    assert compared(here, 9) == Comparison(10, Arm(0, 0, len(treated)), Arm(0, 0, len(alone))), "their days go on"
    later(here, 10, {treated[1]: 7, alone[0]: 0})
    later(here, 11, dict.fromkeys([*treated, *alone], 9))
    assert compared(here, 11) == Comparison(10, Arm(len(treated), 2, 0), Arm(len(alone), 1, 0)), "late is late"
    only = compared(here, 11, frozenset({treated[0], alone[1]}))
    assert (only.treated, only.held_out) == (Arm(1, 1, 0), Arm(1, 0, 0))


def test_a_goal_counts_after_the_run_has_ended_and_not_for_whom_left(stage: MakeStage) -> None:
    here = stage(GOAL % "10d")
    treated, alone = both(here)
    here.after(days=3)
    assert not PlaybookRun.objects.filter(ended_at=None).exists()
    later(here, 4, {treated[0]: 9, alone[0]: 9}, active=False)
    assert compared(here, 30).treated.reached == 0
    later(here, 6, {treated[0]: 9, alone[0]: 9})
    assert [compared(here, 30).treated.reached, compared(here, 30).held_out.reached] == [1, 1]


def test_whom_somebody_started_by_hand_is_no_comparison(stage: MakeStage) -> None:
    here = stage(GOAL % "10d")
    treated, alone = both(here)
    run = start_by_hand(WHO, "p", alone[0], here.now, look=here.look, compose=here.compose)
    assert not run.compared
    found = compared(here, 30)
    assert (found.treated.customers, found.held_out.customers) == (len(treated), len(alone))


def test_nothing_is_said_of_few_and_the_interval_is_newcombes_for_enough() -> None:
    few = Comparison(60, Arm(FEWEST, 5), Arm(FEWEST - 1, 1))
    assert (few.enough, few.difference) == (False, None)
    found = Comparison(60, Arm(70, 56), Arm(80, 48)).difference
    assert found is not None
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (0.2, 0.0524, 0.3339)
    assert Arm().share is None


@pytest.mark.parametrize(
    ("longest", "more", "days"),
    [("26w", "", 60), ("8w", "", 56), ("4h", "", 1), ("26w", "  goal_days: 90", 90), ("8w", "  goal_days: 14", 14)],
)
def test_the_days_are_those_of_the_goal_up_to_the_longest_run(
    stage: MakeStage, longest: str, more: str, days: int
) -> None:
    kept = plays_of(stage(GOAL % f"{longest}\n{more}").workspace).current("p")
    assert kept is not None
    assert window_of(kept.play).days == days


def test_a_goal_counts_within_the_days_that_the_playbook_says(stage: MakeStage) -> None:
    here = stage(GOAL % "52w\n  goal_days: 100")
    treated, alone = both(here)
    later(here, 99, {treated[0]: 9, alone[0]: 9})
    later(here, 101, {treated[1]: 9, alone[1]: 9})
    found = compared(here, 101)
    assert (found.days, found.treated.reached, found.held_out.reached) == (100, 1, 1)


def test_fewer_days_hold_for_what_was_reached_before(stage: MakeStage) -> None:
    here = stage(GOAL % "26w")
    treated, _ = both(here)
    later(here, 10, {treated[0]: 9})
    later(here, 40, {treated[1]: 9})
    assert compared(here, 60).treated.reached == 2
    assert compared(stage(GOAL % "26w\n  goal_days: 30"), 60).treated.reached == 1


def test_without_a_goal_there_is_nothing_to_compare_by(stage: MakeStage) -> None:
    kept = plays_of(stage((GOAL % "26w").replace("  goal: logins >= 5\n", "")).workspace).current("p")
    assert kept is not None
    assert comparison_of(kept.play, None, DAY) is None
