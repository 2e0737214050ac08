"""The canonical tables: every source is mapped to these, and metrics read nothing else.

`time` is the column that says when a row happened; a row is invisible before it. `reveals` says which columns
are known only from another column's moment on: a ticket's `csat` is not visible before it was resolved, whatever
the file says today. That is what keeps history free of look-ahead.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """How a column is read from text and stored."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    MONEY = "money"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    JSON = "json"


SQL_TYPES: Final = MappingProxyType(
    {
        Kind.TEXT: "VARCHAR",
        Kind.NUMBER: "DECIMAL(18,6)",
        Kind.INTEGER: "BIGINT",
        Kind.MONEY: "DECIMAL(18,2)",
        Kind.BOOLEAN: "BOOLEAN",
        Kind.DATE: "DATE",
        Kind.TIME: "TIMESTAMP",
        Kind.JSON: "VARCHAR",
    }
)


@dataclass(frozen=True)
class Column:
    """One column of a canonical table; `values` lists what an enumeration admits."""

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def sql_type(self) -> str:
        return SQL_TYPES[self.kind]


@dataclass(frozen=True)
class Reveal:
    """A column known only from the moment in `by` on; before it the value is `before` (when it is in `final`)."""

    by: str
    before: str | None = None
    final: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A canonical table. `facts` tables are large, append-mostly and stored as Parquet by day."""

    name: str
    key: str
    columns: tuple[Column, ...]
    time: str | None = None
    ends: str | None = None
    reveals: MappingProxyType[str, Reveal] = field(default_factory=lambda: MappingProxyType({}))
    facts: bool = False
    optional_key: bool = False
    json_column: str = "properties"
    customer_required: bool = True

    def column(self, name: str) -> Column | None:
        return next((c for c in self.all_columns if c.name == name), None)

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The table's own columns and those that every table has."""
        own = {c.name for c in self.columns}
        common = (*COMMON, Column(self.json_column, Kind.JSON))
        return self.columns + tuple(c for c in common if c.name not in own)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.all_columns)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.required)


def _text(*names: str) -> tuple[Column, ...]:
    return tuple(Column(n) for n in names)


def _of(kind: Kind, *names: str, minimum: float | None = None, maximum: float | None = None) -> tuple[Column, ...]:
    return tuple(Column(n, kind, minimum=minimum, maximum=maximum) for n in names)


def _need(*names: str, kind: Kind = Kind.TEXT) -> tuple[Column, ...]:
    return tuple(Column(n, kind, required=True) for n in names)


def _enum(name: str, values: str, *, required: bool = False) -> tuple[Column, ...]:
    return (Column(name, required=required, values=tuple(values.split())),)


COMMON: Final = (
    Column("source"),
    Column("source_id"),
    Column("synced_at", Kind.TIME),
    Column("deleted_at", Kind.TIME),
)

M, N, I, B, D, T = Kind.MONEY, Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.DATE, Kind.TIME  # noqa: E741

CUSTOMERS: Final = Table(
    "customers",
    "customer_id",
    _need("customer_id", "name")
    + _text("domain", "parent_customer_id", "industry")
    + _of(I, "company_size", minimum=0)
    + _text("country")
    + _enum("lifecycle_stage", "onboarding adoption value renewal expansion")
    + _enum("status", "prospect trial active churned")
    + _text("tier", "owner_email")
    + _of(D, "customer_since", "renewal_date")
    + _of(B, "auto_renew")
    + _of(I, "contract_term_months", minimum=0)
    + _text("plan", "currency")
    + _of(M, "mrr", "arr", minimum=0)
    + _of(I, "seats_purchased", minimum=0)
    + _of(N, "plan_limit", minimum=0)
    + _enum("payment_status", "current overdue failed cancelled")
    + _text("phone", "email")
    + _of(T, "churned_at")
    + _text("churn_reason")
    + _of(T, "created_at", "updated_at"),
    json_column="traits",
    customer_required=False,
)

