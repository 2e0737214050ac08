"""simulate-playbook: the alert budget of published days, and errors that help."""

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest

from tests.interfaces.cli_world import FIRST, LAST, keepwell


def test_the_budget_as_json_csv_and_table(scored: Path) -> None:
    found = keepwell("-w", scored, "simulate-playbook", "quarterly_check_in", "--format", "json").json
    assert (found["first"], found["last"], found["days"]) == (FIRST.isoformat(), LAST.isoformat(), 20)
    assert found["capacity"] == 125
    monday = FIRST - timedelta(days=FIRST.weekday())
    assert found["weeks"][0]["week"] == monday.isoformat()
    assert sum(week["tasks"] for week in found["weeks"]) == sum(owner["tasks"] for owner in found["owners"])
    assert found["runs"] >= found["customers"] > 0

    ran = keepwell("-w", scored, "simulate-playbook", "quarterly_check_in", "--format", "csv", "--capacity", 10)
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["tasks"] for row in rows] == [str(week["tasks"]) for week in found["weeks"]]
    assert "of 10 touchpoints" in ran.err

    table = keepwell("-w", scored, "simulate-playbook", "quarterly_check_in", "--days", 10)
    assert "per week" in table.out
    assert "10 published days" in table.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["quarterly_checkin"], "there is no playbook 'quarterly_checkin'; did you mean 'quarterly_check_in'?"),
        (["nonsense_xyz"], "there are: revenue_at_risk, "),
        (["usage_cliff", "--as-of", FIRST], "at least two published days are needed"),
        (["usage_cliff", "--as-of", "2020-01-01"], "2020-01-01 is not published"),
    ],
)
def test_errors_say_what_to_do(scored: Path, arguments: list[object], message: str) -> None:
    ran = keepwell("-w", scored, "simulate-playbook", *arguments)
    assert ran.code == 2
    assert message in ran.err
