"""What holds while a stack is healthy."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from aiinfra import edge_config
from tests.e2e.conftest import Cli, docker

SERVICES = ("redis", "litellm", "mpc-api", "edge")


@pytest.fixture(name="default_settings")
def _default_settings(healthy: Cli) -> Iterator[None]:
    yield
    (healthy.directory / "aiinfra.yaml").unlink(missing_ok=True)
    healthy.ok("up")


def inspected(cli: Cli) -> str:
    return docker("inspect", *cli.ids().values())


def test_up_on_a_healthy_stack_changes_and_restarts_nothing(healthy: Cli) -> None:
    before = inspected(healthy)
    result = healthy.ok("up")
    assert (result["changed"], result["images_built"], result["keys_generated"]) == (False, [], [])
    assert {row["action"] for row in result["services"]} == {"unchanged"}
    started = [(one["Id"], one["State"]["StartedAt"]) for one in json.loads(before)]
    assert started == [(one["Id"], one["State"]["StartedAt"]) for one in json.loads(inspected(healthy))]


def test_every_service_is_healthy_for_health_and_for_docker(healthy: Cli) -> None:
    result = healthy.ok("health")
    assert result["status"] == "healthy"
    assert [row["service"] for row in result["services"]] == list(SERVICES)
    assert all(row["milliseconds"] > 0 for row in result["services"])
    assert {row["health"] for row in healthy.ok("ps")["containers"]} == {"healthy"}


def test_health_of_one_service_asks_that_one_only(healthy: Cli) -> None:
    assert [row["service"] for row in healthy.ok("health", "redis")["services"]] == ["redis"]


@pytest.mark.usefixtures("default_settings")
def test_a_setting_changes_the_services_it_concerns_and_no_others(healthy: Cli) -> None:
    before = healthy.ids()
    healthy.settings("services: {mpc-api: {log_level: debug}}\n")
    actions = {row["service"]: row["action"] for row in healthy.ok("up")["services"]}
    assert actions == {"redis": "unchanged", "litellm": "unchanged", "mpc-api": "recreate", "edge": "unchanged"}
    after = healthy.ids()
    assert [name for name in SERVICES if before[name] != after[name]] == ["mpc-api"]


def test_compose_variables_of_the_user_never_reach_the_engine(healthy: Cli) -> None:
    before = healthy.ids()
    done = healthy.run("up", COMPOSE_PROJECT_NAME="hijacked", COMPOSE_FILE="/nonexistent", COMPOSE_REMOVE_ORPHANS="1")
    assert done.returncode == 0, done.stderr
    assert healthy.ids() == before
    assert docker("ps", "-aq", "--filter", "label=com.docker.compose.project=hijacked") == ""


def test_logs_show_each_line_with_its_service_and_as_json_one_object_a_line(healthy: Cli) -> None:
    shown = healthy.run("logs", "mpc-api", "--tail", "3")
    assert shown.returncode == 0
    # With its number, when it is not the first of its service.
    assert {line.split()[0].rstrip("-0123456789") for line in shown.stdout.splitlines()} == {"mpc-api"}
    done = healthy.run("logs", "--tail", "2", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, bool(lines)) == (0, True)
    assert {line["service"] for line in lines} <= set(SERVICES)
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)


def test_following_logs_shows_what_comes_and_ends_with_0_on_ctrl_c(healthy: Cli) -> None:
    process = healthy.start("logs", "mpc-api", "--follow", "--tail", "0")
    try:
        assert process.stdout is not None
        # The follower attaches at its own time: requests go on until the first line came.
        seen = threading.Event()
        url = healthy.url("mpc-api") + "/generate/nothing-here"
        requests = threading.Thread(target=lambda: [httpx.get(url) for _ in range(100) if not seen.wait(0.2)])
        requests.start()
        assert next(line for line in process.stdout if "/generate/nothing-here" in line)
        seen.set()
        requests.join()
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_gateway_wants_its_key(healthy: Cli) -> None:
    url = healthy.url("litellm") + "/v1/models"
    good = {"Authorization": f"Bearer {healthy.keys()['LITELLM_MASTER_KEY']}"}
    answers = {model["id"] for model in httpx.get(url, headers=good).json()["data"]}
    assert {"default", "mpc-script", "mpc-thumbnail", "mpc-metadata", "mock/garbage"} <= answers
    assert httpx.get(url).status_code == 401
    assert httpx.get(url, headers={"Authorization": "Bearer sk-wrong"}).is_client_error


@pytest.mark.parametrize("key", ["", "wrong"])
def test_the_content_api_wants_its_key_and_says_so_in_its_own_format(healthy: Cli, key: str) -> None:
    response = healthy.post("/generate/script", {"topic": "x"}, key=key)
    assert response.status_code == 401
    error = response.json()["error"]
    assert (error["code"], error["statusCode"]) == ("UNAUTHORIZED", 401)


def test_generate_shows_what_the_api_refused_with_the_field_at_fault(healthy: Cli) -> None:
    error = healthy.fails("generate", "script", "x", "--duration", "-5", exit_code=1)
    assert error["code"] == "REQUEST_FAILED"
    assert "422 VALIDATION_ERROR" in error["message"]
    assert "\nduration: " in error["message"]


def test_the_edge_answers_in_the_api_format_when_no_api_is_behind_it(healthy: Cli) -> None:
    url, ids = healthy.url("mpc-api"), healthy.ids()
    docker("stop", "-t", "1", ids["mpc-api"])
    try:
        response = httpx.get(f"{url}/health", timeout=20)
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
        error = healthy.fails("health", exit_code=1)
        assert (error["code"], error["details"]["services"]) == ("UNHEALTHY", ["mpc-api"])
    finally:
        actions = {row["service"]: row["action"] for row in healthy.ok("up")["services"]}
    assert actions["mpc-api"] == "start"
    assert healthy.ids() == ids


def test_a_request_waits_a_moment_where_nothing_can_take_it(healthy: Cli) -> None:
    """Who asks for the state of the service gets it at once."""
    url, edge = healthy.url("mpc-api"), healthy.ids()["edge"]
    places = edge_config.attached_in(docker("exec", edge, "cat", "/etc/aiinfra-edge/haproxy.cfg"))["mpc-api"]
    server = next(f"mpc-api/mpc-api-{number}" for number, place in enumerate(places, 1) if place.name)
    # Out of service for two seconds, by the edge's own clock.
    tell = 'tell() { exec 3<>/dev/tcp/127.0.0.1/9999; echo "set server $0 state $1" >&3; }'
    away = subprocess.Popen(["docker", "exec", edge, "bash", "-c", f"{tell}; tell maint; sleep 2; tell ready", server])

    def asked(path: str) -> set[int]:
        found = set()
        while away.poll() is None:
            found.add(httpx.get(url + path, timeout=60).status_code)
        return found

    with ThreadPoolExecutor() as pool:
        states, answers = pool.map(asked, ("/health", "/health/live"))
    assert away.returncode == 0
    assert answers == {200}
    assert 503 in states


def test_another_container_on_the_network_reaches_both_services_by_name(healthy: Cli) -> None:
    image = {row["service"]: row["image"] for row in healthy.ok("ps")["containers"]}["mpc-api"]
    code = (
        "import urllib.request as r; "
        "print(r.urlopen('http://litellm:4000/health/liveliness').status, "
        "r.urlopen('http://mpc-api:3000/health').status)"
    )
    network = f"{healthy.stack}-network"
    guest = docker("run", "--rm", "--network", network, "--entrypoint", "python", image, "-c", code)
    assert guest.split() == ["200", "200"]


def test_redis_cannot_reach_out_and_nothing_reaches_it_from_the_host(healthy: Cli) -> None:
    redis = json.loads(docker("inspect", healthy.ids()["redis"]))[0]
    assert redis["NetworkSettings"]["Ports"] in ({}, {"6379/tcp": None})
    networks = list(redis["NetworkSettings"]["Networks"])
    assert networks == [f"{healthy.stack}-data"]
    assert json.loads(docker("network", "inspect", networks[0]))[0]["Internal"] is True
    assert "NOAUTH" in docker("exec", healthy.ids()["redis"], "redis-cli", "GET", "x")


@pytest.mark.parametrize("service", SERVICES)
def test_every_container_is_hardened(healthy: Cli, service: str) -> None:
    one = json.loads(docker("inspect", healthy.ids()[service]))[0]
    host = one["HostConfig"]
    assert one["Config"]["User"].split(":")[0] not in ("", "0", "root")
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"]["Config"]["max-size"] == "10m"
    bindings = [binding for ports in (host["PortBindings"] or {}).values() for binding in ports]
    assert {binding["HostIp"] for binding in bindings} <= {"127.0.0.1"}


def test_no_secret_is_in_docker_inspect_the_compose_file_a_process_list_or_a_log(healthy: Cli) -> None:
    healthy.ok("generate", "script", "Secrets")
    secrets = healthy.keys().values()
    rendered = (healthy.directory / ".aiinfra" / healthy.stack / "compose.yaml").read_text(encoding="utf-8")
    processes = "".join(docker("top", container) for container in healthy.ids().values())
    places = {
        "inspect": inspected(healthy),
        "compose.yaml": rendered,
        "process list": processes,
        "logs": healthy.run("logs", "--tail", "all").stdout,
        "history": "".join(docker("history", "--no-trunc", row["image"]) for row in healthy.ok("ps")["containers"]),
    }
    assert [name for name, text in places.items() for secret in secrets if secret in text] == []
