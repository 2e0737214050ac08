"""[web] of keepwell.toml, and what the environment says."""

from datetime import date
from pathlib import Path

import pytest

from keepwell.interfaces.site.configuration import email_settings, secret_key, web_config
from keepwell.services.workspace import WorkspaceError

TOML = '[workspace]\nname = "a"\n'


def config(folder: Path, web: str = "") -> Path:
    (folder / "keepwell.toml").write_text(f"{TOML}{web}", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEEPWELL_URL", "KEEPWELL_HOST", "KEEPWELL_PORT", "KEEPWELL_DATABASE_URL", "KEEPWELL_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_everything_has_a_default(tmp_path: Path) -> None:
    found = web_config(config(tmp_path))
    assert (found.url, found.host, found.port, found.database) == ("http://127.0.0.1:8800", "127.0.0.1", 8800, "")
    assert (found.https, found.today, found.sso) == (False, None, None)


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPWELL_URL", "https://cs.example.com/")
    monkeypatch.setenv("KEEPWELL_PORT", "9000")
    found = web_config(config(tmp_path, '[web]\nurl = "http://x"\nport = 1\ntoday = 2026-06-30\n'))
    assert (found.url, found.https, found.port, found.today) == (
        "https://cs.example.com", True, 9000, date(2026, 6, 30),
    )  # fmt: skip
    assert "cs.example.com" in found.hosts


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ("[web]\nprot = 1\n", "unknown key 'prot' in .web.; did you mean 'port'"),
        ("[web]\nport = 70000\n", "port must be a number from 1 to 65535"),
        ('[web]\nport = "x"\n', "port must be a number"),
        ('[web]\nurl = "cs.example.com"\n', "is not an address such as"),
        ('[web]\ntoday = "2026-06-30"\n', "must be a date"),
        ('[web.sso]\nname = "x"\n', "takes server_url and client_id"),
        ("[web\n", "not valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, web: str, said: str) -> None:
    with pytest.raises(WorkspaceError, match=said):
        web_config(config(tmp_path, web))


def test_the_key_is_made_once_and_nobody_else_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = secret_key(tmp_path)
    assert len(key) > 50
    assert secret_key(tmp_path) == key
    assert (tmp_path / "web" / "secret_key").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("KEEPWELL_SECRET_KEY", "given")
    assert secret_key(tmp_path) == "given"


def test_mail_is_printed_without_a_server() -> None:
    assert email_settings("")["EMAIL_BACKEND"].endswith("console.EmailBackend")
    found = email_settings("smtp://me%40a.b:p%2Fw@mail.example.com:2525/?tls=0")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == (
        "mail.example.com", 2525, "me@a.b", "p/w",
    )  # fmt: skip
    assert (found["EMAIL_USE_TLS"], email_settings("smtps://h")["EMAIL_PORT"]) == (False, 465)
    with pytest.raises(WorkspaceError, match="must look like"):
        email_settings("http://x")
