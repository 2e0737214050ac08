"""From the bytes of a text file to a plain UTF-8 file that the readers take, looked at once from end to end."""

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHUNK: Final = 1 << 20
MAX_LINE: Final = 2_000_000
"""Bytes of the longest line that is read; a longer one is quarantined."""

# The order matters: the mark of UTF-32 little endian starts with the one of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class UnreadableFileError(Exception):
    """A file that cannot be read as what it says it is; the message is for the user."""


@dataclass(frozen=True)
class TextFile:
    """A file as plain UTF-8: `path` may be a copy; `rough` says that rows need a closer look than the fast reader's."""

    path: Path
    sha256: str
    size: int
    rough: bool
    problems: tuple[str, ...] = ()


@dataclass
class _Findings:
    """What one pass over the bytes showed."""

    digest: str = ""
    size: int = 0
    nul: bool = False
    long_line: bool = False
    utf8: bool = True


def file_sha256(path: Path) -> str:
    """The digest of a file as it lies on disk."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def read_text_file(path: Path, folder: Path) -> TextFile:
    """Look through a text file, unpack and transcode it into `folder` when it is not plain UTF-8 already."""
    plain = _unpacked(path, folder) if path.suffix.lower() == ".gz" else path
    sha256 = file_sha256(path)
    encoding = _marked_encoding(plain)
    if encoding is None and not (seen := _survey(plain)).utf8:
        encoding = _guess(plain)
        if encoding is not None:
            copy = _transcoded(plain, folder, encoding)
            return _finish(copy, sha256, (f"not UTF-8 and without a mark, read as {encoding}: check the accents",))
    if encoding is None:
        return TextFile(plain, sha256, seen.size, seen.nul or seen.long_line or not seen.utf8)
    return _finish(_transcoded(plain, folder, encoding), sha256, ())


def _finish(copy: Path, sha256: str, problems: tuple[str, ...]) -> TextFile:
    seen = _survey(copy)
    return TextFile(copy, sha256, seen.size, seen.nul or seen.long_line or not seen.utf8, problems)


def _unpacked(path: Path, folder: Path) -> Path:
    target = folder / "unpacked"
    try:
        with gzip.open(path, "rb") as packed, target.open("wb") as out:
            while block := packed.read(CHUNK):
                out.write(block)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFileError(f"the gzip file is damaged: {error}") from error
    return target


def _marked_encoding(path: Path) -> str | None:
    head = _head(path)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    return _unmarked_utf16(head) or ("utf-8" if b"\r" in head and b"\n" not in head else None)


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without a mark shows in western text: every other byte is zero."""
    even, odd = head[0::2], head[1::2]
    if len(head) < 4 or not even or not odd:
        return None
    if odd.count(0) > 0.9 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if even.count(0) > 0.9 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    return None


def _head(path: Path) -> bytes:
    with path.open("rb") as handle:
        return handle.read(4096)


def _survey(path: Path) -> _Findings:
    seen, decoder, since_newline = _Findings(), codecs.getincrementaldecoder("utf-8")(), 0
    for chunk in _chunks(path):
        seen.size += len(chunk)
        seen.nul = seen.nul or b"\0" in chunk
        first = chunk.find(b"\n")
        since_newline = since_newline + len(chunk) if first < 0 else since_newline + first
        seen.long_line = seen.long_line or since_newline > MAX_LINE
        if first >= 0:
            since_newline = len(chunk) - chunk.rfind(b"\n") - 1
        seen.utf8 = seen.utf8 and _decodes(decoder, chunk)
    return seen


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def _guess(path: Path) -> str | None:
    """None when the file is UTF-8 with some damaged lines, else the legacy encoding of western Europe."""
    good = damaged = 0
    with path.open("rb") as handle:
        for line in iter(lambda: handle.readline(MAX_LINE), b""):
            if line.isascii():
                continue
            if _decodes(codecs.getincrementaldecoder("utf-8")(), line):
                good += 1
            else:
                damaged += 1
    return None if good >= damaged else "cp1252"


def _transcoded(path: Path, folder: Path, encoding: str) -> Path:
    """A UTF-8 copy; bytes without a meaning become the replacement sign, and old Mac line ends become new ones."""
    target = folder / "transcoded"
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    with target.open("w", encoding="utf-8", newline="") as out:
        mac = False
        for position, chunk in enumerate(_chunks(path)):
            text = decoder.decode(chunk)
            mac = "\r" in text[:4096] and "\n" not in text[:4096] if position == 0 else mac
            out.write(text.replace("\r", "\n") if mac else text)
        out.write(decoder.decode(b"", final=True))
    return target


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK):
            yield chunk
