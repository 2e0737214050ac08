"""`keepwell plan` and `keepwell apply`: what a model change would do, and doing it."""

import getpass
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.clock import now
from keepwell.interfaces.cli.commands.explain import TextFormat
from keepwell.interfaces.cli.failures import BadInputError
from keepwell.interfaces.cli.opened import At, here, opened
from keepwell.interfaces.cli.output import Format, note, print_json, print_rows
from keepwell.interfaces.cli.plan_text import print_plan
from keepwell.interfaces.cli.progress import stages
from keepwell.model.diff import diff_models
from keepwell.model.problems import DefinitionError
from keepwell.services.planning.apply import Applied, apply_model, history, rollback
from keepwell.services.planning.plan import REPLAY_DAYS, plan_model
from keepwell.services.planning.proposals import read_proposal
from keepwell.services.planning.sources import (
    Sources,
    load_sources,
    model_sources,
    proposed_sources,
    sources_hash,
)
from keepwell.services.workspace import Workspace

_SHORT = 12


@app.command()
def plan(
    context: typer.Context,
    proposed: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[DIR|FILE…]",
            help="A proposed model, or files that replace those of the same name; the model on disk if left out.",
        ),
    ] = None,
    replay: Annotated[
        int, typer.Option(metavar="DAYS", min=0, max=366, help="Days to replay; 0 for none.")
    ] = REPLAY_DAYS,
    form: Annotated[TextFormat, typer.Option("--format", help="How it is printed.")] = TextFormat.TEXT,
    at: At = None,
) -> None:
    """Say what a model change would do, on the last published date and replayed: who moves, ARR, tasks."""
    workspace = opened(context, at)
    proposal = read_proposal(workspace, proposed or [])
    with stages() as shown:
        found = plan_model(
            workspace,
            proposal.loaded,
            against=proposal.against,
            replay_days=replay,
            step=shown.tell,
            on_wait=shown.wait,
        )
    if form is TextFormat.JSON:
        typer.echo(found.to_json())
    else:
        print_plan(found)


@app.command()
def apply(
    context: typer.Context,
    proposed: Annotated[Path | None, typer.Argument(metavar="DIR", help="The directory of the new model.")] = None,
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why: kept in the history.")] = "",
    who: Annotated[str | None, typer.Option(metavar="NAME", help="Who; your user name if left out.")] = None,
    back_to: Annotated[
        int | None, typer.Option("--rollback", metavar="N", help="Put version N in place again.")
    ] = None,
    listed: Annotated[bool, typer.Option("--history", help="List all versions, the newest first.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    form: Annotated[TextFormat, typer.Option("--format", help="How the history is printed.")] = TextFormat.TEXT,
    at: At = None,
) -> None:
    """Put a new model in place of the workspace's, keep the old one, or go back to an earlier version."""
    workspace = opened(context, at)
    if (proposed is not None) + (back_to is not None) + listed != 1:
        raise BadInputError("give one of: the DIR of a new model, --rollback N, or --history")
    if listed:
        _history(workspace, form)
        return
    if not why.strip():
        raise BadInputError("say why with --why TEXT: it is kept in the history")
    name = who or _user()
    if back_to is not None:
        done = rollback(workspace, back_to, who=name, why=why, at=now())
    else:
        done = _apply(workspace, proposed or Path(), why, name, asked=not yes)
    typer.echo(f"version {done.version} is in place: {', '.join((*done.written, *done.removed)) or 'the same files'}")
    note(f"'{here(context, at)} run' computes the next day with it")


def _apply(workspace: Workspace, proposed: Path, why: str, who: str, *, asked: bool) -> Applied:
    sources, found = proposed_sources(proposed), model_sources(workspace)
    load_sources(sources, shown=str(proposed))
    for line in _changes(found, sources):
        note(line)
    if asked and not _agreed():
        raise BadInputError("nothing was changed")
    # What was shown is what is agreed to: a model that was changed since then is refused.
    return apply_model(workspace, sources, who=who, why=why, at=now(), expected_hash=sources_hash(found))


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise BadInputError("nobody is there to agree; add --yes, after a look at 'keepwell plan'")
    return typer.confirm("Put it in place?", err=True)


def _changes(before: Sources, after: Sources) -> Sequence[str]:
    try:
        changes = diff_models(load_sources(before).model, load_sources(after).model)
    except DefinitionError:
        return ["the model that is in place cannot be read"]
    return [str(change) for change in changes] or ["the definitions stay the same; only how they are written changes"]


def _history(workspace: Workspace, form: TextFormat) -> None:
    entries = history(workspace)
    if form is TextFormat.JSON:
        print_json([entry.as_dict() for entry in entries])
        return
    if not entries:
        note("no model was applied yet; 'keepwell apply DIR --why TEXT' begins a history")
    rows = [
        (
            e.version,
            e.at[:16],
            f"{e.kind} of {e.of}" if e.of else e.kind,
            e.who,
            e.why,
            e.after[:_SHORT],
            "; ".join(e.summary),
        )
        for e in entries
    ]
    if rows:
        print_rows(("version", "at", "what", "who", "why", "model", "changes"), rows, Format.TABLE)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
