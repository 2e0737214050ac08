"""explain: contributions that add up, changes that add up, and finding the customer that is meant."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from keepwell.reporting.words import day as day_words
from tests.interfaces.cli_world import FIRST, LAST, keepwell


def exact(numbers: list[float]) -> Decimal:
    return sum((Decimal(str(number)) for number in numbers), Decimal(0))


@pytest.fixture(scope="module")
def customers(scored: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = keepwell("-w", scored, "show", "customers", "--format", "json").json
    return listed


def test_contributions_add_up_to_what_is_shown(scored: Path, customers: list[dict[str, Any]]) -> None:
    for customer in customers[:12]:
        found = keepwell("-w", scored, "explain", customer["customer_id"], "--format", "json").json
        scores = {score["name"]: score for score in found["scores"]}
        assert scores["health"]["score"] == customer["health"]["score"]
        assert scores["churn_risk"]["score"] == customer["churn_risk"]["score"]
        for score in scores.values():
            assert exact([line["amount"] for line in score["contributions"]]) == score["score"]
        assert found["primary"] == customer["segments"]["primary"]
        assert [signal["name"] for signal in found["signals"] if signal["on"]] == customer["signals"]


def test_the_ledger_adds_up_to_the_difference(scored: Path, customers: list[dict[str, Any]]) -> None:
    then = keepwell("-w", scored, "show", "customers", "--as-of", FIRST, "--format", "json").json
    before = {customer["customer_id"]: customer["health"]["score"] for customer in then}
    moved = 0
    for customer in (c for c in customers[:15] if c["customer_id"] in before):
        name = customer["customer_id"]
        ledger = keepwell("-w", scored, "explain", name, "--since", FIRST, "--format", "json").json["change"]["ledger"]
        assert (ledger["before"], ledger["after"]) == (before[name], customer["health"]["score"])
        assert exact([entry["difference"] for entry in ledger["entries"]]) == ledger["difference"]
        moved += ledger["difference"] != 0
    assert moved


def test_text_says_the_same_as_json(scored: Path, customers: list[dict[str, Any]]) -> None:
    customer = customers[0]
    text = keepwell("-w", scored, "explain", customer["name"], "--since", FIRST).out
    assert text.startswith(f"{customer['name']} ({customer['customer_id']}) as of {LAST}")
    assert f"Health: {customer['health']['score']} {customer['health']['band']}" in text
    assert f"{customer['health']['score']:+9.4f}  in total" in text
    assert f"Since {FIRST}:" in text


def test_what_is_unmet_of_the_nearest_segment_has_values(scored: Path, customers: list[dict[str, Any]]) -> None:
    said = 0
    for customer in customers[:8]:
        name = customer["customer_id"]
        nearest = keepwell("-w", scored, "explain", name, "--format", "json").json["nearest"]
        assert [test["text"] for test in nearest["unmet_tests"]] == nearest["unmet"]
        text = next(line for line in keepwell("-w", scored, "explain", name).out.splitlines() if "  not in " in line)
        for test in nearest["unmet_tests"]:
            said += len(test["values"])
            assert all(f"{metric} = {value}" in text for metric, value in test["values"].items())
    assert said


def test_a_model_change_is_a_part_of_the_ledger(copy: Path) -> None:
    day = LAST - timedelta(days=1)
    assert keepwell("-w", copy, "run", "--as-of", day).code == 0
    scores = copy / "model" / "scores.yaml"
    swapped = {"35": "20", "20": "35"}
    text = re.sub(r"(?m)^( {8}weight: )(35|20)$", lambda m: m[1] + swapped[m[2]], scores.read_text())
    assert text != scores.read_text()
    scores.write_text(text)
    assert keepwell("validate", copy / "model").code == 0
    assert keepwell("-w", copy, "run", "--as-of", LAST).code == 0
    ids = [c["customer_id"] for c in keepwell("-w", copy, "show", "customers", "--format", "json").json[:8]]
    parts = set()
    for name in ids:
        found = keepwell("-w", copy, "explain", name, "--since", day, "--format", "json").json
        ledger = found["change"]["ledger"]
        parts |= {entry["part"] for entry in ledger["entries"]}
        assert exact([entry["difference"] for entry in ledger["entries"]]) == ledger["difference"]
    assert "model" in parts


def test_without_a_score_there_is_no_ledger(signals: Path) -> None:
    found = keepwell("-w", signals, "explain", "c-00001", "--since", LAST - timedelta(days=1), "--format", "json").json
    assert found["scores"] == []
    assert found["change"]["ledger"] is None
    assert any(change["metric"] == "account_age_days" for change in found["change"]["metrics"])


@pytest.mark.parametrize(("wanted", "words"), [("c-0001", "did you mean 'c-"), ("zzz", "there is no customer 'zzz'")])
def test_an_unknown_customer_gets_a_suggestion(scored: Path, wanted: str, words: str) -> None:
    ran = keepwell("-w", scored, "explain", wanted)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


def test_the_nearest_name_is_suggested(scored: Path, customers: list[dict[str, Any]]) -> None:
    name = customers[2]["name"]
    assert f"did you mean '{name}'" in keepwell("-w", scored, "explain", name[:-1]).err


def test_since_must_be_before(scored: Path) -> None:
    assert keepwell("-w", scored, "explain", "c-00001", "--since", LAST).code == 2
    assert "is not published" in keepwell("-w", scored, "explain", "c-00001", "--since", "2020-01-01").err


def test_who_left_is_explained_on_the_last_day_before(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text(
        f"customer_id,name,status,churned_at\nc-00002,Gone & Co,churned,{LAST}T08:00:00Z\n"
    )
    day = LAST - timedelta(days=1)
    assert keepwell("-w", copy, "load", tmp_path / "customers.csv").code == 0
    assert keepwell("-w", copy, "backfill", "--from", day, "--to", LAST).code == 0
    ran = keepwell("-w", copy, "explain", "c-00002", "--format", "json")
    assert ran.code == 0
    assert ran.json["as_of"] == day.isoformat()
    assert f"left on {day_words(LAST)}; explained as of {day_words(day)}" in ran.err
    asked = keepwell("-w", copy, "explain", "c-00002", "--as-of", LAST)
    assert asked.code == 2
    assert f"the last published day before that is {day_words(day)}" in asked.err
