"""How values are written on pages: money, days, moments, changes; icons and band colours."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from django import template
from django.forms import BaseForm
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from keepwell.interfaces.workspace.model_shown import field_name
from keepwell.reporting.words import action_words

register = template.Library()
register.filter(field_name)
MINUS: Final = "\N{MINUS SIGN}"
UNKNOWN: Final = "\N{EN DASH}"
_COLORS: Final = {
    "green": "green",
    "lime": "lime",
    "yellow": "yellow",
    "orange": "orange",
    "red": "red",
    "gray": "secondary",
}
_THOUSAND: Final = 1000


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """An icon of the sprite; decoration only, so screen readers skip it."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        extra,
        static("keepwell/icons.svg"),
        name,
    )


@register.filter
def money(value: Decimal | float | None, currency: str = "") -> str:
    """Money in whole units, grouped; a dash when unknown."""
    if value is None:
        return UNKNOWN
    amount = round(float(value))
    sign = MINUS if amount < 0 else ""
    return f"{sign}{abs(amount):,}" + (f" {currency}" if currency else "")


@register.filter
def short_money(value: Decimal | float | None, currency: str = "") -> str:
    """Money in three figures: 1.2M, 340k."""
    if value is None:
        return UNKNOWN
    amount, unit = float(value), ""
    for following in ("k", "M", "B"):
        if abs(amount) < _THOUSAND:
            break
        amount, unit = amount / _THOUSAND, following
    text = f"{abs(amount):.1f}".removesuffix(".0") if unit and abs(amount) < 100 else f"{abs(amount):.0f}"
    return (MINUS if amount < 0 else "") + text + unit + (f" {currency}" if currency else "")


@register.filter
def signed(value: float | None) -> str:
    """A change with its sign; a dash when unknown."""
    if value is None:
        return UNKNOWN
    number = round(value, 1)
    text = f"{abs(number):,.1f}".removesuffix(".0")
    return f"{'+' if number > 0 else MINUS if number < 0 else ''}{text}"


@register.filter
def whole_signed(value: float | None) -> str:
    """A change with its sign, in whole units."""
    return signed(None if value is None else round(value))


@register.filter
def plain(value: Any) -> str:
    """Any value in words: a dash for unknown, yes and no, numbers without needless digits."""
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return day(value)
    return str(value)


@register.filter
def percent(value: float | None, digits: int = 0) -> str:
    """A share as a percentage."""
    return UNKNOWN if value is None else f"{value * 100:.{digits}f} %"


@register.filter
def day(value: date | None) -> str:
    """A day: 30 Jun 2026."""
    return UNKNOWN if value is None else f"{value.day} {value:%b %Y}"


@register.filter
def moment(value: datetime | None) -> str:
    """A moment in the workspace's time zone."""
    if value is None:
        return UNKNOWN
    local = localtime(value) if value.tzinfo else value
    return f"{local.day} {local:%b %Y, %H:%M}"


@register.filter
def utc(value: datetime | None) -> datetime | None:
    """A moment that was kept without a zone, which is UTC."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


@register.filter
def days_words(value: float | None) -> str:
    """A number of days from now in words: in 12 days, today, 3 days ago."""
    if value is None:
        return UNKNOWN
    number = int(value)
    if number == 0:
        return "today"
    unit = "day" if abs(number) == 1 else "days"
    return f"in {number:,} {unit}" if number > 0 else f"{-number:,} {unit} ago"


@register.filter
def color(value: str | None) -> str:
    """The class name of a model's colour."""
    return _COLORS.get(value or "", "secondary")


@register.filter
def item(values: Any, key: Any) -> Any:
    """One value of a mapping by a key that is known only at run time."""
    return values.get(key) if hasattr(values, "get") else None


@register.filter
def pretty(value: Any) -> str:
    """Values of the audit log, one per line."""
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)


@register.filter
def in_words(value: str) -> str:
    """A name from the model, such as PROACTIVE_UPGRADE_OUTREACH, as people would write it; sentences stay."""
    return action_words(value)


@register.filter
def before_at(value: str | None) -> str:
    """An e-mail address without its domain."""
    return (value or "").split("@")[0]


@register.filter
def file_name(path: str) -> str:
    """A file without its folders."""
    return path.replace("\\", "/").rsplit("/", 1)[-1]


@register.filter
def attribute(value: Any, name: str) -> Any:
    """One field by a name that is known only at run time."""
    return getattr(value, name, None)


@register.filter
def number(value: float | None) -> str:
    """A whole number, grouped."""
    return UNKNOWN if value is None else f"{round(value):,}"


@register.filter
def spark(values: Sequence[float | None]) -> str:
    """A score's series (0 to 100) as the points of a line in a box of 100 by 30; nothing for fewer than two."""
    known = [(at, value) for at, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ""
    wide = max(1, len(values) - 1)
    return " ".join(f"{100 * at / wide:.1f},{29 - 28 * value / 100:.1f}" for at, value in known)


@register.filter
def share(value: float | None) -> int:
    """A share as a whole percentage, for bars."""
    return round(100 * (value or 0))


@register.filter
def total(values: Iterable[Mapping[str, Any]], key: str) -> float:
    """The sum of one field."""
    return sum(value[key] or 0 for value in values)


@register.filter
def typed(value: Any) -> str:
    """A value as a person types it into a field of a model."""
    if isinstance(value, list | tuple | dict) or value is None or isinstance(value, bool):
        return json.dumps(value, ensure_ascii=False)
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


@register.filter
def iso_moment(value: str) -> str:
    """A moment that was kept as ISO text."""
    return moment(datetime.fromisoformat(value)) if value else UNKNOWN


@register.filter
def dressed(form: BaseForm) -> BaseForm:
    """A form that was made elsewhere, with its fields in the clothes of ours."""
    for field in form.fields.values():
        checked = getattr(field.widget, "input_type", "") in ("checkbox", "radio")
        field.widget.attrs.setdefault("class", "form-check-input" if checked else "form-control")
    return form
