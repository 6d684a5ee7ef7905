"""Images are built where packages come only from the company's index, through the company's proxy.

Needs a build network on which containers reach this machine, which a local engine on Linux has, and no
firewall in between.
"""

import json
import re
import shutil
import ssl
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
import yaml
from packaging.requirements import Requirement

from aiinfra import loading
from aiinfra.bundle import SERVICES
from aiinfra.commands.build import ImageWishes, image_work, make_images
from aiinfra.engine import Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.reporting import Event
from aiinfra.stack import BUILT
from aiinfra.target import target_of
from tests.conftest import STRONG_KEYS
from tests.e2e.conftest import Cli, docker, new_cli
from tests.integration.company import Account, ForwardProxy, PackageIndex, command_lines, found_in_image

pytestmark = pytest.mark.engine

BASE = "python:3.13-slim-trixie"
LOCK = SERVICES / "mpc-api" / "requirements.txt"

# What a base image made for some other company network may set.
NO_PRESETS = dict.fromkeys(("PIP_CERT", "PIP_INDEX_URL", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), "")
NO_PATIENCE = {**NO_PRESETS, "PIP_RETRIES": "1"}
OTHER_PRESETS = {
    "PIP_CERT": "/etc/ssl/certs/ca-certificates.crt",
    "REQUESTS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt",
    "PIP_INDEX_URL": "https://index.invalid/simple/",
    "https_proxy": "http://proxy.invalid:3128",
    "no_proxy": "*",
}


@dataclass
class Company:
    """A stack directory in a company network, and what this network saw."""

    cli: Cli
    index: PackageIndex
    proxy: ForwardProxy
    ca: trustme.CA
    images: list[str] = field(default_factory=list)

    def settings(self, base: str, **changes: object) -> dict[str, object]:
        proxies = {"http": self.proxy.url, "https": self.proxy.url, "no_proxy": "index.example"}
        build = {
            "ca_bundle": "company-ca.pem",
            "package_index": self.index.url,
            "proxies": proxies,
            "base_images": {BASE: base},
        }
        return {"build": {**build, **changes}}

    def load(self, presets: dict[str, str], **changes: object) -> loading.Loaded:
        """Write aiinfra.yaml, with a base image of its own so that no layer is in any cache, and read it.

        The gateway's image counts as there, for its packages are 20 times as large and tell nothing new.
        """
        base = f"aiinfra-test-base:{uuid.uuid4().hex}"
        lines = [
            f"FROM {BASE}",
            f"RUN echo {base} > /etc/made-for",
            *(f'ENV {key}="{presets[key]}"' for key in presets),
        ]
        self.images.append(base)
        docker("build", "--quiet", "--tag", base, "-", text="\n".join(lines))
        self.cli.settings(yaml.safe_dump(self.settings(base, **changes)))
        loaded = loading.load(target_of(self.cli.directory, self.cli.stack), STRONG_KEYS)
        self.images += [build.tag for build in loaded.builds]
        gateway = next(build.tag for build in loaded.builds if build.service == "litellm")
        docker("tag", base, gateway)
        return loaded

    def secrets(self) -> dict[str, bytes]:
        """Everything that must not stay anywhere, by what it is."""
        pem = self.ca.cert_pem.bytes()
        return {
            "the index's password": self.index.account.password.encode(),
            "the proxy's password": self.proxy.account.password.encode(),
            "the index's credentials": self.index.account.basic.encode(),
            "the proxy's credentials": self.proxy.account.basic.encode(),
            "the index's address": self.index.location.encode(),
            "the index's path": self.index.path.encode(),
            "the proxy's address": self.proxy.location.encode(),
            "the CA as PEM": pem.splitlines()[2],
            "the CA": ssl.PEM_cert_to_DER_cert(pem.decode()),
        }

    def remove(self) -> None:
        self.cli.remove()
        subprocess.run(["docker", "image", "rm", "--force", *self.images], check=False, capture_output=True)

    def passwords_in(self, text: str) -> list[str]:
        accounts = (self.index.account, self.proxy.account)
        return [word for account in accounts for word in (account.password, account.basic) if word in text]


