"""The certificate that the edge serves HTTPS with: read, checked against its key, and how long it is good for."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from aiinfra.errors import AiinfraError, Code

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

# Days before its end from which a certificate is worth a warning: Let's Encrypt renews with 30 days left.
WARN_DAYS = 21

_END_OF_CHAIN = "-----END CERTIFICATE-----"
_EMPTY_PASSWORD_HINT = "write it without a passphrase: `openssl pkey -in KEY -out PLAIN_KEY`"  # noqa: S105


@dataclass(frozen=True)
class Certificate:
    """What the edge is given, and what a person wants to know of it.

    `chain` is the certificate and those that vouch for it, `key` its private key (a secret). Times are UTC.
    """

    chain: str
    key: str = field(repr=False)
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime

    @property
    def pem(self) -> str:
        """Both in one text, as HAProxy's `crt` wants it. A secret."""
        return f"{self.chain}\n{self.key}\n"

    def days_left(self, now: datetime) -> int:
        """Whole days until the certificate ends; negative when it has ended."""
        return math.floor((self.not_after - now).total_seconds() / 86400)

    def warning(self, now: datetime) -> str:
        """Return what to say about its end; "" while there is time."""
        left = self.days_left(now)
        if left >= WARN_DAYS:
            return ""
        end = _shown(self.not_after)
        return f"the certificate expired on {end}" if left < 0 else f"the certificate expires in {left} days, on {end}"


def load(cert: Path, key: Path) -> Certificate:
    """Read a PEM chain and its private key.

    Raises AiinfraError (CERTIFICATE_INVALID) with the file, the rule and the fix. An expired one is no error here:
    a stack that runs must be able to go on; `refuse_unusable` is for the moment when it is put to use.
    """
    from cryptography import x509  # noqa: PLC0415 - 40 ms, and only stacks with TLS need it

    chain_text, key_text = _read(cert, "tls.cert"), _read(key, "tls.key")
    try:
        chain = x509.load_pem_x509_certificates(chain_text.encode())
    except ValueError as error:
        raise _invalid(cert, "tls.cert", "is not a PEM certificate", "give the PEM file of the chain") from error
    private = _private_key(key, key_text)
    leaf = chain[0]
    if _spki(leaf.public_key()) != _spki(private.public_key()):
        if any(_spki(one.public_key()) == _spki(private.public_key()) for one in chain[1:]):
            raise _invalid(cert, "tls.cert", "has the server's certificate not at its beginning", "put it first")
        raise _invalid(key, "tls.key", f"does not belong to the certificate in {cert}", "give the key it was made with")
    return _certificate(chain_text, key_text, leaf)


def applied(pem: Path) -> Certificate | None:
    """Return the certificate that the edge was given last; None without TLS, or where it cannot be read."""
    if not pem.exists():
        return None
    from cryptography import x509  # noqa: PLC0415 - only stacks with TLS need it

    try:
        chain, end, key = pem.read_text(encoding="ascii").rpartition(_END_OF_CHAIN)
        leaf = x509.load_pem_x509_certificates((chain + end).encode())[0]
    except (OSError, ValueError):
        return None
    return _certificate(chain + end, key, leaf)


def refuse_unusable(certificate: Certificate, cert: Path, now: datetime | None = None) -> None:
    """Raise AiinfraError (CERTIFICATE_INVALID) for one that no client would accept now."""
    now = now or datetime.now(UTC)
    if now > certificate.not_after:
        raise _invalid(cert, "tls.cert", f"expired on {_shown(certificate.not_after)}", "renew it")
    if now < certificate.not_before:
        fix = "wait, or see whether this machine's clock is right"
        raise _invalid(cert, "tls.cert", f"is not valid before {_shown(certificate.not_before)}", fix)


def _shown(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _certificate(chain: str, key: str, leaf: "x509.Certificate") -> Certificate:
    names, since, until = _names(leaf), leaf.not_valid_before_utc, leaf.not_valid_after_utc
    return Certificate(chain.strip(), key.strip(), names, since, until)


def _private_key(path: Path, text: str) -> "PrivateKeyTypes":
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        return load_pem_private_key(text.encode(), password=None)
    except TypeError as error:
        raise _invalid(path, "tls.key", "is protected by a passphrase", _EMPTY_PASSWORD_HINT) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _invalid(path, "tls.key", "is not a PEM private key", "give the key's PEM file") from error


def _names(leaf: "x509.Certificate") -> tuple[str, ...]:
    from cryptography import x509  # noqa: PLC0415

    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    addresses = [str(one) for one in found.get_values_for_type(x509.IPAddress)]
    return (*found.get_values_for_type(x509.DNSName), *addresses)


def _spki(public: object) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    return cast("PublicKeyTypes", public).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read(path: Path, setting: str) -> str:
    try:
        return path.read_text(encoding="ascii")
    except UnicodeDecodeError as error:
        raise _invalid(path, setting, "is not PEM text", "convert it: `openssl x509 -inform der`") from error
    except OSError as error:
        raise _invalid(
            path, setting, f"cannot be read: {error.strerror}", "give a path below the stack directory"
        ) from error


def _invalid(path: Path, setting: str, fault: str, fix: str) -> AiinfraError:
    return AiinfraError(
        Code.CERTIFICATE_INVALID,
        f"aiinfra.yaml: {setting}: {path} {fault}",
        hint=f"{fix}; nothing was touched",
        details={"setting": setting, "file": str(path)},
    )
