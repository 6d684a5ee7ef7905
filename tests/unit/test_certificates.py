"""What the edge may serve HTTPS with."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from aiinfra import certificates
from aiinfra.errors import AiinfraError, Code

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    made = trustme.CA().issue_cert("backend.example", "127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(b"".join(one.bytes() for one in made.cert_chain_pems))
    key.write_bytes(made.private_key_pem.bytes())
    return cert, key


def refused(cert: Path, key: Path) -> AiinfraError:
    with pytest.raises(AiinfraError) as caught:
        certificates.load(cert, key)
    assert caught.value.code is Code.CERTIFICATE_INVALID
    assert "PRIVATE KEY" not in caught.value.message + caught.value.hint
    return caught.value


def test_a_certificate_and_its_key_become_one_pem_with_the_chain_first(files: tuple[Path, Path]) -> None:
    found = certificates.load(*files)
    assert set(found.names) == {"backend.example", "127.0.0.1"}
    assert found.pem.index("BEGIN CERTIFICATE") < found.pem.index("PRIVATE KEY")


def test_what_the_edge_was_given_is_read_back_as_it_was(files: tuple[Path, Path], tmp_path: Path) -> None:
    given = certificates.load(*files)
    (tmp_path / "tls.pem").write_text(given.pem, encoding="ascii")
    assert certificates.applied(tmp_path / "tls.pem") == given
    assert certificates.applied(tmp_path / "nowhere.pem") is None
    assert given.key not in repr(given)


def test_a_key_of_another_certificate_is_refused(files: tuple[Path, Path]) -> None:
    files[1].write_bytes(trustme.CA().issue_cert("other.example").private_key_pem.bytes())
    assert "does not belong" in refused(*files).message


def test_a_chain_that_does_not_begin_with_the_server_is_refused(files: tuple[Path, Path]) -> None:
    files[0].write_bytes(trustme.CA().cert_pem.bytes() + files[0].read_bytes())
    assert "not at its beginning" in refused(*files).message


def test_a_key_with_a_passphrase_is_refused_with_the_way_to_remove_it(files: tuple[Path, Path]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    )
    files[1].write_bytes(locked)
    error = refused(*files)
    assert "passphrase" in error.message
    assert "openssl pkey" in error.hint


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe\x00", b"-----BEGIN CERTIFICATE-----\nAA\n"])
def test_what_is_no_pem_is_refused_by_file_and_setting(files: tuple[Path, Path], content: bytes) -> None:
    cert, key = files
    right = cert.read_bytes()
    cert.write_bytes(content)
    assert "tls.cert" in refused(cert, key).message
    cert.write_bytes(right)
    key.write_bytes(content)
    assert "tls.key" in refused(cert, key).message


def test_a_file_that_is_not_there_is_refused(files: tuple[Path, Path]) -> None:
    files[1].unlink()
    assert "No such file" in refused(*files).message


def ending(end: datetime, folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "backend.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    return cert_file, key_file


@pytest.mark.parametrize(
    ("days", "said"), [(300, ""), (22, ""), (20, "expires in 20 days"), (0, "expires in 0 days"), (-1, "expired on")]
)
def test_the_end_is_told_three_weeks_before_it_comes(tmp_path: Path, days: int, said: str) -> None:
    found = certificates.load(*ending(NOW + timedelta(days=days, hours=1), tmp_path))
    assert (said in found.warning(NOW)) if said else not found.warning(NOW)


def test_an_expired_certificate_is_refused_when_it_is_put_to_use(tmp_path: Path) -> None:
    files = ending(NOW - timedelta(days=1), tmp_path)
    found = certificates.load(*files)
    with pytest.raises(AiinfraError, match="expired on"):
        certificates.refuse_unusable(found, files[0], NOW)
