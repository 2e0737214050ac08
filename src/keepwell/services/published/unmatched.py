"""Ids in quarantined rows that no customer has, each with the customers that it may mean. Nothing is merged by this."""

from typing import Any, Final

import duckdb

from keepwell.warehouse.loading.quarantine import UNKNOWN_CUSTOMER

IDS: Final = 50
CLOSEST: Final = 3
SIMILAR: Final = 0.88
SLIPS: Final = 2
LONG: Final = 8
"""How many letters of a name may be mistyped, and how long it has to be for that to say something."""
COVERED: Final = 0.6
"""How much of an id's words, weighed by how rare they are, a name has to share."""
RARE: Final = 0.01
"""In what share of the names a word may stand to say alone whose a row is; a word of three names always may."""
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

_PLAIN: Final = r"nullif(regexp_replace(strip_accents(lower({0})), '[^\pL\pN]', '', 'g'), '')"
_WORDS: Final = r"list_distinct(regexp_extract_all(strip_accents(lower({0})), '[\pL\pN]{{2,}}'))"

# A word weighs more the fewer names have it, so that "Lang" says more than "Properties" or "GmbH".
_NAMES: Final = f"""
word_of AS MATERIALIZED (SELECT customer_id, unnest({_WORDS.format("name")}) AS word FROM known),
weight_of AS MATERIALIZED (SELECT word, count(*) AS names, ln(1 + (SELECT count(*) FROM known) / count(*)) AS weight
FROM word_of GROUP BY word),
asked_word AS MATERIALIZED (SELECT unknown_id, word, coalesce(names, 0) AS names,
coalesce(weight, (SELECT max(weight) FROM weight_of)) AS weight
FROM (SELECT unknown_id, unnest({_WORDS.format("low")}) AS word FROM asked) LEFT JOIN weight_of USING (word)),
shared AS (SELECT a.unknown_id, k.customer_id, sum(a.weight) AS common, string_agg(word, ', ' ORDER BY word) AS words
FROM asked_word a JOIN word_of k USING (word) GROUP BY ALL
HAVING count(*) > 1 OR min(a.names) <= greatest(3, {RARE} * (SELECT count(*) FROM known))),
asked_sum AS (SELECT unknown_id, sum(weight) AS total FROM asked_word GROUP BY ALL),
near_name AS (SELECT s.unknown_id, s.customer_id, words, common / a.total AS of_id, common / k.total AS of_name
FROM shared s JOIN asked_sum a USING (unknown_id) JOIN (SELECT w.customer_id, sum(weight) AS total
FROM word_of w JOIN weight_of USING (word) SEMI JOIN shared USING (customer_id) GROUP BY ALL) k USING (customer_id))
"""  # noqa: S608

_CANDIDATES: Final = f"""
WITH known AS MATERIALIZED (SELECT customer_id, name, lower(domain) AS domain, lower(email) AS email,
{_PLAIN.format("customer_id")} AS plain_id, {_PLAIN.format("name")} AS plain_name FROM customers
WHERE deleted_at IS NULL),
asked AS MATERIALIZED (SELECT unknown_id, {_PLAIN.format("unknown_id")} AS plain_id, lower(unknown_id) AS low
FROM unknown_ids),
mails AS MATERIALIZED (SELECT unknown_id, email, split_part(email, '@', 2) AS domain FROM (
SELECT unknown_id, unnest(coalesce(emails, [])) AS email FROM unknown_ids
UNION SELECT unknown_id, low FROM asked WHERE contains(low, '@'))),
{_NAMES},
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
FROM asked a JOIN known k ON k.plain_name = a.plain_id
UNION ALL SELECT unknown_id, customer_id, 5, of_name, 'the name has all words of the id' FROM near_name
WHERE of_id > 0.999
UNION ALL SELECT unknown_id, customer_id, 6, of_id, 'the id has all words of the name' FROM near_name
WHERE of_name > 0.999
UNION ALL SELECT unknown_id, customer_id, 8, of_id * of_name, 'both have the words ' || words FROM near_name
WHERE of_id >= {COVERED}
UNION ALL SELECT a.unknown_id, k.customer_id, 4, 0.9, 'a name that differs in one or two letters'
FROM asked a JOIN known k ON abs(length(a.plain_id) - length(k.plain_name)) <= {SLIPS}
WHERE length(a.plain_id) >= {LONG} AND damerau_levenshtein(a.plain_id, k.plain_name) BETWEEN 1 AND {SLIPS}
UNION ALL SELECT unknown_id, customer_id, 7, near, 'a similar id' FROM (SELECT a.unknown_id, k.customer_id,
jaro_winkler_similarity(a.plain_id, k.plain_id) AS near FROM asked a CROSS JOIN known k) WHERE near >= {SIMILAR})
SELECT f.unknown_id, f.customer_id, k.name, f.why FROM (SELECT unknown_id, customer_id, min(place) AS place,
arg_min(near, place) AS near, arg_min(why, place) AS why FROM found GROUP BY ALL) f JOIN known k USING (customer_id)
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
