"""A workspace folder: keepwell.toml, model/ in YAML, data/."""

import json
import os
import shutil
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from keepwell.model.behaviours import with_behaviours, without_behaviours
from keepwell.model.definitions import ACTIONS, Model
from keepwell.model.loader import LoadedModel, model_hash
from keepwell.model.packs import pack_directory, resolve_model
from keepwell.model.problems import did_you_mean
from keepwell.warehouse.columns import TABLE_COLUMNS
from keepwell.warehouse.rates import Rates, read_rates
from keepwell.warehouse.snapshots import Snapshots
from keepwell.warehouse.storage import Warehouse

CONFIG: Final = "keepwell.toml"
RATES: Final = "rates.csv"
_KEYS: Final = {"name", "timezone", "currency", "model", "data", "wait_seconds", "memory_limit"}
_TEMPLATE: Final = """\
# A Keepwell workspace. Everything in it is yours: this file and model/ belong in git, data/ does not.
[workspace]
name = {name}
timezone = {zone}
# The currency that amounts are shown in.
currency = {currency}
# Where the model is (YAML) and where data is kept, from this file.
model = "model"
data = "data"
# How long a command waits for another one that is writing.
wait_seconds = 60
memory_limit = "600MB"

# Customers who pay in another currency: what one unit of it is worth. Rates with dates go into rates.csv.
# [rates]
# GBP = 1.25
"""


class WorkspaceError(Exception):
    """A workspace that cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Workspace:
    """An opened workspace folder."""

    root: Path
    name: str
    zone: str
    currency: str
    model_dir: Path
    data_dir: Path
    wait_seconds: float
    memory_limit: str
    constant_rates: tuple[tuple[str, object], ...] = ()

    @property
    def snapshots(self) -> Snapshots:
        return Snapshots(self.data_dir / "snapshots")

    def model(self) -> LoadedModel:
        """Read and check the workspace's model; raises DefinitionError with every problem."""
        shown = os.path.relpath(self.model_dir)
        if not self.model_dir.is_dir():
            raise WorkspaceError(f"{shown}: there is no model; 'keepwell init' puts one there")
        return resolve_model(self.model_dir, tables=TABLE_COLUMNS)

    def rates(self) -> Rates | None:
        """The exchange rates as they stand now; None when there are none. Raises RatesError for what is no rate."""
        said = f"{self.root / CONFIG}: [rates]"
        return read_rates(self.currency, dict(self.constant_rates), self.root / RATES, said=said)

    @contextmanager
    def warehouse(
        self, doing: str, on_wait: Callable[[str], None] | None = None, *, alone: bool = False
    ) -> Iterator[Warehouse]:
        """The warehouse, held for this process alone; `alone` begins with one thread."""
        with Warehouse.open(
            self.data_dir,
            zone=self.zone,
            wait_seconds=self.wait_seconds,
            on_wait=on_wait,
            doing=doing,
            memory_limit=self.memory_limit,
            rates=self.rates(),
            alone=alone,
        ) as warehouse:
            yield warehouse

    def keep_model(self, loaded: LoadedModel) -> None:
        """Keep a model under its hash, so that old snapshots can still be explained."""
        path = self.data_dir / "models" / f"{loaded.hash}.json"
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}.tmp")
        computed = without_behaviours(loaded.model)
        content = computed.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=set(ACTIONS))
        # Insertion order is kept: the order of segments is part of a model.
        fresh.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(fresh, path)

    def kept_model(self, digest: str) -> LoadedModel:
        """A model that an earlier run used."""
        path = self.data_dir / "models" / f"{digest}.json"
        try:
            model = with_behaviours(Model.model_validate(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError) as error:
            raise WorkspaceError(f"the model {digest[:12]} of an earlier run is not in {path.parent}") from error
        return LoadedModel(model, model_hash(model))


def workspace_open(root: Path) -> Workspace:
    """Open the workspace in `root`; raises WorkspaceError with what to do when there is none."""
    path = root / CONFIG
    if not path.is_file():
        raise WorkspaceError(
            f"{root}: there is no {CONFIG} here; make a workspace with 'keepwell init DIR --pack PACK',"
            " or name one with -w DIR"
        )
    try:
        whole = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"{path}: not valid TOML: {error}") from None
    config, rates = whole.get("workspace", {}), whole.get("rates", {})
    if not isinstance(rates, dict):
        raise WorkspaceError(f"{path}: [rates] is a section with lines such as USD = 0.92")
    for key in config:
        if key not in _KEYS:
            raise WorkspaceError(f"{path}: unknown key '{key}' in [workspace]{did_you_mean(key, _KEYS)}")
    return _workspace(root, path, config, rates)


def _workspace(root: Path, path: Path, config: dict[str, Any], rates: dict[str, Any]) -> Workspace:
    zone = str(config.get("timezone", "UTC"))
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        raise WorkspaceError(f"{path}: timezone '{zone}' is not known; it looks like Europe/Berlin") from None
    wait = config.get("wait_seconds", 60)
    if not isinstance(wait, int | float) or wait < 0:
        raise WorkspaceError(f"{path}: wait_seconds must be a number of seconds, not {wait!r}")
    return Workspace(
        root=root,
        name=str(config.get("name", root.resolve().name)),
        zone=zone,
        currency=str(config.get("currency", "USD")),
        model_dir=root / str(config.get("model", "model")),
        data_dir=root / str(config.get("data", "data")),
        wait_seconds=float(wait),
        memory_limit=str(config.get("memory_limit", "600MB")),
        constant_rates=tuple(rates.items()),
    )


def workspace_init(
    root: Path, *, pack: str, name: str | None = None, zone: str = "UTC", currency: str = "USD"
) -> Workspace:
    """Make a workspace folder from a pack; refuses to touch one that is there."""
    source = pack_directory(pack)
    if (root / CONFIG).exists():
        raise WorkspaceError(f"{root / CONFIG} exists: this is a workspace already; nothing was changed")
    if (root / "model").exists():
        raise WorkspaceError(f"{root / 'model'} exists; nothing was changed. Move it away or choose another folder")
    root.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, root / "model", ignore=shutil.ignore_patterns("__pycache__"))
    (root / ".gitignore").write_text("data/\n", encoding="utf-8")
    text = _TEMPLATE.format(
        name=json.dumps(name or root.resolve().name), zone=json.dumps(zone), currency=json.dumps(currency)
    )
    (root / CONFIG).write_text(text, encoding="utf-8")
    return workspace_open(root)
