"""New keys beside the old: what is written, what is handed over, what is refused."""

import hashlib
from pathlib import Path

import pytest

from aiinfra import keys
from aiinfra.commands.secrets.listing import listing
from aiinfra.commands.secrets.rotate import named, rotate
from aiinfra.engine import Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.loading import load
from aiinfra.target import target_of
from tests.conftest import STRONG_KEYS, write_keys

OLD = {f"{name}_PREVIOUS": value + "-old" for name, value in STRONG_KEYS.items()}


def rendered(directory: Path) -> dict[str, str]:
    files = load(target_of(directory, None), {}).rendered.files
    return {f"{file.path.split('/')[0].rsplit('-', 1)[0]}/{file.path.split('/')[-1]}": file.text for file in files}


def test_the_gateway_and_the_api_are_handed_the_old_key_beside_the_new_one(tmp_path: Path) -> None:
    write_keys(tmp_path, **OLD)
    files = rendered(tmp_path)
    assert files["litellm-secrets/LITELLM_MASTER_KEY_PREVIOUS"] == OLD["LITELLM_MASTER_KEY_PREVIOUS"]
    assert files["mpc-api-secrets/MPC_API_KEY_PREVIOUS"] == OLD["MPC_API_KEY_PREVIOUS"]
    # MPC-API is a client of the gateway: the new key is all that it needs.
    assert "mpc-api-secrets/LITELLM_MASTER_KEY_PREVIOUS" not in files


def test_redis_accepts_the_digests_of_both_passwords(tmp_path: Path) -> None:
    write_keys(tmp_path, **OLD)
    acl = rendered(tmp_path)["redis/users.acl"]
    for password in (STRONG_KEYS["REDIS_PASSWORD"], OLD["REDIS_PASSWORD_PREVIOUS"]):
        assert f" #{hashlib.sha256(password.encode()).hexdigest()}" in acl
        assert password not in acl


def test_without_a_rotation_nothing_of_it_is_rendered(tmp_path: Path) -> None:
    write_keys(tmp_path)
    assert not [name for name in rendered(tmp_path) if "PREVIOUS" in name]


def test_a_key_that_is_being_exchanged_is_shown_as_such_without_its_values(tmp_path: Path) -> None:
    write_keys(tmp_path, MPC_API_KEY_PREVIOUS=OLD["MPC_API_KEY_PREVIOUS"])
    rows = listing(target_of(tmp_path, None))
    assert {row.name: row.state for row in rows} == {
        "LITELLM_MASTER_KEY": "set",
        "MPC_API_KEY": "exchanging",
        "REDIS_PASSWORD": "set",
    }
    assert not [value for value in (*STRONG_KEYS.values(), *OLD.values()) if value in repr(rows)]


def test_a_second_rotation_is_refused_until_the_first_is_retired(tmp_path: Path) -> None:
    write_keys(tmp_path, **OLD)
    before = (tmp_path / ".env").read_text(encoding="utf-8")
    with pytest.raises(AiinfraError) as caught:
        rotate(target_of(tmp_path, None), ["MPC_API_KEY"], engine=Engine(), report=lambda _event: None)
    assert caught.value.code is Code.EXCHANGE_OPEN
    assert "secrets retire" in caught.value.hint
    assert (tmp_path / ".env").read_text(encoding="utf-8") == before


def test_only_the_stacks_own_keys_can_be_rotated() -> None:
    assert named(["REDIS_PASSWORD", "MPC_API_KEY"]) == ("MPC_API_KEY", "REDIS_PASSWORD")
    assert named(()) == tuple(key.name for key in keys.OWN_KEYS)
    with pytest.raises(AiinfraError) as caught:
        named(["OPENAI_API_KEY"])
    assert caught.value.code is Code.USAGE


def test_another_stack_never_takes_the_old_keys_of_the_default_one(tmp_path: Path) -> None:
    write_keys(tmp_path, **OLD)
    assert not [name for name in keys.load(tmp_path, "other") if name.endswith("_PREVIOUS")]
