"""Reads a model directory: all files, all problems, one frozen model with its hash."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from keepwell.model.behaviours import behaviour_metrics, named_behaviours
from keepwell.model.columns import Tables, named_columns, with_columns
from keepwell.model.definitions import ACTIONS, Model
from keepwell.model.problems import DefinitionError, Problem, Severity
from keepwell.model.salvage import Salvaged, definition_of, follow_ons, place, salvage
from keepwell.model.source import Source, read_source
from keepwell.model.translation import translate
from keepwell.model.validation import check_model
from keepwell.model.validation.context import Context
from keepwell.model.yaml_source import MOST_RIVALS, Document, KeyPath


@dataclass(frozen=True)
class LoadedModel:
    """A model without errors. `problems` are warnings; `hash` changes when, and only when, the content does.

    `columns` and `behaviours` are the metrics of the model that no file defines: columns of customers that expressions
    name, and the truth of each behaviour that conditions ask for.
    """

    model: Model
    hash: str
    problems: tuple[Problem, ...] = ()
    documents: tuple[Document, ...] = ()
    columns: tuple[str, ...] = ()
    behaviours: tuple[str, ...] = ()


def load_model(directory: Path, *, shown: str | None = None, tables: Tables | None = None) -> LoadedModel:
    """Read, check and return the model in `directory`; raises DefinitionError with every problem.

    `shown` is how messages name the directory; `tables` are the canonical tables with their columns, and without
    them what metrics say about tables is not checked, and expressions name metrics only.
    """
    return check_source(read_source(directory, shown=shown), tables=tables)


def check_source(source: Source, *, tables: Tables | None = None) -> LoadedModel:
    """Turn merged files into a model, or raise with everything that is wrong."""
    model, columns, behaviours, found = _checked(source, tables)
    problems = list(dict.fromkeys([*found, *_of_rivals(source, tables)]))
    if model is None or any(p.severity is Severity.ERROR for p in problems):
        raise DefinitionError(problems)
    sorted_problems, added = tuple(sorted(problems)), (tuple(columns), tuple(behaviours))
    return LoadedModel(model, model_hash(model), sorted_problems, source.documents, *added)


def _checked(source: Source, tables: Tables | None) -> tuple[Model | None, Iterable[str], Iterable[str], list[Problem]]:
    """The model, the names of metrics made of columns and of behaviours, and everything that is wrong."""
    problems = list(source.problems)
    salvaged, found = _validated(source)
    model, broken = salvaged.model, frozenset(map(definition_of, salvaged.left_out))
    # With a file that cannot be read, names would be missing for no other reason.
    all_read = all(d.data is not None or not d.problems for d in source.documents)
    problems.extend(problem for path, problem in found if path or all_read)
    columns = named_columns(model, tables, _lost_metrics(broken)) if model is not None else {}
    behaviours = behaviour_metrics(named_behaviours(model)) if model is not None else {}
    if model is not None and all_read:
        model = with_columns(model, columns | behaviours)
        rules = check_model(Context(model, source, tables=tables, broken=broken))
        known = follow_ons(source, salvaged.left_out)
        problems.extend(problem for problem in rules if place(problem) not in known)
    return model, columns, behaviours, problems


def _of_rivals(source: Source, tables: Tables | None) -> Iterator[Problem]:
    """What is wrong in definitions whose name is taken, each read in place of the one that has it."""
    for path, document, value in source.rivals[:MOST_RIVALS]:
        _, _, _, found = _checked(source.with_rival(path, document, value), tables)
        lines = document.lines(path)
        yield from (p for p in found if p.path == document.path and p.line in lines)


def model_hash(model: Model) -> str:
    """SHA-256 over what figures depend on: defaults and playbooks do not count, the order of segments does."""
    return _hashed(model, model.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=set(ACTIONS)))


def content_hash(model: Model) -> str:
    """SHA-256 over everything, playbooks, messages and calendar included; without those it is the model's hash."""
    return _hashed(model, model.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def _hashed(model: Model, content: dict[str, Any]) -> str:
    text = json.dumps([content, list(model.segments)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _validated(source: Source) -> tuple[Salvaged, list[tuple[KeyPath, Problem]]]:
    """The model and its problems; what cannot be read is left out, so that the rest is checked, too."""
    try:
        return Salvaged(Model.model_validate(source.data), frozenset()), []
    except ValidationError as error:
        found = translate(error, source)
    return salvage(source, [path for path, _ in found]), found


def _lost_metrics(broken: frozenset[KeyPath]) -> frozenset[str]:
    """The metrics that could not be read: their names do not fall back to columns."""
    return frozenset(str(path[1]) for path in broken if len(path) > 1 and path[0] == "metrics")
