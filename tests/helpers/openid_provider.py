"""An OpenID provider on a real socket that speaks the Hub's protocol: discovery, authorize, token, userinfo, JWKS."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.helpers.servers import reply_with_json

CLIENT, SECRET, SCOPES = "client-4711", "the-clients-own-secret", "openid profile inference-api"


@dataclass
class Person:
    """Who answers the provider's question; `answer` is the error that they cause, or "" if they agree."""

    name: str = "ada"
    answer: str = ""
    seconds: int = 8 * 3600  # for which the token is valid


@dataclass
class Use:
    """A request that carried a token."""

    path: str
    token: str


@dataclass
class _Code:
    person: Person
    redirect_uri: str
    nonce: str


@dataclass
class Records:
    codes: dict[str, _Code] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # the name of the person of each access token
    uses: list[Use] = field(default_factory=list)
    scopes: set[str] = field(default_factory=set)


class OpenIdProvider(ThreadingHTTPServer):
    """`person` answers the next sign-in; `broken` lets the token route fail."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
        self.person = Person()
        self.broken = False
        self.records = Records()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: OpenIdProvider
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        url = self.server.url
        if parts.path == "/.well-known/openid-configuration":
            names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            reply_with_json(
                self,
                {f"{name}_endpoint": f"{url}/oauth/{path}" for name, path in names.items()}
                | {"issuer": url, "jwks_uri": f"{url}/oauth/jwks", "id_token_signing_alg_values_supported": ["RS256"]},
            )
        elif parts.path == "/oauth/jwks":
            reply_with_json(self, {"keys": [self.server.key.as_dict(private=False)]})
        elif parts.path == "/oauth/authorize":
            self.authorize(query)
        elif parts.path == "/oauth/userinfo":
            self.record_use()
            reply_with_json(self, {})
        else:
            reply_with_json(self, {"error": "not_found"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        code = self.server.records.codes.pop(form.get("code", ""), None)
        known = self.headers.get("Authorization") == f"Basic {basic}" and code
        if self.server.broken or not known or code is None or code.redirect_uri != form.get("redirect_uri"):
            reply_with_json(self, {"error": "invalid_grant"}, 400)
            return
        token = f"hf_oauth_{code.person.name}_{secrets.token_hex(16)}"
        self.server.records.tokens[token] = code.person.name
        reply_with_json(
            self,
            {
                "access_token": token, "token_type": "bearer", "expires_in": code.person.seconds, "scope": SCOPES,
                "id_token": self.id_token(code),
            }
        )  # fmt: skip

    def authorize(self, query: dict[str, str]) -> None:
        """Redirect at once, as if the person had answered."""
        assert query["client_id"] == CLIENT
        assert query["response_type"] == "code"
        self.server.records.scopes.add(query["scope"])
        person = self.server.person
        if person.answer:
            answer = {"error": person.answer, "error_description": "<b>The user said no</b>"}
        else:
            code = secrets.token_urlsafe(16)
            self.server.records.codes[code] = _Code(person, query["redirect_uri"], query["nonce"])
            answer = {"code": code}
        self.send_response(302)
        joint = "&" if "?" in query["redirect_uri"] else "?"
        location = f"{query['redirect_uri']}{joint}{urlencode({**answer, 'state': query['state']})}"
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def id_token(self, code: _Code) -> str:
        now, name = int(time.time()), code.person.name
        claims = {
            "iss": self.server.url, "aud": CLIENT, "sub": f"id-of-{name}", "iat": now, "exp": now + 3600,
            "nonce": code.nonce, "auth_time": now, "name": name.title(), "preferred_username": name,
            "profile": f"https://huggingface.co/{name}", "picture": f"https://huggingface.co/{name}.png",
        }  # fmt: skip
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.server.key)

    def record_use(self) -> None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        self.server.records.uses.append(Use(self.path, token))

    def log_message(self, *arguments: object) -> None:
        pass
