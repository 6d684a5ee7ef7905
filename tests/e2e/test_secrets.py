"""New keys while clients work: nobody is locked out before the old ones are retired."""

import threading
from typing import Self

import httpx
import pytest

from tests.e2e.conftest import Cli, docker


class Client:
    """A program that goes on with the keys it was given once, and counts what it is refused."""

    def __init__(self, cli: Cli) -> None:
        keys = cli.keys()
        self._calls = (
            ("GET", cli.url("litellm") + "/v1/models", keys["LITELLM_MASTER_KEY"]),
            ("POST", cli.url("mpc-api") + "/generate/script", keys["MPC_API_KEY"]),
        )
        self.answers: list[int] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        with httpx.Client(timeout=60) as client:
            while not self._end.wait(0.05):
                for method, url, key in self._calls:
                    headers = {"Authorization": f"Bearer {key}"}
                    self.answers.append(client.request(method, url, headers=headers, json={}).status_code)


@pytest.fixture(name="rotated", scope="module")
def _rotated(healthy: Cli) -> tuple[Cli, dict[str, str], list[int]]:
    """The stack after a rotation of all keys under load, the keys before it, and what the client was answered."""
    old = healthy.keys()
    healthy.redis("SET", "kept", "through-it-all")
    with Client(healthy) as client:
        healthy.ok("secrets", "rotate", "--timeout", "300")
    return healthy, old, client.answers


def test_a_client_with_the_old_keys_loses_no_request_while_they_are_rotated(
    rotated: tuple[Cli, dict[str, str], list[int]],
) -> None:
    _, _, answers = rotated
    assert len(answers) > 20
    # 422 is MPC-API's answer to an accepted key and a request without a topic.
    assert set(answers) == {200, 422}


def accepted(cli: Cli, keys: dict[str, str]) -> tuple[bool, bool, bool]:
    gateway = {"Authorization": f"Bearer {keys['LITELLM_MASTER_KEY']}"}
    redis = docker("exec", "-i", cli.ids()["redis"], "redis-cli", text=f"AUTH {keys['REDIS_PASSWORD']}\n")
    return (
        httpx.get(cli.url("litellm") + "/v1/models", headers=gateway).status_code == 200,
        cli.post("/generate/script", {}, key=keys["MPC_API_KEY"]).status_code == 422,
        redis.startswith("OK"),
    )


def test_old_and_new_keys_are_accepted_until_the_old_ones_are_retired(
    rotated: tuple[Cli, dict[str, str], list[int]],
) -> None:
    cli, old, _ = rotated
    new = cli.keys()
    names = ("LITELLM_MASTER_KEY", "MPC_API_KEY", "REDIS_PASSWORD")
    assert not {old[name] for name in names} & {new[name] for name in names}
    assert accepted(cli, old) == accepted(cli, new) == (True, True, True)
    assert {row["state"] for row in cli.ok("secrets", "list")["keys"]} == {"exchanging"}
    assert cli.fails("secrets", "rotate", exit_code=1)["code"] == "EXCHANGE_OPEN"

    assert cli.fails("secrets", "retire", exit_code=5)["code"] == "CONFIRMATION_NEEDED"
    assert set(cli.ok("secrets", "retire", "--yes")["retired"]) == set(names)
    assert accepted(cli, old) == (False, False, False)
    assert accepted(cli, new) == (True, True, True)
    assert cli.redis("GET", "kept") == "through-it-all"
    assert cli.ok("generate", "script", "New keys")["title"]
    assert cli.ok("secrets", "retire", "--yes")["retired"] == []
