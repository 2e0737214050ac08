"""Who stands behind a role of a playbook: the owner, the owner's manager, and whom the workspace named for the rest."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from keepwell.services.team.audit import Actor
from keepwell.services.team.named_values import choose, remembered
from keepwell.services.team.prepared import Prepared
from keepwell.store.models import Person
from keepwell.store.models import Role as Rank

OWNER: Final = "owner"
MANAGER: Final = "manager"
NAMED: Final = ("manager", "executive", "support", "sales", "product", "engineering", "billing_team")
"""Roles that a workspace can give to a person of its choice."""
SETTING: Final = "playbook_roles"
_PEOPLE: Final = Prepared(lambda: Person.objects.filter(is_active=True).order_by("pk"))
_INSTEAD: Final[Mapping[str, tuple[str, ...]]] = {
    "executive": (Rank.ADMIN, Rank.MANAGER, Rank.OPS),
    MANAGER: (Rank.MANAGER, Rank.OPS, Rank.ADMIN),
}


class People:
    """The people of the workspace as playbooks look for them; read once for a turn."""

    def __init__(self) -> None:
        self.people = _PEOPLE()
        self.named: dict[str, int] = remembered(SETTING)

    def owner(self, owner_email: str) -> Person | None:
        """The person under whose address a customer's owner is known."""
        wanted = owner_email.strip().lower()
        return next((p for p in self.people if wanted and wanted in p.owner_emails), None)

    def of(self, role: str, owner_email: str) -> Person | None:
        """Who has a role for a customer of this owner; where nobody was named, whoever is nearest to it."""
        owner = self.owner(owner_email)
        if role == OWNER and owner is not None:
            return owner
        named = next((p for p in self.people if p.pk == self.named.get(role)), None)
        if named is not None:
            return named
        ranks = _INSTEAD.get(role, _INSTEAD[MANAGER])
        return self._nearest(ranks, owner)

    def _nearest(self, ranks: Iterable[str], owner: Person | None) -> Person | None:
        """The first of these ranks, of the owner's own team where it has one."""
        team = owner.team_id if owner else None
        for rank in ranks:
            found = [p for p in self.people if p.role == rank]
            if found:
                return next((p for p in found if team is not None and p.team_id == team), found[0])
        return None


def people_named() -> dict[str, int]:
    """Whom the workspace named for a role, by the person's number."""
    return People().named


def name_people(who: Actor, named: Mapping[str, int], now: datetime) -> None:
    """Name a person for roles; those that are left out go to whoever is nearest."""
    wanted = {role: pk for role, pk in named.items() if role in NAMED}
    choose(who, SETTING, wanted, action="playbook.roles", summary="Named people for the roles of playbooks", now=now)
