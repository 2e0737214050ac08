"""What an offer costs, from what the customer pays a month."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

A_YEAR: Final = 12
_CENT: Final = Decimal("0.01")


def worth_of(kind: str, terms: Mapping[str, Any], mrr: Decimal | float | None) -> Decimal | None:
    """What is not paid because of an offer; None where nobody can say: effort, or a plan that is not known yet."""
    if mrr is None:
        return None
    monthly = Decimal(str(mrr))
    months = Decimal(str(terms.get("months") or 0))
    match kind:
        case "pause" | "free_months" if months:
            return (monthly * months).quantize(_CENT)
        case "discount" if terms.get("percent"):
            # A discount without an end is counted for a year.
            share = Decimal(str(terms["percent"])) / 100
            return (monthly * share * (months or A_YEAR)).quantize(_CENT)
    return None
