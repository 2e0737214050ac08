"""How colleagues hear of an alert: the channels that its rule names, unless the workspace chose others."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from keepwell.model.definitions import Model
from keepwell.services.team.audit import Actor
from keepwell.services.team.named_values import choose, remembered
from keepwell.store.models import Alert

SETTING: Final = "alert_channels"
NOTIFY: Final = "notify"
"""Where an alert keeps the channels that its rule named when it was opened."""
EMAIL: Final = "email"
PERSONAL: Final = frozenset({EMAIL, "workspace"})
"""Channels that reach one person; the others are read by whoever reads them."""
CHANNELS: Final[Mapping[str, str]] = {
    "email": "e-mail",
    "slack": "Slack",
    "teams": "Teams",
    "webhook": "webhook",
    "workspace": "notice",
}


def channels_of(found: Alert) -> tuple[str, ...]:
    """How colleagues are told of an alert now."""
    return known(chosen_channels().get(found.rule) or found.values.get(NOTIFY) or ()) or (EMAIL,)


def chosen_channels() -> dict[str, list[str]]:
    """What the workspace chose for rules, whatever their model names."""
    return remembered(SETTING)


def known(channels: Iterable[str]) -> tuple[str, ...]:
    """Those that there are, each once and in the order in which they are shown."""
    wanted = set(channels)
    return tuple(name for name in CHANNELS if name in wanted)


def choose_channels(who: Actor, model: Model, chosen: Mapping[str, Sequence[str]], now: datetime) -> None:
    """Choose the channels of rules; what the model says anyway, or nothing, is left to the model."""
    wanted = {
        rule: list(ways)
        for rule, names in sorted(chosen.items())
        if rule in model.alerts and (ways := known(names)) and ways != known(model.alerts[rule].notify)
    }
    summary = "Chose the channels by which colleagues hear of alerts"
    choose(who, SETTING, wanted, action="alert.channels", summary=summary, now=now)


def listed(words: Sequence[str]) -> str:
    """Words as people list them: e-mail, Slack and Teams."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""
