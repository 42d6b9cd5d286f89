"""The certificates that clients trust, and the errors for those of a server."""

from __future__ import annotations

import functools
import os
import ssl
from typing import TypeVar

import httpx2

from backends.errors import NotConfigured, Unreachable
from backends.http.network import Network

E = TypeVar("E", bound=BaseException)

# https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_NAME = (62, 64)  # another host, another IP address


@functools.cache
def tls() -> ssl.SSLContext:
    """The trusted certificates, loaded once: loading takes 50 ms, which would delay every first token."""
    try:
        return httpx2.create_ssl_context()
    except OSError as error:  # that of OpenSSL is one, too
        name = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
        message = f"The certificates that {name} names ({os.environ.get(name)}) can't be read ({_reason(error)})."
        raise NotConfigured(message, f"Set {name} to a PEM file of certificates, or unset it.") from error


@functools.cache
def no_certificates() -> ssl.SSLContext:
    """A context that trusts nobody, for connections without TLS: they need not wait for `tls`."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@functools.cache
def trusting(path: str) -> Network:
    """The network of a server whose certificate is from an authority in this PEM file."""
    try:
        return Network(tls=ssl.create_default_context(cafile=path))
    except OSError as error:
        message = f"The certificates in {path} can't be read ({_reason(error)})."
        raise NotConfigured(message, "Set ca to a PEM file with the certificate of the server's authority.") from error


def certificate_error(label: str, error: BaseException) -> Unreachable | None:
    """The error for a certificate that the client refused, or None if that isn't what went wrong."""
    cause = find_cause(error, ssl.SSLCertVerificationError)
    if cause is None:
        return None
    if cause.verify_code in (_EXPIRED, _NOT_YET_VALID):
        state = "has expired" if cause.verify_code == _EXPIRED else "isn't valid yet"
        return Unreachable(
            f"{label} can't be trusted: its certificate {state}.",
            "Renew it on the server, and check this machine's clock.",
        )
    reason = (cause.verify_message or str(cause)).rstrip(".")
    if cause.verify_code in _OTHER_NAME:
        return Unreachable(
            f"{label} can't be trusted: its certificate is for another name ({reason}).",
            "Write the url with a name that the certificate has.",
        )
    return Unreachable(
        f"{label} can't be trusted: the authority of its certificate is unknown ({reason}).",
        "Set ca in the catalogue to the PEM file of that authority, or SSL_CERT_FILE for all targets.",
    )


def find_cause(error: BaseException | None, kind: type[E]) -> E | None:
    """The first error of this kind among an error and its causes."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error


def _reason(error: OSError) -> str:
    return "it contains no certificate" if isinstance(error, ssl.SSLError) else error.strerror or type(error).__name__
