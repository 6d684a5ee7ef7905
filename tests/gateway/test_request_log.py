"""The request log: a real gateway, two of them at first, and a real PostgreSQL."""

import json
import time
from typing import Any

import pytest

from tests.gateway.stage import Gateway, Stage, Upstream, deployment, docker, eventually, logs

PASSWORD = "log-0123456789"
URL = f"postgresql://postgres:{PASSWORD}@postgres/postgres"
BUFFER_ROWS = 20
# Seconds.
AWAY = 60
CONFIG = {
    "model_list": [
        deployment("good", "good"),
        deployment("bad", "bad"),
        deployment("lonely", "lonely"),
        deployment("claude", "claude", "anthropic/claude-haiku-4-5"),
    ],
    "litellm_settings": {"callbacks": ["request_log.handler"], "num_retries": 0},
    "router_settings": {"num_retries": 0, "disable_cooldowns": True, "fallbacks": [{"bad": ["good"]}]},
    "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
}


class Postgres:
    """A server with an empty database, asked through its own client."""

    def __init__(self, container: str) -> None:
        self.container = container

    def ask(self, query: str) -> Any:  # noqa: ANN401 - JSON
        """Every row of a query, as dictionaries."""
        wrapped = f"SELECT coalesce(json_agg(x), '[]') FROM ({query}) x"  # noqa: S608
        return json.loads(self.run(wrapped))

    def run(self, statement: str) -> str:
        user = ("--user=postgres", f"--env=PGPASSWORD={PASSWORD}")
        return docker("exec", *user, self.container, "psql", "--host=127.0.0.1", "-qtA", "-c", statement)

    def rows(self, where: str = "true") -> list[dict[str, Any]]:
        query = f"SELECT * FROM gateway_requests WHERE {where} ORDER BY began_at"  # noqa: S608
        found: list[dict[str, Any]] = self.ask(query)
        return found


@pytest.fixture(scope="module")
def postgres(stage: Stage) -> Postgres:
    server = Postgres(stage.run("postgres:17", "postgres", f"--env=POSTGRES_PASSWORD={PASSWORD}"))
    eventually(lambda: server.ask("SELECT 1 AS one"), 60)
    return server


@pytest.fixture(scope="module")
def both(stage: Stage, postgres: Postgres, upstreams: Upstream) -> list[Gateway]:
    """Two gateways that start together on an empty database; the first keeps prompts, and few rows."""
    assert postgres
    assert upstreams
    first = {"LITELLM_DATABASE_URL": URL, "REQUEST_LOG_PROMPTS": "true", "REQUEST_LOG_BUFFER": str(BUFFER_ROWS)}
    gateways = [stage.start(CONFIG, first), stage.start(CONFIG, {"LITELLM_DATABASE_URL": URL})]
    for gateway in gateways:
        eventually(gateway.ready)
    return gateways


@pytest.fixture
def gateway(both: list[Gateway], postgres: Postgres) -> Gateway:
    """The second one, which keeps what is kept by default, and an empty table."""
    postgres.run("TRUNCATE gateway_requests")
    return both[1]


def test_two_gateways_that_start_together_make_one_table(both: list[Gateway], postgres: Postgres) -> None:
    for gateway in both:
        assert gateway.chat("good").status_code == 200
    eventually(lambda: len(postgres.rows()) == 2)
    for gateway in both:
        assert "PostgreSQL takes no rows" not in logs(gateway.name)


def test_an_answered_request_becomes_a_row_without_its_words(
    gateway: Gateway, postgres: Postgres, upstream: Upstream
) -> None:
    answer = gateway.chat("good", "a secret matter")
    eventually(lambda: len(postgres.rows()) == 1)
    [row] = postgres.rows()
    assert row["request_id"] == answer.headers["x-litellm-call-id"]
    assert (row["alias"], row["deployment"], row["provider"]) == ("good", "good@good", "openai")
    assert (row["prompt_tokens"], row["completion_tokens"]) == (11, 7)
    assert (row["outcome"], row["status"], row["attempts"], row["error"]) == ("success", 200, 1, None)
    assert row["cost"] > 0
    assert row["duration_ms"] >= 0
    assert "a secret matter" not in json.dumps(row)
    assert len(upstream.received("good")) == 1


