"""Names inside addresses: any customer's id and any segment's name, also where it looks like a part of an address."""

import re
from typing import Final

from django.urls import register_converter
from django.urls.converters import get_converters

PAGES: Final = frozenset({"new", "compare", "movement", "overlap", "preview", "rows", "values"})
"""What follows `segments/` and is no segment."""
_ESCAPED: Final = re.compile(r"~([0-9A-F]{2})")
_UNSAFE: Final = re.compile(r"/|~(?=[0-9A-F]{2})")


def _escape(text: str) -> str:
    return f"~{ord(text):02X}"


class NameConverter:
    """One part of an address that holds any text.

    Servers read `%2F` as a slash, and browsers take out `.` and `..`, so these are written with a tilde: `a/why` is
    `a~2Fwhy`. Addresses of before, with plain slashes, are read as they were.
    """

    regex = r"(?s:.+)"
    taken: frozenset[str] = frozenset({".", ".."})

    def to_python(self, value: str) -> str:
        """The name that an address means."""
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)

    def to_url(self, value: str) -> str:
        """A name as a part of an address."""
        text = _UNSAFE.sub(lambda found: _escape(found[0]), str(value))
        return _escape(text[0]) + text[1:] if text in self.taken else text


class SegmentConverter(NameConverter):
    """A segment: a name that is a page's, too, is written differently."""

    taken = NameConverter.taken | PAGES


def register() -> None:
    """Make the converters known by their names; pages and API both need them, whichever is read first."""
    if "customer" not in get_converters():
        register_converter(NameConverter, "customer")
        register_converter(SegmentConverter, "segment")
