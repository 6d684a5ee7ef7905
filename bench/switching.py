"""Switching provider configs under load: what is lost, and the seconds of it beside LiteLLM's own boot.

    python -m bench.switching [--rounds 6] [--directory DIR]

The stack is that of bench/swaps.py, with the same 16 clients. Each round is one `use-config`, from key press to its
end, and then one container of the gateway's own image and config, from `docker run` to its first 200, under the same
load.
"""

import argparse
import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.startup import boot
from bench.swaps import STACK, aiinfra, counted, docker, new_load

OTHER = "extends: mock\nmodel_list: [{model_name: other, litellm_params: {model: mock/other}}]\n"
LIMIT = 5.0
WARM = 64


@dataclass(frozen=True)
class Round:
    """`found` is what the load counted; times are seconds."""

    name: str
    switch: float
    alone: float
    found: dict[str, Any]

    @property
    def more(self) -> float:
        return self.switch - self.alone


def switched(directory: Path, name: str) -> Round:
    load = new_load(directory)
    with load.running():
        load.wait_for(WARM)
        begun = time.monotonic()
        served = aiinfra(directory, "use-config", name, "--timeout", "600")["data"]["provider_config"]
        ended = time.monotonic()
        label = ("--filter", f"label=org.aiinfra.stack={STACK}", "--filter", f"name={STACK}-litellm")
        alone = boot(json.loads(docker("inspect", docker("ps", "-q", *label).split()[0]))[0])
    return Round(served, ended - begun, alone, counted("switch", 1, load, {"litellm": [(begun, ended)]}))


def show(rounds: list[Round]) -> None:
    columns = ("requests", "failed", "cut", "twice")
    print(f"{'use-config':<12} {'seconds':>8} {'boot':>8} {'more':>8} " + " ".join(f"{one:>9}" for one in columns))
    for one in rounds:
        counts = " ".join(f"{one.found[name]:>9}" for name in columns)
        print(f"{one.name:<12} {one.switch:>8.1f} {one.alone:>8.1f} {one.more:>8.1f} {counts}")
    middle = [
        statistics.median(values) for values in zip(*((it.switch, it.alone, it.more) for it in rounds), strict=True)
    ]
    totals = " ".join(f"{sum(it.found[name] for it in rounds):>9}" for name in columns)
    print(f"{'median':<12} {middle[0]:>8.1f} {middle[1]:>8.1f} {middle[2]:>8.1f} {totals}")
    print(f"the limit: LiteLLM's own boot and {LIMIT:.0f} s")
    for one in rounds:
        for fault in one.found["faults"]:
            print(fault)


def main() -> None:
    parser = argparse.ArgumentParser(description="Switching provider configs under load.")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--directory", type=Path, default=Path(".build/bench-swaps"))
    options = parser.parse_args()
    directory = options.directory.resolve()
    (directory / "litellm").mkdir(parents=True, exist_ok=True)
    (directory / "litellm" / "other.yaml").write_text(OTHER, encoding="utf-8")
    aiinfra(directory, "up", "--timeout", "600")
    aiinfra(directory, "use-config", "mock", "--timeout", "600")
    try:
        show([switched(directory, "-" if number % 2 else "other") for number in range(options.rounds)])
    finally:
        aiinfra(directory, "down", "--volumes", "--yes")


if __name__ == "__main__":
    main()
