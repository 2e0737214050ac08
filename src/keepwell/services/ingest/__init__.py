"""Events as they happen: what is accepted is on disk first, and becomes canonical rows with the next load.

No Django here: the journal is files, and what a payload means is a function of it.
"""

from keepwell.services.ingest.journal import Journal, JournalError
from keepwell.services.ingest.loading import load_journal
from keepwell.services.ingest.messages import Accepted, Message, Rejected, checked, checked_stripe
from keepwell.services.ingest.places import Places, journal_of
from keepwell.services.ingest.signatures import SignatureError, verify_stripe

__all__ = [
    "Accepted",
    "Journal",
    "JournalError",
    "Message",
    "Places",
    "Rejected",
    "SignatureError",
    "checked",
    "checked_stripe",
    "journal_of",
    "load_journal",
    "verify_stripe",
]
