"""The secrets of a build on their way into it."""

import csv
from pathlib import Path

from aiinfra.disk import UNFINISHED
from aiinfra.engine.build_secrets import as_options


def test_they_are_files_for_their_owner_alone_in_any_folder_and_gone_afterwards(tmp_path: Path) -> None:
    parent = tmp_path / 'a, "b"'
    with as_options({"index": b"https://user:pass@index", "ca": b"pem"}, parent) as options:
        rows = [dict(field.split("=", 1) for field in row) for row in csv.reader(options)]
        assert [row["id"] for row in rows] == ["index", "ca"]
        files = [Path(row["src"]) for row in rows]
        assert [path.read_bytes() for path in files] == [b"https://user:pass@index", b"pem"]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        # What the next command looks for, when this one is killed here.
        assert all(path.parent.parent == parent and path.parent.name.endswith(UNFINISHED) for path in files)
    assert list(parent.iterdir()) == []


def test_a_build_without_secrets_leaves_no_trace(tmp_path: Path) -> None:
    with as_options({}, tmp_path / "x") as options:
        assert options == []
    assert list(tmp_path.iterdir()) == []
