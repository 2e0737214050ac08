"""Who of those that a day calls for may enter a playbook, by what was before."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from keepwell.playbooks.entries import Entry, refusal
from keepwell.services.team.playing.plays import Kept
from keepwell.store.models import PlaybookRun

AT_ONCE: Final = 500


def enterable(called: Sequence[tuple[Kept, str]], now: datetime) -> Iterator[tuple[Kept, str]]:
    """Without those who went through it too often or too lately: a turn for each, only to be turned away, is slow.

    A run that goes on counts as one that ended now: the day may end it before the next begins.
    """
    entries = _entries(sorted({customer for _, customer in called}), now)
    for kept, customer in called:
        play = kept.play
        if refusal(play.playbook, entries.get((play.name, customer), ()), now, play.calendar) is None:
            yield kept, customer


def _entries(customers: Sequence[str], now: datetime) -> dict[tuple[str, str], list[Entry]]:
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for first in range(0, len(customers), AT_ONCE):
        runs = PlaybookRun.objects.filter(customer_id__in=customers[first : first + AT_ONCE]).order_by("entry")
        for name, customer, begun, ended in runs.values_list("playbook", "customer_id", "started_at", "ended_at"):
            found[name, customer].append(Entry(begun, ended or now))
    return found
