"""Every command of the application with how it is made to succeed and to fail; a new one needs a row here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`succeeds` are the arguments on a healthy stack, in an order in which they can be run one after another.

    `fails` are those in an empty directory on a machine without Docker, and `code` what the error is then.
    `streams` names the schema of each line where a success prints lines in place of an envelope. What `depends` on the
    machine or on what was done before may fail as well: then the failure is held to the schema.
    """

    succeeds: Sequence[str]
    fails: Sequence[str]
    code: str
    streams: str = ""
    depends: bool = False


# What the rows take for granted in the directory where they succeed.
FILES = {"requests.jsonl": '{"kind": "script", "topic": "x"}\n'}


COMMANDS: Mapping[str, Row] = {
    "init": Row(["init"], ["init", "-s", "No Name"], "USAGE"),
    "up": Row(["up"], ["up"], "DOCKER_MISSING"),
    "plan": Row(["plan"], ["plan"], "DOCKER_MISSING"),
    "restart": Row(["restart", "mpc-api"], ["restart"], "DOCKER_MISSING"),
    "rebuild": Row(["rebuild", "mpc-api"], ["rebuild"], "DOCKER_MISSING"),
    "history": Row(["history"], ["history", "--nonsense"], "USAGE"),
    "rollback": Row(["rollback"], ["rollback"], "ROLLBACK_REFUSED", depends=True),
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
    "secrets list": Row(["secrets", "list"], ["secrets", "list", "--nonsense"], "USAGE"),
    "secrets rotate": Row(["secrets", "rotate"], ["secrets", "rotate", "NOTHING"], "USAGE"),
    "secrets retire": Row(["secrets", "retire", "--yes"], ["secrets", "retire", "NOTHING"], "USAGE"),
    "ps": Row(["ps", "--all", "--stats"], ["ps"], "DOCKER_MISSING"),
    "health": Row(["health"], ["health"], "NOT_RUNNING"),
    "logs": Row(["logs", "-n", "3"], ["logs"], "DOCKER_MISSING", streams="LogLine"),
    "exec": Row(["exec", "redis", "true"], ["exec", "redis", "true"], "DOCKER_MISSING"),
    "shell": Row(["shell", "edge"], ["shell", "mysql"], "USAGE"),
    "env": Row(["env"], ["env"], "NOT_RUNNING"),
    "version": Row(["version"], ["version", "--nonsense"], "USAGE"),
    "completion": Row(["completion", "zsh"], ["completion", "tcsh"], "USAGE"),
    "eject": Row(["eject", "ejected"], ["eject", "--nonsense"], "USAGE"),
    "doctor": Row(["doctor"], ["doctor", "--nonsense"], "USAGE", depends=True),
    "prune": Row(["prune", "--dry-run"], ["prune"], "DOCKER_MISSING"),
    "backup": Row(["backup", "data.backup"], ["backup"], "DOCKER_MISSING"),
    "restore": Row(["restore", "data.backup", "--yes"], ["restore", "x"], "DOCKER_MISSING"),
    "ls": Row(["ls"], ["ls"], "DOCKER_MISSING"),
    "generate script": Row(["generate", "script", "x"], ["generate", "script", "x"], "NOT_RUNNING"),
    "generate thumbnail-prompt": Row(["generate", "thumbnail-prompt", "x"], ["generate", "thumbnail-prompt"], "USAGE"),
    "generate metadata": Row(["generate", "metadata", "x"], ["generate", "metadata"], "USAGE"),
    "generate batch": Row(["generate", "batch", "requests.jsonl"], ["generate", "batch", "nothing"], "USAGE"),
    "down": Row(["down"], ["down"], "DOCKER_MISSING"),
    "reset": Row(["reset", "--yes", "--no-backup"], ["reset"], "DOCKER_MISSING"),
}
