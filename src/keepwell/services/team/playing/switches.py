"""Which playbooks may start by themselves."""

from datetime import datetime

from django.db import transaction

from keepwell.services.planning.sources import current_model
from keepwell.services.team.audit import Actor, record
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import PlaybookSwitch


def switched_on() -> set[str]:
    """The names of the playbooks that may start by themselves."""
    return set(PlaybookSwitch.objects.filter(on=True).values_list("playbook", flat=True))


def switch(who: Actor, workspace: Workspace, playbook: str, on: bool, now: datetime) -> None:
    """Let a playbook start by itself from now on, or no longer. Runs that are under way go on.

    Raises WorkspaceError when the model has none of that name to switch on.
    """
    definition = current_model(workspace).model.playbooks.get(playbook)
    if on and definition is None:
        raise WorkspaceError(f"There is no playbook '{playbook}' in the model.")
    label = (definition.label if definition else "") or playbook
    with transaction.atomic():
        before = PlaybookSwitch.objects.select_for_update().filter(playbook=playbook).first()
        was = before is not None and before.on
        if was == on:
            return
        PlaybookSwitch.objects.update_or_create(
            playbook=playbook, defaults={"on": on, "changed_by": who.person, "changed_at": now}
        )
        record(
            who,
            at=now,
            action="playbook.switched_on" if on else "playbook.switched_off",
            kind="playbook",
            object_id=playbook,
            summary=f"{label}: switched {'on' if on else 'off'}",
            before={"on": was},
            after={"on": on},
        )
