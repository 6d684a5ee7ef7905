"""The machine's clock is set while the service runs."""

import json
import subprocess
from pathlib import Path

from tests.redis_server import RedisServer
from tests.service import running
from tests.upstream import Upstream

KEYS = json.dumps([{"name": "pair", "variable": "PAIR_KEY", "requests_per_minute": 2}])
ONCE = {"topic": "asked once"}


class Clock:
    """A wall clock of its own for processes with `variables`."""

    def __init__(self, folder: Path) -> None:
        self._file, library = folder / "off", folder / "clock.so"
        self.jump(0)
        source = Path(__file__).parent / "jumping_clock.c"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
        self.variables = {"LD_PRELOAD": str(library), "JUMPING_CLOCK": str(self._file)}

    def jump(self, minutes: int) -> None:
        """Set it so many minutes off, for what runs too."""
        new = self._file.with_suffix(".new")
        new.write_text(str(minutes * 60), encoding="ascii")
        new.replace(self._file)


def test_a_clock_that_is_set_begins_a_new_minute_of_limits_keeps_the_cache_and_stops_nothing(
    tmp_path: Path, shared_upstream: Upstream, redis: RedisServer
) -> None:
    clock, headers = Clock(tmp_path), {"Authorization": "Bearer sk-pair"}
    more = {"MPC_KEYS": KEYS, "PAIR_KEY": "sk-pair", "LITELLM_URL": shared_upstream.url}
    with running(**clock.variables, **redis.variables, **more) as service:
        for minutes in (0, 60, -24 * 60):
            clock.jump(minutes)
            answers = [service.post("/generate/script", ONCE, headers=headers) for _ in range(5)]
            statuses = [one.status_code for one in answers]
            # Two of each minute; the five may lie in two of them.
            assert (statuses[:2], 429 in statuses) == ([200, 200], True)
            assert answers[1].json()["data"]["usage"]["cached"] is True
            assert service.client.get("/health").json()["status"] == "healthy"
