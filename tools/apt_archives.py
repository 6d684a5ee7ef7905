"""The machine's own apt: which archive it uses, what it offers, and installing from a further suite."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from steps import CommandError, StopError, Version, run, step, version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TARGET_FIELDS = ("REPO_URI", "CODENAME", "COMPONENT", "ORIGIN", "LABEL", "SOURCESENTRY")
SOURCES = Path("/etc/apt/sources.list.d/aiinfra-engine.sources")
PREFERENCES = Path("/etc/apt/preferences.d/aiinfra-engine.pref")
# Below 100: a package that is installed never follows the further suite by itself.
PIN_PRIORITY = 50


@dataclass(frozen=True, slots=True)
class Archive:
    """A package archive as apt knows it; `source` is the file that names it."""

    uri: str
    codename: str
    component: str
    origin: str
    label: str
    source: Path


@dataclass(frozen=True, slots=True)
class Change:
    """One line of an apt simulation: `verb` is Inst or Remv, `old` is "" for a new package."""

    verb: str
    package: str
    old: str


def parse_targets(text: str) -> list[Archive]:
    """The archives in the output of `apt-get indextargets` with TARGET_FIELDS, tab-separated.

    A field that apt does not know (no list was downloaded yet) stays as `$(FIELD)`: such lines are left out.
    """
    rows = (line.split("\t") for line in text.splitlines())
    return [
        Archive(uri.rstrip("/"), codename, component, origin, label, Path(entry.rpartition(":")[0]))
        for uri, codename, component, origin, label, entry in (row for row in rows if len(row) == len(TARGET_FIELDS))
        if not origin.startswith("$(")
    ]


def main_archive(archives: Sequence[Archive], origin: str, label: str = "") -> Archive | None:
    """The archive with the whole distribution, or the one with another `label` (as Debian-Security)."""
    fitting = (a for a in archives if (a.origin, a.label, a.component) == (origin, label or origin, "main"))
    return next(fitting, None)


def signed_by(source: str, uri: str) -> str:
    """The value of Signed-By in a sources file (either format) for `uri`; "" when it has none.

    An embedded key is returned with its continuation lines, ready to be written again.
    """
    for stanza in re.split(r"\n[ \t]*\n", source):
        text = re.sub(r"(?m)^#.*\n?", "", stanza)
        for line in text.splitlines():
            one_line = re.match(r"deb\s+\[(.*)\]\s+(\S+)", line)
            if one_line and one_line[2].rstrip("/") == uri:
                option = re.search(r"signed-by=(\S+)", one_line[1])
                return option[1] if option else ""
        uris = re.search(r"(?mi)^URIs:(.*(?:\n[ \t].*)*)", text)
        if uris and uri in (word.rstrip("/") for word in uris[1].split()):
            key = re.search(r"(?mi)^Signed-By:[ \t]*(.*(?:\n[ \t].*)*)", text)
            return key[1] if key else ""
    return ""


def source_stanza(archive: Archive, suite: str, key: str) -> str:
    """A deb822 source for another suite of the same archive, trusted by the same key."""
    lines = ["Types: deb", f"URIs: {archive.uri}", f"Suites: {suite}", f"Components: {archive.component}"]
    return "\n".join([*lines, *([f"Signed-By: {key}"] if key else [])]) + "\n"


def parse_simulation(text: str) -> list[Change]:
    """What `apt-get --simulate install` would do."""
    lines = re.finditer(r"(?m)^(Inst|Remv) (\S+)(?: \[([^\]]+)\])?", text)
    return [Change(found[1], found[2], found[3] or "") for found in lines]


def objections(changes: Sequence[Change], names: Sequence[str]) -> list[str]:
    """Why `changes` must not be made to install `names`: a removal, or a replacement that a newer suite demands.

    Names with a suite (`name/suite`) may replace nothing else that is installed, the C library above all.
    """
    named = {name.partition("/")[0] for name in names}
    strict = any("/" in name for name in names)
    removed = [f"{change.package} would be removed" for change in changes if change.verb == "Remv"]
    replaced = [
        c for c in changes if strict and c.verb == "Inst" and c.old and c.package.partition(":")[0] not in named
    ]
    return removed + [f"{change.package} {change.old} would be replaced" for change in replaced]


def archives() -> list[Archive]:
    """The archives this machine installs from; downloads the package lists if there are none yet."""
    fields = "\t".join(f"$({field})" for field in TARGET_FIELDS)
    command = ("apt-get", "indextargets", "--format", fields, "Created-By: Packages")
    found = parse_targets(run(*command))
    if not found:
        with step("apt-get update"):
            run("apt-get", "update")
        found = parse_targets(run(*command))
    return found


def main_archive_of(origin: str) -> Archive:
    """The main archive of this machine; StopError when its apt does not use one of `origin`."""
    found = main_archive(archives(), origin)
    if found is None:
        raise StopError(f"apt has no archive of {origin} on this machine", "look at: apt-get indextargets")
    return found


def archive_key(archive: Archive) -> str:
    """What `archive` is trusted by (see signed_by)."""
    return signed_by(archive.source.read_text(), archive.uri)


def suite_sources(origin: str, suite: str) -> str:
    """Sources for a whole suite, with its security fixes if this machine uses such an archive too."""
    main = main_archive_of(origin)
    stanzas = [source_stanza(main, suite, archive_key(main))]
    security = main_archive(archives(), origin, f"{origin}-Security")
    if security is not None:
        stanzas.append(source_stanza(security, f"{suite}-security", archive_key(security)))
    return "\n".join(stanzas)


def download_settings() -> str:
    """How this machine's apt downloads (proxy, certificates, dates), as an apt.conf."""
    lines = run("apt-config", "dump").splitlines(keepends=True)
    return "".join(line for line in lines if re.match(r"Acquire::(?!IndexTargets)", line))


