"""A segment while somebody edits it: what it says, who would be in it, and what is wrong at which row."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keepwell.model.problems import DefinitionError, Problem, did_you_mean
from keepwell.model.yaml_source import Document, KeyPath, parse_yaml
from keepwell.services.published import PortfolioPage, PortfolioQuery, portfolio_page
from keepwell.services.published.copies import copies_needed
from keepwell.services.segment_fields import attributes_known, with_labels
from keepwell.services.segment_preview import definition_in_words
from keepwell.services.team.access import scope_of
from keepwell.services.team.segment_membership import Found, evaluated
from keepwell.services.team.segments import known_segments, peers_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import Person

SAMPLE: Final = 10


@dataclass(frozen=True)
class Placed:
    """One thing that is wrong: where in the text, and where in the tree of conditions."""

    message: str
    line: int
    path: KeyPath

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the page."""
        return {"message": self.message, "line": self.line, "path": list(self.path)}


@dataclass(frozen=True)
class Drafted:
    """A definition in words, with its customers, or with what is wrong."""

    definition: str
    words: str = ""
    problems: tuple[Placed, ...] = ()
    found: Found | None = None
    sample: PortfolioPage | None = None

    @property
    def total(self) -> int:
        """How many customers of those that the person sees."""
        return self.sample.total if self.sample else 0


def drafted(workspace: Workspace, person: Person, definition: str, name: str = "") -> Drafted:
    """What a definition means now, for the customers that a person sees; `name` is of the segment that is edited."""
    document = parse_yaml(definition, Document("definition"))
    try:
        words = definition_in_words(definition, names=known_segments(workspace, peers_of(person, name)))
    except DefinitionError as error:
        return Drafted(definition, problems=tuple(_placed(document, one) for one in error.problems))
    copies, words = copies_needed(workspace), with_labels(workspace, words)
    unknown = tuple(_unknown_attributes(workspace, document))
    if unknown:
        return Drafted(definition, words, unknown)
    found = evaluated(workspace, definition, copies.as_of, peers_of(person), own=name)
    if found.problem:
        return Drafted(definition, words, (Placed(found.problem, 0, ()),), found)
    query = PortfolioQuery(ids=found.ids, limit=SAMPLE, scope=scope_of(person))
    return Drafted(definition, words, (), found, portfolio_page(workspace, query))


def _placed(document: Document, problem: Problem) -> Placed:
    """A problem with the path of what stands at its place, or last before it."""
    at = (problem.line, problem.column)
    before = [(place, len(path), path) for path, place in document.values.items() if place <= at]
    path = max(before, key=lambda found: found[:2])[2] if before else ()
    return Placed(problem.message, problem.line, path)


def _unknown_attributes(workspace: Workspace, document: Document) -> Iterator[Placed]:
    """Fields that the published date does not have."""
    known = attributes_known(workspace)
    for path, name in _attributes(document.data, ()):
        if name not in known:
            yield Placed(f"there is no field '{name}'{_near(name, known)}", document.position(path)[0], path)


def _near(name: str, known: Collection[str]) -> str:
    """Who names a score means its points, not one of its parts."""
    return did_you_mean(f"{name}_score" if f"{name}_score" in known else name, known)


def _attributes(node: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Every attribute of a customer that is tested; what `where`, `has` and `match` test are properties of others."""
    if isinstance(node, Mapping):
        if isinstance(node.get("attribute"), str) and "." not in node["attribute"]:
            yield (*path, "attribute"), node["attribute"]
        for key, value in node.items():
            if key not in ("where", "has", "match"):
                yield from _attributes(value, (*path, key))
    elif isinstance(node, list):
        for at, item in enumerate(node):
            yield from _attributes(item, (*path, at))
