"""Playbooks from YAML, as the tests need them."""

from datetime import UTC, datetime
from functools import lru_cache
from textwrap import dedent, indent

from keepwell.model.loader import check_source
from keepwell.model.source import Source, merge
from keepwell.model.yaml_source import Document, parse_yaml
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.machine import Machine
from keepwell.playbooks.play import Play, ready_play
from keepwell.warehouse.columns import TABLE_COLUMNS

MODEL = """
model: {name: test, version: "1"}
settings: {values: {limit: 5}}
metrics:
  logins: {table: events, aggregate: count, window: 30}
  renewal: {attribute: renewal_date}
segments:
  danger: {when: logins < setting.limit, color: red}
  rest: {catch_all: true}
signals:
  quiet: {when: logins = 0}
messages:
  hello: {subject: Hello, text: Hi}
  note: {subject: Note, text: Hi, channel: in_app}
"""
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@lru_cache
def play(body: str, *, calendar: str = "", zone: str = "UTC", more: str = "") -> Play:
    """The playbook `p`; `more` are other playbooks."""
    playbooks = "playbooks:\n  p:\n" + indent(dedent(body).strip("\n"), "    ") + "\n" + more
    texts = [MODEL, playbooks, f"calendar: {calendar}" if calendar else ""]
    documents = [parse_yaml(text, Document(f"file {i}")) for i, text in enumerate(texts) if text]
    loaded = check_source(merge(Source("test"), documents), tables=TABLE_COLUMNS)
    return ready_play(loaded.model, "p", zone)


def machine(body: str, *, calendar: str = "", zone: str = "UTC", more: str = "") -> Machine:
    """The machine of the playbook `p`."""
    return Machine(play(body, calendar=calendar, zone=zone, more=more))


def facts(**changes: object) -> Facts:
    """A quiet customer in danger."""
    values = {"company": "Acme", "logins": 0.0}
    known = {"values": values, "segments": frozenset({"danger"}), "signals": frozenset({"quiet"})}
    return Facts(MONDAY.date(), **(known | changes))  # type: ignore[arg-type]
