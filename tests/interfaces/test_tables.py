"""Tables fit the terminal without cutting numbers, and are as wide as it takes where nobody looks."""

import pytest

from keepwell.interfaces.cli.tables import fitted, print_table, table_text


@pytest.mark.parametrize(
    ("wanted", "least", "room", "expected"),
    [
        ([5, 30, 8], [5, 12, 8], 100, [5, 30, 8]),
        ([5, 30, 8], [5, 12, 8], 40, [5, 23, 8]),
        ([5, 30, 8], [5, 12, 8], 29, [5, 12, 8]),
        ([5, 30, 8], [5, 12, 8], 28, [5, 21]),
        ([50, 30], [50, 12], 20, [50, 12]),
    ],
)
def test_columns_are_cut_then_left_out(wanted: list[int], least: list[int], room: int, expected: list[int]) -> None:
    assert fitted(wanted, least, room) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.567, "1,235"), (12.5, "12.50"), (12.0, "12"), (None, ""), (True, "true"), (-2000.4, "-2,000")],
)
def test_values_are_short(value: object, text: str) -> None:
    assert table_text(value) == text


def test_pipes_get_everything(capsys: pytest.CaptureFixture[str]) -> None:
    left_out = print_table(("name", "n"), [["x" * 300, 1.0], ["y", 20.0]], {"y": "red"})
    lines = capsys.readouterr().out.splitlines()
    assert left_out == ()
    assert lines[1] == "x" * 300 + "   1"
    assert lines[2].endswith("20")
    assert "\x1b" not in lines[2]
