"""What the verbs that change a stack do to it, and what they leave alone. One stack; mostly its quickest service."""

import json
import uuid
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Cli, docker

SERVICES = ("redis", "litellm", "mpc-api", "edge")
CHANGED = "services: {mpc-api: {log_level: debug}}\n"


@pytest.fixture(autouse=True)
def _default_settings(healthy: Cli) -> Iterator[None]:
    yield
    (healthy.directory / "aiinfra.yaml").unlink(missing_ok=True)
    healthy.ok("up")


@pytest.fixture(name="alias")
def _alias() -> Iterator[str]:
    """Another name of our base image, so that what is built on it has a tag that nobody else uses."""
    name = f"e2e-base-{uuid.uuid4().hex[:8]}:1"
    docker("tag", "python:3.13-slim-trixie", name)
    yield name
    docker("rmi", name)


def on(base: str) -> str:
    return f'build: {{base_images: {{"python:3.13-slim-trixie": "{base}"}}}}\n'


def actions(data: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {row["service"]: row["action"] for row in data["services"]}


def numbers(cli: Cli, service: str) -> int:
    return len([row for row in cli.ok("ps")["containers"] if row["service"] == service])


def test_a_plan_for_an_empty_directory_creates_everything_and_leaves_the_directory_empty(cli: Cli) -> None:
    done = cli.run("plan", "--json")
    envelope = json.loads(done.stdout)
    assert (done.returncode, envelope["status"], envelope["error"]) == (10, "ok", None)
    assert actions(envelope["data"]) == dict.fromkeys(SERVICES, "create")
    assert len(envelope["data"]["keys"]) == 3
    assert list(cli.directory.iterdir()) == []


def test_a_plan_says_what_up_would_do_and_why_and_touches_nothing(healthy: Cli) -> None:
    assert healthy.ok("plan")["changed"] is False
    before = healthy.ids()
    files = sorted(healthy.directory.rglob("*"))
    healthy.settings(CHANGED)
    done = healthy.run("plan")
    assert done.returncode == 10, done.stdout + done.stderr
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in done.stdout.splitlines()}
    assert rows["mpc-api"] == "recreate its configuration changed"
    assert rows["litellm"] == "unchanged"
    assert healthy.ids() == before
    assert {*files, healthy.directory / "aiinfra.yaml"} == {*healthy.directory.rglob("*")}


def test_up_of_one_service_says_what_it_leaves_and_a_later_up_applies_it(healthy: Cli) -> None:
    healthy.settings(CHANGED)
    before = healthy.ids()
    rows = {row["service"]: row for row in healthy.ok("up", "redis")["services"]}
    assert rows["mpc-api"]["action"] == "unchanged"
    assert "left as it is" in rows["mpc-api"]["reason"]
    assert healthy.ids() == before
    # What it runs with is still there for a restart by the engine.
    docker("restart", "-t", "5", before["mpc-api"])
    rows = {row["service"]: row for row in healthy.ok("up")["services"]}
    assert (rows["mpc-api"]["action"], rows["mpc-api"]["reason"]) == ("recreate", "its configuration changed")


def test_up_detached_does_not_wait_and_the_next_up_does(healthy: Cli) -> None:
    healthy.settings(CHANGED)
    assert healthy.ok("up", "--detach")["waited"] is False
    assert healthy.ok("up")["waited"] is True
    assert healthy.ok("health")["status"] == "healthy"


def test_scaling_for_this_once_adds_replicas_and_the_next_up_takes_them_away(healthy: Cli) -> None:
    before = healthy.ids()["mpc-api"]
    assert actions(healthy.ok("up", "--scale", "mpc-api=2"))["mpc-api"] == "scale"
    assert numbers(healthy, "mpc-api") == 2
    assert docker("ps", "-q", "--filter", f"id={before}"), "the first replica was replaced"
    assert healthy.run("plan").returncode == 10
    assert actions(healthy.ok("up"))["mpc-api"] == "scale"
    assert numbers(healthy, "mpc-api") == 1


def test_replicas_of_the_settings_stay(healthy: Cli) -> None:
    healthy.settings("services: {mpc-api: {replicas: 2}}\n")
    healthy.ok("up")
    assert numbers(healthy, "mpc-api") == 2
    assert healthy.ok("up")["changed"] is False


@pytest.mark.parametrize("value", ["mpc-api=0", "redis=2", "mpc-api", "litellm=x"])
def test_a_scale_that_cannot_be_is_wrong_usage(healthy: Cli, value: str) -> None:
    assert healthy.fails("up", "--scale", value, exit_code=2)["code"] == "USAGE"


