"""One process in the edge's container that is talked to again and again."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from aiinfra.engine.conversation import Conversation
from tests.e2e.conftest import Cli, docker

STATE = "show servers state\n"
KILL = 'for one in /proc/[0-9]*; do grep -qz "^while read" $one/cmdline && kill -9 ${one#/proc/}; done; true'
INSIDE = ("127.0.0.1", 9999)


@pytest.fixture(name="talk")
def _talk(healthy: Cli) -> Iterator[Conversation]:
    talk = Conversation(healthy.ids()["edge"])
    yield talk
    talk.close()


def shells(cli: Cli) -> int:
    return docker("top", cli.ids()["edge"], "-eo", "pid,args").count("while read")


def test_one_process_answers_many_questions_and_ends_with_its_input(healthy: Cli, talk: Conversation) -> None:
    before = shells(healthy)
    answers = [talk.ask(*INSIDE, STATE, seconds=10, beyond=10) for _ in range(20)]
    assert all("be_name" in one and "mpc-api-1" in one for one in answers)
    assert shells(healthy) == before + 1
    talk.close()
    until = time.monotonic() + 30
    while shells(healthy) > before:
        assert time.monotonic() < until


def test_threads_take_turns_and_each_gets_its_own_answer(talk: Conversation) -> None:
    def servers(service: str) -> set[str]:
        lines = talk.ask(*INSIDE, f"show servers state {service}\n", seconds=30, beyond=10).splitlines()
        return {line.split()[1] for line in lines if line[:1].isdigit() and " " in line}

    asked = ["litellm", "mpc-api"] * 8
    with ThreadPoolExecutor(len(asked)) as pool:
        assert list(pool.map(servers, asked)) == [{service} for service in asked]


def test_who_does_not_listen_and_who_does_not_answer_is_told_and_the_next_question_is_answered(
    healthy: Cli, talk: Conversation
) -> None:
    with pytest.raises(OSError, match="Connection refused"):
        talk.ask("127.0.0.1", 1, "x\n", seconds=10, beyond=10)
    # HTTP, and nothing was asked.
    with pytest.raises(OSError, match="no answer in time"):
        talk.ask("litellm", 4000, "", seconds=1, beyond=10)
    # A part of an answer is no reason.
    with pytest.raises(OSError, match="no answer in time"):
        talk.ask(*INSIDE, "prompt\nshow info\n", seconds=1, beyond=10)
    assert httpx.get(healthy.url("litellm") + "/health/liveliness").is_success
    assert "be_name" in talk.ask(*INSIDE, STATE, seconds=10, beyond=10)


def test_an_answer_of_any_size_arrives_whole(healthy: Cli, talk: Conversation) -> None:
    ask = "GET /docs/swagger-ui-bundle.js HTTP/1.0\r\nHost: mpc-api\r\nConnection: close\r\n\r\n"
    size = len(httpx.get(healthy.url("mpc-api") + "/docs/swagger-ui-bundle.js").text)
    head, _, body = talk.ask("mpc-api", 3000, ask, seconds=30, beyond=10).partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200")
    assert size == len(body) > 100_000


def test_a_process_that_was_killed_is_replaced_by_another_one(healthy: Cli, talk: Conversation) -> None:
    talk.ask(*INSIDE, STATE, seconds=10, beyond=10)
    docker("exec", healthy.ids()["edge"], "bash", "-c", KILL)
    time.sleep(1)
    assert "be_name" in talk.ask(*INSIDE, STATE, seconds=10, beyond=10)


def test_a_container_that_does_not_run_is_told() -> None:
    talk = Conversation("aiinfra-nothing-of-this-name")
    with pytest.raises(OSError, match="aiinfra-nothing-of-this-name"):
        talk.ask(*INSIDE, STATE, seconds=5, beyond=5)
