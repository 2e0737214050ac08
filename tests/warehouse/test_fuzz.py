"""Whatever the bytes of a file are, loading it ends in a report in which every row is accounted for."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from keepwell.warehouse.storage import Warehouse

from .helpers import csv_text, load, put

CSV = csv_text(
    "ticket_id,customer_id,created_at,csat,properties",
    'a,c1,2026-01-01,5,"{""x"":1}"',
    '"b",c1,01.02.2026,"4",',
    'c,c1,"2026-01-01 10:00",,"{""y"": ""ü""}"',
)
JSON = '{"ticket_id":"a","customer_id":"c1","created_at":"2026-01-01","properties":{"x":[1,null]}}\n{"ticket_id":7}\n'
PIECES = st.sampled_from(
    [b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"\xfe\xff", b"{", b"}", b"\\", b"\\u0000", b"'", b";", b"\t"]
)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES), max_size=5)


def edited(text: str, changes: list[tuple[float, int, bytes]], encoding: str) -> bytes:
    """The text with pieces cut out and others put in."""
    raw = text.encode(encoding)
    for place, cut, piece in changes:
        at = int(place * len(raw))
        raw = raw[:at] + piece + raw[at + cut :]
    return raw


@settings(max_examples=20, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(changes=st.data())
def test_any_bytes_end_in_a_report(changes: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name, Warehouse.open(Path(name) / "data", zone="UTC") as warehouse:
        folder = Path(name)
        load(warehouse, put(folder, "customers.csv", csv_text("customer_id,name", "c1,Acme")))
        for number in range(6):
            text, ending = changes.draw(st.sampled_from([(CSV, "csv"), (JSON, "ndjson"), (JSON, "json")]))
            raw = edited(text, changes.draw(edits), changes.draw(st.sampled_from(["utf-8", "utf-16", "cp1252"])))
            report = load(warehouse, put(folder, f"tickets_{number}.{ending}", raw))
            assert report.files or report.problems
            assert "Error" not in "".join(report.problems)
            for file in report.files:
                rest = (file.changed, file.unchanged, file.repeated, file.differing, file.deleted, file.quarantined)
                assert file.read == file.added + sum(rest)
