"""Two `up` at the same time, and commands killed at random moments: what the next `up` makes of it.

    python -m bench.rounds [--kinds two up rebuild down] [--rounds 10] [--seed NUMBER]

Every second kill hits the command alone, as `kill -9 PID` does, so that what it started goes on; the others hit its
whole process group. The stack and the names of its images are its own, and gone at the end. Run: `make bench-rounds`.
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.listing import docker, listing

AIINFRA = str(Path(sys.executable).parent / "aiinfra")
BASE = "python:3.13-slim-trixie"
PATIENCE = ("--timeout", "600")

# Seconds. Old processes of the edge may need a minute to go.
GOING = 90.0
# What an engine still does for a dead command shows in these.
CALM = 3.0

VERBS = {"up": ("up", *PATIENCE), "rebuild": ("rebuild", "mpc-api", *PATIENCE), "down": ("down",)}
KINDS = ("two", *VERBS)


@dataclass(frozen=True)
class Round:
    """What held after one round. `said` is what there is to read when something did not."""

    kind: str
    ended_0: bool
    as_meant: bool
    healthy: bool
    left: frozenset[str]
    missing: frozenset[str]
    what: str
    said: str = ""

    @property
    def clean(self) -> bool:
        return not self.left and not self.missing

    @property
    def held(self) -> bool:
        return self.ended_0 and self.as_meant and self.healthy and self.clean


@dataclass(frozen=True)
class Ground:
    """A stack of its own."""

    directory: Path
    stack: str

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [AIINFRA, *arguments],
            cwd=self.directory,
            env={**os.environ, "AIINFRA_STACK": self.stack, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        said, _ = process.communicate()
        return process.returncode, said

    def insist(self, *arguments: str) -> float:
        """Run a command that must succeed; returns its seconds."""
        start = time.monotonic()
        ended, said = self.run(*arguments)
        if ended != 0:
            raise SystemExit(f"`aiinfra {' '.join(arguments)}` ended with {ended}:\n{said}")
        return time.monotonic() - start

    def settings(self, log_level: str) -> None:
        base = f'build: {{base_images: {{"{BASE}": "{self.stack}:1"}}}}\n'
        level = f"services: {{mpc-api: {{log_level: {log_level}}}}}\n"
        (self.directory / "aiinfra.yaml").write_text(base + level, encoding="utf-8")

    def listing(self) -> frozenset[str]:
        return listing(self.stack, self.directory)


def two_at_once(ground: Ground, number: int, clean: frozenset[str]) -> Round:
    """Two `up` after a change: both end with 0, one made the change, and one waited for the other."""
    ground.settings(("debug", "info")[number % 2])
    both = [ground.start("up", *PATIENCE) for _ in range(2)]
    said = [one.communicate()[0] for one in both]
    ended = [one.returncode for one in both]
    waited = sum("waiting for" in one for one in said)
    changed = sum("recreated" in one for one in said)
    return judged(
        "two up at once", ground, clean, ended_0=ended == [0, 0], as_meant=(waited, changed) == (1, 1),
        what=f"{waited} waited, {changed} made the change", said="\n".join(said),
    )  # fmt: skip


def killed(
    ground: Ground, verb: str, took: dict[str, float], chance: random.Random, clean: frozenset[str], *, alone: bool
) -> Round:
    """One command that gets SIGKILL at a moment of its life, and the `up` after it; `took` are seconds by verb."""
    while True:
        if verb == "up":
            ground.insist("down")
        moment = chance.uniform(0, took[verb])
        process = ground.start(*VERBS[verb])
        if dies(process, moment, alone=alone):
            break
        # It was quicker than the last time: that is no round.
        took[verb] = moment
        ground.insist("up", *PATIENCE)
    ended, said = ground.run("up", *PATIENCE)
    process.communicate()
    found = next((line for line in said.splitlines() if "interrupted" in line), "")
    what = f"after {moment:.2f} of {took[verb]:.2f} s, {'alone' if alone else 'its group'}; {found}".rstrip("; ")
    return judged(f"{verb}, killed", ground, clean, ended_0=ended == 0, as_meant=True, what=what, said=said)


def dies(process: "subprocess.Popen[str]", moment: float, *, alone: bool) -> bool:
    """Kill a process after `moment` seconds; returns whether it had not ended by itself."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=moment)
    with contextlib.suppress(ProcessLookupError):
        if alone:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def judged(
    kind: str, ground: Ground, clean: frozenset[str], *, ended_0: bool, as_meant: bool, what: str, said: str
) -> Round:
    """Look at a stack after a round: at once nothing may change any more, and in the end nothing is left over."""
    time.sleep(CALM)
    ended, health = ground.run("health")
    deadline = time.monotonic() + GOING
    while (found := ground.listing()) != clean and time.monotonic() < deadline:
        time.sleep(1)
    result = Round(kind, ended_0, as_meant, ended == 0, found - clean, clean - found, what, f"{said}\n{health}")
    print(f"{kind:<16} {'held' if result.held else 'DID NOT HOLD'}  {what}", flush=True)
    if not result.held:
        print(f"left: {sorted(result.left)}\nmissing: {sorted(result.missing)}\n{result.said}", flush=True)
        ground.run("down")
        ground.insist("up", *PATIENCE)
    return result


def show(found: Sequence[Round]) -> None:
    print(f"\n{'':<16} {'rounds':>6} {'ended 0':>8} {'healthy':>8} {'nothing left':>13} {'as meant':>9}")
    for kind in dict.fromkeys(one.kind for one in found):
        rows = [one for one in found if one.kind == kind]
        counts = [sum(getattr(one, name) for one in rows) for name in ("ended_0", "healthy", "clean", "as_meant")]
        print(f"{kind:<16} {len(rows):>6} {counts[0]:>8} {counts[1]:>8} {counts[2]:>13} {counts[3]:>9}")
    print("as meant: of two, one waited and one made the change")


def rounds(ground: Ground, kinds: Sequence[str], number: int, chance: random.Random) -> list[Round]:
    ground.settings("info")
    ground.insist("up", *PATIENCE)
    took = {"rebuild": ground.insist(*VERBS["rebuild"]), "down": ground.insist("down")}
    took["up"] = ground.insist(*VERBS["up"])
    clean = ground.listing()
    print(", ".join(f"{verb} takes {seconds:.1f} s" for verb, seconds in took.items()), flush=True)
    found = []
    for kind in kinds:
        for one in range(number):
            if kind == "two":
                found.append(two_at_once(ground, one, clean))
            else:
                found.append(killed(ground, kind, took, chance, clean, alone=one % 2 == 0))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Two `up` at once, and commands killed at random moments.")
    parser.add_argument("--rounds", type=int, default=10, help="of each kind")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(Path(folder), f"rounds-{uuid.uuid4().hex[:8]}")
        docker("tag", BASE, f"{ground.stack}:1")
        try:
            # What is drawn need not be hard to guess.
            found = rounds(ground, options.kinds, options.rounds, random.Random(options.seed))  # noqa: S311
        finally:
            ground.run("reset", "--images", "--no-backup", "--yes")
            docker("rmi", f"{ground.stack}:1")
    show(found)
    if not all(one.held for one in found):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
