"""Records of a delimited file with their line numbers: slower than the fast reader, but nothing stops it."""

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from keepwell.warehouse.loading.encoding import MAX_LINE

DELIMITERS: Final = ",;\t|"
NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
MAX_RECORD_LINES: Final = 1000
SHOWN: Final = 200
"""Characters of a broken line that are kept."""

csv.field_size_limit(4 * MAX_LINE)


@dataclass(frozen=True)
class Record:
    """One record: its first line (counted from 1), and its fields or what is wrong with it."""

    line: int
    fields: list[str] | None
    code: str = ""
    reason: str = ""
    text: str = ""


@dataclass(frozen=True)
class Header:
    """The header: its names, the line it ends on, and the delimiter of the file."""

    names: list[str]
    line: int
    delimiter: str


@dataclass
class Lines:
    """The lines of a file with one-line memory, so that a record that went wrong can be read again line by line."""

    handle: BinaryIO
    number: int = 0

    def __post_init__(self) -> None:
        self._again: deque[bytes] = deque()

    def next(self) -> bytes:
        """The next line with its end, or nothing at the end of the file; longer than MAX_LINE means cut off."""
        line = self._again.popleft() if self._again else self._read()
        self.number += bool(line)
        return line

    def push_back(self, lines: Iterable[bytes]) -> None:
        """Read these lines again next."""
        kept = list(lines)
        self._again.extendleft(reversed(kept))
        self.number -= len(kept)

    def _read(self) -> bytes:
        line = self.handle.readline(MAX_LINE + 1)
        return line if len(line) <= MAX_LINE else line + self._rest_of_line(line)

    def _rest_of_line(self, line: bytes) -> bytes:
        # Only the length of the rest matters, so it is not kept.
        length = 0
        while not line.endswith(b"\n"):
            line = self.handle.readline(MAX_LINE)
            if not line:
                break
            length += len(line)
        return b"" if length == 0 else b" " * min(length, MAX_LINE)


def find_header(path: Path, expected: Callable[[str], bool]) -> Header | None:
    """The first line with text as a header, split by the delimiter that gives the most names that `expected` knows."""
    with path.open("rb") as handle:
        lines = Lines(handle)
        while raw := lines.next():
            text = raw.decode("utf-8", "replace").lstrip("\ufeff").strip("\r\n")
            if text.lower().startswith("sep=") and len(text) <= 5:
                continue
            if text.strip(" ,;\t|\0"):
                return _best(text, lines, expected)
    return None


def records(path: Path, header: Header) -> Iterator[Record]:
    """Every record after the header, the broken ones too. Lines without text are passed over."""
    with path.open("rb") as handle:
        lines = Lines(handle)
        for _ in range(header.line):
            lines.next()
        while raw := lines.next():
            record = _record(raw, lines, header)
            if record is not None:
                yield record


def _best(text: str, lines: Lines, expected: Callable[[str], bool]) -> Header:
    while text.count('"') % 2 and (more := lines.next()):
        text += "\n" + more.decode("utf-8", "replace").strip("\r\n")
    ways = [(d, _split(text, d)) for d in DELIMITERS]
    known = [sum(expected(n) for n in names or ()) for _, names in ways]
    best = max(range(len(ways)), key=lambda w: (known[w], len(ways[w][1] or ()), -w))
    delimiter, names = ways[best]
    return Header([n.strip() for n in names or [text]], lines.number, delimiter)


def _record(raw: bytes, lines: Lines, header: Header) -> Record | None:
    line = lines.number
    if len(raw) > MAX_LINE:
        reason = f"a line of more than {MAX_LINE:,} bytes"
        return Record(line, None, "long_line", reason, raw[:SHOWN].decode("utf-8", "replace"))
    if b"\0" in raw:
        return _broken(line, raw, "nul", "the line contains NUL bytes")
    try:
        text = raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        return _broken(line, raw, "encoding", "the line is not valid UTF-8, unlike the rest of the file")
    if not text.strip():
        return Record(line, [""]) if len(header.names) == 1 and not text else None
    if '"' not in text:
        return _checked(line, text.split(header.delimiter), header, raw)
    return _quoted_record(line, text, raw, lines, header)


def _quoted_record(line: int, text: str, raw: bytes, lines: Lines, header: Header) -> Record:
    fields = _split(text, header.delimiter)
    if fields is not None:
        return _checked(line, fields, header, raw)
    taken: list[bytes] = []
    size = len(text)
    while len(taken) < MAX_RECORD_LINES and size <= MAX_LINE and (more := lines.next()):
        taken.append(more)
        size += len(more)
        text += "\n" + more.decode("utf-8", "replace").rstrip("\r\n")
        fields = _split(text, header.delimiter) if b'"' in more else None
        if fields is not None and len(fields) == len(header.names) and b"\0" not in more:
            return Record(line, fields)
    lines.push_back(taken)
    return _broken(line, raw, "quotes", "a quoted field is not closed, or there is text after its closing quote")


def _checked(line: int, fields: list[str], header: Header, raw: bytes) -> Record:
    if len(fields) == len(header.names):
        return Record(line, fields)
    reason = f"{len(fields)} fields, but the header has {len(header.names)}"
    return _broken(line, raw, "fields", reason)


def _broken(line: int, raw: bytes, code: str, reason: str) -> Record:
    return Record(line, None, code, reason, raw.decode("utf-8", "replace").rstrip("\r\n").replace("\0", "\ufffd"))


def _split(text: str, delimiter: str) -> list[str] | None:
    """The fields of one record, or None when its quotes do not fit."""
    try:
        rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None
