"""A plan as text: what changes, for whom, what it is worth and which tasks it would open."""

from collections.abc import Iterator, Sequence

import typer

from keepwell.interfaces.cli.output import Format, print_rows
from keepwell.services.planning.figures import ModelPlan, Move, Replay, ScoreShift

_SHORT = 12


def print_plan(plan: ModelPlan) -> None:
    """Print a plan on stdout."""
    for line in _head(plan):
        typer.echo(line)
    for score in plan.scores:
        _score(score)
    _moves("Segments", plan.segments)
    _tasks(plan)
    _signals(plan)
    if plan.replay is not None:
        _replay(plan.replay)
    _customers(plan)
    for line in _warnings(plan):
        typer.echo(line)


def _head(plan: ModelPlan) -> Iterator[str]:
    before, after = (
        f"{plan.before_name} ({plan.before_hash[:_SHORT]})",
        f"{plan.after_name} ({plan.after_hash[:_SHORT]})",
    )
    yield f"Plan as of {plan.as_of}, from {before} to {after}. Nothing was changed."
    yield ""
    yield f"Definitions: {len(plan.changes)} changes" if plan.changes else "Definitions: the models say the same"
    yield from (f"  {change}" for change in plan.changes)
    arr = plan.arr
    yield ""
    yield f"{plan.changed} of {plan.customers} customers change band or segment, with ARR {arr.total:,.0f}:"
    yield f"  up      {arr.customers_up:>6}   ARR {arr.up:,.0f}"
    yield f"  down    {arr.customers_down:>6}   ARR {arr.down:,.0f}"
    yield f"  lateral {arr.customers_lateral:>6}   ARR {arr.lateral:,.0f}"


def _score(score: ScoreShift) -> None:
    if not score.bands and not any(shift.customers for shift in score.shifts if shift.low != 0):
        return
    _title(f"{score.label}: mean {_figure(score.mean_before)} to {_figure(score.mean_after)}")
    counts = [(row.name, row.before, row.after, row.after - row.before) for row in score.band_counts]
    print_rows(("band", "before", "after", "change"), counts, Format.TABLE)
    _moves(f"{score.label}: from band to band", score.bands)
    _title(f"{score.label}: scores")
    buckets = [(f"{bucket.low} to {bucket.high}", bucket.before, bucket.after) for bucket in score.histogram]
    print_rows(("score", "before", "after"), buckets, Format.TABLE)
    _title(f"{score.label}: points gained or lost")
    shifts = [(_span(shift.low, shift.high), shift.customers) for shift in score.shifts if shift.customers]
    print_rows(("points", "customers"), shifts, Format.TABLE)


def _moves(title: str, moves: Sequence[Move]) -> None:
    if moves:
        _title(title)
        rows = [(move.before, move.after, move.direction, move.customers, move.arr) for move in moves]
        print_rows(("from", "to", "direction", "customers", "arr"), rows, Format.TABLE)


def _tasks(plan: ModelPlan) -> None:
    if plan.tasks:
        _title("Tasks that would open")
        rows = [(task.label, task.play or task.kind, task.title, task.customers, task.arr) for task in plan.tasks]
        print_rows(("because of", "play", "task", "customers", "arr"), rows, Format.TABLE)


def _signals(plan: ModelPlan) -> None:
    changed = [signal for signal in plan.signals if signal.on or signal.off]
    if changed:
        _title("Signals")
        rows = [(signal.label, signal.before, signal.after, signal.on, signal.off) for signal in changed]
        print_rows(("signal", "before", "after", "goes on", "goes off"), rows, Format.TABLE)


def _replay(replay: Replay) -> None:
    _title(f"Replay of {replay.days} days, {replay.first} to {replay.last}")
    typer.echo(f"Tasks a week: {replay.per_week_before:g} before, {replay.per_week_after:g} after.")
    typer.echo(f"{replay.differing} customers have another band or segment on some day.")
    if replay.plays:
        typer.echo("")
        plays = [(play.play, play.before, play.after, play.after - play.before) for play in replay.plays]
        print_rows(("play", "before", "after", "change"), plays, Format.TABLE)
    typer.echo("")
    names = ("week from", "tasks before", "tasks after", "moves before", "moves after", "customers who differ")
    weeks = [(w.first, w.tasks_before, w.tasks_after, w.moves_before, w.moves_after, w.differing) for w in replay.weeks]
    print_rows(names, weeks, Format.TABLE)


def _customers(plan: ModelPlan) -> None:
    if not plan.top:
        return
    _title(f"Customers who change, by ARR (the first {len(plan.top)} of {plan.changed})")
    rows = [
        (
            row.customer_id,
            row.name,
            row.arr,
            _both(_figure(row.score_before), _figure(row.score_after)),
            _both(row.band_before, row.band_after),
            _both(row.segment_before, row.segment_after),
        )
        for row in plan.top
    ]
    print_rows(("customer", "name", "arr", "score", "band", "segment"), rows, Format.TABLE)


def _warnings(plan: ModelPlan) -> Iterator[str]:
    if plan.warnings:
        yield ""
    yield from (f"warning: {text}" for text in plan.warnings)


def _title(text: str) -> None:
    typer.echo(f"\n{text}")


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"


def _both(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _span(low: int | None, high: int | None) -> str:
    if low is None:
        return f"{high:+d} or less"
    if high is None:
        return f"{low:+d} or more"
    return "the same" if low == high == 0 else f"{low:+d} to {high:+d}"
