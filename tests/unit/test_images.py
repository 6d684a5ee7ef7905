"""Image tags follow content; what a build is handed stays out of arguments."""

import re
import shutil
from pathlib import Path

import pytest

from aiinfra import images
from aiinfra.bundle import SERVICES
from aiinfra.errors import AiinfraError
from aiinfra.settings import Build, Proxies

PEM = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"


def context(tmp_path: Path) -> Path:
    copy = tmp_path / "litellm"
    shutil.copytree(SERVICES / "litellm", copy)
    return copy


def digest(path: Path) -> str:
    images.context_digest.cache_clear()
    return images.context_digest(path)


def test_the_digest_is_the_same_wherever_the_context_lies(tmp_path: Path) -> None:
    assert digest(context(tmp_path)) == digest(SERVICES / "litellm")


def test_tests_caches_and_hidden_files_do_not_change_the_digest(tmp_path: Path) -> None:
    copy = context(tmp_path)
    before = digest(copy)
    for name in ("tests/test_x.py", "__pycache__/x.pyc", ".venv/bin/python", ".env"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("x")
    assert digest(copy) == before


@pytest.mark.parametrize("name", ["entrypoint.py", "Dockerfile", ".dockerignore", "new.py"])
def test_any_file_of_the_context_changes_the_digest(tmp_path: Path, name: str) -> None:
    copy = context(tmp_path)
    before = digest(copy)
    with (copy / name).open("a") as file:
        file.write("# changed\n")
    assert digest(copy) != before


def test_another_base_image_is_another_tag_and_an_argument_of_the_build() -> None:
    plain = images.image_build("litellm", Build())
    other = images.image_build("litellm", Build(base_images={"python:3.13-slim-trixie": "registry.example/python"}))
    assert plain.tag != other.tag
    assert dict(other.arguments) == {"PYTHON_IMAGE": "registry.example/python"}
    assert other.bases == ("registry.example/python",)


def test_a_proxy_or_an_index_changes_no_tag_because_it_changes_no_image() -> None:
    build = Build(package_index="https://user:pw@index.example/simple", proxies=Proxies(https="http://p:1"))
    assert images.image_build("mpc-api", build).tag == images.image_build("mpc-api", Build()).tag


def test_nothing_set_means_nothing_handed_over(tmp_path: Path) -> None:
    assert images.build_secrets(Build(), tmp_path) == {}


def test_index_ca_and_proxies_travel_as_secret_files(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(PEM)
    build = Build(
        ca_bundle="ca.pem",
        package_index="https://user:pw@index.example/simple",
        proxies=Proxies(http="http://p:1", https="http://u:it's@p:2", no_proxy=".example"),
    )
    assert images.build_secrets(build, tmp_path) == {
        "ca_bundle": PEM.encode(),
        "pip_conf": b"[global]\nindex-url = https://user:pw@index.example/simple\ncert = /run/secrets/ca_bundle\n",
        "environment": b"unset PIP_INDEX_URL\n"
        b"unset PIP_CERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE\n"
        b"export http_proxy=http://p:1 HTTP_PROXY=http://p:1\n"
        b"export https_proxy='http://u:it'\"'\"'s@p:2' HTTPS_PROXY='http://u:it'\"'\"'s@p:2'\n"
        b"export no_proxy=.example NO_PROXY=.example\n",
    }


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_ca_bundle_that_is_none_is_refused_with_the_key(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(AiinfraError, match=r"aiinfra\.yaml: build\.ca_bundle: .*ca\.pem"):
        images.build_secrets(Build(ca_bundle="ca.pem"), tmp_path)


@pytest.mark.parametrize("service", ["litellm", "mpc-api"])
def test_an_image_is_labelled_with_the_version_of_what_it_is_for(service: str) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", images.image_build(service, Build()).version)
