"""`env`: what an application needs to talk to the stack."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiinfra import keys
from aiinfra.errors import AiinfraError, Code
from aiinfra.stack import LITELLM, MPC_API
from aiinfra.target import Target, running

# Whose value is a key.
_SECRETS = frozenset({"MPC_API_KEY", "LITELLM_MASTER_KEY", "OPENAI_API_KEY"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class EnvResult:
    """`variables` by name, `secrets` the names of those whose value is a key."""

    stack: str
    variables: Mapping[str, str]
    secrets: tuple[str, ...]

    def hidden(self, word: str) -> "EnvResult":
        """Return the same with `word` in place of every key."""
        shown = {name: word if name in self.secrets else value for name, value in self.variables.items()}
        return EnvResult(self.stack, shown, self.secrets)


def env(target: Target, renames: Sequence[str] = ()) -> EnvResult:
    """Return the connection data of a stack that was started; needs no engine.

    `renames` are "NAME=OTHER". Raises USAGE, NOT_RUNNING, KEYS_INVALID.
    """
    stack = running(target)
    values = keys.load(target.directory, target.name)
    keys.check(values, target.keys_file)
    gateway, key = stack.endpoint(LITELLM).url, values["LITELLM_MASTER_KEY"]
    variables = {
        "AIINFRA_STACK": target.name,
        "MPC_API_URL": stack.endpoint(MPC_API).url,
        "MPC_API_KEY": values["MPC_API_KEY"],
        "LITELLM_URL": gateway,
        "LITELLM_MASTER_KEY": key,
        # What unmodified OpenAI clients read.
        "OPENAI_BASE_URL": f"{gateway}/v1",
        "OPENAI_API_KEY": key,
    }
    others = _others(renames, variables)
    return EnvResult(
        target.name,
        {others.get(name, name): value for name, value in variables.items()},
        tuple(others.get(name, name) for name in variables if name in _SECRETS),
    )


def _others(renames: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    names = tuple(known)
    others: dict[str, str] = {}
    for rename in renames:
        name, _, other = rename.partition("=")
        if name not in names:
            raise _refusal(rename, f"there is no variable '{name}'", f"known: {', '.join(names)}")
        if not _NAME.fullmatch(other):
            raise _refusal(rename, f"'{other}' is not a name", "use letters, digits and '_', as in NAME=OTHER")
        others[name] = other
    final = [others.get(name, name) for name in names]
    if twice := [name for name in final if final.count(name) > 1]:
        raise _refusal(", ".join(renames), f"two variables would be called {twice[0]}", "give each its own name")
    return others


def _refusal(rename: str, fault: str, fix: str) -> AiinfraError:
    return AiinfraError(Code.USAGE, f"--rename {rename}: {fault}", hint=fix)
