"""A subscription of Stripe: its row, its monthly revenue, and what an event changed of it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from keepwell.services.ingest.batch import Row
from keepwell.services.ingest.values import first, iso, major_units, mapping, moment, number, text
from keepwell.warehouse.tables import SUBSCRIPTIONS, Kind

_STATUS: Final = {
    name: name for column in SUBSCRIPTIONS.columns if column.name == "status" for name in column.values
} | {"incomplete_expired": "canceled"}
_MONTHS: Final = {"day": Decimal(365) / 12, "week": Decimal(52) / 12, "month": Decimal(1), "year": Decimal(1) / 12}
_BEGUN: Final = ("active", "past_due", "unpaid")


def subscription_row(thing: dict[str, Any], customer: str, now: str) -> Row:
    """A subscription as it stands; `now` is the moment of the event."""
    items, why = _items(thing), mapping(thing.get("cancellation_details"))
    mrr, ends = monthly(thing), _period_end(thing)
    scheduled = thing.get("cancel_at_period_end") is True or thing.get("cancel_at") is not None
    paused = bool(mapping(thing.get("pause_collection")))
    return {
        "subscription_id": text(thing["id"]),
        "customer_id": customer,
        "product": _product(items),
        "plan": _plan(items),
        "status": "paused" if paused else _STATUS.get(str(thing.get("status"))),
        "quantity": _quantity(items),
        "billing_interval": text(mapping(_price(items[0]).get("recurring")).get("interval")) if items else None,
        "mrr": _shown(mrr),
        "arr": None if mrr is None else _shown(mrr * 12),
        "started_at": iso(moment(thing.get("start_date")) or moment(thing.get("created"))) or now,
        "trial_end": iso(moment(thing.get("trial_end"))),
        "current_period_end": iso(moment(ends)),
        "renewal_date": (iso(moment(ends)) or "")[:10] or None,
        "auto_renew": not scheduled,
        "cancel_at_period_end": scheduled,
        "canceled_at": iso(moment(thing.get("canceled_at"))),
        "ended_at": iso(moment(thing.get("ended_at"))),
        "cancellation_reason": text(why.get("reason")),
        "cancellation_feedback": text(why.get("feedback")),
        "cancellation_comment": text(why.get("comment")),
        "paused_at": now if paused else None,
    }


def monthly(thing: Mapping[str, Any]) -> Decimal | None:
    """Monthly recurring revenue before discounts, metered prices left out; None when the items say none."""
    found = [amount for item in _items(thing) if (amount := _monthly(item, thing.get("currency"))) is not None]
    return sum(found, Decimal()) if found else None


def change_rows(
    event: str, kind: str, thing: dict[str, Any], before: dict[str, Any], row: Row, now: str
) -> Iterator[Row]:
    """What an event changed, a row for each; named after the event, so that a repeated one changes nothing."""
    earlier = _earlier(thing, before)
    was, is_now = monthly(earlier), monthly(thing)
    for change, effective in _changes(kind, thing, before, was, is_now):
        amounts = {"churned": (is_now, Decimal()), "new": (Decimal(), is_now)}.get(change, (was, is_now))
        yield {
            "change_id": f"{event}:{change}",
            "customer_id": row["customer_id"],
            "subscription_id": row["subscription_id"],
            "change_type": change,
            "occurred_at": now,
            "effective_at": iso(moment(effective)),
            "mrr_before": _shown(amounts[0]),
            "mrr_after": _shown(amounts[1]),
            "plan_before": _plan(_items(earlier)),
            "plan_after": row["plan"],
            "quantity_before": _quantity(_items(earlier)),
            "quantity_after": row["quantity"],
            "reason": row["cancellation_feedback"] or row["cancellation_reason"],
        }


def _changes(
    kind: str, thing: dict[str, Any], before: dict[str, Any], was: Decimal | None, is_now: Decimal | None
) -> Iterator[tuple[str, Any]]:
    """The changes of an event and from when on they hold, None for at once."""
    status = thing.get("status")
    if kind == "customer.subscription.created":
        if status == "trialing":
            yield "trial_started", None
        elif status in _BEGUN:
            yield "new", None
    elif kind == "customer.subscription.deleted":
        yield "churned", thing.get("ended_at")
    elif kind == "customer.subscription.updated":
        yield from _updates(thing, before, was, is_now)


def _updates(
    thing: dict[str, Any], before: dict[str, Any], was: Decimal | None, is_now: Decimal | None
) -> Iterator[tuple[str, Any]]:
    status, old = thing.get("status"), before.get("status")
    if old == "trialing":
        yield "trial_ended", None
    if old in ("trialing", "incomplete") and status in _BEGUN:
        yield "new", None
    yield from _cancellation(thing, before)
    if "pause_collection" in before:
        yield ("paused" if mapping(thing.get("pause_collection")) else "resumed"), None
    if was is not None and is_now is not None and was != is_now:
        yield ("expansion" if is_now > was else "contraction"), None
    elif "items" in before or "plan" in before:
        earlier = _items(_earlier(thing, before))
        if _plan(earlier) != _plan(_items(thing)):
            yield "plan_change", None
    old_end = _period_end(_earlier(thing, before))
    ends = _period_end(thing)
    if old is None and status in _BEGUN and isinstance(old_end, int) and isinstance(ends, int) and ends > old_end:
        yield "renewal", None


def _cancellation(thing: dict[str, Any], before: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """A cancellation that was set for later, or taken back."""
    if "cancel_at_period_end" in before or "cancel_at" in before:
        then = {**thing, **before}
        scheduled, was = (
            one.get("cancel_at_period_end") is True or bool(one.get("cancel_at")) for one in (thing, then)
        )
        if scheduled and not was:
            yield "cancellation_scheduled", thing.get("cancel_at") or _period_end(thing)
        elif was and not scheduled:
            yield "cancellation_reversed", None


def _earlier(thing: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """The subscription as it was; older versions of Stripe name plan and quantity beside the items."""
    earlier = {**thing, **before}
    beside = {name: before[name] for name in ("plan", "quantity") if name in before}
    if "items" not in before and beside and (items := _items(thing)):
        item = {key: value for key, value in items[0].items() if "plan" not in beside or key != "price"}
        earlier["items"] = {"data": [{**item, **beside}, *items[1:]]}
    return earlier


def _items(thing: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = mapping(thing.get("items")).get("data")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _price(item: dict[str, Any]) -> dict[str, Any]:
    """The price of an item; plans, which came before prices, have the interval beside the amount."""
    price, plan = mapping(item.get("price")), mapping(item.get("plan"))
    return price or {**plan, "unit_amount": plan.get("amount"), "recurring": plan}


def _monthly(item: dict[str, Any], currency: Any) -> Decimal | None:
    price = _price(item)
    recurring = mapping(price.get("recurring"))
    amount = major_units(price.get("unit_amount"), price.get("currency") or currency)
    months = _MONTHS.get(str(recurring.get("interval")))
    if amount is None or months is None or recurring.get("usage_type") == "metered":
        return None
    quantity, count = _whole(item.get("quantity")), _whole(recurring.get("interval_count")) or 1
    return Decimal(amount) * (1 if quantity is None else quantity) * months / count


def _quantity(items: list[dict[str, Any]]) -> int | None:
    found = [quantity for item in items if (quantity := _whole(item.get("quantity"))) is not None]
    return sum(found) if found else None


def _whole(value: Any) -> int | None:
    found = number(value, Kind.INTEGER)
    return int(found) if found is not None and 0 <= found < 10**9 else None


def _plan(items: list[dict[str, Any]]) -> str | None:
    return first(_price(items[0]), "nickname", "lookup_key", "id") if items else None


def _product(items: list[dict[str, Any]]) -> str | None:
    product = _price(items[0]).get("product") if items else None
    return first(product, "name", "id") if isinstance(product, dict) else text(product)


def _period_end(thing: Mapping[str, Any]) -> Any:
    """Newer versions of Stripe have it at the items."""
    ends = [end for item in _items(thing) if isinstance(end := item.get("current_period_end"), int)]
    return max(ends) if ends else thing.get("current_period_end")


def _shown(amount: Decimal | None) -> str | None:
    return None if amount is None or amount < 0 else str(round(amount, 2))
