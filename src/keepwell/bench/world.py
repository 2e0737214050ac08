"""Data for timings: events of a fixed seed, written straight into the day files, and small tables in proportion."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from keepwell.warehouse.sql import literal
from keepwell.warehouse.storage import Warehouse

FIRST: Final = date(2020, 1, 1)
END: Final = date(2026, 6, 30)
NAMES: Final = ("login", "export", "invite_sent", "api_call", "use_a", "use_b", "use_c", "use_d")
FEATURES: Final = 24
FIRST_FEATURE: Final = 101
PEOPLE: Final = 10
_FED: Final = (
    '["customer_id","name","renewal_date","status","created_at","resolved_at","csat","mrr","ended_at","score",'
    '"survey","attempted_at"]'
)
_FED_EVENTS: Final = '["customer_id","person_id","name","feature","occurred_at","value"]'

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Size:
    """How much: events over `days`, spread over customers with ten people each; what may be used is in MB."""

    name: str
    events: int
    customers: int
    days: int = 180
    memory: int = 1000

    @property
    def per_day(self) -> int:
        """Events of each day."""
        return self.events // self.days


SIZES: Final = {
    size.name: size
    for size in (
        Size("small", 1_000_000, 200),
        Size("medium", 10_000_000, 2_000),
        Size("large", 100_000_000, 20_000, memory=2000),
    )
}


def make_world(data: Path, size: Size, *, step: Step | None = None) -> None:
    """Fill a data folder with the days up to END."""
    with Warehouse.open(data, zone="UTC", doing="bench") as warehouse:
        with warehouse.transaction():
            _keys(warehouse, size)
            _small_tables(warehouse, size)
        for back in range(size.days - 1, -1, -1):
            write_events(warehouse, size, END - timedelta(days=back))
            if step:
                step(size.days - back, size.days)


def write_events(warehouse: Warehouse, size: Size, day: date) -> None:
    """Write one day of events; the same day is always the same file."""
    number = (day - FIRST).days
    folder = warehouse.root / "facts" / "events" / day.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bench.parquet"
    warehouse.connection.execute(
        f"COPY ({_events_sql(size, day, number)}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
    )
    relative = path.relative_to(warehouse.root).as_posix()
    with warehouse.transaction() as connection:
        connection.execute("DELETE FROM fact_days WHERE table_name = 'events' AND day = ?", [day])
        connection.execute(
            "INSERT INTO fact_days VALUES ('events', ?, ?, ?, ?)", [day, relative, f"bench-{number}", size.per_day]
        )


def _events_sql(size: Size, day: date, number: int) -> str:
    mixed = f"hash(i * 7919 + {number} * 104729)"
    where = f"(({mixed} % {size.customers}) * ({mixed} % 97) // 97)"  # a few customers use it a lot
    return f"""
        WITH r AS (
          SELECT i, CAST({where} AS INTEGER) + 1 AS customer, CAST(hash(i * 17 + {number}) % 8 AS INTEGER) + 1 AS name
          FROM range({size.per_day}) t(i)
        )
        SELECT customer,
          (customer - 1) * {PEOPLE} + CAST(hash(i * 31 + {number}) % {PEOPLE} AS INTEGER) + 1 AS person,
          name,
          CASE WHEN name > 4 THEN CAST(hash(i * 13 + {number} * 5) % {FEATURES} AS INTEGER) + {FIRST_FEATURE} END
            AS feature,
          CAST(DATE '{day}' AS TIMESTAMP) + to_seconds(CAST(hash(i * 11 + {number}) % 86400 AS BIGINT)) AS occurred_at,
          CASE WHEN name = 4 THEN CAST(1 + i % 50 AS DECIMAL(18,6)) END AS value,
          CAST(NULL AS VARCHAR) AS session_id,
          CAST(NULL AS TIMESTAMP) AS received_at,
          '{number}-' || i AS event_id,
          CAST(NULL AS VARCHAR) AS properties,
          'bench' AS source,
          CAST(NULL AS VARCHAR) AS source_id,
          CAST(NULL AS TIMESTAMP) AS synced_at
        FROM r ORDER BY customer, person, occurred_at, event_id"""  # noqa: S608


def _keys(warehouse: Warehouse, size: Size) -> None:
    run = warehouse.connection.execute
    run(f"INSERT INTO customer_keys SELECT i, printf('c%06d', i) FROM range(1, {size.customers + 1}) t(i)")  # noqa: S608
    people = size.customers * PEOPLE
    run(f"INSERT INTO person_keys SELECT i, printf('p%07d', i) FROM range(1, {people + 1}) t(i)")  # noqa: S608
    for code, name in enumerate(NAMES, 1):
        run("INSERT INTO symbols VALUES (?, 'events.name', ?)", [code, name])
    for i in range(FEATURES):
        run("INSERT INTO symbols VALUES (?, 'events.feature', ?)", [FIRST_FEATURE + i, f"f{i:02d}"])


def _small_tables(warehouse: Warehouse, size: Size) -> None:
    """Two history rows, one subscription, six payments, four tickets and two answers a customer."""
    run = warehouse.connection.execute
    customers = f"range(1, {size.customers + 1}) t(i)"
    for table, (columns, per) in _SMALL.items():
        key = "" if table == "customer_history" else f" printf('{table[0]}%d-%d', i, k) AS {_KEYS[table]},"
        run(
            f"INSERT INTO {table} BY NAME"  # noqa: S608
            f" SELECT CAST(i AS INTEGER) AS customer,{key} {columns} FROM {customers}, range({per}) u(k)"
        )
    for table in (*_KEYS, "customers", "events"):
        listed = _FED_EVENTS if table == "events" else _FED
        run("INSERT INTO feeds VALUES (?, 'bench', ?, 1, NULL, NULL, TIMESTAMP '2026-07-01')", [table, listed])


_KEYS: Final = {
    "subscriptions": "subscription_id",
    "payments": "payment_id",
    "tickets": "ticket_id",
    "survey_responses": "response_id",
}
_SMALL: Final = {
    "customer_history": (
        "TIMESTAMP '2024-01-01' + INTERVAL (k * 800) DAY AS valid_from, printf('Customer %d', i) AS name,"
        " 'active' AS status, DATE '2024-01-01' AS customer_since,"
        " DATE '2026-07-01' + CAST(hash(i + k) % 365 AS INTEGER) AS renewal_date",
        2,
    ),
    "subscriptions": (
        "'active' AS status, CAST(100 + i % 900 AS DECIMAL(18,2)) AS mrr, TIMESTAMP '2024-01-01' AS started_at",
        1,
    ),
    "payments": (
        "CASE WHEN hash(i * 3 + k) % 20 = 0 THEN 'failed' ELSE 'succeeded' END AS status,"
        " TIMESTAMP '2026-01-05' + INTERVAL (k * 30) DAY AS attempted_at",
        6,
    ),
    "tickets": (
        "TIMESTAMP '2026-01-03' + INTERVAL (hash(i * 5 + k) % 175) DAY AS created_at,"
        " CASE WHEN k > 0 THEN TIMESTAMP '2026-01-05' + INTERVAL (hash(i * 5 + k) % 175) DAY END AS resolved_at,"
        " CAST(1 + hash(i + k) % 5 AS DECIMAL(18,6)) AS csat",
        4,
    ),
    "survey_responses": (
        "'nps' AS survey, CAST(hash(i * 7 + k) % 11 AS DECIMAL(18,6)) AS score,"
        " TIMESTAMP '2026-02-01' + INTERVAL (k * 90) DAY AS responded_at",
        2,
    ),
}