@pytest.fixture(scope="module", name="wheels")
def _wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """MPC-API's packages, as its lock has them."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    options = ["--require-hashes", "--only-binary", ":all:", "--python-version", "3.13", "--dest", str(folder)]
    subprocess.run([*command, *options, "--requirement", str(LOCK)], check=True, capture_output=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(name="company")
def _company(wheels: Path, tmp_path: Path) -> Iterator[Company]:
    config = json.loads(docker("network", "inspect", "bridge"))[0]["IPAM"]["Config"]
    address = next(one["Gateway"] for one in config if "." in one.get("Gateway", ""))
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(address).configure_cert(context)
    ca.cert_pem.write_to_path(tmp_path / "company-ca.pem")
    cli = new_cli(Path(sys.executable).with_name("aiinfra"), tmp_path)
    with ExitStack() as stack:
        index = PackageIndex(
            address, Account("reader", f"index-{uuid.uuid4().hex}"), wheels, context, f"pypi-{uuid.uuid4().hex}"
        )
        stack.enter_context(index.serving())
        proxy = ForwardProxy(address, Account("builder", f"proxy-{uuid.uuid4().hex}"))
        stack.enter_context(proxy.serving())
        company = Company(cli, index, proxy, ca)
        stack.callback(company.remove)
        yield company


def build(loaded: loading.Loaded) -> tuple[str, list[Event]]:
    events: list[Event] = []
    ids = Engine().image_ids(list(loaded.service_images.values()))
    work = image_work(loaded, ImageWishes(), touched=BUILT, ids=ids, engine=Engine())
    make_images(work, engine=Engine(), report=events.append)
    (image,) = work.builds
    return image.tag, events


def assert_packages_came_from(index: PackageIndex) -> None:
    assert index.asked
    assert all(one.allowed for one in index.asked)
    wheels = {one.target for one in index.asked if one.target.endswith(".whl")}
    assert len(wheels) == len(locked_here())


def locked_here() -> list[str]:
    """The packages that the image's Python installs, of those in the lock."""
    lines = [line for line in LOCK.read_text(encoding="utf-8").splitlines() if re.match(r"[\w.-]+==", line)]
    packages = [Requirement(line.rstrip(" \\")) for line in lines]
    there = {"python_version": "3.13", "python_full_version": "3.13.0"}
    return [one.name for one in packages if one.marker is None or one.marker.evaluate(there)]


def test_packages_come_through_proxy_and_index_and_nothing_of_it_stays(company: Company) -> None:
    loaded = company.load(NO_PRESETS)
    with command_lines() as seen:
        tag, events = build(loaded)
    assert_packages_came_from(company.index)
    assert {one.target for one in company.proxy.asked} == {company.index.location}
    assert all(one.allowed for one in company.proxy.asked)

    assert found_in_image(tag, {"ours": b"mpc_api", **company.secrets()}) == {"ours"}
    described = docker("history", "--no-trunc", tag) + docker("image", "inspect", tag) + repr(events)
    commands = "\n".join(seen)
    assert "--secret id=pip_conf" in commands
    assert "pip install" in commands
    for secret, value in company.secrets().items():
        assert value.decode("latin-1") not in described + commands, secret


def test_settings_win_over_what_the_base_image_presets(company: Company) -> None:
    build(company.load(OTHER_PRESETS))
    assert_packages_came_from(company.index)
    assert {one.target for one in company.proxy.asked} == {company.index.location}


def test_hosts_of_no_proxy_are_asked_directly(company: Company) -> None:
    direct = company.index.location.partition(":")[0]
    # Without a proxy, pip's newer way with certificates does not accept an index that has an address and no name.
    presets = {**NO_PRESETS, "PIP_USE_DEPRECATED": "legacy-certs"}
    build(company.load(presets, proxies={"https": company.proxy.url, "no_proxy": f"index.example,{direct}"}))
    assert_packages_came_from(company.index)
    assert company.proxy.asked == []


def test_without_the_ca_bundle_the_build_fails_with_its_last_lines_and_no_password(company: Company) -> None:
    company.load(NO_PATIENCE, ca_bundle=None)
    done = company.cli.run("up", "--json")
    assert done.returncode == 1, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "BUILD_FAILED"
    assert "CERTIFICATE_VERIFY_FAILED" in error["message"]
    assert company.index.refusals
    assert not company.index.asked
    assert company.passwords_in(done.stdout + done.stderr) == []


def test_a_proxy_that_is_down_is_the_builds_failure_not_the_engines(company: Company) -> None:
    dead = company.proxy.url.replace(f":{company.proxy.server_port}", ":1")
    loaded = company.load(NO_PATIENCE, proxies={"https": dead})
    with pytest.raises(AiinfraError, match="Cannot connect to proxy") as refused:
        build(loaded)
    assert refused.value.code is Code.BUILD_FAILED
    assert company.passwords_in(f"{refused.value.message} {refused.value.details}") == []


def test_a_registry_that_is_down_is_the_base_images_fault_not_the_engines() -> None:
    with pytest.raises(AiinfraError, match="connection refused") as refused:
        Engine().pull("localhost:1/python:3.13")
    assert refused.value.code is Code.BASE_IMAGE_MISSING
