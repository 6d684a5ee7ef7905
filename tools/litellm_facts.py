"""Rewrites aiinfra/providers/litellm.json: what the LiteLLM of the gateway's image knows.

    python tools/litellm_facts.py

Run it after `aiinfra build litellm` whenever services/litellm/requirements.txt names another LiteLLM; a unit test
says when that was forgotten. It runs litellm_inside.py in the image, without network.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from aiinfra.images import image_build
from aiinfra.settings import Build

HERE = Path(__file__).parent
FACTS = HERE.parent / "aiinfra" / "providers" / "litellm.json"


def main() -> int:
    """Returns the exit code: 1 with LiteLLM's own words when it cannot be asked."""
    image = image_build("litellm", Build()).tag
    command = ["docker", "run", "--rm", "-i", "--network", "none", "--label", "org.aiinfra.scratch=facts"]
    done = subprocess.run(
        [*command, "--entrypoint", "python", image, "-"],
        input=(HERE / "litellm_inside.py").read_text(encoding="utf-8"),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return 1
    FACTS.write_text(done.stdout, encoding="utf-8")
    print(f"{FACTS.name}: LiteLLM {json.loads(done.stdout)['version']}, {FACTS.stat().st_size // 1024} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
