"""Where attributes come from: a history of traits, or a table with a row per customer and columns."""

from collections.abc import Mapping
from typing import Final

from keepwell.model.criteria_tree import HeldFor, Path, PropertyTest
from keepwell.model.problems import did_you_mean
from keepwell.segments.binding import Binding
from keepwell.segments.property_sql import PropertySql, pointer
from keepwell.warehouse.sql import quoted


class CriteriaError(ValueError):
    """Criteria that cannot be evaluated on what is there; the message is for people."""


class HistoryTraits:
    """Traits of a relation (entity, t, ord, data): every key has the value that was set last at the moment."""

    absent_is_false: Final = True

    def __init__(self, bind: Binding, relation: str, at: int) -> None:
        self.bind, self.relation, self.at = bind, relation, at

    def locate(self, path: Path) -> str:
        """SQL for the JSON value at a path, in a row that is joined with the parts."""
        inner = self._value(path[0], path[1:])
        if len(path) == 1:
            return inner
        return f"coalesce({inner}, {self._value('.'.join(path), ())})"

    def _value(self, key: str, rest: Path) -> str:
        rows = self._rows(key)
        latest = f"SELECT entity, arg_max(v, ord) AS v FROM ({rows}) GROUP BY entity"  # noqa: S608
        part = self.bind.part(("trait", key), "trait", latest)
        return f"json_extract({part}.v, {self.bind.value(pointer(rest))})" if rest else f"{part}.v"

    def _rows(self, key: str) -> str:
        value = f"json_extract(data, {self.bind.value(pointer((key,)))})"
        rows = f"SELECT entity, t, ord, {value} AS v FROM {self.relation} WHERE t <= {self.bind.value(self.at)}"  # noqa: S608
        return f"SELECT * FROM ({rows}) WHERE v IS NOT NULL"  # noqa: S608

    def held_for(self, test: HeldFor) -> str:
        """True where the value has stood since the moment it was last set to it from something else."""
        equal = self._equal(test)
        rows = f"SELECT entity, t, ord, {equal} AS same FROM ({self._rows(test.path[0])})"  # noqa: S608
        broken = f"SELECT *, max(CASE WHEN NOT same THEN ord END) OVER (PARTITION BY entity) AS broken FROM ({rows})"  # noqa: S608
        since = f"SELECT entity, min(t) AS t FROM ({broken}) WHERE same AND ord > coalesce(broken, -1) GROUP BY entity"  # noqa: S608
        part = self.bind.part(("held", test.path, type(test.value), test.value), "held", since)
        sign = "<>" if test.comparison == "!=" else test.comparison
        return f"coalesce({self.bind.value(self.at)} - {part}.t {sign} {self.bind.value(test.length)}, false)"

    def _equal(self, test: HeldFor) -> str:
        rest = test.path[1:]

        def locate(_: Path) -> str:
            return f"json_extract(v, {self.bind.value(pointer(rest))})" if rest else "v"

        sql = PropertySql(self.bind, locate, self.at, absent_is_false=True)
        return sql.test(PropertyTest(test.path, "equals", test.value))


class ColumnTraits:
    """A relation with a row per customer: attributes are columns, or keys inside a column of JSON."""

    absent_is_false: Final = False

    def __init__(self, bind: Binding, columns: Mapping[str, str], row: str) -> None:
        self.bind, self.columns, self.row = bind, columns, row
        self._names = {name.casefold(): name for name in columns}

    def locate(self, path: Path) -> str:
        """SQL for the JSON value of an attribute; the longest beginning of the path that is a column leads."""
        for length in range(len(path), 0, -1):
            name = self._names.get(".".join(path[:length]).casefold())
            if name is not None:
                return self._value(name, path[length:])
        wanted = ".".join(path)
        # Who names a score means its points, not one of its parts.
        near = f"{wanted}_score" if f"{wanted}_score" in self.columns else wanted
        raise CriteriaError(f"there is no attribute '{wanted}'{did_you_mean(near, self.columns)}")

    def _value(self, name: str, rest: Path) -> str:
        column = f"{self.row}.{quoted(name)}"
        value = column if self.columns[name] == "JSON" else f"to_json({column})"
        return f"json_extract({value}, {self.bind.value(pointer(rest))})" if rest else value

    def held_for(self, test: HeldFor) -> str:
        """Refused: a row per customer has no history."""
        name = ".".join(test.path)
        raise CriteriaError(f"'{name}' has no history here, so 'has_been_for' cannot be evaluated")
