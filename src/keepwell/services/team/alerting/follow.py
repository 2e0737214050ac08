"""Follows the journal: what was accepted is looked at at once, and each event counts once, whoever is killed when.

The place in a file moves in the transaction of everything that followed from what was read. Several workers may
follow: whoever moves the place first has done it, the others undo nothing and read on.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.db import transaction

from keepwell.services.ingest.belonging import Belonging
from keepwell.services.ingest.incidents import incident_names, incident_of
from keepwell.services.ingest.messages import Message
from keepwell.services.ingest.places import Places, journal_of
from keepwell.services.published.copies import copies_current
from keepwell.services.published.identities import customers_by_identity
from keepwell.services.team.alerting.hearing import Heard, hear, wanted_names
from keepwell.services.team.alerting.journal_reader import JournalReader, Piece
from keepwell.services.team.alerting.rules import ruling_of
from keepwell.services.team.alerting.waiting import hear_again, keep, names_of, nobody_s
from keepwell.services.team.playing.known import look_up
from keepwell.services.workspace import Workspace
from keepwell.store.models import JournalPlace

READER: Final = "alerts"
FROM: Final = "alerts.from"
"""The reader under which it is kept from which file on the journal is followed."""
LIMIT: Final = 5_000
KEPT: Final = timedelta(days=2)
"""For so long a file may still grow, be put aside and be loaded; older ones are left behind."""


def follow_turn(workspace: Workspace, now: datetime, worker: str = "", *, limit: int = LIMIT) -> int:
    """Look at what was accepted since the last turn; returns how many messages were read."""
    return _follower(journal_of(workspace).root).turn(workspace, now, limit)


@lru_cache(maxsize=4)
def _follower(root: Path) -> "Follower":
    return Follower(JournalReader(Places(root)))


@dataclass
class Follower:
    """What one process remembers between turns, so that an idle turn asks no database; all of it can be forgotten."""

    reader: JournalReader
    belonging: Belonging | None = None
    since: str | None = None
    done: dict[str, int] = field(default_factory=dict)
    warm: bool = False
    version: str = ""

    def turn(self, workspace: Workspace, now: datetime, limit: int) -> int:
        """Read every file as far as it is certain, oldest first."""
        if not self.warm:
            self._warm_up(workspace)
        if not self.reader.places.root.exists():
            return 0
        if self.since is None:
            self.since = _since(self.reader, now)
        self._published(workspace, now)
        sizes = self.reader.sizes(self.since)
        fresh = [name for name in sorted(sizes) if self.done.get(name) != sizes[name]]
        if not fresh:
            return 0
        read = 0
        for name in fresh:
            read += self._file(workspace, name, sizes[name], now, limit - read)
            if read >= limit:
                return read
        self._leave_behind(sizes, now)
        return read

    def _warm_up(self, workspace: Workspace) -> None:
        """Read the model and the published day before the first event comes: it would wait for that for seconds."""
        self.warm = True
        look_up(workspace)(("",), ruling_of(workspace).names)
        customers_by_identity(workspace, ("",))

    def _file(self, workspace: Workspace, name: str, size: int, now: datetime, limit: int) -> int:
        """Read one file on from its place, piece by piece."""
        place, _ = JournalPlace.objects.get_or_create(reader=READER, file=name, defaults={"at": now})
        read = 0
        while place.position < size and read < limit:
            try:
                piece = self.reader.read(name, place.position, size)
            except FileNotFoundError:
                break
            if piece.end == place.position:
                break
            if self._look_at(workspace, place, piece, now):
                read += len(piece.messages)
            place.refresh_from_db()
        if read < limit:
            self.done[name] = size
        return read

    def _published(self, workspace: Workspace, now: datetime) -> None:
        """What was published since may say whose the events are that wait."""
        copies = copies_current(workspace)
        version = copies.folder.name if copies else ""
        if version != self.version:
            hear_again(workspace, self._belonging(), now)
            self.version = version

    def _look_at(self, workspace: Workspace, place: JournalPlace, piece: Piece, now: datetime) -> bool:
        """Do what follows from a piece and move the place; False when another worker did."""
        belonging = self._belonging()
        told = belonging.hear(piece.messages)
        heard, nobody = self._heard(workspace, belonging, piece.messages)
        with transaction.atomic():
            here = JournalPlace.objects.filter(pk=place.pk, position=place.position)
            if not here.update(position=piece.end, at=now):
                return False
            heard.act(now)
            keep(belonging, nobody)
        if about := told.union(*(names_of(belonging, message) for message in nobody.values())):
            hear_again(workspace, belonging, now, about=about)
        return True

    def _belonging(self) -> Belonging:
        if self.belonging is None:
            self.belonging = Belonging()
            self.belonging.hear(self.reader.explaining())
        return self.belonging

    def _heard(
        self, workspace: Workspace, belonging: Belonging, messages: tuple[Message, ...]
    ) -> tuple[Heard, dict[str, Message]]:
        """What messages mean, and those that would mean something if it were known whose they are."""
        ruling = ruling_of(workspace)
        wanted = wanted_names(ruling)
        chosen = [message for message in messages if not wanted.isdisjoint(incident_names(message))]
        ids = {name for message in chosen for name in belonging.ids(message)}
        published = customers_by_identity(workspace, ids)
        customers = {one.id: whose for one in chosen if (whose := belonging.customer(one, published)) is not None}
        incidents = [incident_of(one, customers[one.id]) for one in chosen if one.id in customers]
        heard = hear(workspace, ruling, filter(None, incidents), belonging.groups)
        return heard, nobody_s(ruling, chosen, heard, customers)

    def _leave_behind(self, sizes: dict[str, int], now: datetime) -> None:
        """Follow on from a later file once those before it are old and read."""
        oldest = f"{now - KEPT:%Y-%m-%dT%H}"
        old = [name for name in sorted(sizes) if name < oldest and self.done.get(name) == sizes[name]]
        if not old or any(name < old[-1] and self.done.get(name) != sizes[name] for name in sizes):
            return
        with transaction.atomic():
            JournalPlace.objects.filter(reader=FROM).delete()
            JournalPlace.objects.create(reader=FROM, file=old[-1], at=now)
            JournalPlace.objects.filter(reader=READER, file__lte=old[-1]).delete()
        self.since = old[-1]
        for name in old:
            del self.done[name]


def _since(reader: JournalReader, now: datetime) -> str:
    """The file behind which the journal is followed: what was loaded before anybody followed sets nothing off."""
    known = JournalPlace.objects.filter(reader=FROM).order_by("file").first()
    if known is None:
        known, _ = JournalPlace.objects.get_or_create(reader=FROM, file=reader.newest_done(), defaults={"at": now})
    return known.file
