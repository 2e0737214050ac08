"""Customers: the list that the portfolio shows, and everything about one. Bodies are what the pages read."""

from collections.abc import Mapping
from datetime import UTC
from typing import Annotated, Any

from ninja import Field, Query, Router, Schema

from keepwell.interfaces.api.fields import Customer, Day, Moment, Word
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import READ, ApiRequest, seen_customer
from keepwell.services.published import (
    SORTS,
    CustomerCurrent,
    HistoryPoint,
    NextBand,
    PersonRow,
    PortfolioChoices,
    PortfolioQuery,
    PortfolioRow,
    PortfolioSummary,
    SubscriptionRow,
    Usage,
    customer_changed,
    customer_current,
    customer_explained,
    customer_history,
    customer_people,
    customer_subscriptions,
    customer_usage,
    next_band,
    portfolio_choices,
    portfolio_page,
    portfolio_summary,
)
from keepwell.services.team.access import scope_of
from keepwell.services.team.timeline import KINDS, Timeline, timeline_of

router = Router(tags=["Customers"], auth=READ)
portfolio = Router(tags=["Portfolio"], auth=READ)

Words = Annotated[list[Word], Field(max_length=200)]
Span = Annotated[int, Query(180, ge=1, le=400, description="How many days up to the published one.")]


class CustomerFilter(Schema):
    """Which customers; lists mean any of them."""

    search: Word = Field("", description="Part of a name, domain or id.")
    band: Words = Field([])
    segment: Words = Field([], description="Names of segments, primary or not.")
    signal: Words = Field([])
    owner: Words = Field([], description="E-mail addresses; '-' are customers without an owner.")
    industry: Words = Field([])
    tenure: Words = Field([])
    plan: Words = Field([])
    status: Words = Field([], description="Everybody but churned customers when left out.")
    renewal_within: int | None = Field(None, ge=-3650, le=3650, description="Days to renewal; passed ones count, too.")
    arr_min: float | None = Field(None, ge=-1e12, le=1e12)
    arr_max: float | None = Field(None, ge=-1e12, le=1e12)
    changed_by: int | None = Field(None, ge=-100, le=100, description="-5: fell by 5 or more; 5: rose by 5 or more.")
    changed_days: int = Field(7, description="Over 7 or 30 days.", json_schema_extra={"enum": [7, 30]})
    sort: Word = Field("-arr", description=f"A column, with '-' the largest first: {', '.join(SORTS)}.")

    def query(self, request: ApiRequest, limit: int, offset: int) -> PortfolioQuery:
        """As services take it, within what the token's person may see."""
        name = self.sort.removeprefix("-")
        if name not in SORTS:
            raise Problem(
                422, "Request cannot be used", f"There is no order by '{name}'; there are {', '.join(SORTS)}."
            )
        return PortfolioQuery(
            search=self.search,
            bands=tuple(self.band),
            segments=tuple(self.segment),
            signals=tuple(self.signal),
            owners=tuple("" if owner == "-" else owner for owner in self.owner),
            industries=tuple(self.industry),
            tenures=tuple(self.tenure),
            plans=tuple(self.plan),
            statuses=tuple(self.status),
            renewal_within=self.renewal_within,
            arr_min=self.arr_min,
            arr_max=self.arr_max,
            changed_by=self.changed_by,
            changed_days=30 if self.changed_days == 30 else 7,
            sort=name,
            descending=self.sort.startswith("-"),
            offset=offset,
            limit=limit,
            scope=scope_of(request.user),
        )


class CustomerPage(Page[PortfolioRow]):
    """A page of customers; `arr` is that of all that match."""

    arr: float
    as_of: Day


class Explanation(Schema):
    """Why a customer has its scores, segments and signals; contributions add up to the score."""

    customer_id: str
    name: str
    as_of: Day
    status: str
    model: dict[str, str | None] = Field(description="Name, version and hash of the model.")
    scores: list[dict[str, Any]] = Field(description="Each score with its contributions.")
    primary: str | None = Field(description="The primary segment.")
    segments: list[dict[str, Any]] = Field(description="Each segment with its condition and what is not met.")
    nearest: dict[str, Any] | None = Field(description="The segment that is nearest, and what it lacks.")
    signals: list[dict[str, Any]]
    metrics: dict[str, Any] = Field(description="Values in words, by metric.")
    missing: dict[str, Any] = Field(description="Why values are unknown, by metric.")


class Sides(Schema):
    """A value before and after."""

    before: str | None
    after: str | None


class Switched(Schema):
    """Signals that went on and off."""

    on: list[str]
    off: list[str]


class MetricSides(Sides):
    """A metric whose value is another one."""

    metric: str


