"""Mappings: a YAML file that says which columns of foreign files become which columns of the canonical tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, PrivateAttr, ValidationError, model_validator

from keepwell.model.base import ExpressionText, Scalar, Strict
from keepwell.model.expressions import names_in, parse_expression
from keepwell.model.problems import DefinitionError, Problem, did_you_mean
from keepwell.model.translation import data_path, field_names
from keepwell.model.yaml_source import Document, read_yaml
from keepwell.warehouse.loading.mapping_rules import semantic_problems

Decimal = Literal["point", "comma"]
Cast = Literal["text", "number", "integer", "money", "boolean", "date", "time"]


def _as_column(value: Any) -> Any:
    return {"from": value} if isinstance(value, str) else value


class ColumnSource(Strict):
    """Where the values of one column come from: a column of the file, an expression over them, or a constant."""

    source: str | None = Field(None, alias="from")
    expr: ExpressionText | None = None
    constant: Scalar | None = None
    lookup: dict[str, Scalar] | str | None = None
    default: Scalar | None = None
    cast: Cast | None = None
    format: str | None = None
    zone: str | None = None
    decimal: Decimal | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum(x is not None for x in (self.source, self.expr, self.constant)) != 1:
            raise ValueError("needs exactly one of 'from', 'expr', 'constant'")
        return self

    @property
    def lookup_name(self) -> str | None:
        """The lookup file that gives the value; None when the words stand here, or there is no lookup."""
        return self.lookup if isinstance(self.lookup, str) else None


class Target(Strict):
    """One table that rows of a file go to; `where` picks the rows."""

    table: str
    columns: dict[str, Annotated[ColumnSource, BeforeValidator(_as_column)]]
    where: ExpressionText | None = None


class MappedFile(Strict):
    """Files by name (`*` and `?` stand for anything), and where their rows go."""

    file: str
    targets: list[Target] = Field(min_length=1)
    zone: str | None = None
    decimal: Decimal | None = None


class LookupFile(Strict):
    """A file that says what belongs to a key: `file` lies beside the files that need it, or beside the mapping."""

    file: str
    key: str
    value: str


class Defaults(Strict):
    """What holds for all files that do not say otherwise."""

    zone: str | None = None
    decimal: Decimal | None = None


class Mapping(Strict):
    """A whole mapping file."""

    files: list[MappedFile] = Field(min_length=1)
    defaults: Defaults = Defaults()
    lookups: dict[str, LookupFile] = Field(default_factory=dict)
    _folder: Path | None = PrivateAttr(None)

    @property
    def folder(self) -> Path | None:
        """Where the mapping file lies."""
        return self._folder

    def for_file(self, path: Path) -> MappedFile | None:
        """The first entry whose pattern means this file, with the defaults filled in."""
        for entry in self.files:
            if path.match(entry.file):
                zone, decimal = entry.zone or self.defaults.zone, entry.decimal or self.defaults.decimal
                return entry.model_copy(update={"zone": zone, "decimal": decimal})
        return None

    @property
    def patterns(self) -> dict[str, tuple[str, ...]]:
        """The file patterns, each with the tables that its files fill."""
        first = {entry.file: entry for entry in reversed(self.files)}
        return {entry.file: tuple(t.table for t in first[entry.file].targets) for entry in self.files}


def source_names(entry: MappedFile) -> set[str]:
    """Every column of the file that the entry speaks of."""
    found: set[str] = set()
    for target in entry.targets:
        texts = [target.where, *(c.expr for c in target.columns.values())]
        found |= {name for text in texts if text is not None for name in names_in(parse_expression(text))}
        found |= {c.source for c in target.columns.values() if c.source is not None}
    return found


def lookup_names(entry: MappedFile) -> set[str]:
    """Every lookup file that the entry needs."""
    sources = (source for target in entry.targets for source in target.columns.values())
    return {source.lookup_name for source in sources if source.lookup_name is not None}


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file; raises DefinitionError with every problem and its place."""
    document = read_yaml(path)
    problems = list(document.problems)
    if problems:
        raise DefinitionError(problems)
    mapping = None
    try:
        mapping = Mapping.model_validate(document.data)
    except ValidationError as error:
        problems += [_problem(details, document) for details in error.errors(include_url=False)]
    problems += semantic_problems(document)
    if problems or mapping is None:
        raise DefinitionError(dict.fromkeys(problems))
    mapping._folder = path.parent
    return mapping


def _problem(details: Any, document: Document) -> Problem:
    path, _ = data_path(document.data, details["loc"])
    if details["type"] == "extra_forbidden":
        known = [name for kind in _shapes(path[:-1]) for name in field_names(kind)]
        return document.problem(path, f"unknown key '{path[-1]}'{did_you_mean(str(path[-1]), known)}", key=True)
    if details["type"] == "missing":
        return document.problem(path, f"'{details['loc'][-1]}' is missing", key=True)
    cause = (details.get("ctx") or {}).get("error")
    message = str(cause) if cause else details["msg"][:1].lower() + details["msg"][1:]
    return document.problem(path, message, shift=getattr(cause, "column", None))


def _shapes(path: tuple[Any, ...]) -> Iterator[type[BaseModel]]:
    """The definition that stands at a path of a mapping file."""
    if "columns" in path:
        yield ColumnSource
    elif "targets" in path:
        yield Target
    elif path[:1] == ("lookups",) and len(path) > 1:
        yield LookupFile
    elif path[:1] == ("files",):
        yield MappedFile
    else:
        yield Defaults if path else Mapping