def offered(names: Sequence[str]) -> dict[str, Version]:
    """The version that apt would install of each of `names`, without those it has not."""
    text = run("apt-cache", "policy", *names)
    pairs = re.findall(r"(?m)^(\S+):\n(?:  .*\n)*?  Candidate: (.+)$", text)
    parsed = ((name, version(candidate)) for name, candidate in pairs)
    return {name: number for name, number in parsed if number is not None}


def install(names: Sequence[str]) -> None:
    """Install packages (`name` or `name/suite`) without what they only recommend; StopError if that does harm."""
    apt = ("apt-get", "install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", *names)
    refused = objections(parse_simulation(run(*apt, "--simulate")), names)
    if refused:
        raise StopError(f"apt cannot install {' '.join(names)} beside what is there: {', '.join(refused)}")
    try:
        run(*apt, DEBIAN_FRONTEND="noninteractive")
    except CommandError:
        # The usual reasons: package lists older than the archive, or an earlier run that was interrupted.
        run("dpkg", "--configure", "-a", DEBIAN_FRONTEND="noninteractive")
        run("apt-get", "update")
        run(*apt, DEBIAN_FRONTEND="noninteractive")


@contextmanager
def further_suite(archive: Archive, suite: str) -> Iterator[None]:
    """Let apt see `suite` of `archive` for a while; nothing comes from it unless it is named."""
    SOURCES.write_text(source_stanza(archive, suite, archive_key(archive)))
    PREFERENCES.write_text(f"Package: *\nPin: release n={suite}\nPin-Priority: {PIN_PRIORITY}\n")
    try:
        only = ("-o", f"Dir::Etc::SourceList={SOURCES}", "-o", "Dir::Etc::SourceParts=-")
        run("apt-get", "update", *only, "-o", "APT::Get::List-Cleanup=0")
        yield
    finally:
        SOURCES.unlink(missing_ok=True)
        PREFERENCES.unlink(missing_ok=True)
