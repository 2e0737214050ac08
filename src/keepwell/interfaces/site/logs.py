"""What the log says of answers."""

import logging
from typing import Final

_OWN_FAULT: Final = 500


class Refusals(logging.Filter):
    """Takes the traceback off answers that refuse: that somebody may not see a page is no fault of the program."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record, those of refusals in one line."""
        if getattr(record, "status_code", _OWN_FAULT) < _OWN_FAULT:
            record.exc_info = None
            record.exc_text = None
        return True
