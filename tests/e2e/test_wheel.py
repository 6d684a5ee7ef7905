"""What is in the wheel, and what is not."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.conftest import REPOSITORY

BUNDLED = "aiinfra/bundled/"


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", *folders], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    return {name for name in listed.stdout.splitlines() if "/tests/" not in name}


def test_the_wheel_carries_the_package_templates_and_services_and_nothing_else(wheel: Path) -> None:
    expected = tracked("aiinfra") | {BUNDLED + name for name in tracked("templates", "services")}
    assert names(wheel) == expected


def test_nothing_that_git_ignores_gets_into_a_wheel(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
    for name in (
        "services/litellm/.env",
        "services/mpc-api/.venv/x.py",
        "aiinfra/__pycache__/x.pyc",
        "templates/.env.x",
    ):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text("secret")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)],
        cwd=clone,
        check=True,
        capture_output=True,
    )
    found = names(next(tmp_path.glob("*.whl")))
    assert [name for name in found if ".env" in name or ".venv" in name or name.endswith(".pyc")] == []
    assert [name for name in found if "/tests/" in name] == []
