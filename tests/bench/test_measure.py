"""Worlds, phases and lines: nothing here depends on how long anything takes."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from keepwell.bench import measure
from keepwell.bench.equality import Check, Difference
from keepwell.bench.figures import Line, figure_lines
from keepwell.bench.measure import OTHERS, Measured
from keepwell.bench.phase import PHASES, Cost, PhaseError, run_apart
from keepwell.bench.world import END, SIZES
from keepwell.bench.worlds import MARKER, World, world_ready
from tests.bench.conftest import TINY
from tests.interfaces.cli_world import keepwell


def never(name: str, done: int, total: int) -> None:
    raise AssertionError(f"{name} was generated again")


def fake(cpu: float = 1.0, peak: float = 100.0) -> dict[str, dict[int, Cost]]:
    names = [*PHASES, "full_doubled", "incremental_doubled"]
    return {name: {0: Cost(cpu, cpu, peak)} for name in names}


def test_the_sizes_are_a_million_times_one_ten_and_a_hundred() -> None:
    assert [size.events for size in SIZES.values()] == [1_000_000, 10_000_000, 100_000_000]
    assert [size.memory for size in SIZES.values()] == [1000, 1000, 2000]


def test_a_complete_world_is_used_again(folder: Path, world: World) -> None:
    assert world_ready(folder / TINY.name, TINY, never) == world


def test_a_world_of_another_generator_is_made_anew(tmp_path: Path) -> None:
    size = replace(TINY, events=200, days=2)
    world_ready(tmp_path / "w", size, lambda *_: None)
    marker = tmp_path / "w" / MARKER
    marker.write_text(marker.read_text().replace('"generator": "', '"generator": "old'))
    told: list[int] = []
    world = world_ready(tmp_path / "w", size, lambda _, done, __: told.append(done))
    assert told == [1, 2]
    assert len(world.event_files()) == 2


def test_what_is_not_of_the_benchmark_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(FileExistsError):
        world_ready(tmp_path, TINY, lambda *_: None)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_world_forgets_everything_that_was_not_generated(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.root, tmp_path / "w")
    copied = World.open(tmp_path / "w")
    copied.forget()
    with copied.workspace.warehouse("test") as warehouse:
        tables = {name for (name,) in warehouse.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        (last,) = warehouse.connection.execute("SELECT max(day) FROM fact_days").fetchone() or (None,)
    assert not {name for name in tables if name.startswith("state_")}
    assert last == END
    assert copied.workspace.snapshots.dates() == ()


def test_a_phase_has_a_process_and_a_peak_of_its_own(world: World) -> None:
    cost = run_apart("floor", world)
    assert cost.cpu > 0
    assert cost.wall > 0
    assert 20 < cost.peak < 1000


def test_a_phase_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(PhaseError, match=r"floor: .*world\.json"):
        run_apart("floor", World(tmp_path, TINY))


def test_a_phase_that_says_something_else_has_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A progress bar once stood where the cost should have been, and everything measured until then was lost."""
    said = subprocess.CompletedProcess([], 0, stdout="100% done", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: said)
    with pytest.raises(PhaseError, match="floor: no cost at the end of what it said: '100% done'"):
        run_apart("floor", world)


def test_ratios_and_whether_targets_are_reached() -> None:
    costs = {"full": Cost(5.5, 1, 100), "incremental": Cost(1.1, 1, 100), "backfill": Cost(22, 1, 999)}
    turns = fake() | {name: {0: cost} for name, cost in costs.items()}
    lines = {line.measure: line for line in figure_lines(Measured(TINY, turns))}
    assert (lines["full run ÷ F2"].ratio, lines["full run ÷ F2"].reached) == (5.5, False)
    assert lines["incremental day ÷ full run"].reached is True
    assert lines["incremental day ÷ full run"].cells()[4:] == ("20.0 %", "≤ 20 %", "yes")
    assert lines["backfill of 180 days ÷ full run"].ratio == 4
    assert lines["peak memory of all runs"].ratio == 0.999
    assert lines["pandas ÷ F2"].reached is None


def test_ratios_are_medians_over_the_turns_in_which_both_were_measured() -> None:
    full = {turn: Cost(cpu, 1, 100) for turn, cpu in enumerate((1, 2, 4))}
    backfill = {0: Cost(5, 1, 300), 2: Cost(16, 1, 200)}
    measured = Measured(TINY, fake() | {"full": full, "backfill": backfill})
    assert measured.ratio("backfill", "full") == 4.5
    assert (measured.cost("full").cpu, measured.cost("backfill").peak) == (2, 300)


def test_what_was_left_out_says_why() -> None:
    turns = {name: found for name, found in fake().items() if name != "pandas"}
    lines = figure_lines(Measured(TINY, turns, skipped={"pandas": "pandas not installed"}))
    assert [line.cells()[-1] for line in lines if line.measure == "pandas ÷ F2"] == ["pandas not installed"]


def test_pandas_and_postgresql_are_not_for_every_size() -> None:
    large = SIZES["large"]
    assert {name for name, other in OTHERS.items() if other.too_much(large, False)} == {"pandas", "postgresql"}
    assert not any(other.too_much(large, True) or other.too_much(SIZES["medium"], False) for other in OTHERS.values())


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "find_spec", lambda name: None)
    assert "psycopg not installed" in OTHERS["postgresql"].missing()
    assert OTHERS["one_by_one"].missing() == ""


def bench_with(monkeypatch: pytest.MonkeyPatch, measured: Measured) -> None:
    monkeypatch.setattr("keepwell.interfaces.cli.commands.bench.bench_measure", lambda *_, **__: measured)


def test_the_command_prints_every_line(monkeypatch: pytest.MonkeyPatch, measured: Measured) -> None:
    equal = replace(measured, checks=[Check(check.name) for check in measured.checks])
    bench_with(monkeypatch, equal)
    ran = keepwell("bench", "--size", "small", "--dir", "elsewhere")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("keepwell bench --size small --dir elsewhere: 1,000,000 events")
    assert "DuckDB" in ran.out.splitlines()[0]
    places = [ran.out.index(f"equal: {check.name}") for check in measured.checks]
    places += [ran.out.index(line.measure) for line in figure_lines(measured)]
    assert places == sorted(places)
    assert len(places) == 4 + 9


def test_the_command_fails_where_results_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    check = Check("engine = pandas (values)", (Difference("days_7d", "c000004", 3.0, 4.0),))
    bench_with(monkeypatch, Measured(TINY, fake(), [check]))
    ran = keepwell("bench")
    assert ran.code == 1
    assert "DIFFERENT: engine = pandas (values)\n  days_7d of c000004: 3.0 is not 4.0\n" in ran.out


def test_a_line_without_a_target_is_neither_reached_nor_missed() -> None:
    assert Line("x", Cost(1, 2, 3), 1.5).cells() == ("x", "1.00", "2.00", "3", "1.50 ×", "", "")
