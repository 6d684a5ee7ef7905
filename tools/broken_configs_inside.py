"""Runs inside the gateway's image: what LiteLLM alone makes of each broken config. See broken_configs.py.

Standard input is {NAME: {"text": CONFIG, "environment": {...}}}, standard output {NAME: WORDS}. LiteLLM is imported
once; each config is looked at in a process of its own, forked from that.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from litellm.proxy.proxy_server import ProxyConfig

CONFIG = Path("/tmp/config.yaml")  # noqa: S108 - a container of its own
REQUEST = {"messages": [{"role": "user", "content": "hello"}], "num_retries": 0, "timeout": 5}
SECONDS = 600.0
SHOWN = 170
# Without a network this is as far as a good config comes.
OFFLINE = ("APIConnectionError", "Connection error", "Cannot connect", "Timeout")


def words(case: dict[str, Any]) -> str:
    os.environ.update(case["environment"])
    CONFIG.write_text(case["text"], encoding="utf-8")
    try:
        return asyncio.run(asyncio.wait_for(_words(), SECONDS))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it says is the answer
        return f"does not start: {_short(error)}"


async def _words() -> str:
    router, _, _ = await ProxyConfig().load_config(router=None, config_file_path=str(CONFIG))
    if router is None:
        return "starts without any model"
    names = [one["model_name"] for one in router.model_list]
    if not names:
        return "starts without any model, and says nothing"
    try:
        await router.acompletion(model=names[0], **REQUEST)
    except Exception as error:  # noqa: BLE001 - whatever it says is the answer
        text = _short(error)
        if not any(word in text for word in OFFLINE):
            return f"starts; the first request fails: {text}"
    return "starts, and says nothing"


def _short(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}".split("Received Model Group")[0]
    return " ".join(text.split())[:SHOWN]


def in_a_process_of_its_own(case: dict[str, Any]) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        os.write(writer, words(case).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said or "does not start, and says nothing"


def main() -> None:
    cases: dict[str, dict[str, Any]] = json.load(sys.stdin)
    found = {name: in_a_process_of_its_own(case) for name, case in cases.items()}
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
