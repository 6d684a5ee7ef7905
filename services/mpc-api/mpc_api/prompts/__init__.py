"""What is said to the model: a text per task, and the caller's request as data."""

from collections.abc import Sequence
from importlib.resources import files

from pydantic import BaseModel

# Raise it with every change of a text here: stored answers of another version must not be reused.
PROMPT_VERSION = "1"


def system(name: str) -> str:
    """The text for the task `name`."""
    return files(__package__).joinpath(f"{name}.md").read_text(encoding="utf-8")


def request(wanted: BaseModel) -> str:
    """The caller's fields as one delimited JSON object that nothing inside it can close."""
    fields = wanted.model_dump_json(by_alias=True, exclude_none=True).replace("<", "\\u003c")
    return f"<request>\n{fields}\n</request>"


def repair(problems: Sequence[str]) -> str:
    """The second and last attempt: what was wrong with the first."""
    lines = "\n".join(f"- {problem}" for problem in problems)
    return (
        f"Your answer does not fit the schema:\n{lines}\n"
        "Answer again with the complete, corrected JSON object and nothing else."
    )