class Changes(Schema):
    """What is different between two dates. The ledger's entries add up to the score's difference."""

    since: Day
    ledger: dict[str, Any] | None
    primary: Sides
    signals: Switched
    metrics: list[MetricSides]


@router.get("", response={200: CustomerPage, **PROBLEMS})
def list_customers(
    request: ApiRequest, filters: Annotated[CustomerFilter, Query()], limit: Limit, offset: Offset
) -> Mapping[str, Any]:
    """Customers with score, changes, ARR, renewal, segment and reasons; filtered and in order."""
    found = portfolio_page(request.workspace, filters.query(request, limit, offset))
    page = page_of(list(found.rows), found.total, limit, offset)
    return {**page.model_dump(), "items": list(found.rows), "arr": found.arr, "as_of": found.as_of}


@router.get("/{customer:customer_id}/history", response={200: list[HistoryPoint], **PROBLEMS})
def get_customer_history(request: ApiRequest, customer_id: Customer, days: Span) -> Any:
    """Score, band, segment and amounts on every published date, the oldest first."""
    return customer_history(request.workspace, seen_customer(request, customer_id), days)


@router.get("/{customer:customer_id}/timeline", response={200: Timeline, **PROBLEMS})
def get_customer_timeline(
    request: ApiRequest,
    customer_id: Customer,
    limit: Limit,
    kind: Annotated[Words, Query([], description=f"Any of: {', '.join(KINDS)}.")],
    before: Annotated[Moment | None, Query(None, description="The next_before of the page before.")],
) -> Any:
    """What happened, the team's tasks, outcomes and notes included, the newest first; go on with next_before."""
    moment = None if before is None else before.astimezone(UTC)
    seen_customer(request, customer_id)
    return timeline_of(request.workspace, customer_id, kinds=kind, before=moment, limit=limit)


@router.get("/{customer:customer_id}/usage", response={200: Usage, **PROBLEMS})
def get_customer_usage(request: ApiRequest, customer_id: Customer, days: Span) -> Any:
    """Usage by day, event and feature."""
    return customer_usage(request.workspace, seen_customer(request, customer_id), days)


@router.get("/{customer:customer_id}/people", response={200: list[PersonRow], **PROBLEMS})
def list_customer_people(request: ApiRequest, customer_id: Customer) -> Any:
    """Users and contacts with their roles."""
    return customer_people(request.workspace, seen_customer(request, customer_id))


@router.get("/{customer:customer_id}/subscriptions", response={200: list[SubscriptionRow], **PROBLEMS})
def list_customer_subscriptions(request: ApiRequest, customer_id: Customer) -> Any:
    """What the customer pays for, or paid."""
    return customer_subscriptions(request.workspace, seen_customer(request, customer_id))


@router.get("/{customer:customer_id}/explanation", response={200: Explanation, **PROBLEMS})
def explain_customer(request: ApiRequest, customer_id: Customer, as_of: Day | None = None) -> Any:
    """Why the customer has its scores, segments and signals on a published date, the last if left out."""
    return customer_explained(request.workspace, seen_customer(request, customer_id), as_of).as_dict()


@router.get("/{customer:customer_id}/changes", response={200: Changes, **PROBLEMS})
def get_customer_changes(request: ApiRequest, customer_id: Customer, since: Day, as_of: Day | None = None) -> Any:
    """What changed between two published dates, the last if the later one is left out."""
    return customer_changed(request.workspace, seen_customer(request, customer_id), since=since, as_of=as_of).as_dict()


@router.get("/{customer:customer_id}/next-band", response={200: NextBand | None, **PROBLEMS})
def get_customer_next_band(request: ApiRequest, customer_id: Customer) -> Any:
    """What would move the customer to the next better band; null in the best one and without a score."""
    return next_band(request.workspace, seen_customer(request, customer_id))


@router.get("/{customer:customer_id}", response={200: CustomerCurrent, **PROBLEMS})
def get_customer(request: ApiRequest, customer_id: Customer) -> Any:
    """The customer as it is now: figures, attributes, scores and metrics with their quality."""
    return customer_current(request.workspace, seen_customer(request, customer_id))


@portfolio.get("/summary", response={200: PortfolioSummary, **PROBLEMS})
def get_portfolio_summary(request: ApiRequest) -> Any:
    """Customers and ARR by band, segment, owner, industry and tenure; the week's change; the steepest declines."""
    return portfolio_summary(request.workspace, scope_of(request.user))


@portfolio.get("/choices", response={200: PortfolioChoices, **PROBLEMS})
def get_portfolio_choices(request: ApiRequest) -> Any:
    """What the filters of customers can be."""
    return portfolio_choices(request.workspace, scope_of(request.user))
