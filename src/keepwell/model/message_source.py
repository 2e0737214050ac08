"""A message as a file: front matter between two lines of dashes, and the text below, each with its place."""

import re
from pathlib import Path
from typing import Final

from keepwell.model.problems import Problem, Severity
from keepwell.model.yaml_source import Document, Key, KeyPath, Span, parse_yaml

MESSAGES: Final = "messages"
SUFFIX: Final = ".md"
_FENCED: Final = re.compile(r"(---[ \t]*\r?\n)(.*?)(^---[ \t]*\r?\n?)", re.DOTALL | re.MULTILINE)
_SHAPE: Final = "a message begins with a line ---, then subject: …, then a line --- and the text"


def message_files(directory: Path) -> tuple[Path, ...]:
    """Every message of a model, by name."""
    folder = directory / MESSAGES
    found = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(f for f in found if f.name.endswith(SUFFIX) and f.is_file()))


def read_message(path: Path, *, shown: str) -> Document:
    """Read one file; never raises for what is in it: problems are on the document."""
    document = Document(shown)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        document.problems.append(Problem(shown, 1, 1, Severity.ERROR, f"cannot be read: {error}"))
        return document
    return parse_message(text, document, path.stem)


def parse_message(text: str, document: Document, name: str) -> Document:
    """Fill `document` so that it says the same as YAML under `messages: NAME:` would."""
    document.text = text
    found = _FENCED.match(text)
    if found is None:
        document.problems.append(Problem(document.path, 1, 1, Severity.ERROR, _SHAPE))
        return document
    # Blanks in place of the first line keep every position in the front matter what it is in the file.
    front = parse_yaml(" " * 3 + text[3 : found.start(3)], Document(document.path))
    document.problems.extend(front.problems)
    if front.problems:
        return document
    if not isinstance(front.data, dict):
        document.problems.append(Problem(document.path, 1, 1, Severity.ERROR, _SHAPE))
        return document
    _fill(document, front, (MESSAGES, name), text, found.end())
    return document


def _fill(document: Document, front: Document, at: tuple[Key, ...], text: str, end: int) -> None:
    start = end + len(text[end:]) - len(text[end:].lstrip())
    body = text[start:].rstrip()
    where: KeyPath = (*at, "text")
    document.data = {at[0]: {at[1]: {**front.data, "text": body}}}
    document.keys = dict.fromkeys((at[:1], at), (1, 1)) | {(*at, *p): v for p, v in front.keys.items()}
    document.values = dict.fromkeys(((), at[:1], at), (1, 1)) | {(*at, *p): v for p, v in front.values.items() if p}
    document.spans = {(*at, *path): span for path, span in front.spans.items()}
    line = text.count("\n", 0, start) + 1
    document.keys[where] = document.values[where] = (line, 1)
    document.spans[where] = Span(start, start + len(body), None, body)