def test_streams_embeddings_and_anthropics_own_format_are_rows_too(gateway: Gateway, postgres: Postgres) -> None:
    assert gateway.chat("good", stream=True).text.endswith("data: [DONE]\n\n")
    assert gateway.client.post("/v1/embeddings", json={"model": "good", "input": "x"}).status_code == 200
    body = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    assert gateway.client.post("/v1/messages", json=body).status_code == 200
    eventually(lambda: len(postgres.rows()) == 3)
    rows = postgres.rows()
    assert [(row["alias"], row["streamed"], row["attempts"]) for row in rows] == [
        ("good", True, 1),
        ("good", False, 1),
        ("claude", False, 1),
    ]
    assert all(row["prompt_tokens"] for row in rows)


def test_a_fallback_is_one_row_that_counts_both_attempts(
    gateway: Gateway, postgres: Postgres, upstream: Upstream
) -> None:
    upstream.script("bad", "500")
    assert gateway.chat("bad").status_code == 200
    eventually(lambda: len(postgres.rows()) == 1)
    [row] = postgres.rows()
    assert (row["alias"], row["deployment"], row["attempts"], row["outcome"]) == ("bad", "good@good", 2, "success")


def test_a_request_that_fails_is_a_row_with_the_reason(
    gateway: Gateway, postgres: Postgres, upstream: Upstream
) -> None:
    upstream.script("lonely", "500")
    failed = gateway.chat("lonely", "a secret matter")
    unknown = gateway.chat("nothing like this")
    eventually(lambda: len(postgres.rows()) == 2)
    first, second = postgres.rows()
    assert first["request_id"] == failed.headers["x-litellm-call-id"]
    assert (first["alias"], first["deployment"], first["attempts"]) == ("lonely", "lonely@lonely", 1)
    assert (first["outcome"], first["status"]) == ("failure", failed.status_code)
    assert first["error"] == "InternalServerError"
    assert (second["alias"], second["status"], second["attempts"]) == ("nothing like this", unknown.status_code, 0)
    assert "secret" not in json.dumps([first, second])


def test_words_are_kept_when_asked_for(both: list[Gateway], postgres: Postgres) -> None:
    postgres.run("TRUNCATE gateway_requests")
    assert both[0].chat("good", "in so many\0words").status_code == 200
    eventually(lambda: len(postgres.rows()) == 1)
    [row] = postgres.rows()
    assert "in so many" in row["prompt"]
    assert "has read" in row["answer"]


def test_a_row_that_postgresql_refuses_does_not_hold_up_the_others(gateway: Gateway, postgres: Postgres) -> None:
    postgres.run("ALTER TABLE gateway_requests ADD CONSTRAINT picky CHECK (alias <> 'refused')")
    names = ["good", "refused", *["good"] * 5]
    assert [gateway.chat(name).is_success for name in names] == [name == "good" for name in names]
    eventually(lambda: len(postgres.rows()) == 6)
    eventually(lambda: "PostgreSQL refused the row of request" in logs(gateway.name))
    postgres.run("ALTER TABLE gateway_requests DROP CONSTRAINT picky")


def test_while_postgresql_is_away_for_a_minute_requests_pass_and_what_fits_is_written_later(
    both: list[Gateway], postgres: Postgres
) -> None:
    postgres.run("TRUNCATE gateway_requests")
    few, many = both
    docker("stop", "--time=20", postgres.container)
    gone = time.monotonic()
    for number in range(BUFFER_ROWS + 5):
        assert few.chat("good", f"few {number}").status_code == 200
        assert many.chat("good").status_code == 200
    eventually(lambda: "PostgreSQL takes no rows" in logs(many.name))
    time.sleep(max(AWAY - (time.monotonic() - gone), 0))
    docker("start", postgres.container)
    eventually(lambda: postgres.ask("SELECT 1 AS one"))
    eventually(lambda: len(postgres.rows("prompt IS NULL")) == BUFFER_ROWS + 5)
    eventually(lambda: len(postgres.rows("prompt IS NOT NULL")) == BUFFER_ROWS)
    assert "few 4" not in json.dumps(postgres.rows())
    eventually(lambda: "PostgreSQL is back" in logs(many.name))
    told = [line for line in logs(few.name).splitlines() if "request log: dropped the oldest" in line]
    assert sum(int(line.split("the oldest ")[1].split()[0]) for line in told) == 5
    assert "dropped" not in logs(many.name)
    for gateway in both:
        assert PASSWORD not in logs(gateway.name)


def test_rows_that_wait_are_written_before_the_gateway_stops(both: list[Gateway], postgres: Postgres) -> None:
    postgres.run("TRUNCATE gateway_requests")
    for _ in range(3):
        assert both[1].chat("good").status_code == 200
    docker("stop", "--time=60", both[1].name)
    assert len(postgres.rows()) == 3
    assert "are lost" not in logs(both[1].name)
