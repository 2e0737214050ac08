"""Connections to public addresses alone, and never for longer than they may take.

A name is resolved here, every address of it is looked at, and the connection goes to one of those very addresses: a
name that answers differently a moment later changes nothing. TLS still checks the certificate against the name.
"""

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from httpcore import ConnectError, ConnectTimeout, NetworkBackend, NetworkStream, ReadTimeout, SyncBackend, WriteTimeout

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
Clock = Callable[[], float]

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAT64: Final = ipaddress.ip_network("64:ff9b:1::/48")
_COMPATIBLE: Final = ipaddress.ip_network("::/96")
_NOBODY_S: Final = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "fec0::/10")))
"""Networks of protocols and sites, where clouds keep secrets, too; the library calls them public."""
_CONNECT_SECONDS: Final = 4.0


class PrivateAddress(Exception):  # noqa: N818 - nothing failed, it is refused
    """A name that leads into a private network."""


def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a name; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet, whatever it is wrapped in."""
    try:
        address = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return False
    return all(map(_public, _meant(address)))


def _public(address: Address) -> bool:
    special = address.is_multicast or address.is_reserved or any(address in network for network in _NOBODY_S)
    return address.is_global and not special


def _meant(address: Address) -> Iterable[Address]:
    """An address and those of IPv4 that it stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64:
        return [last]
    if address in _LOCAL_NAT64 or address in _COMPATIBLE:
        return [ipaddress.IPv6Address("::1")]  # of this network alone
    wrapped = [address.sixtofour, *(address.teredo or ())]
    return [address, *(one for one in wrapped if one is not None)]


class Deadline:
    """The moment at which a request is over, however busy its connection is."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._clock, self._end = clock, clock() + seconds

    def left(self, error: type[Exception], most: float | None = None) -> float:
        """The seconds that are left, or `error` raised."""
        left = self._end - self._clock()
        if left <= 0:
            raise error("it takes too long")
        return left if most is None else min(left, most)


class PublicBackend(NetworkBackend):
    """What `httpcore` opens connections with."""

    def __init__(self, deadline: Deadline, *, allow_private: bool = False, resolve: Resolve = resolved) -> None:
        self._deadline, self._allow_private, self._resolve = deadline, allow_private, resolve
        self._inner = SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> NetworkStream:
        """Connect to the first address that answers; raises PrivateAddress before anything is sent."""
        addresses = self._looked_up(host, port)
        refused = [one for one in addresses if not is_public(one)]
        if refused and not self._allow_private:
            raise PrivateAddress(f"{host} leads to {refused[0]}, which is no public address")
        return _Bounded(self._connected(addresses, port, socket_options), self._deadline)

    def _connected(self, addresses: Sequence[str], port: int, options: Iterable[Any] | None) -> NetworkStream:
        failed: Exception = ConnectError("the name has no address")
        for address in addresses:
            seconds = self._deadline.left(ConnectTimeout, _CONNECT_SECONDS)
            try:
                return self._inner.connect_tcp(address, port, seconds, socket_options=options)
            except (ConnectError, ConnectTimeout) as error:
                failed = error
        raise failed

    def _looked_up(self, host: str, port: int) -> Sequence[str]:
        """Resolving cannot be told to hurry, so it is left alone when it takes too long."""
        answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self._resolve(host.strip("[]"), port))
            except (OSError, UnicodeError) as error:
                answers.put(OSError(f"the name {host} cannot be resolved: {error}"))

        threading.Thread(target=look_up, daemon=True).start()
        try:
            found = answers.get(timeout=self._deadline.left(ConnectTimeout))
        except queue.Empty:
            raise ConnectTimeout(f"the name {host} was not resolved in time") from None
        if isinstance(found, OSError):
            raise ConnectError(str(found))
        return found


class _Bounded(NetworkStream):
    """A connection on which nothing takes longer than the whole request may."""

    def __init__(self, inner: NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come."""
        return self._inner.read(max_bytes, self._deadline.left(ReadTimeout, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send something."""
        self._inner.write(buffer, self._deadline.left(WriteTimeout, timeout))

    def close(self) -> None:
        """End the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        """Go on in TLS."""
        seconds = self._deadline.left(ConnectTimeout, timeout)
        return _Bounded(self._inner.start_tls(ssl_context, server_hostname, seconds), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        return self._inner.get_extra_info(info)
