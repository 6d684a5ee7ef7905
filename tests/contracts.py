"""Every command of the application with how it is made to succeed and to fail; a new one needs a row here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`succeeds` are the arguments on a healthy stack, in an order in which they can be run one after another.

    `fails` are those in an empty directory on a machine without Docker, and `code` what the error is then.
    `streams` names the schema of each line where a success prints lines in place of an envelope.
    """

    succeeds: Sequence[str]
    fails: Sequence[str]
    code: str
    streams: str = ""


COMMANDS: Mapping[str, Row] = {
    "init": Row(["init"], ["init", "-s", "No Name"], "USAGE"),
    "up": Row(["up"], ["up"], "DOCKER_MISSING"),
    "plan": Row(["plan"], ["plan"], "DOCKER_MISSING"),
    "restart": Row(["restart", "mpc-api"], ["restart"], "DOCKER_MISSING"),
    "rebuild": Row(["rebuild", "mpc-api"], ["rebuild"], "DOCKER_MISSING"),
    "use-config": Row(["use-config", "mock"], ["use-config", "nothing"], "PROVIDER_CONFIG_INVALID"),
    "models": Row(["models"], ["models"], "NOT_RUNNING"),
    "chat": Row(["chat", "hello"], ["chat", "hello"], "NOT_RUNNING"),
    "config list": Row(["config", "list"], ["config", "list", "--nonsense"], "USAGE"),
    "config show": Row(["config", "show"], ["config", "show", "nothing"], "PROVIDER_CONFIG_INVALID"),
    "config check": Row(["config", "check"], ["config", "check", "nothing"], "PROVIDER_CONFIG_INVALID"),
    "config diff": Row(["config", "diff", "mock"], ["config", "diff", "a", "b"], "PROVIDER_CONFIG_INVALID"),
    "config new": Row(
        ["config", "new", "mine", "--from", "mock"], ["config", "new", "x", "--from", "a"], "PROVIDER_CONFIG_INVALID"
    ),
    "config path": Row(["config", "path"], ["config", "path", "nothing"], "PROVIDER_CONFIG_INVALID"),
    "ps": Row(["ps", "--all", "--stats"], ["ps"], "DOCKER_MISSING"),
    "health": Row(["health"], ["health"], "NOT_RUNNING"),
    "logs": Row(["logs", "-n", "3"], ["logs"], "DOCKER_MISSING", streams="LogLine"),
    "exec": Row(["exec", "redis", "true"], ["exec", "redis", "true"], "DOCKER_MISSING"),
    "shell": Row(["shell", "edge"], ["shell", "mysql"], "USAGE"),
    "env": Row(["env"], ["env"], "NOT_RUNNING"),
    "version": Row(["version"], ["version", "--nonsense"], "USAGE"),
    "completion": Row(["completion", "zsh"], ["completion", "tcsh"], "USAGE"),
    "ls": Row(["ls"], ["ls"], "DOCKER_MISSING"),
    "generate script": Row(["generate", "script", "x"], ["generate", "script", "x"], "NOT_RUNNING"),
    "generate thumbnail-prompt": Row(["generate", "thumbnail-prompt", "x"], ["generate", "thumbnail-prompt"], "USAGE"),
    "generate metadata": Row(["generate", "metadata", "x"], ["generate", "metadata"], "USAGE"),
    "down": Row(["down"], ["down"], "DOCKER_MISSING"),
}
