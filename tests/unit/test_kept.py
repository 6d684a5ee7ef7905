"""A generation read back: with the keys and the certificate of today, or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from aiinfra.commands.kept import digests, load_kept
from aiinfra.errors import AiinfraError, Code
from aiinfra.generations import Generation
from aiinfra.loading import Loaded, load
from aiinfra.target import Target, target_of
from tests.conftest import STRONG_KEYS, write_keys
from tests.unit.test_certificates import NOW, ending
from tests.unit.test_generations import ONE

OLD = {f"{name}_PREVIOUS": value + "-old" for name, value in STRONG_KEYS.items()}


def applied(directory: Path) -> tuple[Target, Generation]:
    """A stack directory in which something was applied once, and what is kept of it."""
    one: Loaded = load(target_of(directory, None), {})
    place = one.target.workspace
    place.prepare()
    place.save(one.state)
    place.write_rendered(one.rendered.files)
    files = tuple(file.path for file in one.rendered.files if not file.live and "/" in file.path)
    images = dict(one.service_images)
    compose, hashes = one.rendered.compose, dict(one.rendered.hashes)
    kept = replace(ONE, keys=digests(one), files=files, images=images, compose=compose, hashes=hashes)
    return target_of(directory, None), kept


def refused(where: Target, generation: Generation) -> str:
    with pytest.raises(AiinfraError) as caught:
        load_kept(where, generation)
    assert caught.value.code is Code.ROLLBACK_REFUSED
    return caught.value.message


def test_a_state_whose_keys_are_those_of_today_comes_back_whole(tmp_path: Path) -> None:
    write_keys(tmp_path)
    where, kept = applied(tmp_path)
    assert load_kept(where, kept).rendered.compose == kept.compose


def test_a_key_that_was_retired_since_never_comes_back(tmp_path: Path) -> None:
    write_keys(tmp_path, **OLD)
    where, kept = applied(tmp_path)
    write_keys(tmp_path)
    assert "MPC_API_KEY_PREVIOUS" in refused(where, kept)


def test_a_rotation_that_is_open_is_not_cut_off(tmp_path: Path) -> None:
    write_keys(tmp_path)
    where, kept = applied(tmp_path)
    write_keys(tmp_path, **OLD)
    assert "LITELLM_MASTER_KEY_PREVIOUS" in refused(where, kept)


def test_a_further_callers_key_that_changed_since_never_comes_back(tmp_path: Path) -> None:
    (tmp_path / "aiinfra.yaml").write_text(
        "services: {mpc-api: {keys: [{name: site, variable: SITE_KEY}]}}\n", encoding="utf-8"
    )
    write_keys(tmp_path, SITE_KEY="site-0123456789abcdefghijklmnop")
    where, kept = applied(tmp_path)
    write_keys(tmp_path, SITE_KEY="site-abcdefghijklmnop0123456789")
    assert "SITE_KEY" in refused(where, kept)


def test_https_stays_whatever_state_comes_back(tmp_path: Path) -> None:
    write_keys(tmp_path)
    where, kept = applied(tmp_path)
    ending(NOW.replace(year=NOW.year + 1), tmp_path)
    (tmp_path / "aiinfra.yaml").write_text("tls: {cert: cert.pem, key: key.pem}\n", encoding="utf-8")
    where = target_of(tmp_path, None)
    back = load_kept(where, kept)
    assert back.stack.certificate is not None
    assert "tls.pem" in {file.path.split("/")[-1] for file in back.rendered.files}


def test_a_kept_file_that_was_changed_since_is_refused_by_its_folder(tmp_path: Path) -> None:
    write_keys(tmp_path)
    where, kept = applied(tmp_path)
    (config,) = (path for path in kept.files if path.startswith("litellm-") and path.endswith("config.yaml"))
    (where.workspace.root / config).write_text("model_list: []\n", encoding="utf-8")
    said = refused(where, kept)
    assert f"what is in {(where.workspace.root / config).parent} was changed since" in said
