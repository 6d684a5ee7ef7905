"""The README's calls work when pasted."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.service import API_KEY, ROOT, Service

README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTING, *CALLS = re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def pasted(block: str, service: Service, folder: Path) -> str:
    """What a shell in a stack directory prints for `block`."""
    (folder / ".env").write_text(f"LITELLM_MASTER_KEY=other\nMPC_API_KEY={API_KEY}\n", encoding="utf-8")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{SETTING}\n{block}"],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "MPC_URL": service.url, "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("block", CALLS, ids=[str(index) for index in range(len(CALLS))])
def test_a_call_works_when_pasted(service: Service, tmp_path: Path, block: str) -> None:
    shown = pasted(block, service, tmp_path)
    if "stream=true" in block:
        assert shown.rstrip().rpartition("\n\n")[2].startswith("event: result")
    elif "/generate/" in block:
        body = json.loads(shown)
        assert body["success"] is True
        assert body["data"].get("failed", 0) == 0


def test_every_endpoint_has_a_call(service: Service) -> None:
    for path in service.client.get("/openapi.json").json()["paths"]:
        assert f'"$MPC_URL{path}' in README, path


def test_every_field_and_code_is_told(service: Service) -> None:
    document = service.client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for name in ("ScriptRequest", "ThumbnailRequest", "MetadataRequest", "Script", "Thumbnail", "Metadata"):
        for field in schemas[name]["properties"]:
            assert f"`{field}`" in README or f'"{field}"' in README, f"{name}.{field}"
