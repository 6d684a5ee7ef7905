"""What a stack directory means: known as long as nothing changed that it was read from."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from aiinfra import checked, meaning
from aiinfra.edge_config import skeleton
from aiinfra.loading import load
from aiinfra.settings import Settings
from aiinfra.state import State
from aiinfra.target import Target, target_of
from tests.conftest import FIXED_IDENTITY, write_keys

SETTINGS = "services: {litellm: {replicas: 2}}\n"


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Path:
    """A stack directory whose stack was applied once, with what it means written down."""
    write_keys(tmp_path)
    made = trustme.CA().issue_cert("localhost")
    (tmp_path / "cert.pem").write_bytes(made.cert_chain_pems[0].bytes())
    (tmp_path / "key.pem").write_bytes(made.private_key_pem.bytes())
    (tmp_path / "aiinfra.yaml").write_text(SETTINGS + "tls: {cert: cert.pem, key: key.pem}\n", encoding="utf-8")
    one = target_of(tmp_path, None)
    one.workspace.prepare()
    one.workspace.save(State(FIXED_IDENTITY))
    meaning.write(one)
    return tmp_path


def known(directory: Path) -> meaning.Meaning | None:
    return meaning.read(target_of(directory, None))


def test_it_says_what_loading_and_rendering_all_of_it_says(directory: Path) -> None:
    found, loaded = known(directory), load(target_of(directory, None), {})
    assert found is not None
    assert (found.provider_config, found.hashes, found.images) == (
        "mock",
        loaded.rendered.hashes,
        loaded.service_images,
    )
    assert found.replicas == {"redis": 1, "litellm": 2, "mpc-api": 1, "edge": 1}
    assert found.edge == skeleton({Path(one.path).name: one.text for one in loaded.rendered.files if one.live})


def edit(name: str, text: str) -> Callable[[Target], None]:
    def change(target: Target) -> None:
        path = target.directory / name
        path.parent.mkdir(exist_ok=True)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(before + text, encoding="utf-8")

    return change


def state(new: State) -> Callable[[Target], None]:
    return lambda target: target.workspace.save(new)


CHANGES = {
    "the settings": edit("aiinfra.yaml", "timeout: 300\n"),
    "a key": edit(".env", "OPENAI_API_KEY=x\n"),
    "a provider config that appears": edit("litellm/mine.yaml", "model_list: []\n"),
    "a template of one": edit("litellm/mine.yaml.j2", "model_list: []\n"),
    "the certificate": edit("cert.pem", "\n"),
    "its key": edit("key.pem", "\n"),
    "the config in use": state(State(FIXED_IDENTITY, choice={"name": "openai-only", "settings": "mock"})),
    "a port": state(State(replace(FIXED_IDENTITY, ports={"litellm": 4001, "mpc-api": 3000}))),
    "the stack's own secret": state(State(replace(FIXED_IDENTITY, digest_key=b"1" * 32))),
    "a damaged note": edit(".aiinfra/ai-infra/meaning.json", "}"),
    "a damaged state": edit(".aiinfra/ai-infra/state.json", "}"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_it_is_not_known_any_more_after_a_change_of(directory: Path, name: str) -> None:
    CHANGES[name](target_of(directory, None))
    assert known(directory) is None


def test_it_is_known_again_once_it_is_written_down_again(directory: Path) -> None:
    edit("aiinfra.yaml", "timeout: 300\n")(target_of(directory, None))
    meaning.write(target_of(directory, None))
    assert known(directory) is not None


def test_nothing_is_known_of_a_directory_whose_settings_or_keys_are_wrong(directory: Path) -> None:
    one = target_of(directory, None)
    for name in ("aiinfra.yaml", ".env"):
        edit(name, "nonsense: 1\n")(one)
        meaning.write(one)
        assert meaning.read(one) is None


def test_no_secret_is_in_what_is_written_down(directory: Path) -> None:
    path = directory / ".aiinfra" / "ai-infra" / "meaning.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "0123456789" not in path.read_text(encoding="utf-8")


def test_a_file_of_our_own_that_changes_is_noticed_even_with_its_old_size_and_time(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "template.j2"
    path.write_text("one", encoding="utf-8")
    before, times = list(meaning.stamps(tmp_path)), path.stat()
    path.write_text("two", encoding="utf-8")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert [(size, modified) for _, size, modified, _ in meaning.stamps(tmp_path)] == [
        (size, modified) for _, size, modified, _ in before
    ]
    assert list(meaning.stamps(tmp_path)) != before


def test_settings_that_were_checked_are_not_read_again_and_others_are(directory: Path) -> None:
    assert checked.stack_in(directory) == Settings().stack
    edit("aiinfra.yaml", "stack: other\n")(target_of(directory, None))
    assert checked.stack_in(directory) is None
    assert target_of(directory, None).name == "other"


def test_settings_are_read_with_the_stack_that_they_name(directory: Path) -> None:
    (directory / "aiinfra.yaml").write_text("stack: other\n", encoding="utf-8")
    place = target_of(directory, None).workspace
    place.prepare()
    checked.write(place)
    assert checked.stack_in(directory) == "other"
    assert target_of(directory, "third").name == "third"
