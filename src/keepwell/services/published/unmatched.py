"""Ids in quarantined rows that no customer has, each with the customers that it may mean. Nothing is merged by this."""

from typing import Any, Final

import duckdb

from keepwell.warehouse.loading.quarantine import UNKNOWN_CUSTOMER

IDS: Final = 50
CLOSEST: Final = 3
SIMILAR: Final = 0.88
FREE_MAIL: Final = (
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "aol.com",
    "gmx.de", "gmx.net", "web.de", "proton.me", "protonmail.com", "mail.com", "t-online.de",
)  # fmt: skip

_UNKNOWN: Final = f"""
CREATE OR REPLACE TEMP TABLE unknown_ids AS
SELECT value AS unknown_id, count(*) AS rows, list(DISTINCT table_name ORDER BY table_name) AS tables,
list(DISTINCT lower(email)) FILTER (WHERE email IS NOT NULL) AS emails
FROM (SELECT value, table_name, json_extract_string(row, '$.email') AS email FROM quarantine
WHERE state = 'open' AND code = '{UNKNOWN_CUSTOMER}' AND value IS NOT NULL AND json_valid(row)
AND value NOT IN (SELECT customer_id FROM customer_keys))
GROUP BY value ORDER BY rows DESC, value LIMIT {IDS}
"""  # noqa: S608

_PLAIN: Final = "regexp_replace(lower({0}), '[^a-z0-9]', '', 'g')"

_CANDIDATES: Final = f"""
WITH known AS MATERIALIZED (SELECT customer_id, name, lower(domain) AS domain, lower(email) AS email,
{_PLAIN.format("customer_id")} AS plain_id FROM customers WHERE deleted_at IS NULL),
asked AS MATERIALIZED (SELECT unknown_id, {_PLAIN.format("unknown_id")} AS plain_id, lower(unknown_id) AS low
FROM unknown_ids),
mails AS MATERIALIZED (SELECT unknown_id, email, split_part(email, '@', 2) AS domain FROM (
SELECT unknown_id, unnest(coalesce(emails, [])) AS email FROM unknown_ids
UNION SELECT unknown_id, low FROM asked WHERE contains(low, '@'))),
found AS (
SELECT a.unknown_id, k.customer_id, 0 AS place, 1.0 AS near, 'the same id but for case and punctuation' AS why
FROM asked a JOIN known k ON k.plain_id = a.plain_id
UNION ALL SELECT m.unknown_id, k.customer_id, 1, 1.0, 'the same e-mail ' || m.email
FROM mails m JOIN known k ON k.email = m.email
UNION ALL SELECT m.unknown_id, k.customer_id, 2, 1.0, 'the same domain ' || m.domain
FROM mails m JOIN known k ON k.domain = m.domain WHERE m.domain NOT IN {FREE_MAIL!r}
UNION ALL SELECT a.unknown_id, k.customer_id, 3, 1.0, 'the domain is the id'
FROM asked a JOIN known k ON k.domain = a.low
UNION ALL SELECT a.unknown_id, k.customer_id, 4, 1.0, 'the name is the id'
FROM asked a JOIN known k ON {_PLAIN.format("k.name")} = a.plain_id
UNION ALL SELECT unknown_id, customer_id, 5, near, 'a similar id' FROM (SELECT a.unknown_id, k.customer_id,
jaro_winkler_similarity(a.plain_id, k.plain_id) AS near FROM asked a CROSS JOIN known k) WHERE near >= {SIMILAR})
SELECT f.unknown_id, f.customer_id, k.name, f.why FROM (SELECT unknown_id, customer_id, min(place) AS place,
max(near) AS near, arg_min(why, place) AS why FROM found GROUP BY ALL) f JOIN known k USING (customer_id)
QUALIFY row_number() OVER (PARTITION BY f.unknown_id ORDER BY f.place, f.near DESC, f.customer_id) <= {CLOSEST}
ORDER BY f.unknown_id, f.place, f.near DESC, f.customer_id
"""  # noqa: S608


def closest_customers(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The unknown ids with most rows, and for each the customers that come nearest, with the reason."""
    connection.execute(_UNKNOWN)
    unknown = connection.execute("SELECT unknown_id, rows, tables FROM unknown_ids ORDER BY rows DESC, 1").fetchall()
    if not unknown:
        return []
    closest: dict[str, list[dict[str, Any]]] = {}
    for unknown_id, customer_id, name, why in connection.execute(_CANDIDATES).fetchall():
        closest.setdefault(unknown_id, []).append({"customer_id": customer_id, "name": name, "why": why})
    return [
        {"unknown_id": unknown_id, "rows": rows, "tables": tables, "closest": closest.get(unknown_id, [])}
        for unknown_id, rows, tables in unknown
    ]
