"""The wheel, installed into a clean environment, and stacks that remove themselves."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from aiinfra import keys
from tests.conftest import OWN_ENVIRONMENT, REPOSITORY


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(REPOSITORY),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `aiinfra` command of a clean environment that has the wheel and nothing else of ours."""
    environment = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    pip = [str(environment / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    return environment / "bin" / "aiinfra"


@dataclass
class Cli:
    """`aiinfra` as a user types it in one directory, with a stack name of its own."""

    command: Path
    directory: Path
    stack: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its processes."""
        return {**OWN_ENVIRONMENT, "AIINFRA_STACK": self.stack, "NO_COLOR": "1", **self.environment}

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.command), *arguments],
            cwd=self.directory,
            env={**self.variables, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.command), *arguments],
            cwd=self.directory,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def ok(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """Run with `--json`, insist on success, return the data."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["data"]

    def fails(self, *arguments: str, exit_code: int, **environment: str) -> dict[str, Any]:
        """Run with `--json`, insist on this exit code and a tidy answer, return the error."""
        done = self.run(*arguments, "--json", **environment)
        assert done.returncode == exit_code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        error: dict[str, Any] = json.loads(done.stdout)["error"]
        assert error["message"]
        return error

    def settings(self, text: str) -> None:
        (self.directory / "aiinfra.yaml").write_text(text, encoding="utf-8")

    def keys(self) -> dict[str, str]:
        return keys.read(self.directory / f".env.{self.stack}")

    def url(self, service: str) -> str:
        rows = {row["service"]: row for row in self.ok("ps")["containers"]}
        return f"http://127.0.0.1:{rows[service]['ports'][0]}"

    def post(self, path: str, body: object, *, key: str | None = None) -> httpx.Response:
        token = self.keys()["MPC_API_KEY"] if key is None else key
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.post(self.url("mpc-api") + path, json=body, headers=headers, timeout=60)

    def ids(self) -> dict[str, str]:
        return {row["service"]: row["id"] for row in self.ok("ps", "--all")["containers"]}

    def redis(self, *words: str) -> str:
        """Run one Redis command as the services do, with the stack's password."""
        password = "".join(f"\\x{byte:02x}" for byte in self.keys()["REDIS_PASSWORD"].encode())
        text = f'AUTH "{password}"\n{" ".join(words)}\n'
        done = docker("exec", "-i", self.ids()["redis"], "redis-cli", text=text)
        return done.split("\n", 1)[1].strip()

    def remove(self) -> None:
        """Take away everything that carries this stack's label, whatever state it is in."""
        for listing, removal in (
            (["ps", "-aq"], ["rm", "-f", "-v"]),
            (["network", "ls", "-q"], ["network", "rm"]),
            (["volume", "ls", "-q"], ["volume", "rm", "-f"]),
        ):
            ids = docker(*listing, "--filter", f"label=org.aiinfra.stack={self.stack}").split()
            if ids:
                docker(*removal, *ids)


def docker(*arguments: str, text: str = "") -> str:
    return subprocess.run(["docker", *arguments], input=text, check=True, capture_output=True, text=True).stdout


def left_of(stack: str) -> Sequence[str]:
    """Containers, networks and volumes that still carry a stack's name."""
    label = f"label=org.aiinfra.stack={stack}"
    kinds = (
        ["ps", "-a", "--format", "{{.Names}}"],
        ["network", "ls", "--format", "{{.Name}}"],
        ["volume", "ls", "-q"],
    )
    return [name for kind in kinds for name in docker(*kind, "--filter", label).split()]


def new_cli(command: Path, directory: Path) -> Cli:
    return Cli(command, directory, f"e2e-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def cli(command: Path, tmp_path: Path) -> Iterator[Cli]:
    """A stack directory for one test, with nothing running in it yet."""
    one = new_cli(command, tmp_path)
    try:
        yield one
    finally:
        one.remove()


@pytest.fixture(scope="module")
def healthy(command: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """A healthy stack that the tests of one module share; whoever changes it puts it back."""
    one = new_cli(command, tmp_path_factory.mktemp("stack"))
    try:
        # A machine that is slow all the time gets more patience than a user would have.
        done = one.run("up", "--timeout", "600")
        assert done.returncode == 0, done.stdout + done.stderr
        yield one
    finally:
        one.remove()
