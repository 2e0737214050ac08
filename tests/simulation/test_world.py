"""The simulated world as files: same bytes, valid tables, nothing out of time, and a truth that explains churn."""

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from keepwell.simulation import WorldSummary, simulate_world
from keepwell.simulation import world as world_module
from keepwell.warehouse.loading import load_paths
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import TABLES, Kind

END = date(2025, 6, 30)
PARQUET = ("events", "sessions")
NULL_CUSTOMER = ("service_metrics",)


def build(out: Path, *, customers: int = 150, days: int = 60, seed: int = 5, zone: str = "UTC") -> WorldSummary:
    return simulate_world(out=out, customers=customers, days=days, end=END, seed=seed, zone=zone)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> WorldSummary:
    return build(tmp_path_factory.mktemp("world"), customers=500, days=180)


@pytest.fixture(scope="module")
def db(world: WorldSummary) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name in TABLES:
        file = world.out / f"{name}.{'parquet' if name in PARQUET else 'csv'}"
        reader = f"'{file}'" if name in PARQUET else f"read_csv('{file}', timestampformat = '%Y-%m-%dT%H:%M:%SZ')"
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM {reader}")
    connection.execute(f"CREATE TABLE truth AS SELECT * FROM read_csv('{world.truth / 'customers.csv'}')")
    connection.execute(f"CREATE TABLE daily AS SELECT * FROM '{world.truth / 'daily.parquet'}'")
    return connection


def one(db: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = db.execute(sql).fetchone()
    assert row is not None
    return row[0]


def digest(root: Path) -> dict[str, str]:
    files = sorted(p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    build(tmp_path / "a")
    build(tmp_path / "b")
    build(tmp_path / "c", seed=6)
    first, again, other = (digest(tmp_path / name) for name in "abc")
    assert first == again
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first)


def test_writing_over_an_older_world_leaves_nothing_of_it(tmp_path: Path) -> None:
    build(tmp_path / "twice", customers=60, seed=1)
    build(tmp_path / "twice", customers=20)
    build(tmp_path / "once", customers=20)
    assert digest(tmp_path / "twice") == digest(tmp_path / "once")


@pytest.mark.parametrize(("customers", "days", "seed"), [(0, 60, 1), (10, 6, 1), (10, 60, -1)])
def test_impossible_worlds_are_refused(tmp_path: Path, customers: int, days: int, seed: int) -> None:
    with pytest.raises(ValueError):
        build(tmp_path / "none", customers=customers, days=days, seed=seed)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(("customers", "days"), [(1, 7), (3, 30)])
def test_tiny_worlds_are_complete(tmp_path: Path, customers: int, days: int) -> None:
    summary = build(tmp_path / "tiny", customers=customers, days=days)
    assert set(summary.counts) == set(TABLES)


def test_keys_stay_unique_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world_module, "CHUNK", 40)
    summary = build(tmp_path, customers=100, days=30)
    for name, table in TABLES.items():
        source = f"'{tmp_path / name}.{'parquet' if name in PARQUET else 'csv'}'"
        rows, keys = duckdb.execute(f"SELECT count(*), count(DISTINCT {table.key}) FROM {source}").fetchall()[0]
        assert rows == summary.counts[name]
        assert keys == (100 if name == "customers" else rows), name


