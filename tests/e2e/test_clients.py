"""The providers' own client libraries, unmodified, against the gateway of a stack on its published port."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import anthropic
import openai
import pytest

from tests.conftest import REPOSITORY
from tests.e2e.conftest import Cli, docker, new_cli
from tests.gateway.bundled import MODELS, VARIABLES
from tests.gateway.stage import Stage

NODE_CLIENT = REPOSITORY / "tests" / "e2e" / "node_client"
MODEL = MODELS.openai.small
CLAUDE = MODELS.anthropic.small
HELLO = "has read: hello, naïve ☂"


@pytest.fixture(scope="module")
def served(command: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """A stack with `multi-provider`, whose providers are the ones of tests/upstreams."""
    folder = tmp_path_factory.mktemp("stack")
    cli = new_cli(command, folder)
    try:
        cli.ok("init")
        cli.settings("provider_config: multi-provider\n")
        more = (name for name in VARIABLES if name.startswith(("OPENAI", "ANTHROPIC")))
        with (folder / f".env.{cli.stack}").open("a", encoding="utf-8") as keys:
            keys.writelines(f"{name}={VARIABLES[name]}\n" for name in more)
        cli.ok("up")
        image = docker("inspect", "--format={{.Config.Image}}", cli.ids()["litellm"]).strip()
        with Stage(tmp_path_factory.mktemp("upstreams"), image) as stage:
            stage.upstream()
            docker("network", "connect", "--alias=upstream", f"{cli.stack}-backend", stage.containers[0])
            yield cli
    finally:
        cli.remove()


def test_the_openai_client_for_python(served: Cli) -> None:
    key = served.keys()["LITELLM_MASTER_KEY"]
    with openai.OpenAI(base_url=f"{served.url('litellm')}/v1", api_key=key, max_retries=0) as client:
        assert MODEL in {model.id for model in client.models.list()}
        answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "hello"}])
        assert answer.choices[0].message.content == f"{MODEL} {HELLO}"
        stream = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "hello"}], stream=True
        )
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == f"{MODEL} {HELLO}"
        vector = client.embeddings.create(model="embedding", input="hello").data[0].embedding
        assert vector == [0.5, -0.25, 5 / 128]
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "hello"}])


def test_the_anthropic_client_for_python(served: Cli) -> None:
    key = served.keys()["LITELLM_MASTER_KEY"]
    with anthropic.Anthropic(base_url=served.url("litellm"), api_key=key, max_retries=0) as client:
        answer = client.messages.create(
            model=CLAUDE, max_tokens=99, messages=[{"role": "user", "content": "hello"}]
        ).content[0]
        assert answer.type == "text"
        assert answer.text == f"{CLAUDE} {HELLO}"
        with client.messages.stream(
            model=CLAUDE, max_tokens=99, messages=[{"role": "user", "content": "hello"}]
        ) as stream:
            assert "".join(stream.text_stream) == f"{CLAUDE} {HELLO}"


def test_the_openai_client_for_node(served: Cli, tmp_path: Path) -> None:
    shutil.copytree(NODE_CLIENT, tmp_path / "client")
    folder = tmp_path / "client"
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    subprocess.run(["npm", "ci", *quiet], cwd=folder, check=True, capture_output=True)
    environment = {
        **os.environ,
        "OPENAI_BASE_URL": f"{served.url('litellm')}/v1",
        "OPENAI_API_KEY": served.keys()["LITELLM_MASTER_KEY"],
    }
    command = ["node", "ask.mjs", MODEL]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["said"], told["streamed"], told["total"]) == (f"{MODEL} {HELLO}", f"{MODEL} {HELLO}", 18)
    assert MODEL in told["models"]
    assert told["refused"] == 400
