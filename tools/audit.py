"""Look for known vulnerabilities in everything that is locked: both services, and what runs the CLI and its tests.

With internet access pip-audit asks the OSV database. Without, only the records in advisories.json are known: a copy
of https://github.com/pypa/advisory-database (CC BY 4.0) for the packages that were locked then; what was published
later cannot be seen, and the output says so. Exit code 1 when something is found that audit_allowed.json does not
allow with a reason.

  python tools/audit.py                  look
  python tools/audit.py --copy CLONE     rewrite advisories.json from a clone of that repository
"""

import argparse
import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from advisories import Advisory, Finding, findings, of_record, pins

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parent
KNOWN = TOOLS / "advisories.json"
ALLOWED = TOOLS / "audit_allowed.json"
LOCKS = (
    "services/mpc-api/requirements.txt",
    "services/mpc-api/requirements-dev.txt",
    "services/litellm/requirements.txt",
)
OWN = "this environment"
# What a virtual environment brings by itself, depending on the Python that made it.
INSTALLERS = {"pip", "setuptools", "wheel"}
OSV = ("api.osv.dev", 443)


def locked() -> dict[str, dict[str, str]]:
    """Every pinned version by lock file; ours are not locked, so those installed here stand for them."""
    installed: dict[str, str] = {canonicalize_name(one.metadata["Name"]): one.version for one in distributions()}
    return {name: pins((ROOT / name).read_text(encoding="utf-8")) for name in LOCKS} | {OWN: installed}


def known() -> tuple[str, frozenset[str], list[Advisory]]:
    """When the records were copied, for which packages, and the records."""
    data = json.loads(KNOWN.read_text(encoding="utf-8"))
    records = [
        Advisory(
            one["id"],
            one["package"],
            tuple((low, high) for low, high in one["ranges"]),
            tuple(one["aliases"]),
            one["summary"],
        )
        for one in data["advisories"]
    ]
    return data["newest"], frozenset(data["packages"]), records


def copy(clone: Path) -> None:
    """Rewrite advisories.json from the newest commit of `clone`."""
    import yaml  # noqa: PLC0415 - only needed here

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", clone, *arguments], check=True, capture_output=True, text=True).stdout

    names = sorted({name for lock in locked().values() for name in lock} | INSTALLERS)
    files = [path for path in git("ls-tree", "-r", "--name-only", "HEAD", "vulns/").split() if path.count("/") == 2]  # noqa: PLR2004
    wanted = [path for path in files if canonicalize_name(path.split("/")[1]) in set(names)]
    records = [one for path in wanted for one in of_record(yaml.safe_load(git("show", f"HEAD:{path}")))]
    data = {
        "source": "https://github.com/pypa/advisory-database (CC BY 4.0)",
        "commit": git("rev-parse", "HEAD").strip(),
        "newest": git("log", "-1", "--format=%cs").strip(),
        "packages": names,
        "advisories": [asdict(one) for one in records],
    }
    KNOWN.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def reachable() -> bool:
    """Whether the OSV database can be asked from here."""
    try:
        with socket.create_connection(OSV, timeout=3):
            return True
    except OSError:
        return False


def ask_osv(allowed: Mapping[str, str]) -> int:
    """Let pip-audit ask about every lock file and this environment; returns the worst exit code."""
    ignored = [word for name in allowed for word in ("--ignore-vuln", name)]
    options = ["--vulnerability-service", "osv", "--progress-spinner", "off", *ignored]
    subjects = [["--no-deps", "--disable-pip", "--requirement", str(ROOT / name)] for name in LOCKS] + [
        ["--skip-editable"]
    ]
    return max(
        subprocess.run([sys.executable, "-m", "pip_audit", *options, *one], check=False).returncode for one in subjects
    )


def look(allowed: Mapping[str, str]) -> int:
    """Compare with the copied records; returns the exit code."""
    newest, covered, records = known()
    locks = locked()
    found = findings(locks, records)
    for one in found:
        reason = _reason(one, allowed)
        print(f"{one.package} {one.version} ({one.where}): {one.advisory.id}: {one.advisory.summary}")
        print(f"  allowed: {reason}" if reason else "  not allowed: update it, or give a reason in audit_allowed.json")
    names = {name for lock in locks.values() for name in lock}
    unknown = sorted(names - covered)
    print(f"{len(names)} packages against {len(records)} advisories: {len(found)} findings.")
    print(f"No advisory database can be reached: nothing published after {newest} can be seen.")
    if unknown:
        print(f"Not looked for, because they were not locked then: {', '.join(unknown)}")
    return int(any(not _reason(one, allowed) for one in found))


def _reason(one: Finding, allowed: Mapping[str, str]) -> str:
    return next((allowed[name] for name in (one.advisory.id, *one.advisory.aliases) if allowed.get(name)), "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copy", type=Path, metavar="CLONE")
    clone = parser.parse_args().copy
    if clone:
        copy(clone)
        return 0
    allowed: dict[str, str] = json.loads(ALLOWED.read_text(encoding="utf-8"))
    return ask_osv(allowed) if reachable() else look(allowed)


if __name__ == "__main__":
    sys.exit(main())