PEOPLE: Final = Table(
    "people",
    "person_id",
    _need("person_id", "customer_id")
    + _text("email", "name", "title")
    + _enum("role", "admin user champion decision_maker exec_sponsor billing")
    + _of(B, "is_executive", "is_seat")
    + _enum("seat_status", "invited active deactivated")
    + _text("product_user_id")
    + _of(T, "first_seen_at", "last_seen_at")
    + _of(B, "unsubscribed")
    + _of(T, "left_company_at"),
    time="first_seen_at",
    ends="left_company_at",
    reveals=MappingProxyType({"last_seen_at": Reveal("last_seen_at"), "left_company_at": Reveal("left_company_at")}),
    json_column="traits",
)

SUBSCRIPTIONS: Final = Table(
    "subscriptions",
    "subscription_id",
    _need("subscription_id", "customer_id")
    + _text("product", "plan")
    + _enum("status", "trialing active past_due unpaid paused canceled incomplete")
    + _of(N, "quantity", minimum=0)
    + _text("billing_interval")
    + _of(M, "mrr", "arr", minimum=0)
    + _of(N, "discount_pct", minimum=0, maximum=100)
    + _need("started_at", kind=T)
    + _of(T, "trial_end", "current_period_end")
    + _of(D, "renewal_date")
    + _of(B, "auto_renew", "cancel_at_period_end")
    + _of(T, "canceled_at", "ended_at")
    + _text("cancellation_reason", "cancellation_feedback", "cancellation_comment")
    + _of(T, "paused_at"),
    time="started_at",
    ends="ended_at",
    reveals=MappingProxyType(
        {
            "status": Reveal("ended_at", before="active", final=("canceled",)),
            "canceled_at": Reveal("canceled_at"),
            "ended_at": Reveal("ended_at"),
            "cancel_at_period_end": Reveal("canceled_at"),
            "cancellation_reason": Reveal("canceled_at"),
            "cancellation_feedback": Reveal("canceled_at"),
            "cancellation_comment": Reveal("canceled_at"),
            "paused_at": Reveal("paused_at"),
        }
    ),
)

SUBSCRIPTION_CHANGES: Final = Table(
    "subscription_changes",
    "change_id",
    _need("change_id", "customer_id")
    + _text("subscription_id")
    + _enum(
        "change_type",
        "new renewal expansion contraction reactivation churned cancellation_scheduled cancellation_reversed"
        " plan_change seat_change paused resumed trial_started trial_ended",
        required=True,
    )
    + _need("occurred_at", kind=T)
    + _of(T, "effective_at")
    + _of(M, "mrr_before", "mrr_after", minimum=0)
    + _text("plan_before", "plan_after")
    + _of(N, "quantity_before", "quantity_after", minimum=0)
    + _text("reason"),
    time="occurred_at",
)

INVOICES: Final = Table(
    "invoices",
    "invoice_id",
    _need("invoice_id", "customer_id")
    + _text("subscription_id")
    + _enum("status", "draft open paid uncollectible void")
    + _of(M, "amount_due", "amount_paid", minimum=0)
    + _of(I, "attempt_count", minimum=0)
    + _of(T, "next_payment_attempt_at")
    + _need("issued_at", kind=T)
    + _of(T, "due_at", "paid_at"),
    time="issued_at",
    reveals=MappingProxyType(
        {
            "status": Reveal("paid_at", before="open", final=("paid",)),
            "paid_at": Reveal("paid_at"),
            "amount_paid": Reveal("paid_at"),
        }
    ),
)

PAYMENTS: Final = Table(
    "payments",
    "payment_id",
    _need("payment_id", "customer_id")
    + _text("invoice_id")
    + _enum("status", "succeeded failed refunded disputed", required=True)
    + _of(M, "amount", minimum=0)
    + _text("failure_code")
    + _need("attempted_at", kind=T),
    time="attempted_at",
)

