"""The [web] part of keepwell.toml, and the secrets that come from the environment."""

import os
import secrets
import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from keepwell.model.problems import did_you_mean
from keepwell.services.workspace import CONFIG, WorkspaceError

_KEYS: Final = {"url", "host", "port", "database", "today", "email_from", "sso", "trusted_proxies"}
_SSO_KEYS: Final = {"name", "server_url", "client_id", "create_people"}


@dataclass(frozen=True)
class SingleSignOn:
    """An OpenID Connect provider; the client's secret is KEEPWELL_SSO_SECRET."""

    name: str
    server_url: str
    client_id: str
    create_people: bool

    @property
    def origin(self) -> str:
        """Where the sign-in form leads to, as a security policy names it."""
        parts = urlsplit(self.server_url)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True)
class WebConfig:
    """How the workspace is served."""

    url: str
    host: str
    port: int
    database: str
    today: date | None
    email_from: str
    sso: SingleSignOn | None
    trusted_proxies: int
    hosts: tuple[str, ...] = field(default=())

    @property
    def https(self) -> bool:
        """Whether people reach it over TLS; then cookies are sent over nothing else."""
        return self.url.startswith("https://")


def web_config(root: Path) -> WebConfig:
    """Read [web] of a workspace's configuration; raises WorkspaceError naming the key and what is expected."""
    path = root / CONFIG
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8")).get("web", {})
    except FileNotFoundError:
        raise WorkspaceError(
            f"{root}: there is no {CONFIG} here; make one with 'keepwell init DIR --pack PACK'"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"{path}: not valid TOML: {error}") from None
    for key in content:
        if key not in _KEYS:
            raise WorkspaceError(f"{path}: unknown key '{key}' in [web]{did_you_mean(key, _KEYS)}")
    return _config(path, content)


def _config(path: Path, content: dict[str, Any]) -> WebConfig:
    host = os.environ.get("KEEPWELL_HOST") or str(content.get("host", "127.0.0.1"))
    port = _port(path, os.environ.get("KEEPWELL_PORT") or content.get("port", 8800))
    url = (os.environ.get("KEEPWELL_URL") or str(content.get("url", f"http://{_shown(host)}:{port}"))).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WorkspaceError(f"{path}: [web] url '{url}' is not an address such as https://keepwell.example.com")
    today = content.get("today")
    if today is not None and not isinstance(today, date):
        raise WorkspaceError(f"{path}: [web] today must be a date such as 2026-06-30, without quotes")
    return WebConfig(
        url=url,
        host=host,
        port=port,
        database=os.environ.get("KEEPWELL_DATABASE_URL") or str(content.get("database", "")),
        today=today,
        email_from=str(content.get("email_from", "keepwell@localhost")),
        sso=_sso(path, content.get("sso")),
        trusted_proxies=int(content.get("trusted_proxies", 0)),
        hosts=tuple({parts.hostname, "localhost", "127.0.0.1", "[::1]"}),
    )


def _shown(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - compared, not bound


def _port(path: Path, value: Any) -> int:
    try:
        port = int(value)
    except (TypeError, ValueError):
        port = -1
    if not 0 < port < 65536:
        raise WorkspaceError(f"{path}: [web] port must be a number from 1 to 65535, not {value!r}")
    return port


def _sso(path: Path, content: Any) -> SingleSignOn | None:
    if content is None:
        return None
    if not isinstance(content, dict) or not {"server_url", "client_id"} <= set(content) <= _SSO_KEYS:
        raise WorkspaceError(f"{path}: [web.sso] takes server_url and client_id, and may have name and create_people")
    return SingleSignOn(
        str(content.get("name", "Single sign-on")),
        str(content["server_url"]),
        str(content["client_id"]),
        bool(content.get("create_people", False)),
    )


def email_settings(url: str) -> dict[str, Any]:
    """Django's settings for a mail server such as smtp://user:password@host:587/?tls=1; printing when there is none."""
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise WorkspaceError("KEEPWELL_EMAIL_URL must look like smtp://user:password@host:587/?tls=1")
    direct = parts.scheme == "smtps"
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if direct else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": direct,
        "EMAIL_USE_TLS": not direct and parse_qs(parts.query).get("tls", ["1"])[0] != "0",
        "EMAIL_TIMEOUT": 20,
    }


def secret_key(data_dir: Path) -> str:
    """The key that signs sessions: from KEEPWELL_SECRET_KEY, or made once and kept in the data folder."""
    given = os.environ.get("KEEPWELL_SECRET_KEY")
    if given:
        return given
    path = data_dir / "web" / "secret_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
    except FileExistsError:
        pass
    return path.read_text(encoding="utf-8")
