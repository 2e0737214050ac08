"""The same metrics by one query for each, in the same database."""

from collections.abc import Iterator
from contextlib import contextmanager

from keepwell.bench.equality import Results, save_results, spread
from keepwell.bench.naive_sql import NAIVE
from keepwell.bench.phase import Work, cpu_seconds, silent_connection
from keepwell.bench.worlds import World
from keepwell.warehouse.sql import literal


@contextmanager
def one_by_one(world: World) -> Iterator[Work]:
    """Every metric reads the event files for itself."""
    events = f"read_parquet([{', '.join(map(literal, world.event_files()))}])"
    results: Results = {}
    with silent_connection() as connection:

        def work() -> None:
            for metric in NAIVE:
                found = connection.execute(metric.statement(events)).fetchnumpy()
                results[metric.name] = spread(found["customer"], found["v"], world.size.customers, metric.empty)

        yield Work(work, cpu_seconds)
    save_results(world.results / "one_by_one.npz", results)
