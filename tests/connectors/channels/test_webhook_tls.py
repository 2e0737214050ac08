"""Webhooks over TLS: the connection goes to an address, the certificate is checked against the name."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keepwell.connectors.channels import webhook
from keepwell.connectors.channels.results import Result, Retry, Sent

AT = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
NAME = "hooks.test"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for one name, with its key, trusted by who is told to."""
    key, folder = ec.generate_private_key(ec.SECP256R1()), tmp_path_factory.mktemp("tls")
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = folder / "both.pem"
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(made.public_bytes(pem) + secret)
    return path


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    """A server that answers 200 over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
                with context.wrap_socket(plain, server_side=True) as one:
                    # The head and the body may come apart; closing on unread bytes would reset the connection.
                    received = one.recv(65536)
                    while received and not received.endswith(b"{}"):
                        received += one.recv(65536)
                    one.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            except ssl.SSLError:
                continue
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def posted(name: str, port: int) -> Result:
    one = webhook.Delivery(f"https://{name}:{port}/hook", webhook.new_secret(), "msg_1", "{}")
    return webhook.post(one, AT, allow_private=True, resolve=lambda *_: ["127.0.0.1"], seconds=3)


def test_the_certificate_is_checked_against_the_name(
    port: int, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(webhook, "_tls", lambda: trusting)
    assert posted(NAME, port) == Sent(details={"status": 200})
    other = posted("other.test", port)
    assert isinstance(other, Retry)
    assert "certificate" in other.why.lower()


def test_a_certificate_that_nobody_vouches_for_is_refused(port: int) -> None:
    result = posted(NAME, port)
    assert isinstance(result, Retry)
    assert "certificate" in result.why.lower()
