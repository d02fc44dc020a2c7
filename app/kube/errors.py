"""What can break between us and a server, said once: each failure's fault and its sentence.

What servers answer in their own words is the matter of `answers`.
"""

import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from app.domain.errors import ClusterError, ClusterFault
from app.kube.dialling import ForbiddenAddress, Redirected, TooLarge
from app.kube.endpoint import Endpoint

BROKEN = (aiohttp.ClientError, HttpProcessingError, OSError)
"""Everything that the network may raise, TimeoutError and ssl.SSLError among it."""

_EXPIRED, _NOT_YET = 10, 9
_UNTRUSTED = {18, 19, 20, 21}
_WRONG_HOST = {62, 64}
"""X.509 verify codes of OpenSSL."""
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL"}
_Said = tuple[ClusterFault, str]


def translate(
    error: BaseException, endpoint: Endpoint, *, seconds: float | None = None
) -> ClusterError:
    """The ClusterError of what was raised on the way to or from `endpoint`.

    `seconds` is the deadline that passed, when a TimeoutError means one.
    """
    causes = list(_chain(error))
    for kind, explain in _EXPLANATIONS:
        for cause in causes:
            if isinstance(cause, kind):
                return ClusterError(*explain(cause, endpoint))
    if any(isinstance(cause, TimeoutError) for cause in causes):
        within = f"within {max(1, round(seconds))} s" if seconds else "in time"
        return ClusterError(
            ClusterFault.TIMED_OUT,
            f"{endpoint.name} did not answer {within}. Check the address, and whether a firewall "
            "stands in between.",
        )
    numbers = {cause.errno for cause in causes if isinstance(cause, OSError)}
    for number, sentence in _NUMBERS.items():
        if number in numbers:
            return ClusterError(ClusterFault.UNREACHABLE, sentence.format(endpoint.name))
    return ClusterError(
        ClusterFault.UNREACHABLE, f"The connection to {endpoint.name} broke. Try again."
    )


def unusable(what: str, endpoint: Endpoint) -> ClusterError:
    """Our own side of TLS could not be set up from `what` is stored."""
    return ClusterError(
        ClusterFault.TLS_FAILED,
        f"The {what} kept for {endpoint.name} cannot be used: hand in the credentials anew.",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, and those that it stands for."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        if not isinstance(cause, aiohttp.ClientSSLError):  # an ssl.SSLError in name only
            yield cause
        waiting += [
            getattr(cause, "os_error", None),
            getattr(cause, "certificate_error", None),
            cause.__cause__,
            cause.__context__,
        ]


def _forbidden(error: Any, endpoint: Endpoint) -> _Said:
    return (
        ClusterFault.ADDRESS_FORBIDDEN,
        f"{endpoint.name} is not dialled. {endpoint.clean(str(error))}",
    )


def _redirected(error: Any, endpoint: Endpoint) -> _Said:
    return (
        ClusterFault.NOT_KUBERNETES,
        f"{endpoint.name} answers with a redirect (HTTP {error.status}), which is not followed. "
        "Give the address of the API server itself.",
    )


def _too_large(error: Any, endpoint: Endpoint) -> _Said:
    return (
        ClusterFault.NOT_KUBERNETES,
        f"{endpoint.name} answered with more than {error.limit} bytes, which is not read.",
    )


def _not_resolved(_: Any, endpoint: Endpoint) -> _Said:
    return (
        ClusterFault.NAME_NOT_FOUND,
        f"The name of {endpoint.name} does not resolve. Check the address.",
    )


def _not_verified(error: Any, endpoint: Endpoint) -> _Said:
    code = error.verify_code
    if code == _EXPIRED:
        why = "has expired. It has to be renewed on the cluster."
    elif code == _NOT_YET:
        why = "is not valid yet. Check the clocks of both sides."
    elif code in _WRONG_HOST:
        why = "is for another host. Use a name that it holds, or give the TLS server name."
    elif code in _UNTRUSTED:
        why = "is not trusted. Give the certificate authority (CA) of the cluster."
    else:
        why = f"is not accepted: {endpoint.clean(error.verify_message, most=200)}."
    return ClusterFault.TLS_FAILED, f"The certificate of {endpoint.name} {why}"


def _tls(error: Any, endpoint: Endpoint) -> _Said:
    reason = error.reason or ""
    if reason in _NO_TLS:
        return (
            ClusterFault.TLS_FAILED,
            f"{endpoint.name} does not speak TLS. Check the port of the API server.",
        )
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        expired = "it has expired" if "EXPIRED" in reason else "or asks for one"
        return (
            ClusterFault.UNAUTHORIZED,
            f"{endpoint.name} refuses the client certificate ({expired}). Hand in a valid one.",
        )
    told = f" ({endpoint.clean(reason, most=80)})" if reason else ""
    return ClusterFault.TLS_FAILED, f"No TLS connection to {endpoint.name} came about{told}."


def _cut(_: Any, endpoint: Endpoint) -> _Said:
    return (
        ClusterFault.UNREACHABLE,
        f"The answer of {endpoint.name} broke off, or cannot be read. Try again.",
    )


def _no_http(_: Any, endpoint: Endpoint) -> _Said:
    return (
        ClusterFault.NOT_KUBERNETES,
        f"{endpoint.name} answers, but not as HTTP servers do. Check the address and port.",
    )


_EXPLANATIONS: list[tuple[type[BaseException], Callable[[Any, Endpoint], _Said]]] = [
    (ForbiddenAddress, _forbidden),
    (Redirected, _redirected),
    (TooLarge, _too_large),
    (socket.gaierror, _not_resolved),
    (aiohttp.ClientConnectorDNSError, _not_resolved),
    (ssl.SSLCertVerificationError, _not_verified),
    (ssl.SSLError, _tls),
    (aiohttp.ClientPayloadError, _cut),
    (aiohttp.ClientResponseError, _no_http),
    (HttpProcessingError, _no_http),
]
"""The first that fits, anywhere in the chain, is the reason."""

_NUMBERS = {
    errno.ECONNREFUSED: "Nobody listens at {}: the connection was refused. Check address and port.",
    errno.EHOSTUNREACH: "No way leads to {}. Check the address, and the network of this server.",
    errno.ENETUNREACH: "No way leads to {}. Check the address, and the network of this server.",
}
