"""Batch files, and answers as text."""

import json
from pathlib import Path

import pytest

from aiinfra.cli import generated
from aiinfra.commands.batch_file import requests_of
from aiinfra.console import Console
from aiinfra.errors import AiinfraError, Code
from tests.unit.test_cli import aiinfra, envelope

SCRIPT = {
    "title": "Volcanoes",
    "hook": "Run!",
    "sections": [{"heading": "Why", "narration": "Run!", "visualNotes": "lava", "seconds": 5}],
    "callToAction": "Subscribe",
    "wordCount": 1,
    "estimatedSeconds": 1,
    "language": "de",
    "checks": {"languageOk": False, "durationOk": False},
}


def test_the_lines_of_a_batch_file_become_requests() -> None:
    text = '{"kind": "script", "topic": "a"}\n\n{"kind": "metadata", "request": {"topic": "b"}}\n'
    assert requests_of(text, "f") == [
        {"kind": "script", "request": {"topic": "a"}},
        {"kind": "metadata", "request": {"topic": "b"}},
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f: there is no request"),
        ('{"kind": "script"', "f:1: not JSON"),
        ('{"kind": "script", "topic": "a"}\n[]', "f:2: no `kind` of"),
        ('{"topic": "a"}', "f:1: no `kind` of"),
        ('{"kind": "poem"}', "f:1: no `kind` of"),
        ('{"kind": "script", "request": {}, "topic": "a"}', "f:1: `request`"),
        ('{"kind": "script", "request": 7}', "f:1: `request`"),
    ],
)
def test_a_wrong_line_is_named_before_anything_is_sent(text: str, said: str) -> None:
    with pytest.raises(AiinfraError, match=said.replace("`", ".")) as caught:
        requests_of(text, "f")
    assert caught.value.code is Code.USAGE


def test_a_batch_file_that_is_not_there(tmp_path: Path) -> None:
    done = aiinfra(tmp_path, "generate", "batch", "nowhere.jsonl", "--json")
    assert (done.returncode, envelope(done)["error"]["code"]) == (2, "USAGE")


def test_a_script_is_shown_with_what_was_not_honoured() -> None:
    shown = "\n".join(generated.lines("script", SCRIPT))
    for part in ("Volcanoes", "Why (5 s)", "[lava]", "Subscribe", "1 words, about 1 s"):
        assert part in shown
    assert len(list(generated.warnings(SCRIPT))) == 2


def test_metadata_is_shown_with_its_chapters() -> None:
    data: dict[str, object] = {name: name for name in ("title", "description", "category")}
    data |= {"tags": ["a", "b"], "hashtags": [], "chapters": [{"timestamp": "0:00", "title": "Why", "startSeconds": 0}]}
    assert generated.lines("metadata", data)[2:] == ["tags: a, b", "hashtags: ", "category: category", "0:00 Why"]


def test_parts_are_shown_as_they_grow(capsys: pytest.CaptureFixture[str]) -> None:
    telling = generated.Telling(Console())
    for path, text in (("title", "Vol"), ("title", "canoes"), ("hook", "Run!"), ("", None), ("title", "Again")):
        telling.part(path, text)
    telling.end()
    shown = capsys.readouterr()
    assert shown.out == "title: Volcanoes\nhook: Run!\ntitle: Again\n"
    assert "asked again" in shown.err


def test_parts_are_one_object_a_line_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    telling = generated.Telling(Console(as_json=True))
    telling.part("title", "Vol")
    telling.part("", None)
    telling.end()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [{"event": "delta", "path": "title", "text": "Vol"}, {"event": "reset"}]
