"""Types that parameters and bodies share, so that no value reaches a service that a database cannot keep."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from ninja import Path, Schema
from pydantic import AwareDatetime, Field

_NO_NUL: Final = r"^[^\u0000]*$"
_LARGEST: Final = 2**63 - 1
FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)

Word = Annotated[str, Field(max_length=255, pattern=_NO_NUL)]
Said = Annotated[str, Field(min_length=1, max_length=500, pattern=_NO_NUL)]
Long = Annotated[str, Field(max_length=10_000, pattern=_NO_NUL)]
Text = Annotated[str, Field(max_length=2_000_000, pattern=_NO_NUL)]
Number = Annotated[int, Field(ge=1, le=_LARGEST)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1, description="The version that was read; 409 when it moved on.")]
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Moment = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), le=datetime(2199, 12, 31, tzinfo=UTC))]

Customer = Annotated[str, Path(max_length=255, pattern=_NO_NUL, description="The customer's id.")]
Name = Annotated[str, Path(max_length=255, pattern=_NO_NUL)]
Pk = Annotated[int, Path(ge=1, le=_LARGEST)]

KEYED: Final[dict[str, Any]] = {
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
            "description": "Any text of your own: a request that is sent twice with one key happens once.",
        }
    ]
}
"""What operations with @idempotent document."""


class PersonBrief(Schema):
    """A person of the workspace."""

    id: int
    email: str
    name: str
