"""Make sure that every base image of this repository is there: `python3 tools/base_images.py`.

What is missing is pulled; where no image registry can be reached, a stand-in is made from Debian packages under the
same name, labelled `org.aiinfra.stand-in=true`. `--list` prints the names, `--stand-in` does not try to pull,
`--tests` adds the images that only the tests run.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import stand_ins
from steps import CommandError, StopError, main, run, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).resolve().parent.parent
REGISTRY_SECONDS = 10.0
FOR_TESTS = ("postgres:17",)


def from_dockerfile(text: str) -> set[str]:
    """The images that a Dockerfile builds on, with the defaults of its ARGs; no stages, no scratch."""
    arguments: dict[str, str] = {}
    stages = {"scratch"}
    images: set[str] = set()
    for line in text.replace("\\\n", " ").splitlines():
        if re.match(r"\s*ARG\s", line, re.IGNORECASE):
            for name, default in re.findall(r"(\w+)=(\S+)", line):
                arguments.setdefault(name, substitute(default.strip("\"'"), arguments))
        elif found := re.match(r"\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", line, re.IGNORECASE):
            image = substitute(found[1], arguments)
            if image.lower() not in stages:
                images.add(image)
            stages.add((found[2] or "").lower())
    return images


def substitute(word: str, arguments: dict[str, str]) -> str:
    """`word` with $NAME, ${NAME} and ${NAME:-default} replaced as Docker does."""
    pattern = r"\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})"
    return re.sub(pattern, lambda m: arguments.get(m[1] or m[2]) or m[3] or "", word)


def from_template(text: str) -> set[str]:
    """The images that a Compose template names: `base_image("NAME:TAG")`, or a literal `image: NAME:TAG`."""
    text = re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)
    calls = re.findall(r"""\bbase_image\(\s*["']([^"']+)["']\s*[,)]""", text)
    literals = re.findall(r"""(?m)^[ \t]*image:[ \t]*["']?([\w./:@-]+)["']?[ \t]*(?:#.*)?$""", text)
    return {*calls, *literals}


def named(root: Path) -> list[str]:
    """Every base image that the Dockerfiles and templates of a repository name, sorted."""
    images: set[str] = set()
    for path in root.glob("services/*/Dockerfile"):
        images |= from_dockerfile(path.read_text())
    for path in root.glob("templates/compose/*.j2"):
        images |= from_template(path.read_text())
    return sorted(images)


def absent(images: Iterable[str]) -> list[str]:
    """Those of `images` that the engine has not; StopError when none answers."""
    try:
        there = set(run("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split())
    except CommandError as error:
        raise StopError(f"Docker does not answer: {error.output.strip()}", "first: python3 tools/engine.py") from error
    return [image for image in images if image not in there]


def pull(image: str) -> str:
    """Pull an image; "" when it came, otherwise why not (a registry has REGISTRY_SECONDS to begin)."""
    began = time.monotonic()
    process = subprocess.Popen(["docker", "pull", image], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    patience = threading.Timer(REGISTRY_SECONDS, process.kill)
    patience.start()
    last = f"no answer within {REGISTRY_SECONDS:g} s"
    for line in process.stdout or ():
        patience.cancel()
        last = line.strip() or last
    patience.cancel()
    if process.wait() == 0:
        say(f"{image}: pulled: {time.monotonic() - began:.1f} s")
        return ""
    return last.removeprefix("Error response from daemon: ")


def stand_in(refused: dict[str, str]) -> None:
    """Make stand-ins for images that cannot be pulled (with the reason); StopError for those without a recipe."""
    unknown = [image for image in refused if image not in stand_ins.RECIPES]
    if unknown:
        lines = "\n".join(f"  {image}: {refused[image]}" for image in unknown)
        raise StopError(
            f"no registry gives these base images, and there is no recipe for a stand-in:\n{lines}",
            "load it (docker load -i FILE), or name another base image in aiinfra.yaml under build.base_images",
        )
    sources = stand_ins.prepare()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(lambda image: stand_ins.build(image, sources), refused))


def base_images(arguments: Sequence[str]) -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="print the names of the base images, one a line")
    parser.add_argument("--stand-in", action="store_true", help="build stand-ins without trying to pull")
    parser.add_argument("--tests", action="store_true", help="also the images that only the tests run")
    options = parser.parse_args(arguments)
    images = [*named(ROOT), *(FOR_TESTS if options.tests else ())]
    if options.list:
        say("\n".join(images))
        return
    missing = absent(images)
    if missing and options.stand_in:
        stand_in(dict.fromkeys(missing, "not tried"))
    elif missing:
        with ThreadPoolExecutor() as pool:
            refused = {image: why for image, why in zip(missing, pool.map(pull, missing), strict=True) if why}
        for image, why in refused.items():
            say(f"{image}: not pulled: {why}")
        if refused:
            stand_in(refused)
    say(f"{len(images)} base images are there: {', '.join(images)}")


if __name__ == "__main__":
    sys.exit(main(base_images))
