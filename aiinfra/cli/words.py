"""Arguments that need no check are not checked.

Typer makes a pydantic validator for every parameter of a command, for plain text too. The import of pydantic alone
takes longer than all else that `aiinfra ps` does. Numbers, choices and paths that are given remain Typer's business.
"""

from typing import Any

from typer import core
from typer._coercion import RuntimeParam, build_runtime_param

_TEXT = (str, list[str])


class _Spared(RuntimeParam):
    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401 - Typer's types are private
        if self.annotation in _TEXT:
            return value if isinstance(value, str) else list(value)
        if not isinstance(value, str | list | tuple):
            return value  # our own default
        return build_runtime_param(param.type_descriptor).coerce(value, param=param, ctx=ctx)


def spare() -> None:
    """Let Typer take text as it is, and make a validator only for what it validates."""

    def get_runtime_param(one: Any) -> RuntimeParam:  # noqa: ANN401 - as above
        return _Spared(one.type_descriptor.parameter_info, one.type_descriptor.annotation)

    core._TyperParameter.get_runtime_param = get_runtime_param  # type: ignore[method-assign, assignment]  # noqa: SLF001
