"""From an empty directory to a healthy stack, and to nothing left of it."""

import stat

from tests.e2e.conftest import Cli, docker, left_of


def test_an_empty_directory_becomes_a_healthy_stack_that_generates_and_then_nothing(cli: Cli) -> None:
    done = cli.run("up")
    assert done.returncode == 0, done.stdout + done.stderr
    keys_file = cli.directory / f".env.{cli.stack}"
    assert stat.S_IMODE(keys_file.stat().st_mode) == 0o600
    assert f"{keys_file.name}: strong keys generated" in done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [
        [name, "created"] for name in ("redis", "litellm", "mpc-api", "edge")
    ]

    script = cli.ok("generate", "script", "Volcanoes", "--duration", "30")
    assert "volcano" in script["title"].lower() + script["hook"].lower()
    assert sum(section["seconds"] for section in script["sections"]) == 30
    thumbnail = cli.ok("generate", "thumbnail-prompt", "Volcanoes explained")
    assert "volcano" in thumbnail["prompt"].lower()
    metadata = cli.ok("generate", "metadata", "Volcanoes")
    assert any("volcano" in tag.lower() for tag in metadata["tags"])

    assert cli.redis("SET", "kept", "yes") == "OK"
    cli.ok("down")
    assert left_of(cli.stack) == [f"{cli.stack}-redis-data"]
    cli.ok("up")
    assert cli.redis("GET", "kept") == "yes"

    assert cli.fails("down", "--volumes", exit_code=5)["code"] == "CONFIRMATION_NEEDED"
    assert cli.run("health").returncode == 0
    cli.ok("down", "--volumes", "--yes")
    assert left_of(cli.stack) == []
    assert cli.ok("down")["removed"] == []


def test_a_second_stack_in_the_same_directory_has_its_own_ports_keys_and_data(cli: Cli, healthy: Cli) -> None:
    other = Cli(healthy.command, healthy.directory, cli.stack)
    other.ok("up")
    assert set(other.keys().values()).isdisjoint(healthy.keys().values())
    assert {other.url("litellm"), other.url("mpc-api")}.isdisjoint({healthy.url("litellm"), healthy.url("mpc-api")})
    other.redis("SET", "mine", "1")
    assert healthy.redis("GET", "mine") == ""
    other.ok("down", "--volumes", "--yes")
    assert healthy.run("health").returncode == 0
    assert len(docker("ps", "-q", "--filter", f"label=com.docker.compose.project={healthy.stack}").split()) == 4
