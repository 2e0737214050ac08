"""A fake OpenID Connect provider on a local port that speaks the protocol: discovery, code with PKCE, token, user."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

CLIENT = "keepwell"
SECRET = "the client's secret, and long enough to sign with"  # noqa: S105 - of a provider that lives in a test


class Provider(ThreadingHTTPServer):
    """Signs in whoever `claims` says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, str] = {}
        self.refused: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def authorize(self, address: str) -> str:
        """What a browser does at the provider: says yes, and is sent back with a code."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT, "code", "S256")
        code = secrets.token_urlsafe()
        self.codes[code] = asked["code_challenge"]
        return asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        url = self.server.url
        if self.path == "/.well-known/openid-configuration":
            self._answer(
                {
                    "issuer": url,
                    "authorization_endpoint": f"{url}/authorize",
                    "token_endpoint": f"{url}/token",
                    "userinfo_endpoint": f"{url}/userinfo",
                    "jwks_uri": f"{url}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            )
        elif self.path == "/userinfo" and self.headers["Authorization"] == "Bearer access":
            self._answer(self.server.claims)
        else:
            self._answer({"error": "not found"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        challenge = self.server.codes.pop(given.get("code", ""), "")
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        if not proven or given.get("client_secret") != SECRET:
            self.server.refused.append(body)
            self._answer({"error": "invalid_grant"}, 400)
            return
        now = int(time.time())
        claims = {**self.server.claims, "iss": self.server.url, "aud": CLIENT, "iat": now, "exp": now + 60}
        token = jwt.encode(claims, SECRET, algorithm="HS256")
        self._answer({"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": token})

    def _answer(self, content: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that answers while the block runs."""
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
