"""`keepwell segments …`: segments by criteria, without a workspace."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import duckdb
import typer

from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.failures import BadInputError, Exit
from keepwell.interfaces.cli.output import Format, note, print_json, print_rows
from keepwell.model.criteria_words import criteria_words
from keepwell.model.spans import SECOND, moment_us
from keepwell.segments.data_files import EVENTS, TRAITS, load_history
from keepwell.segments.evaluation import members
from keepwell.segments.reading import read_criteria
from keepwell.segments.trait_sql import CriteriaError

segments_app = typer.Typer(no_args_is_help=True, help="Segments by criteria, on traits and events in files.")
app.add_typer(segments_app, name="segments")

_LONGEST: Final = timedelta(days=3_650_000) // timedelta(seconds=1)


def parse_moment(text: str) -> int:
    """A moment given as an option, in microseconds since 1970: a date, a date with time, or seconds since 1970."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            return moment_us(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    if not abs(seconds) < _LONGEST:
        raise typer.BadParameter(f"'{text}' is too far away for seconds since 1970")
    return round(seconds * SECOND)


@segments_app.command("eval")
def evaluate(
    criteria: Annotated[Path, typer.Option(metavar="FILE", help="The definition: YAML or JSON.")],
    data: Annotated[Path, typer.Option(metavar="DIR", help=f"The folder with {TRAITS} and {EVENTS}.")],
    at: Annotated[
        int,
        typer.Option(metavar="TIMESTAMP", parser=parse_moment, help="The moment: 2026-01-31T09:00:00Z (UTC)."),
    ],
    segment: Annotated[str | None, typer.Option(metavar="NAME", help="Which segment of a file with several.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How members are printed.")] = Format.JSON,
) -> None:
    """Who is in the segment of a file at a moment."""
    found = read_criteria(criteria, segment=segment)
    if not (data / TRAITS).is_file() and not (data / EVENTS).is_file():
        raise BadInputError(f"{data}: neither {TRAITS} nor {EVENTS} is there; at least one is needed")
    connection = duckdb.connect()
    try:
        history, problems = load_history(connection, data)
        listed = members(connection, found.when, history, at=at, segments=found.segments)
    except CriteriaError as error:
        raise BadInputError(str(error)) from error
    finally:
        connection.close()
    for problem in problems:
        note(f"problem: {problem}")
    note(f"{len(listed):,} match: {criteria_words(found.when)}")
    if form is Format.JSON:
        print_json({"members": listed})
    else:
        print_rows(["entity"], ([entity] for entity in listed), form)
    raise typer.Exit(Exit.PROBLEMS if problems else Exit.DONE)
