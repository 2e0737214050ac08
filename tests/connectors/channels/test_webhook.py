"""Webhooks: signatures by the standard, and targets that are slow, broken, huge or within the house."""

import socket
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from keepwell.connectors.channels.public_network import is_public
from keepwell.connectors.channels.results import GiveUp, Result, Retry, Sent
from keepwell.connectors.channels.webhook import (
    Delivery,
    WebhookAddressError,
    address_checked,
    new_secret,
    post,
    signed_headers,
)
from tests.connectors.channels.hostile import Behave, Hostile, answering, listening, status

AT = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the one of the standard's own examples


def sent_to(server: Hostile, seconds: float = 5) -> Result:
    return post(Delivery(server.url, SECRET, "msg_1", '{"a": "ä"}'), AT, allow_private=True, seconds=seconds)


def test_the_standards_own_vector() -> None:
    """From the specification's reference libraries: this id, moment, secret and body give this signature."""
    moment = datetime.fromtimestamp(1614265330, UTC)
    delivery = Delivery("https://x.example", SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}')
    assert signed_headers(delivery, moment) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_receiver_verifies_what_arrives() -> None:
    secret, now = new_secret(), datetime.now(UTC)
    with listening(status(204)) as server:
        delivery = Delivery(server.url, secret, "msg_1", '{"company": "Ä & <b>"}')
        assert post(delivery, now, allow_private=True) == Sent(details={"status": 204})
    headers, body = server.requests[0]
    assert Webhook(secret).verify(body, dict(headers.items())) == {"company": "Ä & <b>"}
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert headers["content-type"] == "application/json"


def test_secrets_differ_and_are_long() -> None:
    made = {new_secret() for _ in range(20)}
    assert len(made) == 20
    assert all(one.startswith("whsec_") and len(one) >= 48 for one in made)


@pytest.mark.parametrize(
    ("behave", "expected"),
    [
        (status(200), Sent(details={"status": 200})),
        (status(410), GiveUp("410: the receiver is gone and wants no more")),
        (status(500, body="oh\x07 no"), Retry("500: oh no")),
        (status(429, "retry-after: 120"), Retry("429", 120)),
        (status(503, "retry-after: 99999999999"), Retry("503", 24 * 3600)),
        (status(503, "retry-after: Wed, 21 Oct 2026 07:28:00 GMT"), Retry("503")),
        (status(503, "retry-after: -5"), Retry("503")),
    ],
)
def test_answers_say_what_comes_next(behave: Behave, expected: Result) -> None:
    with listening(behave) as server:
        assert sent_to(server) == expected


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(code: int) -> None:
    with listening(status(200)) as inside, listening(status(code, f"location: {inside.url}")) as server:
        result = sent_to(server)
    assert isinstance(result, Retry)
    assert "redirects" in result.why
    assert (server.connections, inside.connections) == (1, 0)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"\x00\xff" * 500,
        b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 300_000 + b"\r\n\r\n",
    ],
)
def test_broken_answers_are_failures_of_theirs(raw: bytes) -> None:
    with listening(answering(raw)) as server:
        assert isinstance(sent_to(server), Retry)


def test_ten_megabytes_are_not_read() -> None:
    def behave(one: socket.socket, server: Hostile) -> None:
        one.sendall(b"HTTP/1.1 500 No\r\ncontent-length: 10485760\r\n\r\n")
        for _ in range(640):
            one.sendall(b"x" * 16384)
            server.sent_bytes += 16384

    with listening(behave) as server:
        began = time.monotonic()
        result = sent_to(server)
        assert time.monotonic() - began < 3
        time.sleep(0.2)
        assert server.sent_bytes < 9_000_000, "it was read to its end"
    assert isinstance(result, Retry)
    assert len(result.why) < 250


def drips(one: socket.socket, _: Hostile) -> None:
    one.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(200):
        one.sendall(f"x-{number}: y\r\n".encode())
        time.sleep(0.05)


def silent(one: socket.socket, _: Hostile) -> None:
    time.sleep(4)


@pytest.mark.parametrize("behave", [drips, silent])
def test_slow_targets_are_left_in_time(behave: Behave) -> None:
    with listening(behave) as server:
        began = time.monotonic()
        assert sent_to(server, seconds=0.5) == Retry("no answer within 0.5 seconds")
        assert time.monotonic() - began < 1.5


def test_a_name_that_is_slow_to_resolve_is_left_in_time() -> None:
    hold = threading.Event()

    def resolve(_: str, __: int) -> Sequence[str]:
        hold.wait(5)
        return ["8.8.8.8"]

    began = time.monotonic()
    assert isinstance(posted("https://slow.example/", resolve, seconds=0.3), Retry)
    assert time.monotonic() - began < 1.5
    hold.set()


def posted(url: str, resolve: Any, seconds: float = 2) -> Result:
    return post(Delivery(url, SECRET, "msg_1", "{}"), AT, resolve=resolve, seconds=seconds)


PRIVATE = (
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",  # noqa: S104
    "192.0.2.1", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "fec0::1", "::1", "::",
    "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "2001:db8::1",
    "fe80::1", "fe80::1%eth0", "nonsense",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    assert not is_public(address)
    for found in ([address], ["8.8.8.8", address]):
        result = posted("https://looks-fine.example/", lambda *_, found=found: found)
        assert isinstance(result, GiveUp), "one private address is enough"
        assert "public addresses only" in result.why


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_are_not(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
    ],
)
def test_however_this_machine_is_written(url: str) -> None:
    result = post(Delivery(url, SECRET, "msg_1", "{}"), AT, seconds=3)
    assert isinstance(result, GiveUp), result


def test_a_name_that_answers_differently_the_second_time_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the name is asked once, and the connection goes to the very address that was looked at."""
    asked, connected = [], []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["8.8.8.8"] if len(asked) == 1 else ["127.0.0.1"]

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> Any:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    assert isinstance(posted("https://rebinding.example:8443/", resolve), Retry)
    assert asked == ["rebinding.example"]
    assert connected == [("8.8.8.8", 8443)]


def test_an_unknown_name_may_be_known_later() -> None:
    def resolve(_: str, __: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    result = posted("https://nowhere.example/", resolve)
    assert isinstance(result, Retry)
    assert "nowhere.example" in result.why


def test_nobody_listens() -> None:
    with listening(status(200)) as server:
        pass
    assert isinstance(sent_to(server), Retry)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///x", "example.com", "",
        "https://user:secret@example.com/", "https://example.com:0/", "https://example.com:99999/", "https://[::1",
        "https://exa mple.com/", "https://example.com/a\r\nx: y", "https://exämple.com/", "gopher://127.0.0.1:25/",
    ],
)  # fmt: skip
def test_addresses_that_cannot_be_a_webhooks(url: str) -> None:
    with pytest.raises(WebhookAddressError):
        address_checked(url)


def test_an_address_loses_its_fragment() -> None:
    assert address_checked(" https://example.com/hooks?a=b#c ") == "https://example.com/hooks?a=b"


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(status(200)) as proxy, listening(status(200)) as server:
        for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert isinstance(sent_to(server), Sent)
    assert (proxy.connections, server.connections) == (0, 1)
