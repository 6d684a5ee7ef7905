"""What a user sees, and what is lost, when the engine restarts or hangs; on an engine of its own."""

from tests.e2e.apart import apart, begin, engine
from tests.e2e.conftest import Cli
from tests.private_engine import PrivateEngine, until

__all__ = ["apart", "engine"]


def redis(cli: Cli, engine: PrivateEngine, *words: str) -> str:
    text = f"AUTH {cli.keys()['REDIS_PASSWORD']}\n{' '.join(words)}\n"
    answer = engine.docker("exec", "-i", f"{cli.stack}-redis-1", "redis-cli", text=text, check=False)
    return answer.partition("\n")[2].strip()


def states(engine: PrivateEngine, cli: Cli) -> dict[str, str]:
    listing = ("ps", "-a", "--filter", f"label=org.aiinfra.stack={cli.stack}", "--format", "{{.Names}} {{.State}}")
    return dict(line.split() for line in engine.docker(*listing).splitlines())


def test_after_a_restart_of_the_engine_everything_runs_again_by_itself_with_its_data(
    apart: Cli, engine: PrivateEngine
) -> None:
    begin(apart)
    redis(apart, engine, "SET", "kept", "yes")
    until(lambda: "1" in redis(apart, engine, "WAITAOF", "1", "0", "0"), "the write is on disk")
    engine.restart()
    until(lambda: set(states(engine, apart).values()) == {"running"}, "all containers run again")
    until(lambda: redis(apart, engine, "GET", "kept") == "yes", "redis has its data")


def test_an_engine_that_hangs_is_told_by_every_verb_in_seconds(apart: Cli, engine: PrivateEngine) -> None:
    begin(apart)
    with engine.frozen():
        for verb in (["ps"], ["up"], ["down"], ["ls"], ["prune", "--yes"], ["backup"]):
            error = apart.fails(*verb, exit_code=4)
            assert (error["code"], "did not answer within" in error["message"]) == ("DOCKER_STOPPED", True)
        done = apart.run("doctor")
        assert (done.returncode, "did not answer within" in done.stdout) == (1, True)
    apart.ok("down", "--timeout", "0")
