from __future__ import annotations

from pathlib import Path

import apt_archives
from apt_archives import Archive, Change

SOURCE = Path("/etc/apt/sources.list.d/debian.sources")
TARGETS = """\
http://mirror.example/debian/\tbookworm\tmain\tDebian\tDebian\t/etc/apt/sources.list.d/debian.sources:1
http://mirror.example/debian/\tbookworm\tcontrib\tDebian\tDebian\t/etc/apt/sources.list.d/debian.sources:1
http://mirror.example/debian-security/\tbookworm-security\tmain\tDebian\tDebian-Security\t/etc/apt/sources.list:2
https://vendor.example/apt/\tnodistro\tmain\t. nodistro\t. nodistro\t/etc/apt/sources.list.d/vendor.list:1
"""
DEB822 = """\
# the distribution
Types: deb
# a comment inside
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY865UxYJKwYBBAHaRw8BAQdAd7Z0srwuhlB6JKFkcf4HU4SSS/xcRfwEQWzr
 -----END PGP PUBLIC KEY BLOCK-----
"""
ONE_LINE = """\
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/etc/apt/keyrings/ours.gpg] http://mirror.example/debian bookworm main
deb http://plain.example/debian bookworm main
"""


def test_the_archives_are_read_from_apts_own_list() -> None:
    archives = apt_archives.parse_targets(TARGETS)
    assert len(archives) == 4
    assert archives[0] == Archive("http://mirror.example/debian", "bookworm", "main", "Debian", "Debian", SOURCE)


def test_targets_without_downloaded_lists_are_left_out() -> None:
    line = "http://mirror.example/debian/\tbookworm\tmain\t$(ORIGIN)\t$(LABEL)\t/etc/apt/sources.list:1\n"
    assert apt_archives.parse_targets(line) == []
    assert apt_archives.parse_targets("") == []


def test_the_main_archive_is_neither_security_nor_a_vendors() -> None:
    archives = apt_archives.parse_targets(TARGETS)[::-1]
    main = apt_archives.main_archive(archives, "Debian")
    security = apt_archives.main_archive(archives, "Debian", "Debian-Security")
    assert main is not None
    assert (main.codename, main.component) == ("bookworm", "main")
    assert security is not None
    assert security.codename == "bookworm-security"
    assert apt_archives.main_archive(archives, "Ubuntu") is None


def test_the_key_of_an_archive_is_found_in_both_formats() -> None:
    uri = "http://mirror.example/debian"
    assert apt_archives.signed_by(DEB822, uri) == "/usr/share/keyrings/debian.gpg"
    assert apt_archives.signed_by(ONE_LINE, uri) == "/etc/apt/keyrings/ours.gpg"
    assert apt_archives.signed_by(ONE_LINE, "http://plain.example/debian") == ""
    assert apt_archives.signed_by("", uri) == ""


def test_an_embedded_key_survives_into_the_new_source() -> None:
    uri = "http://mirror.example/debian-security"
    key = apt_archives.signed_by(DEB822, uri)
    archive = Archive(uri, "bookworm-security", "main", "Debian", "Debian-Security", SOURCE)
    stanza = apt_archives.source_stanza(archive, "trixie-security", key)
    assert apt_archives.signed_by(stanza, uri) == key
    assert key.count("\n") == 4


def test_a_source_for_another_suite_has_the_same_address_and_key() -> None:
    archive = apt_archives.parse_targets(TARGETS)[0]
    assert apt_archives.source_stanza(archive, "sid", "/usr/share/keyrings/debian.gpg") == (
        "Types: deb\n"
        "URIs: http://mirror.example/debian\n"
        "Suites: sid\n"
        "Components: main\n"
        "Signed-By: /usr/share/keyrings/debian.gpg\n"
    )
    assert "Signed-By" not in apt_archives.source_stanza(archive, "sid", "")


def test_a_simulation_is_read_as_changes() -> None:
    text = (
        "NOTE: This is only a simulation!\n"
        "Remv containerd.io [1.7.1]\n"
        "Inst libc6 [2.36-9] (2.41-12 Debian:unstable [amd64])\n"
        "Inst docker.io (28.5.2 Debian:unstable [amd64])\n"
        "Conf docker.io (28.5.2 Debian:unstable [amd64])\n"
    )
    assert apt_archives.parse_simulation(text) == [
        Change("Remv", "containerd.io", "1.7.1"),
        Change("Inst", "libc6", "2.36-9"),
        Change("Inst", "docker.io", ""),
    ]


def test_nothing_may_be_removed() -> None:
    changes = [Change("Remv", "containerd.io", "1.7.1"), Change("Inst", "docker.io", "")]
    assert apt_archives.objections(changes, ["docker.io"]) == ["containerd.io would be removed"]


def test_a_further_suite_may_not_replace_what_was_not_named() -> None:
    changes = [
        Change("Inst", "libc6:amd64", "2.36-9"),
        Change("Inst", "docker.io", "20.10"),
        Change("Inst", "new", ""),
    ]
    assert apt_archives.objections(changes, ["docker.io/sid"]) == ["libc6:amd64 2.36-9 would be replaced"]


def test_the_machines_own_release_may_bring_its_newer_libraries() -> None:
    assert apt_archives.objections([Change("Inst", "libseccomp2", "2.5.4-1")], ["docker.io", "runc"]) == []
