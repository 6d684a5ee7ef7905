"""Rewrites two tables of broken provider configs, docs/broken-configs.md and, shorter, that of the README.

They tell what LiteLLM alone does with each, and what our check says.

    python tools/broken_configs.py             from what was recorded of LiteLLM
    python tools/broken_configs.py --record    asks the LiteLLM of the gateway's image again, without network

The configs are those of tests/broken_configs; unit tests keep the tables true to what our check says.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from aiinfra import providers  # noqa: E402 - the line above makes it and the tests importable
from aiinfra.errors import AiinfraError  # noqa: E402
from aiinfra.images import image_build  # noqa: E402
from aiinfra.providers.known import known  # noqa: E402
from aiinfra.settings import Build  # noqa: E402
from tests.broken import FOLDER, Case, cases  # noqa: E402
from tests.conftest import STRONG_KEYS  # noqa: E402

RECORD = FOLDER / "litellm.json"
TABLE = ROOT / "docs" / "broken-configs.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- the rows below: tools/broken_configs.py -->\n", "<!-- until here -->"
SHOWN = 64


def ours(case: Case) -> str:
    """What our check says first about a case, without the place, which is a column of its own."""
    with tempfile.TemporaryDirectory() as folder:
        case.put(Path(folder))
        values = {**STRONG_KEYS, **case.variables}
        try:
            config = providers.load(case.name, Path(folder), values)
            said = [str(one) for one in providers.faults(config, values, ".env")]
        except AiinfraError as error:
            said = [error.message]
    return next(text for text in said if case.ours in text).partition(f":{case.line}: ")[2]


def table() -> str:
    """The whole text of docs/broken-configs.md."""
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    head = (
        "# Broken provider configs\n\n"
        "Written by `tools/broken_configs.py` from `tests/broken_configs/`. The second column is what the gateway's\n"
        f"LiteLLM ({recorded['version']}) does with the file by itself, the last what `aiinfra config check` says,\n"
        "with exit code 3 and before anything is touched.\n\n"
        "| What is wrong | LiteLLM alone | Line | aiinfra |\n|---|---|--:|---|\n"
    )
    rows = [
        f"| {case.what} | {_cell(recorded['words'][case.name])} | {case.line} | {_cell(ours(case))} |"
        for case in cases()
    ]
    return head + "\n".join(rows) + "\n"


def readme() -> str:
    """The whole text of README.md, with its table as it should be."""
    words = json.loads(RECORD.read_text(encoding="utf-8"))["words"]
    short = {name: textwrap.shorten(text, SHOWN, placeholder=" ...") for name, text in words.items()}
    rows = [f"| {case.what} | {_cell(short[case.name])} | {_cell(case.ours)} |\n" for case in cases()]
    head = "\n| What is wrong | LiteLLM alone | aiinfra, with file and line |\n|---|---|---|\n"
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    return before + BEGIN + head + "".join(rows) + "\n" + END + rest.partition(END)[2]


def record() -> int:
    """Asks LiteLLM; returns the exit code."""
    asked = {case.name: {"text": _text(case), "environment": {**STRONG_KEYS, **case.variables}} for case in cases()}
    command = ["docker", "run", "--rm", "-i", "--network", "none", "--label", "org.aiinfra.scratch=broken-configs"]
    image = image_build("litellm", Build()).tag
    program = (ROOT / "tools" / "broken_configs_inside.py").read_text(encoding="utf-8")
    done = subprocess.run(
        [*command, "--tmpfs", "/tmp", "--entrypoint", "python", image, "-c", program],  # noqa: S108
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return 1
    words = json.loads(done.stdout.splitlines()[-1])
    RECORD.write_text(
        json.dumps({"version": known()["version"], "words": words}, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    return 0


def _text(case: Case) -> str:
    if case.file.endswith(".j2"):
        with tempfile.TemporaryDirectory() as folder:
            case.put(Path(folder))
            return providers.load(case.name, Path(folder), case.variables).text
    return (FOLDER / case.file).read_text(encoding="utf-8")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    if "--record" in sys.argv[1:] and (code := record()):
        sys.exit(code)
    TABLE.write_text(table(), encoding="utf-8")
    README.write_text(readme(), encoding="utf-8")
