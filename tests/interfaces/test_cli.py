"""The command line: results on stdout, everything else on stderr, exit codes, and no traceback for bad input."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from keepwell.interfaces import cli

MODEL = """
model: {name: tiny, version: "1"}
metrics:
  a: {given: true}
  plan: {given: true, values: [Basic, Pro]}
scores:
  health:
    minimum_coverage: 0
    bands: [{name: High, from: 50}, {name: Low, from: 0}]
    components: {c: {measures: {m: {metric: a, value: true}}}}
segments:
  pro: {when: plan = 'Pro'}
  rest: {catch_all: true}
signals:
  low: {when: a < 10}
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.yaml").write_text(MODEL)
    return folder


class Ran:
    """One run of the program."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: object) -> None:
        self.code = cli.run([str(a) for a in arguments])
        self.out, self.err = capsys.readouterr()


def score(
    capsys: pytest.CaptureFixture[str], model: Path, text: str | bytes, *more: object, name: str = "m.csv"
) -> Ran:
    file = model.parent / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return Ran(capsys, "score", "--model", model, "--metrics", file, "--as-of", "2026-01-31", *more)


def test_score_prints_one_object_per_customer_in_input_order(capsys: Any, model: Path) -> None:
    ran = score(capsys, model, "customer_id,plan,a\nz,pro,9.5\nb,,\n")
    assert (ran.code, ran.err) == (0, "")
    first, second = json.loads(ran.out)
    assert first == {
        "customer_id": "z",
        "as_of": "2026-01-31",
        "health": {"score": 10, "raw": 9.5, "band": "Low", "coverage": 1.0, "components": {"c": 9.5}},
        "churn_risk": None,
        "segments": {"primary": "pro", "all": ["pro"]},
        "signals": ["low"],
        "missing": [],
    }
    assert (second["customer_id"], second["health"]["score"], second["missing"]) == ("b", None, ["a", "plan"])


def test_score_prints_csv_and_tables(capsys: Any, model: Path) -> None:
    text = 'customer_id,plan,a\n"Åse, Ltd",Pro,5\n'
    (row,) = csv.DictReader(io.StringIO(score(capsys, model, text, "--format", "csv").out))
    assert (row["customer_id"], row["health_score"], row["component_c"], row["segments"]) == (
        "Åse, Ltd",
        "5",
        "5.0",
        "pro",
    )
    assert "Åse" in score(capsys, model, text, "--format", "table").out


def test_score_reads_ndjson_and_parquet(capsys: Any, model: Path) -> None:
    ran = score(capsys, model, '{"customer_id": 7, "a": 60.5}\n{"customer_id": "8", "plan": "PRO"}\n', name="m.ndjson")
    assert [(r["customer_id"], r["health"]["score"]) for r in json.loads(ran.out)] == [("7", 61), ("8", None)]
    file = model.parent / "m.parquet"
    duckdb.sql("SELECT 'x' AS customer_id, 60.5 AS a, NULL::VARCHAR AS plan").write_parquet(str(file))
    ran = Ran(capsys, "score", "--model", model, "--metrics", file)
    assert json.loads(ran.out)[0]["health"]["score"] == 61


def test_what_is_not_understood_is_said_and_ends_in_1(capsys: Any, model: Path) -> None:
    ran = score(capsys, model, "customer_id,plann,a\nx,Pro,many\n")
    assert ran.code == 1
    assert "column 'plann' is no metric of this model; did you mean 'plan'?" in ran.err
    assert "row 1, customer 'x', a: 'many' is not a number" in ran.err
    assert json.loads(ran.out)[0]["missing"] == ["a", "plan"]


def test_broken_lines_are_left_out_and_said(capsys: Any, model: Path) -> None:
    ran = score(capsys, model, b"customer_id,a\nx,1\0\ny,2,3\nz,4\n")
    assert ran.code == 1
    assert "m.csv:2: the line contains NUL bytes" in ran.err
    assert "m.csv:3: 3 fields, but the header has 2" in ran.err
    assert [r["customer_id"] for r in json.loads(ran.out)] == ["z"]


def test_rows_without_a_customer_of_their_own_are_left_out_and_said(capsys: Any, model: Path) -> None:
    ran = score(capsys, model, "customer_id,a\nx,1\n,2\ny,2,3\n x ,9\nz,many\n")
    assert ran.code == 1
    assert [line.split("m.csv", 1)[1] for line in ran.err.splitlines()] == [
        ":3: there is no customer_id; the line is left out",
        ":4: 3 fields, but the header has 2; the line is left out",
        ":5: customer_id 'x' is in line 2 already; the line is left out",
        ": row 4, customer 'z', a: 'many' is not a number; unknown now",
    ]
    assert [(r["customer_id"], r["health"]["raw"]) for r in json.loads(ran.out)] == [("x", 1.0), ("z", None)]


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_lines_are_those_of_the_file_in_every_format(capsys: Any, model: Path, form: str) -> None:
    file = model.parent / f"m.{form}"
    rows = [("x", 1), (None, 2), ("x", 3), ("y", 4)]
    if form == "csv":
        file.write_text("customer_id,a\n" + "".join(f"{name or ''},{a}\n" for name, a in rows))
    elif form == "ndjson":
        file.write_text(
            "".join(json.dumps({"customer_id": name, "a": a} if name else {"a": a}) + "\n" for name, a in rows)
        )
    else:
        values = ", ".join(f"({'NULL' if name is None else repr(name)}, {a})" for name, a in rows)
        duckdb.execute(f"COPY (SELECT * FROM (VALUES {values}) t(customer_id, a)) TO '{file}' (FORMAT parquet)")
    ran = Ran(capsys, "score", "--model", model, "--metrics", file)
    first = 2 if form == "csv" else 1
    assert ran.code == 1
    assert f"m.{form}:{first + 1}: there is no customer_id" in ran.err
    assert f"m.{form}:{first + 2}: customer_id 'x' is in line {first} already" in ran.err
    assert [r["health"]["raw"] for r in json.loads(ran.out)] == [1.0, 4.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("customer_id,a\n", "there is a header but no rows below it"),
        ("customerid,a\nx,1\n", "there is no column 'customer_id'; did you mean 'customerid'?"),
        ("customer_id,a\n,1\n ,2\n", "m.csv:2: there is no customer_id; the line is left out; no row is left"),
        ("customer_id:a\nx:1\n", "no known column"),
        (b"customer_id,a\nx,1\0\n", "the line contains NUL bytes"),
        (b"\x89PNG\r\n\x1a\n\0\0", "no known column"),
    ],
)
def test_files_that_cannot_be_used_end_in_2(capsys: Any, model: Path, text: str | bytes, message: str) -> None:
    ran = score(capsys, model, text)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_other_delimiters_are_found(capsys: Any, model: Path) -> None:
    assert json.loads(score(capsys, model, "customer_id;a\nx;60\n").out)[0]["health"]["score"] == 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "--metrics", "m.csv"], "exactly one of --pack PACK and --model DIR"),
        (["score", "--pack", "agency-signal", "--metrics", "m.csv"], "did you mean 'agency-signals'?"),
        (["score", "--pack", "agency-signals", "--metrics", "none.csv"], "none.csv: there is no such file"),
        (["score", "--pack", "agency-signals", "--metrics", "."], "is a folder"),
        (["score", "--pack", "agency-signals", "--metrics", __file__], "its ending says no format"),
        (["score", "--pack", "agency-signals", "--metrics", "m.csv", "--as-of", "2026-02-30"], "is not a date"),
        (["score", "--pack", "agency-signals", "--metrics", "m.csv", "--format", "xml"], "xml"),
        (["nonsense"], "nonsense"),
    ],
)
def test_wrong_use_ends_in_2(capsys: Any, arguments: list[str], message: str) -> None:
    ran = Ran(capsys, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_validate_sums_up_a_good_model(capsys: Any, model: Path) -> None:
    for arguments in (["validate", model], ["-w", model.parent, "validate"]):
        ran = Ran(capsys, *arguments)
        assert (ran.code, ran.out) == (0, "ok: tiny 1: 2 metrics, 1 score, 2 segments, 1 signal\n")


def test_validate_prints_every_problem_with_its_place(capsys: Any, model: Path) -> None:
    (model / "model.yaml").write_text(MODEL.replace("metric: a", "metric: aa").replace("plan = ", "plam = "))
    ran = Ran(capsys, "validate", model)
    assert ran.code == 2
    lines = ran.out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{model}/model.yaml:10:")
    assert all("error: " in line and "did you mean" in line for line in lines)


def test_a_bad_model_is_not_scored(capsys: Any, model: Path) -> None:
    (model / "model.yaml").write_text(MODEL.replace("metric: a", "metric: aa"))
    ran = score(capsys, model, "customer_id,a\nx,1\n")
    assert (ran.code, ran.out) == (2, "")
    assert "model.yaml:10:" in ran.err


def test_schema_is_json(capsys: Any) -> None:
    ran = Ran(capsys, "schema")
    assert (ran.code, json.loads(ran.out)["$schema"]) == (0, "https://json-schema.org/draft/2020-12/schema")


def test_help_and_version(capsys: Any) -> None:
    ran = Ran(capsys, "--help")
    assert ran.code == 0
    assert all(f"  {command} " in ran.out for command in ("validate", "score", "schema"))
    assert Ran(capsys, "--version").out.startswith("keepwell ")


def test_the_unexpected_is_one_line_and_details_on_demand(
    capsys: Any, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("boom\nand more")

    monkeypatch.setattr("keepwell.interfaces.cli.commands.score.score_table", fails)
    ran = score(capsys, model, "customer_id,a\nx,1\n")
    assert (ran.code, ran.err) == (2, "error: unexpected RuntimeError: boom (set KEEPWELL_DEBUG=1 for details)\n")
    monkeypatch.setenv("KEEPWELL_DEBUG", "1")
    assert "Traceback" in score(capsys, model, "customer_id,a\nx,1\n").err
