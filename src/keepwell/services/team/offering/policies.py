"""Rules of the workspace for offers: who may offer what, with and without approval, how often, and how much."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from keepwell.services.team.audit import Actor, record
from keepwell.services.team.offering.kinds import KINDS, UNITS, ceiling, kind_of
from keepwell.store.models import Role, WorkspaceSetting

SETTING: Final = "offer_policies"
NOBODY: Final = "nobody"
RANKS: Final = (Role.CSM.value, Role.MANAGER.value, Role.OPS.value, Role.ADMIN.value)
"""Roles in the order of what they may; a viewer offers nothing."""
MOST_A_YEAR: Final = 100


class PolicyError(Exception):
    """A rule that cannot be kept; the message says what it may be."""


@dataclass(frozen=True)
class Policy:
    """The rules for one kind. Roles are the lowest that may; `per_year` 0 means that it is not offered at all."""

    asks: str = Role.CSM.value
    alone: str = NOBODY
    approves: str = Role.MANAGER.value
    playbooks: bool = False
    per_year: int = 1
    largest: Mapping[str, float] = field(default_factory=dict)


DEFAULTS: Final[Mapping[str, Policy]] = {
    "pause": Policy(largest={"months": 3}),
    "downgrade": Policy(largest={"grace_days": 90}),
    "discount": Policy(largest={"percent": 50, "months": 12}),
    "free_months": Policy(largest={"months": 3}),
    "free_sessions": Policy(alone=Role.CSM.value, playbooks=True, per_year=3, largest={"sessions": 5}),
    "trial": Policy(alone=Role.CSM.value, playbooks=True, per_year=2, largest={"days": 60}),
    "dedicated_support": Policy(largest={"months": 3, "sessions": 10}),
    "preview": Policy(alone=Role.CSM.value, playbooks=True, per_year=4, largest={"days": 90}),
    "custom": Policy(per_year=3),
}
"""Strict: whatever money would feel waits for somebody's yes."""


def policies_now() -> dict[str, Policy]:
    """The rules as they are now; one query."""
    row = WorkspaceSetting.objects.filter(name=SETTING).first()
    return _read(row.value if row else None)


def policies_held() -> dict[str, Policy]:
    """The rules, held until the transaction ends: two offers that are made at once see each other."""
    row, _ = WorkspaceSetting.objects.select_for_update().get_or_create(name=SETTING, defaults={"value": {}})
    return _read(row.value)


def outranks(role: str, needed: str) -> bool:
    """Whether a role is at least the one that is needed."""
    return role in RANKS and needed in RANKS and RANKS.index(role) >= RANKS.index(needed)


@transaction.atomic
def policies_change(who: Actor, changed: Mapping[str, Policy], now: datetime) -> None:
    """Change the rules of some kinds. Raises PolicyError."""
    for name, policy in changed.items():
        _check(name, policy)
    before = policies_held()
    after = before | dict(changed)
    different = [name for name in KINDS if after[name] != before[name]]
    if not different:
        return
    value = {name: asdict(after[name]) for name in KINDS if after[name] != DEFAULTS[name]}
    WorkspaceSetting.objects.filter(name=SETTING).update(value=value)
    record(
        who,
        at=now,
        action="settings.changed",
        kind="settings",
        object_id=SETTING,
        summary="Changed the rules for " + ", ".join(KINDS[name].label.lower() for name in different),
        before={name: asdict(before[name]) for name in different},
        after={name: asdict(after[name]) for name in different},
    )


def _check(name: str, policy: Policy) -> None:
    label = KINDS[name].label if name in KINDS else name
    if name not in KINDS:
        raise PolicyError(f"There is no kind of offer “{name}”.")
    if policy.asks not in (*RANKS, NOBODY) or policy.alone not in (*RANKS, NOBODY):
        raise PolicyError(f"{label}: choose a role for who may offer it.")
    if policy.approves not in RANKS[1:]:
        raise PolicyError(f"{label}: it is approved by a manager, by operations or by an administrator.")
    if not 0 <= policy.per_year <= MOST_A_YEAR:
        raise PolicyError(f"{label}: per customer and year is a number from 0 to {MOST_A_YEAR}.")
    for unit in KINDS[name].units:
        most = ceiling(KINDS[name], unit)
        if not 0 < policy.largest.get(unit, 0) <= most:
            raise PolicyError(f"{label}: {UNITS[unit][0].lower()} are a number above 0, at most {most:g}.")


def _read(value: Any) -> dict[str, Policy]:
    """What was kept, over the defaults; what cannot be used is as if it were not there."""
    kept = value if isinstance(value, dict) else {}
    return {name: _one(name, DEFAULTS[name], kept.get(name)) for name in KINDS}


def _one(name: str, default: Policy, kept: Any) -> Policy:
    if not isinstance(kept, dict):
        return default
    said = {key: kept[key] for key in asdict(default) if key in kept}
    try:
        units = {unit: float(kept.get("largest", {})[unit]) for unit in kind_of(name).units}
        found = replace(default, **said | {"largest": units})
        _check(name, found)
    except (PolicyError, KeyError, TypeError, ValueError, AttributeError):
        return default
    return found
