"""A backup's file: what is whole and ours is read, anything else is refused."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aiinfra import archive
from aiinfra.errors import AiinfraError, Code

MANIFEST = {"stack": "one", "created": "2026-01-01T00:00:00Z", "version": "1.0", "keys": 3}
LARGEST = 10_000


def written(folder: Path, data: bytes = b"REDIS0011") -> Path:
    (folder / "dump").write_bytes(data)
    (folder / "aiinfra.yaml").write_text("timeout: 60\n")
    path = folder / "one.backup.tar.gz"
    files = {"redis.rdb": folder / "dump", "settings/aiinfra.yaml": folder / "aiinfra.yaml"}
    archive.write(path, MANIFEST, files)
    return path


def read(path: Path) -> archive.Archive:
    folder = path.parent / "unpacked"
    folder.mkdir()
    return archive.read(path, folder, largest=LARGEST)


def refused(path: Path) -> str:
    with pytest.raises(AiinfraError) as caught:
        read(path)
    assert caught.value.code is Code.BACKUP_INVALID
    assert "nothing was touched" in caught.value.hint
    return caught.value.message


def made(folder: Path, manifest: object, members: Mapping[str, bytes | tarfile.TarInfo]) -> Path:
    path = folder / "made.tar.gz"
    content = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    with tarfile.open(path, "w:gz") as file:
        for name, data in {"manifest.json": content, **members}.items():
            member = data if isinstance(data, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(data, bytes):
                member.size = len(data)
            file.addfile(member, io.BytesIO(data) if isinstance(data, bytes) else None)
    return path


def listing(**sizes: int) -> dict[str, Any]:
    names = {"redis": "redis.rdb"}
    files = {names.get(name, name): {"size": size, "sha256": "0" * 64} for name, size in sizes.items()}
    return {"tool": "aiinfra", "format": 1, **MANIFEST, "files": files}


def test_what_was_written_is_read_again_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    found = read(path)
    assert (found.stack, found.keys) == ("one", 3)
    assert {name: file.read_bytes() for name, file in found.files.items()} == {
        "redis.rdb": b"REDIS0011",
        "settings/aiinfra.yaml": b"timeout: 60\n",
    }


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_that_was_cut_is_refused(tmp_path: Path, share: float) -> None:
    path = written(tmp_path, bytes(range(256)) * 30)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "damaged" in refused(path)


def test_every_single_changed_byte_of_the_content_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path)
    plain = bytearray(gzip.decompress(path.read_bytes()))
    at = plain.index(b"REDIS0011")
    plain[at] ^= 1
    path.write_bytes(gzip.compress(bytes(plain)))
    assert "its checksum is wrong" in refused(path)


@pytest.mark.parametrize("content", [b"", b"no archive", gzip.compress(b"no tar" * 500)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    refused(path)


def test_somebody_else_s_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.tar.gz"
    (tmp_path / "readme").write_text("hello")
    with tarfile.open(path, "w:gz") as file:
        file.add(tmp_path / "readme", "readme")
    assert "does not begin with a manifest" in refused(path)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ({**listing(), "format": 2, "version": "9.9"}, "a newer aiinfra (9.9) wrote it, in format 2"),
        ({**listing(), "tool": "other"}, "it is a file of other"),
        ({**listing(), "keys": "many"}, "its manifest is wrong"),
        (b"{", "its manifest is wrong"),
        (b"[]", "its manifest is wrong"),
    ],
)
def test_a_manifest_that_is_newer_or_wrong_is_refused(tmp_path: Path, manifest: object, reason: str) -> None:
    assert reason in refused(made(tmp_path, manifest, {}))


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "settings/litellm/../../x.yaml", "settings/.env"])
def test_a_name_that_leads_elsewhere_is_refused_even_when_the_manifest_lists_it(tmp_path: Path, name: str) -> None:
    manifest = {**listing(), "files": {name: {"size": 1, "sha256": "0" * 64}}}
    assert "which no backup has" in refused(made(tmp_path, manifest, {name: b"x"}))
    assert [path.name for path in tmp_path.iterdir() if path.name == "outside"] == []


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = tarfile.TarInfo("redis.rdb")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    assert "which no backup has" in refused(made(tmp_path, listing(redis=0), {"redis.rdb": link}))


def test_data_that_are_larger_than_redis_may_be_are_refused_unread(tmp_path: Path) -> None:
    path = written(tmp_path, b"0" * (LARGEST + 1))
    assert "at most 10000 are allowed here" in refused(path)
    assert list((tmp_path / "unpacked").iterdir()) == []


def test_a_size_that_is_not_the_manifest_s_and_a_missing_or_second_file_are_refused(tmp_path: Path) -> None:
    assert "is not what its manifest says" in refused(made(tmp_path, listing(redis=2), {"redis.rdb": b"x"}))


def test_a_file_that_is_listed_and_not_there_is_refused(tmp_path: Path) -> None:
    assert "redis.rdb is missing in it" in refused(made(tmp_path, listing(redis=1), {}))