TICKETS: Final = Table(
    "tickets",
    "ticket_id",
    _need("ticket_id", "customer_id")
    + _text("person_id", "subject", "body", "category", "type", "urgency", "impact")
    + _enum("priority", "P0 P1 P2 P3 P4")
    + _text("severity")
    + _enum("status", "new open pending hold solved closed")
    + _text("channel", "assignee")
    + _of(B, "is_escalated")
    + _of(I, "reopen_count", minimum=0)
    + _of(N, "sentiment", minimum=-1, maximum=1)
    + _of(N, "csat", minimum=1, maximum=5)
    + _text("csat_comment")
    + _need("created_at", kind=T)
    + _of(T, "first_response_at", "resolved_at")
    + _text("tags"),
    time="created_at",
    reveals=MappingProxyType(
        {
            "status": Reveal("resolved_at", before="open", final=("solved", "closed")),
            "first_response_at": Reveal("first_response_at"),
            "resolved_at": Reveal("resolved_at"),
            "csat": Reveal("resolved_at"),
            "csat_comment": Reveal("resolved_at"),
        }
    ),
)

EVENTS: Final = Table(
    "events",
    "event_id",
    _text("event_id")
    + _need("customer_id")
    + _text("person_id")
    + _need("name")
    + _text("feature", "session_id")
    + _need("occurred_at", kind=T)
    + _of(T, "received_at")
    + _of(N, "value"),
    time="occurred_at",
    facts=True,
    optional_key=True,
)

SESSIONS: Final = Table(
    "sessions",
    "session_id",
    _need("session_id", "customer_id")
    + _text("person_id")
    + _need("started_at", kind=T)
    + _of(N, "duration_seconds", minimum=0)
    + _of(I, "action_count", minimum=0)
    + _text("device"),
    time="started_at",
    facts=True,
)

SURVEY_RESPONSES: Final = Table(
    "survey_responses",
    "response_id",
    _need("response_id", "customer_id")
    + _text("person_id", "ticket_id")
    + _enum("survey", "nps csat ces custom", required=True)
    + _need("score", kind=N)
    + _text("comment")
    + _of(T, "sent_at")
    + _need("responded_at", kind=T),
    time="responded_at",
)

INTERACTIONS: Final = Table(
    "interactions",
    "interaction_id",
    _need("interaction_id", "customer_id")
    + _text("person_id")
    + _enum("kind", "meeting call email note qbr chat", required=True)
    + _text("direction", "owner_email")
    + _of(B, "with_executive")
    + _need("occurred_at", kind=T)
    + _enum("outcome", "completed no_show left_message bounced")
    + _of(T, "responded_at")
    + _of(N, "sentiment", minimum=-1, maximum=1),
    time="occurred_at",
    reveals=MappingProxyType({"responded_at": Reveal("responded_at")}),
)

MILESTONES: Final = Table(
    "milestones",
    "milestone_id",
    _need("milestone_id", "customer_id")
    + _text("person_id")
    + _enum(
        "kind",
        "onboarding training certification integration feature_request referral community case_study goal",
        required=True,
    )
    + _text("key", "name", "status")
    + _of(N, "progress", minimum=0, maximum=1)
    + _of(N, "value")
    + _of(T, "due_at")
    + _need("started_at", kind=T)
    + _of(T, "completed_at"),
    time="started_at",
    reveals=MappingProxyType(
        {
            "completed_at": Reveal("completed_at"),
            "status": Reveal("completed_at", before="in_progress", final=("completed", "done")),
            "progress": Reveal("completed_at"),
        }
    ),
)

SERVICE_METRICS: Final = Table(
    "service_metrics",
    "service_metric_id",
    _text("service_metric_id")
    + _need("name")
    + _need("measured_at", kind=T)
    + _need("value", kind=N)
    + _of(N, "baseline")
    + _text("customer_id"),
    time="measured_at",
    optional_key=True,
    customer_required=False,
)

TABLES: Final[MappingProxyType[str, Table]] = MappingProxyType(
    {
        t.name: t
        for t in (
            CUSTOMERS,
            PEOPLE,
            SUBSCRIPTIONS,
            SUBSCRIPTION_CHANGES,
            INVOICES,
            PAYMENTS,
            TICKETS,
            EVENTS,
            SESSIONS,
            SURVEY_RESPONSES,
            INTERACTIONS,
            MILESTONES,
            SERVICE_METRICS,
        )
    }
)
