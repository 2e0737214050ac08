"""The journal of the workspace that this process serves."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from keepwell.services.ingest import Accepted, Journal, Places, journal_of
from keepwell.services.team.here import workspace


@lru_cache(maxsize=4)
def _journal(root: Path) -> Journal:
    return Journal(Places(root))


def written(records: Sequence[Accepted], now: datetime) -> list[bool]:
    """Put messages on disk; which of them are new. Raises JournalError."""
    return _journal(journal_of(workspace()).root).append(records, now) if records else []
