"""HTTPS on the host's ports: who is served, who is sent there, and a certificate that is renewed under load."""

import socket
import ssl
import threading
import time
from pathlib import Path

import httpx
import pytest
import trustme

from tests.e2e.conftest import Cli, docker

NAMES = ("backend.example", "localhost", "127.0.0.1")
TLS = "tls: {cert: cert.pem, key: key.pem}\n"


@pytest.fixture(name="authority", scope="module")
def _authority() -> trustme.CA:
    return trustme.CA()


def issue(authority: trustme.CA, directory: Path) -> None:
    made = authority.issue_cert(*NAMES)
    (directory / "cert.pem").write_bytes(b"".join(one.bytes() for one in made.cert_chain_pems))
    (directory / "key.pem").write_bytes(made.private_key_pem.bytes())


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(name="secure", scope="module")
def _secure(healthy: Cli, authority: trustme.CA) -> Cli:
    """The module's stack, given a certificate while it runs."""
    before = healthy.ids()
    issue(authority, healthy.directory)
    healthy.settings(TLS)
    actions = {row["service"]: row["action"] for row in healthy.ok("up")["services"]}
    assert actions == {"redis": "unchanged", "litellm": "unchanged", "mpc-api": "unchanged", "edge": "reload"}
    assert healthy.ids() == before
    return healthy


def port(cli: Cli, service: str) -> int:
    found: int = {row["service"]: row["ports"] for row in cli.ok("ps")["containers"]}[service][0]
    return found


@pytest.mark.parametrize(("service", "path"), [("litellm", "/health/liveliness"), ("mpc-api", "/health")])
def test_both_ports_speak_https_and_send_http_there(
    secure: Cli, authority: trustme.CA, service: str, path: str
) -> None:
    address = f"127.0.0.1:{port(secure, service)}{path}"
    assert httpx.get(f"https://{address}", verify=trusting(authority), timeout=60).status_code == 200
    sent = httpx.post(f"http://{address}", json={}, timeout=60)
    assert (sent.status_code, sent.headers["location"]) == (308, f"https://{address}")


def test_our_own_commands_know_the_certificate_and_clients_are_given_its_address(secure: Cli) -> None:
    assert secure.ok("health")["status"] == "healthy"
    assert secure.ok("generate", "script", "Volcanoes")["title"]
    assert secure.ok("env")["variables"]["MPC_API_URL"] == f"https://127.0.0.1:{port(secure, 'mpc-api')}"


def test_containers_on_the_stacks_network_go_on_with_http(secure: Cli) -> None:
    image = {row["service"]: row["image"] for row in secure.ok("ps")["containers"]}["mpc-api"]
    code = "import urllib.request as r; print(r.urlopen('http://mpc-api:3000/health', timeout=60).status)"
    network = f"{secure.stack}-network"
    assert docker("run", "--rm", "--network", network, "--entrypoint", "python", image, "-c", code).strip() == "200"


def test_the_private_key_is_in_no_place_where_others_could_read_it(secure: Cli) -> None:
    body = (secure.directory / "key.pem").read_text(encoding="ascii").splitlines()[2]
    places = {
        "inspect": docker("inspect", *secure.ids().values()),
        "logs": secure.run("logs", "--tail", "all").stdout,
        "compose.yaml": (secure.directory / ".aiinfra" / secure.stack / "compose.yaml").read_text(encoding="utf-8"),
    }
    assert [name for name, text in places.items() if body in text] == []
    kept = secure.directory / ".aiinfra" / secure.stack / "edge" / "tls.pem"
    assert kept.stat().st_mode & 0o777 == 0o400


def test_a_renewed_certificate_is_taken_over_without_a_lost_request(secure: Cli, authority: trustme.CA) -> None:
    url = f"https://127.0.0.1:{port(secure, 'mpc-api')}/health"
    seen, end = serial(url, authority), threading.Event()
    answers: list[int] = []

    def go_on() -> None:
        while not end.wait(0.02):
            # A connection each time: every one of them has to be accepted, and to trust what it is shown.
            answers.append(httpx.get(url, verify=trusting(authority), timeout=60).status_code)

    client = threading.Thread(target=go_on)
    client.start()
    try:
        issue(authority, secure.directory)
        actions = {row["service"]: row["action"] for row in secure.ok("up")["services"]}
    finally:
        end.set()
        client.join()
    assert actions["edge"] == "reload"
    assert answers
    assert set(answers) == {200}
    assert serial(url, authority) != seen


def test_an_idle_connection_from_before_a_reload_is_answered_in_the_middle_of_a_swap(
    secure: Cli, authority: trustme.CA
) -> None:
    url = f"https://127.0.0.1:{port(secure, 'mpc-api')}/health"
    idle = httpx.Limits(keepalive_expiry=None)
    with httpx.Client(verify=trusting(authority), limits=idle, timeout=60) as client:
        assert client.get(url).headers.get("connection") != "close"
        issue(authority, secure.directory)
        secure.ok("up")
        process = secure.start("restart", "mpc-api", "--timeout", "600")
        journal = secure.directory / ".aiinfra" / secure.stack / "journal.json"
        while process.poll() is None and not (journal.exists() and '"drain"' in journal.read_text()):
            time.sleep(0.05)
        time.sleep(2)
        answer = client.get(url)
    output, _ = process.communicate(timeout=600)
    # Of the process from before, which ends with that answer.
    assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    assert process.returncode == 0, output


def serial(url: str, authority: trustme.CA) -> int:
    """Return which certificate a new connection is shown."""
    host, _, rest = url.removeprefix("https://").partition(":")
    with (
        socket.create_connection((host, int(rest.split("/")[0])), timeout=60) as plain,
        trusting(authority).wrap_socket(plain, server_hostname=host) as secured,
    ):
        found = secured.getpeercert()
        assert found is not None
        return int(str(found["serialNumber"]), 16)


def test_a_key_that_is_not_the_certificates_is_refused_before_anything_is_touched(
    secure: Cli, authority: trustme.CA
) -> None:
    right, before = (secure.directory / "key.pem").read_bytes(), secure.ids()
    (secure.directory / "key.pem").write_bytes(authority.issue_cert("other.example").private_key_pem.bytes())
    try:
        error = secure.fails("up", exit_code=3)
    finally:
        (secure.directory / "key.pem").write_bytes(right)
    assert error["code"] == "CERTIFICATE_INVALID"
    assert "tls.key" in error["message"]
    assert secure.ids() == before
    assert secure.ok("health")["status"] == "healthy"
