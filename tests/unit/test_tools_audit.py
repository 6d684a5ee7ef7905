"""Which pinned versions are affected by what is known."""

import json

import pytest

from advisories import Advisory, findings, of_record, pins
from audit import ALLOWED, LOCKS, known
from tests.conftest import REPOSITORY

RECORD = {
    "id": "PYSEC-2099-1",
    "aliases": ["CVE-2099-1"],
    "details": "Something\nis wrong.",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Some_Package"},
            "ranges": [
                {"type": "GIT", "events": [{"introduced": "0"}]},
                {"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "1.2.3"}, {"introduced": "2"}]},
            ],
        },
        {"package": {"ecosystem": "npm", "name": "other"}},
    ],
}


def test_a_lock_file_is_read_with_its_hashes_and_markers() -> None:
    text = (
        "# comment\nPy_YAML==6.0.4 \\\n    --hash=sha256:abc\n    # via\nuvloop==0.23.0 ; sys_platform != 'win32' \\\n"
    )
    assert pins(text) == {"py-yaml": "6.0.4", "uvloop": "0.23.0"}


@pytest.mark.parametrize(
    ("version", "affected"),
    [("0.9", False), ("1.0", True), ("1.2.3rc1", True), ("1.2.3", False), ("2.0", True), ("9", True), ("odd!", True)],
)
def test_ranges_of_versions(version: str, *, affected: bool) -> None:
    (advisory,) = of_record(RECORD)
    assert advisory.package == "some-package"
    assert advisory.affects(version) is affected


def test_the_last_affected_version_is_affected_and_the_next_is_not() -> None:
    events = [{"introduced": "0"}, {"last_affected": "1.5"}]
    affected = [{"package": {"ecosystem": "PyPI", "name": "a"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]
    (advisory,) = of_record({"id": "X", "affected": affected})
    assert [advisory.affects(version) for version in ("1.5", "1.5.1", "1.6")] == [True, False, False]


def test_versions_may_be_listed_instead() -> None:
    affected = [{"package": {"ecosystem": "PyPI", "name": "a"}, "versions": ["1.82.7", "1.82.8"]}]
    (advisory,) = of_record({"id": "X", "affected": affected})
    assert [advisory.affects(version) for version in ("1.82.6", "1.82.7", "1.82.8", "1.83")] == [
        False,
        True,
        True,
        False,
    ]


def test_what_was_withdrawn_is_not_known() -> None:
    assert list(of_record(RECORD | {"withdrawn": "2099-01-01T00:00:00Z"})) == []


def test_a_finding_names_the_file_that_pins_it() -> None:
    advisory = Advisory("X", "a", (("0", "2"),))
    found = findings({"one.txt": {"a": "1"}, "two.txt": {"a": "2"}, "three.txt": {"b": "1"}}, [advisory])
    assert [(one.package, one.version, one.where) for one in found] == [("a", "1", "one.txt")]


def test_the_records_are_readable_and_every_allowed_finding_has_a_reason() -> None:
    newest, covered, records = known()
    assert newest >= "2024-10-10"
    assert {one.package for one in records} <= covered
    assert all(reason.strip() for reason in json.loads(ALLOWED.read_text(encoding="utf-8")).values())
    assert all(pins((REPOSITORY / name).read_text(encoding="utf-8")) for name in LOCKS)
