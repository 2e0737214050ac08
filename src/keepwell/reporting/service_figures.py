"""Figures of support, satisfaction and use, from the warehouse's tables as they were known on a day."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from keepwell.reporting.moments import Window, window
from keepwell.reporting.nps import Nps, nps_of_scores
from keepwell.reporting.plain import Figure
from keepwell.warehouse.facts import fact_days, scan
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import EVENTS

WEEK: Final = 7
_HOURS: Final = "avg(epoch({ends} - created_at) / 3600.0)"


class ServiceFigures:
    """Answers from an open warehouse. `customers` are those who count; figures of others are left out."""

    def __init__(self, warehouse: Warehouse, customers: Sequence[str]) -> None:
        self.warehouse, self.customers = warehouse, list(customers)

    def tickets(self, period: Window) -> Figure:
        """Tickets opened in a period."""
        count, known = self._one("count(*)", "created_at", period)
        return Figure(float(count), n=count) if known else _nothing("tickets")

    def first_response_hours(self, period: Window) -> Figure:
        """Mean hours from opening to the first response, of tickets first answered in the period."""
        return self._tickets(_HOURS.format(ends="first_response_at"), "first_response_at", period, "answered")

    def resolution_hours(self, period: Window) -> Figure:
        """Mean hours from opening to resolution, of tickets resolved in the period."""
        return self._tickets(_HOURS.format(ends="resolved_at"), "resolved_at", period, "resolved")

    def first_contact(self, period: Window) -> Figure:
        """The share of tickets resolved in the period that were neither reopened nor escalated.

        How many replies a ticket took is in no canonical column; this is the nearest that data say.
        """
        wrong = "coalesce(reopen_count, 0) = 0 AND NOT coalesce(is_escalated, false)"
        share = f"avg(CASE WHEN reopen_count IS NOT NULL OR is_escalated IS NOT NULL THEN CAST({wrong} AS INTEGER) END)"
        return self._tickets(share, "resolved_at", period, "resolved")

    def csat(self, period: Window) -> Figure:
        """Mean satisfaction (1 to 5) of tickets resolved in the period, and of other survey answers."""
        rows = self._rows(
            "SELECT csat FROM tickets t JOIN customer_keys k USING (customer) WHERE t.deleted_at IS NULL"
            " AND csat IS NOT NULL AND resolved_at >= ? AND resolved_at < ? AND list_contains(?, k.customer_id)"
            " UNION ALL SELECT s.score FROM survey_responses s JOIN customer_keys k USING (customer)"
            " WHERE s.deleted_at IS NULL AND s.survey = 'csat' AND s.responded_at >= ? AND s.responded_at < ?"
            " AND list_contains(?, k.customer_id) AND s.score BETWEEN 1 AND 5 AND NOT EXISTS (SELECT 1 FROM tickets t"
            " WHERE t.ticket_id = s.ticket_id AND t.csat IS NOT NULL AND t.deleted_at IS NULL)",
            [period.start, period.end, self.customers] * 2,
        )
        scores = [float(score) for (score,) in rows]
        why = "" if scores else self._why_none("nobody rated a ticket", "tickets", "survey_responses")
        return Figure(sum(scores) / len(scores) if scores else None, why, len(scores))

    def nps(self, period: Window) -> Nps:
        """NPS of the answers of a period."""
        rows = self._rows(
            "SELECT s.score FROM survey_responses s JOIN customer_keys k USING (customer) WHERE s.deleted_at IS NULL"
            " AND s.survey = 'nps' AND s.responded_at >= ? AND s.responded_at < ? AND list_contains(?, k.customer_id)",
            [period.start, period.end, self.customers],
        )
        return nps_of_scores(None if score is None else float(score) for (score,) in rows)

    def active_share(self, day: date, days: int) -> Figure:
        """The share of members with an event on a day (mean of the last seven) or in the last `days` days."""
        period = window(day, WEEK, self.warehouse.zone)
        members = self._members(period)
        if not members:
            return Figure(None, self._why_none("no member is active", "people"))
        paths = [f.path for d, f in fact_days(self.warehouse, EVENTS).items() if period.first <= d <= period.last]
        if not paths:
            return Figure(None, f"no events between {period.first} and {period.last}")
        # One file holds one day of the workspace, so that files count as days.
        wanted = "filename, person" if days == 1 else "person"
        ((active,),) = self._rows(
            f"SELECT count(*) FROM (SELECT DISTINCT {wanted} FROM {scan(paths)}"  # noqa: S608 - our own file names
            " WHERE list_contains(?, person))",
            [members],
        )
        return Figure(active / len(members) / (WEEK if days == 1 else 1), n=len(members))

    def _members(self, period: Window) -> list[int]:
        rows = self._rows(
            "SELECT DISTINCT q.person FROM people p JOIN customer_keys k USING (customer)"
            " JOIN person_keys q ON q.person_id = p.person_id WHERE p.deleted_at IS NULL"
            " AND coalesce(p.seat_status, 'active') = 'active' AND coalesce(p.first_seen_at < ?, true)"
            " AND coalesce(p.left_company_at >= ?, true) AND list_contains(?, k.customer_id)",
            [period.end, period.end, self.customers],
        )
        return [int(person) for (person,) in rows]

    def _tickets(self, figure: str, column: str, period: Window, verb: str) -> Figure:
        value, count = self._one(figure, column, period)
        if value is None:
            return Figure(None, self._why_none(f"no ticket was {verb} from {period.first} to {period.last}", "tickets"))
        return Figure(float(value), n=int(count))

    def _one(self, figure: str, column: str, period: Window) -> tuple[Any, int]:
        """A figure over the tickets of a period, and over how many (of any period when it is a count)."""
        ((value, count),) = self._rows(
            f"SELECT {figure}, count(*) FROM tickets t JOIN customer_keys k USING (customer)"  # noqa: S608 - own names
            f" WHERE t.deleted_at IS NULL AND {column} >= ? AND {column} < ? AND list_contains(?, k.customer_id)",
            [period.start, period.end, self.customers],
        )
        return value, int(count) if figure != "count(*)" else int(self._any("tickets"))

    def _why_none(self, empty: str, *tables: str) -> str:
        return empty if any(map(self._any, tables)) else _nothing(tables[0]).why

    def _any(self, table: str) -> bool:
        return bool(self._rows(f"SELECT 1 FROM {table} WHERE deleted_at IS NULL LIMIT 1", []))  # noqa: S608 - own names

    def _rows(self, sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        return self.warehouse.connection.execute(sql, list(parameters)).fetchall()


def _nothing(table: str) -> Figure:
    return Figure(None, f"{table.replace('_', ' ')}: nothing has been loaded")