def test_progress_reaches_the_number_of_customers(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    simulate_world(
        out=tmp_path,
        customers=30,
        days=10,
        end=END,
        seed=1,
        progress=lambda stage, done, total: told.append((stage, done, total)),
    )
    assert told[-1] == ("customers", 30, 30)


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_known_columns_and_the_required_ones(
    world: WorldSummary, db: duckdb.DuckDBPyConnection, name: str
) -> None:
    table, columns = TABLES[name], [c[0] for c in db.execute(f"DESCRIBE {name}").fetchall()]
    assert set(columns) <= set(table.column_names)
    assert set(table.required) <= set(columns)
    assert one(db, f"SELECT count(*) FROM {name}") == world.counts[name] > 0
    for required in table.required:
        assert one(db, f"SELECT count(*) FROM {name} WHERE {required} IS NULL") == 0, required


@pytest.mark.parametrize("name", TABLES)
def test_values_are_within_enumerations_and_limits(db: duckdb.DuckDBPyConnection, name: str) -> None:
    present = {c[0] for c in db.execute(f"DESCRIBE {name}").fetchall()}
    for column in TABLES[name].columns:
        if column.name not in present:
            continue
        if column.values:
            found = db.execute(f"SELECT DISTINCT {column.name} FROM {name} WHERE {column.name} IS NOT NULL").fetchall()
            assert {f[0] for f in found} <= set(column.values), column.name
        for limit, sign in ((column.minimum, "<"), (column.maximum, ">")):
            if limit is not None:
                assert one(db, f"SELECT count(*) FROM {name} WHERE {column.name} {sign} {limit}") == 0, column.name
        if column.kind is Kind.TIME:
            known = f"{column.name} IS NOT NULL AND TRY_CAST({column.name} AS TIMESTAMP) IS NULL"
            assert one(db, f"SELECT count(*) FROM {name} WHERE {known}") == 0, column.name


@pytest.mark.parametrize("name", [n for n in TABLES if n != "customers"])
def test_keys_are_unique(db: duckdb.DuckDBPyConnection, name: str) -> None:
    assert one(db, f"SELECT count(*) - count(DISTINCT {TABLES[name].key}) FROM {name}") == 0


@pytest.mark.parametrize("name", [n for n in TABLES if n not in ("customers", *NULL_CUSTOMER)])
def test_every_row_belongs_to_a_customer(db: duckdb.DuckDBPyConnection, name: str) -> None:
    assert one(db, f"SELECT count(*) FROM {name} ANTI JOIN customers USING (customer_id)") == 0


@pytest.mark.parametrize(
    ("name", "key", "target"),
    [
        *[(n, "person_id", "people") for n in ("tickets", "events", "sessions", "survey_responses", "interactions")],
        ("milestones", "person_id", "people"),
        ("events", "session_id", "sessions"),
        ("survey_responses", "ticket_id", "tickets"),
        ("payments", "invoice_id", "invoices"),
        ("invoices", "subscription_id", "subscriptions"),
        ("subscription_changes", "subscription_id", "subscriptions"),
    ],
)
def test_references_point_to_rows_of_the_same_customer(
    db: duckdb.DuckDBPyConnection, name: str, key: str, target: str
) -> None:
    lost = (
        f"SELECT {key}, customer_id FROM {name} WHERE {key} IS NOT NULL EXCEPT SELECT {key}, customer_id FROM {target}"
    )
    assert db.execute(lost).fetchall() == []


@pytest.mark.parametrize("name", [n for n in TABLES if TABLES[n].time and n != "service_metrics"])
def test_nothing_happens_after_the_window_or_after_a_customer_left(db: duckdb.DuckDBPyConnection, name: str) -> None:
    left = "SELECT customer_id, max(churned_at) AS gone FROM customers GROUP BY 1"
    moments = [c.name for c in TABLES[name].columns if c.kind is Kind.TIME]
    ahead = {"effective_at", "due_at", "trial_end", "current_period_end"}
    present = {c[0] for c in db.execute(f"DESCRIBE {name}").fetchall()}
    for column in (present & set(moments)) - ahead:
        late = f"{column} >= coalesce(gone + INTERVAL 1 SECOND, TIMESTAMP '{END} 00:00:00' + INTERVAL 1 DAY)"
        assert one(db, f"SELECT count(*) FROM {name} JOIN ({left}) USING (customer_id) WHERE {late}") == 0, column


def test_events_of_a_person_fall_within_its_time_at_the_customer(db: duckdb.DuckDBPyConnection) -> None:
    outside = "occurred_at < first_seen_at OR occurred_at >= left_company_at + INTERVAL 1 DAY"
    assert one(db, f"SELECT count(*) FROM events JOIN people USING (person_id) WHERE {outside}") == 0


def test_history_starts_once_and_only_tells_changes(db: duckdb.DuckDBPyConnection) -> None:
    assert one(db, "SELECT count(*) - count(DISTINCT (customer_id, synced_at)) FROM customers") == 0
    assert one(db, "SELECT count(DISTINCT customer_id) FROM customers") == 500
    several = "SELECT customer_id FROM customers GROUP BY 1 HAVING count(*) > 1"
    assert one(db, f"SELECT count(*) FROM ({several})") > 200
    complete = "SELECT customer_id FROM truth WHERE missing_data = 'nothing'"
    idle = db.execute(f"""
        WITH told AS (
            SELECT c.customer_id, c.synced_at, md5(CAST(t AS VARCHAR)) AS told
            FROM (SELECT * EXCLUDE (synced_at, updated_at) FROM customers) AS t
            POSITIONAL JOIN (SELECT customer_id, synced_at FROM customers) AS c
        )
        SELECT * FROM told SEMI JOIN ({complete}) USING (customer_id)
        QUALIFY told = lag(told) OVER (PARTITION BY customer_id ORDER BY synced_at)""").fetchall()
    assert idle == []


def test_movements_of_contracts_add_up_to_the_current_revenue(db: duckdb.DuckDBPyConnection) -> None:
    wrong = db.execute("""
        WITH moved AS (
            SELECT customer_id, round(sum(mrr_after - mrr_before), 2) AS total FROM subscription_changes GROUP BY 1
        ), now AS (
            SELECT customer_id, CASE WHEN status = 'active' THEN mrr ELSE 0 END AS mrr
            FROM customers QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY synced_at DESC) = 1
        )
        SELECT * FROM moved JOIN now USING (customer_id) WHERE abs(total - mrr) > 0.005""").fetchall()
    assert wrong == []


def test_exactly_the_active_have_one_running_subscription(db: duckdb.DuckDBPyConnection) -> None:
    running = db.execute("""
        WITH now AS (
            SELECT customer_id, status IN ('active', 'trial') AS runs
            FROM customers QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY synced_at DESC) = 1
        ), open AS (SELECT customer_id, count(*) AS n FROM subscriptions WHERE ended_at IS NULL GROUP BY 1)
        SELECT * FROM now LEFT JOIN open USING (customer_id)
        WHERE coalesce(n, 0) <> CAST(runs AS INTEGER)""").fetchall()
    assert running == []


def test_yearly_revenue_is_twelve_months_and_tiers_follow_it(db: duckdb.DuckDBPyConnection) -> None:
    assert one(db, "SELECT count(*) FROM customers WHERE abs(arr - 12 * mrr) > 0.005") == 0
    assert one(db, "SELECT count(DISTINCT tier) FROM customers") == 3
    assert one(db, "SELECT count(*) FROM customers WHERE (tier = 'SMB') <> (arr < 25000)") == 0


def test_hidden_hazard_explains_who_left(db: duckdb.DuckDBPyConnection) -> None:
    auc = one(
        db,
        """SELECT avg(CASE WHEN a.exit_probability > b.exit_probability THEN 1.0 ELSE 0.0 END)
           FROM truth a, truth b WHERE a.churned AND a.cause <> 'payment_failure' AND NOT b.churned""",
    )
    assert auc > 0.7
    expected = one(db, "SELECT sum(exit_probability) FROM daily")
    decided = one(db, "SELECT count(*) FROM truth WHERE decided_to_leave IS NOT NULL AND cause <> 'payment_failure'")
    assert decided == pytest.approx(expected, rel=0.35)


def test_truth_and_tables_agree_on_who_left_and_when(db: duckdb.DuckDBPyConnection) -> None:
    told = "SELECT customer_id, CAST(churned_at AS DATE) FROM customers WHERE status = 'churned'"
    truth = "SELECT customer_id, churned_on FROM truth WHERE churned"
    assert sorted(db.execute(told).fetchall()) == sorted(db.execute(truth).fetchall())
    assert one(db, "SELECT count(*) FROM truth WHERE churned AND cause IS NULL") == 0


def test_latent_health_shows_in_use_tickets_and_answers(db: duckdb.DuckDBPyConnection) -> None:
    health = "SELECT customer_id, avg(health) AS health FROM daily GROUP BY 1"
    logins = "SELECT customer_id, count(*) AS n FROM events WHERE name = 'login' GROUP BY 1"
    nps = "SELECT customer_id, avg(score) AS n FROM survey_responses WHERE survey = 'nps' GROUP BY 1"
    tone = "SELECT customer_id, avg(sentiment) AS n FROM tickets GROUP BY 1"
    for told, least in ((logins, 0.3), (nps, 0.6), (tone, 0.3)):
        assert one(db, f"SELECT corr(health, n) FROM ({health}) JOIN ({told}) USING (customer_id)") > least, told


def test_some_data_is_missing_on_purpose(db: duckdb.DuckDBPyConnection) -> None:
    silent = "SELECT customer_id FROM truth WHERE missing_data = 'product_feed'"
    assert one(db, f"SELECT count(*) FROM ({silent})") > 5
    assert one(db, f"SELECT count(*) FROM events SEMI JOIN ({silent}) USING (customer_id)") == 0
    unknown = "SELECT customer_id FROM truth WHERE missing_data = 'renewal_date'"
    assert one(db, f"SELECT count(renewal_date) FROM customers SEMI JOIN ({unknown}) USING (customer_id)") == 0


def test_days_are_those_of_the_zone(tmp_path: Path) -> None:
    build(tmp_path, customers=80, zone="America/Denver")
    query = f"SELECT min(occurred_at), max(occurred_at) FROM '{tmp_path / 'events.parquet'}'"
    first, last = duckdb.connect().execute(query).fetchall()[0]
    assert (first.date(), last.date()) == (date(2025, 5, 2), date(2025, 7, 1))


def test_the_directory_loads_without_a_complaint_and_truth_stays_outside(tmp_path: Path) -> None:
    build(tmp_path / "world", customers=40, days=30)
    with Warehouse.open(tmp_path / "data", zone="UTC") as warehouse:
        report = load_paths(warehouse, [tmp_path / "world"], now=datetime(2025, 7, 1, tzinfo=UTC))
    assert report.clean, (report.problems, report.sample)
    assert {f.table for f in report.files} == set(TABLES)
    assert not report.notes
