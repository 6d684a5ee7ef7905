"""The broken provider configs of tests/broken_configs, as stack directories."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "broken_configs"
OPENAI = {"OPENAI_API_KEY": "sk-proj-0123456789abcdefghij"}


@dataclass(frozen=True)
class Case:
    """`ours` is part of what our check says, about line `line`; `variables` are those of .env."""

    file: str
    what: str
    line: int
    ours: str
    severity: str = "error"
    variables: dict[str, str] = field(default_factory=lambda: dict(OPENAI))

    @property
    def name(self) -> str:
        return self.file.removesuffix(".j2").removesuffix(".yaml")

    def put(self, directory: Path) -> None:
        """Make `directory` a stack directory that has this config as its own."""
        (directory / "litellm").mkdir(exist_ok=True)
        shutil.copy(FOLDER / self.file, directory / "litellm" / self.file)


def cases() -> list[Case]:
    listed: list[dict[str, Any]] = yaml.safe_load((FOLDER / "cases.yaml").read_text(encoding="utf-8"))
    return [Case(**one) for one in listed]
