"""[email] of keepwell.toml, and the secrets of providers in the environment."""

from pathlib import Path

import pytest

from keepwell.interfaces.site.mail import MailConfig, mail_config, mail_settings
from keepwell.services.workspace import WorkspaceError


def config(folder: Path, text: str = "") -> MailConfig:
    (folder / "keepwell.toml").write_text(f'[workspace]\nname = "a"\n{text}', encoding="utf-8")
    return mail_config(folder, "keepwell@localhost")


def test_without_a_word_nothing_leaves(tmp_path: Path) -> None:
    mail = config(tmp_path)
    assert (mail.provider, mail.address, mail.track, mail.reply_domain) == ("smtp", "keepwell@localhost", False, "")
    assert "console" in mail_settings(mail, {})["EMAIL_BACKEND"]


def test_a_mail_server_is_in_the_environment(tmp_path: Path) -> None:
    found = mail_settings(config(tmp_path), {"KEEPWELL_EMAIL_URL": "smtp://me:s%40fe@mail.example:25/?tls=0"})
    assert (found["EMAIL_HOST"], found["EMAIL_HOST_PASSWORD"], found["EMAIL_USE_TLS"]) == (
        "mail.example",
        "s@fe",
        False,
    )


def test_a_provider_has_its_options_and_its_secrets(tmp_path: Path) -> None:
    text = '[email]\nprovider = "mailgun"\nfrom = "Acme <hi@acme.example>"\ntrack = true\n'
    mail = config(tmp_path, f'{text}[email.options]\nsender_domain = "mg.acme.example"\n')
    assert (mail.name, mail.address, mail.track) == ("Acme", "hi@acme.example", True)
    environment = {"KEEPWELL_MAILGUN_API_KEY": "k", "KEEPWELL_POSTMARK_SERVER_TOKEN": "x"}
    found = mail_settings(mail, environment | {"KEEPWELL_EMAIL_WEBHOOK_SECRET": "a:b, c:d"})
    assert found["EMAIL_BACKEND"] == "anymail.backends.mailgun.EmailBackend"
    said = found["ANYMAIL"]
    assert (said["MAILGUN_API_KEY"], said["MAILGUN_SENDER_DOMAIN"]) == ("k", "mg.acme.example")
    assert said["WEBHOOK_SECRET"] == ["a:b", "c:d"]
    assert "POSTMARK_SERVER_TOKEN" not in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('provider = "postmrk"', "did you mean 'postmark'"),
        ('form = "a@b.example"', "unknown key 'form'"),
        ('from = "nobody"', "is not like"),
        ('from = "a@b.example\\nBcc: c@d.example"', "is not like"),
        ('track = "yes"', "true or false"),
    ],
)
def test_a_mistake_names_what_is_expected(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(WorkspaceError, match=said):
        config(tmp_path, f"[email]\n{line}\n")


def test_a_section_is_no_word(tmp_path: Path) -> None:
    (tmp_path / "keepwell.toml").write_text('email = "postmark"\n', encoding="utf-8")
    with pytest.raises(WorkspaceError, match="is a section"):
        mail_config(tmp_path, "keepwell@localhost")
