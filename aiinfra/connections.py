"""Connections to what this stack publishes on the host, plain or over TLS."""

import http.client
from typing import TYPE_CHECKING

from aiinfra.stack import Endpoint

if TYPE_CHECKING:
    import ssl


def connection_to(target: Endpoint, timeout: float) -> http.client.HTTPConnection:
    """Return a connection, not opened yet. `timeout` is in seconds, for each wait of it."""
    context = trust(target)
    if context is None:
        return http.client.HTTPConnection(target.host, target.port, timeout=timeout)
    return http.client.HTTPSConnection(target.host, target.port, timeout=timeout, context=context)


def address_of(target: Endpoint) -> str:
    """Return the URL of the address that we connect to, whatever names the certificate is good for."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"{'https' if target.certificate else 'http'}://{host}:{target.port}"


def trust(target: Endpoint) -> "ssl.SSLContext | None":
    """Return what accepts this stack's own certificate and no other; None for a plain endpoint.

    We come by the address, which few certificates name, and the issuer may be a company's: the certificate itself
    is what we know.
    """
    if target.certificate is None:
        return None
    import ssl  # noqa: PLC0415 - only stacks with TLS need it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=target.certificate.chain)
    return context