def test_restart_replaces_in_order_of_dependency_with_current_settings_and_keeps_data(healthy: Cli) -> None:
    healthy.redis("SET", "kept", "yes")
    healthy.settings(CHANGED)
    before = healthy.ids()
    done = healthy.run("restart", "mpc-api", "redis")
    assert done.returncode == 0, done.stdout + done.stderr
    after = healthy.ids()
    assert [name for name in SERVICES if before[name] != after[name]] == ["redis", "mpc-api"]
    assert done.stderr.index("redis: healthy") < done.stderr.index("mpc-api: ")
    assert healthy.redis("GET", "kept") == "yes"
    assert healthy.ok("plan")["changed"] is False


def test_a_build_that_fails_shows_its_step_and_leaves_what_runs_untouched(healthy: Cli) -> None:
    healthy.settings(on("redis:8.0"))
    before = healthy.ids()
    error = healthy.fails("rebuild", "mpc-api", exit_code=1)
    assert error["code"] == "BUILD_FAILED"
    assert "not found" in error["message"]
    assert healthy.ids() == before
    assert healthy.ok("health")["status"] == "healthy"


def test_rebuild_shows_its_steps_replaces_what_runs_the_image_and_nothing_else(healthy: Cli, alias: str) -> None:
    healthy.settings(on(alias))
    before = healthy.ids()
    done = healthy.run("rebuild", "mpc-api")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[build 1/" in done.stderr
    after = healthy.ids()
    assert [name for name in SERVICES if before[name] != after[name]] == ["mpc-api"]
    built = {row["service"]: row["image"] for row in healthy.ok("ps")["containers"]}["mpc-api"]
    (healthy.directory / "aiinfra.yaml").unlink()
    healthy.ok("up")
    docker("rmi", built)


def test_an_image_that_was_deleted_by_hand_is_named_while_its_container_serves_on_and_is_built_again(
    healthy: Cli, alias: str
) -> None:
    healthy.settings(on(alias))
    healthy.ok("rebuild", "mpc-api")
    before = healthy.ids()
    built = {row["service"]: row["image"] for row in healthy.ok("ps")["containers"]}["mpc-api"]
    docker("rmi", "--force", built)
    assert healthy.ok("health", "--wait")["status"] == "healthy"
    plan = json.loads(healthy.run("plan", "mpc-api", "--json").stdout)["data"]
    rows = {row["service"]: (row["action"], row["reason"]) for row in plan["services"]}
    assert (rows["mpc-api"], plan["builds"]) == (("recreate", "its image is gone"), [built])
    error = healthy.fails("up", "mpc-api", "--no-build", exit_code=1)
    assert (error["code"], error["details"]["images"], healthy.ids()) == ("IMAGE_MISSING", [built], before)
    assert healthy.ok("up", "mpc-api")["images_built"] == [built]
    assert healthy.ok("health", "--wait")["status"] == "healthy"
    (healthy.directory / "aiinfra.yaml").unlink()
    healthy.ok("up")
    docker("rmi", built)


def test_rebuild_of_a_base_image_is_wrong_usage_and_says_what_to_do(healthy: Cli) -> None:
    assert "up --pull" in healthy.fails("rebuild", "redis", exit_code=2)["hint"]


def test_up_without_builds_names_the_image_that_is_missing(healthy: Cli, alias: str) -> None:
    healthy.settings(on(alias))
    before = healthy.ids()
    error = healthy.fails("up", "--no-build", exit_code=1)
    assert (error["code"], len(error["details"]["images"])) == ("IMAGE_MISSING", 2)
    assert healthy.ids() == before


def test_a_pull_that_fails_leaves_what_runs_and_says_how_to_go_on_without(healthy: Cli) -> None:
    name = f"registry.invalid/redis:{uuid.uuid4().hex[:8]}"
    docker("tag", "redis:8.0", name)
    try:
        healthy.settings(f'build: {{base_images: {{"redis:8.0": "{name}"}}}}\n')
        before = healthy.ids()
        error = healthy.fails("up", "--pull", exit_code=1)
        assert (error["code"], "leave out --pull" in error["hint"]) == ("BASE_IMAGE_MISSING", True)
        assert healthy.ids() == before
    finally:
        docker("rmi", name)


def log_level(cli: Cli) -> str:
    line = "{{range .Config.Env}}{{println .}}{{end}}"
    found = docker("inspect", "--format", line, cli.ids()["mpc-api"]).splitlines()
    return next(one for one in found if one.startswith("LOG_LEVEL="))


def test_rollback_goes_back_to_the_last_healthy_state_as_a_change_and_plan_tells_what_up_would_do(
    healthy: Cli,
) -> None:
    before = healthy.ids()
    healthy.settings(CHANGED)
    healthy.ok("up")
    assert log_level(healthy) == "LOG_LEVEL=debug"
    result = healthy.ok("rollback")
    assert actions(result) == {"redis": "unchanged", "litellm": "unchanged", "mpc-api": "recreate", "edge": "unchanged"}
    assert log_level(healthy) == "LOG_LEVEL=info"
    assert {name: one for name, one in healthy.ids().items() if name != "mpc-api"} == {
        name: one for name, one in before.items() if name != "mpc-api"
    }
    newest = healthy.ok("history")["generations"][0]
    assert (newest["verb"], newest["healthy"], newest["current"]) == ("rollback", True, True)
    assert healthy.run("plan").returncode == 10


def test_keys_are_never_rolled_back(healthy: Cli) -> None:
    healthy.settings(CHANGED)
    healthy.ok("up")
    before = healthy.ids()
    keys_file = healthy.directory / f".env.{healthy.stack}"
    good = keys_file.read_text()
    try:
        keys_file.write_text(good.replace("MPC_API_KEY=", "MPC_API_KEY=another-"))
        error = healthy.fails("rollback", exit_code=1)
    finally:
        keys_file.write_text(good)
    assert error["code"] == "ROLLBACK_REFUSED"
    assert "MPC_API_KEY" in error["message"]
    assert healthy.ids() == before


def test_a_generation_that_is_not_kept_is_refused_with_where_to_look(healthy: Cli) -> None:
    error = healthy.fails("rollback", "999", exit_code=1)
    assert (error["code"], "aiinfra history" in error["hint"]) == ("ROLLBACK_REFUSED", True)


def test_a_generation_whose_image_is_gone_is_refused_with_the_service(healthy: Cli) -> None:
    current = next(row for row in healthy.ok("history")["generations"] if row["current"])
    kept = healthy.directory / ".aiinfra" / healthy.stack / "generations" / f"{current['number']}.json"
    good = kept.read_text()
    data = json.loads(good)
    data["image_ids"]["mpc-api"] = "sha256:" + "0" * 64
    try:
        kept.write_text(json.dumps(data))
        error = healthy.fails("rollback", str(current["number"]), exit_code=1)
    finally:
        kept.write_text(good)
    assert (error["code"], "the image of mpc-api is gone" in error["message"]) == ("ROLLBACK_REFUSED", True)


def image_of(name: str) -> str:
    return docker("image", "inspect", "--format", "{{.Id}}", name).strip()


@pytest.fixture(name="tag")
def _tag() -> Iterator[str]:
    """A name for images of ours that nobody else uses."""
    name = f"e2e-tag-{uuid.uuid4().hex[:8]}"
    yield f"{name}:1"
    docker("rmi", *docker("images", "--format", "{{.Repository}}:{{.Tag}}", name).split())


def keep(cli: Cli, number: int, tag: str, image: str) -> None:
    """Let the current state be kept as another one too, in which MPC-API runs `image` under the name `tag`."""
    folder = cli.directory / ".aiinfra" / cli.stack / "generations"
    current = next(row["number"] for row in cli.ok("history")["generations"] if row["current"])
    data = json.loads((folder / f"{current}.json").read_text())
    compose = data["compose"].replace(data["images"]["mpc-api"], tag)
    images, ids = {**data["images"], "mpc-api": tag}, {**data["image_ids"], "mpc-api": image}
    made = {**data, "number": number, "compose": compose, "images": images, "image_ids": ids}
    (folder / f"{number}.json").write_text(json.dumps(made))


def test_a_rollback_that_fails_gives_names_their_meaning_back_and_one_to_what_runs_sets_them_right(
    healthy: Cli, tag: str
) -> None:
    before, other = healthy.ids(), image_of("haproxy:3.0")
    running = docker("inspect", "--format", "{{.Image}}", before["mpc-api"]).strip()
    docker("tag", running, tag)
    keep(healthy, 90, tag, other)
    assert healthy.fails("rollback", "90", exit_code=1)["code"] == "NOT_READY"
    assert (image_of(tag), healthy.ids()) == (running, before)
    docker("tag", other, tag)
    keep(healthy, 95, tag, running)
    assert set(actions(healthy.ok("rollback", "95")).values()) == {"unchanged"}
    assert (image_of(tag), healthy.ids()) == (running, before)
