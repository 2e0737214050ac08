"""`keepwell validate`: every problem of a model at once."""

from pathlib import Path
from typing import Annotated

import typer

from keepwell.interfaces.cli.app import app, shared
from keepwell.interfaces.cli.failures import Exit
from keepwell.model.definitions import ACTIONS
from keepwell.model.loader import LoadedModel
from keepwell.model.packs import resolve_model
from keepwell.model.problems import DefinitionError
from keepwell.model.source import NAMED
from keepwell.model.words import counted
from keepwell.warehouse.columns import TABLE_COLUMNS


@app.command()
def validate(
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Argument(metavar="[DIR|PACK]", help="A directory or a shipped pack; the workspace's model if left out."),
    ] = None,
) -> None:
    """Check a model: prints file:line:column: severity: message for everything that is wrong."""
    name = model if model is not None else model_directory(shared(context).workspace)
    try:
        loaded = resolve_model(name, tables=TABLE_COLUMNS)
    except DefinitionError as error:
        for problem in error.problems:
            typer.echo(str(problem))
        raise typer.Exit(Exit.WRONG_USE) from None
    for problem in loaded.problems:
        typer.echo(str(problem))
    typer.echo(summary(loaded))


def model_directory(workspace: Path) -> Path:
    """Where the model of a workspace is: its `model` folder, or the folder itself where there is none."""
    return workspace / "model" if (workspace / "model").is_dir() else workspace


def summary(loaded: LoadedModel) -> str:
    """One line about a model without errors."""
    model = loaded.model
    found = {name.removesuffix("s"): len(getattr(model, name)) for name in NAMED}
    found["metric"] -= len(loaded.columns) + len(loaded.behaviours)
    said = {name: amount for name, amount in found.items() if amount or f"{name}s" not in ACTIONS}
    counts = ", ".join(counted(amount, name) for name, amount in said.items())
    if loaded.columns:
        counts += f", {counted(len(loaded.columns), 'column')} of customers"
    warnings = f", {counted(len(loaded.problems), 'warning')}" if loaded.problems else ""
    return f"ok: {model.model.name} {model.model.version}: {counts}{warnings}"
