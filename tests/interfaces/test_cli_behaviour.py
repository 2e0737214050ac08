"""Behaviour in the conditions of a model, from the files to what people read."""

import shutil
from pathlib import Path

import pytest

from tests.interfaces.cli_world import keepwell

MODEL = """
model: {name: own, version: "1"}
metrics:
  logins_3d: {table: events, aggregate: count, where: "name = 'login'", window: 3}
segments:
  same:
    dimension: metric
    when: {event: login, count: ">= 2", within: 3d}
  exporting:
    when:
      all:
        - {event: export, where: "feature = 'pdf' and pages >= 10"}
        - not: {stopped: "lo*", for: 2d}
  settled: {when: {attribute: plan, operator: has_been_for, value: pro, for: ">= 2d"}}
  rest: {catch_all: true}
signals:
  fresh: {when: {first_time: export, within: 2d}}
"""
CUSTOMERS = """customer_id,name,status,plan,customer_since,updated_at
a,A,active,pro,2026-01-01,2026-01-01
b,B,active,free,2026-01-01,2026-01-01
c,C,active,free,2026-01-01,2026-01-01
"""
# Berlin is two hours ahead: 22:00 UTC is the first instant of the next day there.
EVENTS = """event_id,customer_id,name,feature,occurred_at,properties
1,a,login,,2026-06-27T22:00:00Z,{}
2,a,login,,2026-06-30T21:59:59Z,{}
3,b,login,,2026-06-27T21:59:59Z,{}
4,b,login,,2026-06-28T10:00:00Z,{}
5,b,export,pdf,2026-06-28T22:00:00Z,"{""pages"": 12}"
6,c,export,pdf,2026-06-20T10:00:00Z,"{""pages"": 9}"
7,c,export,csv,2026-06-20T11:00:00Z,"{""pages"": 90}"
8,c,login,,2026-06-30T22:00:00Z,{}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("behaviour")
    assert keepwell("init", folder / "w", "--pack", "b2b-saas", "--timezone", "Europe/Berlin").code == 0
    for file in (folder / "w" / "model").rglob("*.*"):
        file.unlink()
    (folder / "w" / "model" / "model.yaml").write_text(MODEL, encoding="utf-8")
    (folder / "customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    (folder / "events.csv").write_text(EVENTS, encoding="utf-8")
    assert keepwell("-w", folder / "w", "load", folder / "customers.csv", folder / "events.csv").code == 0
    ran = keepwell("-w", folder / "w", "run", "--as-of", "2026-06-30")
    assert ran.code == 0, ran.err
    return folder / "w"


def segments(workspace: Path, as_of: str = "2026-06-30") -> dict[str, list[str]]:
    listed = keepwell("-w", workspace, "show", "customers", "--format", "json", "--as-of", as_of).json
    return {c["customer_id"]: sorted(c["segments"]["all"]) for c in listed}


def test_days_are_those_of_metrics_and_later_events_are_not_seen(place: Path) -> None:
    assert segments(place) == {"a": ["same", "settled"], "b": ["rest"], "c": ["rest"]}
    listed = keepwell("-w", place, "show", "metrics", "--format", "json").json
    values = {row["customer_id"]: row["metrics"]["logins_3d"] for row in listed}
    assert values == {"a": 2, "b": 1, "c": 0}


def test_a_backfill_says_the_same_as_runs(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place, tmp_path / "w")
    assert keepwell("-w", tmp_path / "w", "backfill", "--from", "2026-06-28", "--to", "2026-06-30").code == 0
    assert segments(tmp_path / "w") == segments(place)
    assert segments(tmp_path / "w", "2026-06-29")["b"] == ["exporting", "same"]
    assert segments(tmp_path / "w", "2026-06-28")["b"] == ["rest", "same"]
    signals = keepwell("-w", tmp_path / "w", "show", "signals", "--format", "json", "--as-of", "2026-06-30").json
    assert [(s["customer_id"], s["signal"]) for s in signals] == [("b", "fresh")]


def test_the_kept_model_explains_it_in_words(place: Path) -> None:
    found = {
        s["name"]: s["condition"] for s in keepwell("-w", place, "explain", "b", "--format", "json").json["segments"]
    }
    did, stopped = found["exporting"]["items"]
    assert (did["text"], did["truth"]) == ("did 'export' (where feature is 'pdf' and pages is at least 10)", True)
    assert stopped["text"] == "not (stopped: did any event 'lo*', but not in the last 2 days)"
    assert found["settled"]["text"] == "plan has been 'pro' for at least 2 days"
    assert found["settled"]["values"] == {"plan": "free"}
    shown = keepwell("-w", place, "explain", "b").out
    assert "yes: did 'export' for the first time in the last 2 days\n" in shown


def test_without_events_nothing_is_known(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place, tmp_path / "w")
    assert keepwell("-w", tmp_path / "w", "run", "--as-of", "2026-07-20").code in (0, 1)
    assert segments(tmp_path / "w", "2026-07-20") == {"a": ["settled"], "b": ["rest"], "c": ["rest"]}
    ran = keepwell("-w", tmp_path / "w", "explain", "b")
    assert "did 'login' at least 2 times in the last 3 days (unknown)" in ran.out or "out of date" in ran.out


def test_a_file_of_metrics_may_say_it(place: Path, tmp_path: Path) -> None:
    name = "did 'login' at least 2 times in the last 3 days"
    (tmp_path / "m.csv").write_text(f"customer_id,{name}\nx,true\ny,false\nz,\n")
    ran = keepwell("score", "--metrics", tmp_path / "m.csv", "--model", place / "model")
    assert ran.code == 0, ran.err
    assert [row["segments"]["all"] for row in ran.json] == [["same", "rest"], ["rest"], ["rest"]]
    assert name in ran.json[2]["missing"]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("{event: login, witin: 3d}", "unknown key 'witin'; did you mean 'within'?"),
        ("{event: login, where: {attribute: a, operator: equal, value: 1}}", "did you mean 'equals'?"),
        ("{attribute: plan, operator: has_been_for, value: x, for: 36h}", "is no whole number of days"),
        ("{attribute: plan, operator: has_been_for, value: x, for: 400d}", "looks back 365 days at most"),
        ("{any_item: a, match: b}", "or behaviour with event, first_time"),
    ],
)
def test_what_a_model_cannot_ask_is_named(tmp_path: Path, condition: str, message: str) -> None:
    text = f'model: {{name: a, version: "1"}}\nsegments:\n  x: {{when: {condition}}}\n  y: {{catch_all: true}}\n'
    (tmp_path / "model.yaml").write_text(text)
    ran = keepwell("validate", tmp_path)
    assert ran.code == 2
    assert message in ran.out + ran.err
