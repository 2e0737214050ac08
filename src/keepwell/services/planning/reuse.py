"""Which published metric values still hold under another model, because nothing that makes them is different."""

from collections.abc import Mapping
from typing import Any, Final

from keepwell.model.definitions import Model
from keepwell.model.graph import SETTING, Node, nodes

_SHOWN_ONLY: Final = {"label", "description", "unit"}


def reusable_metrics(published: Model, model: Model) -> frozenset[str]:
    """The metrics of `model` whose values a snapshot made with `published` holds: same definition, same inputs."""
    work = _Same(published, model)
    return frozenset(
        name for name, metric in model.metrics.items() if metric.entity == "customer" and work.same(f"metric:{name}")
    )


def unavailable_metrics(model: Model, reusable: frozenset[str]) -> tuple[str, ...]:
    """Metrics that can only be had from the tables: neither reusable nor made of other metrics."""
    read = {n: m for n, m in model.metrics.items() if m.entity == "customer" and (m.table or m.attribute)}
    return tuple(name for name in read if name not in reusable)


class _Same:
    """Compares nodes of two models with all they are made of; a circle through the past counts as the same."""

    def __init__(self, old: Model, new: Model) -> None:
        self.models = (old, new)
        self.nodes: list[Mapping[str, Node]] = [{node.key: node for node in nodes(model)} for model in self.models]
        self.known: dict[str, bool] = {}

    def same(self, key: str) -> bool:
        """Whether both models have the node and compute it alike."""
        if key not in self.known:
            self.known[key] = True
            self.known[key] = self._alike(key) and all(map(self.same, self._inputs(key)))
        return self.known[key]

    def _inputs(self, key: str) -> list[str]:
        node = self.nodes[1][key]
        return [*node.inputs, *(earlier.node for earlier in node.history)]

    def _alike(self, key: str) -> bool:
        if any(key not in found for found in self.nodes):
            return False
        old, new = (self._said(model, node[key]) for model, node in zip(self.models, self.nodes, strict=True))
        return bool(old == new)

    def _said(self, model: Model, node: Node) -> Any:
        if node.kind == "metric":
            said: Any = model.metrics[node.name].model_dump(mode="json", exclude=_SHOWN_ONLY)
            said = (said, model.settings.stale_after_days, self._people(model, node.name))
        elif node.kind == "score":
            said = (model.scores[node.name].model_dump(mode="json"), model.settings.minimum_coverage)
        else:
            said = [[name, s.model_dump(mode="json")] for name, s in (*model.segments.items(), *model.signals.items())]
        return (said, dict(model.settings.values)) if SETTING in repr(said) else said

    def _people(self, model: Model, name: str) -> Any:
        """What is rolled up from persons is made of all metrics of persons."""
        if model.metrics[name].table != "people_metrics":
            return None
        return {
            n: m.model_dump(mode="json", exclude=_SHOWN_ONLY) for n, m in model.metrics.items() if m.entity == "person"
        }
