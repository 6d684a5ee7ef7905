"""The verbs of `generate`: script, thumbnail-prompt, metadata, batch."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from aiinfra.cli import generated
from aiinfra.cli.invocation import Invocation, group
from aiinfra.errors import AiinfraError, Code

_Text = Annotated[str | None, typer.Option()]
_Timeout = Annotated[float, typer.Option(min=1, max=3600, help="Seconds to wait for the answer.")]
_Stream = Annotated[bool, typer.Option("--stream", help="Show the answer while the model writes it.")]
_Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="A file to write the answer to: as JSON when its name ends in .json."),
]
_ScriptFile = Annotated[
    Path | None,
    typer.Option("--script", help="A file with the script's text; `-` reads standard input.", allow_dash=True),
]
_Platform = Annotated[str | None, typer.Option(help="youtube, tiktok, instagram, facebook, linkedin, x or podcast.")]
_Language = Annotated[str | None, typer.Option(help="A BCP 47 tag, such as en or pt-BR.")]


def register(app: typer.Typer) -> None:
    verbs = (
        ("script", script),
        ("thumbnail-prompt", thumbnail_prompt),
        ("metadata", metadata),
        ("batch", batch),
    )
    group(app, "generate", "Send one request, or many, to the running MPC-API and print the result.", verbs)


def script(
    run: Invocation,
    topic: Annotated[str, typer.Argument(help="What the video is about.")],
    audience: _Text = None,
    tone: _Text = None,
    language: _Language = None,
    duration: Annotated[int | None, typer.Option(help="Seconds that the video runs.")] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="short, long, tutorial, list, story, review, explainer or news."),
    ] = None,
    key_point: Annotated[list[str] | None, typer.Option(help="A point to make; may be repeated.")] = None,
    call_to_action: _Text = None,
    brand_voice: _Text = None,
    *,
    stream: _Stream = False,
    output: _Output = None,
    timeout: _Timeout = 120,
) -> None:
    """Write a video script about a topic."""
    fields = {
        "topic": topic,
        "audience": audience,
        "tone": tone,
        "language": language,
        "duration": duration,
        "format": format_,
        "keyPoints": key_point,
        "callToAction": call_to_action,
        "brandVoice": brand_voice,
    }
    _one(run, "script", fields, timeout, stream, output)


def thumbnail_prompt(
    run: Invocation,
    title: Annotated[str | None, typer.Argument(help="The video's title.")] = None,
    script: _ScriptFile = None,
    style: _Text = None,
    aspect_ratio: Annotated[str | None, typer.Option(help="16:9, 9:16, 1:1, 4:5, 4:3, 3:4 or 21:9.")] = None,
    platform: _Platform = None,
    brand_colour: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    text_overlay: _Text = None,
    *,
    stream: _Stream = False,
    output: _Output = None,
    timeout: _Timeout = 120,
) -> None:
    """Write an image prompt for a video's thumbnail."""
    _need(title, script, "a TITLE")
    fields = {
        "title": title,
        "script": _text(script, "--script"),
        "style": style,
        "aspectRatio": aspect_ratio,
        "platform": platform,
        "brandColours": brand_colour,
        "textOverlay": text_overlay,
    }
    _one(run, "thumbnail-prompt", fields, timeout, stream, output)


def metadata(
    run: Invocation,
    topic: Annotated[str | None, typer.Argument(help="What the video is about.")] = None,
    script: _ScriptFile = None,
    platform: _Platform = None,
    language: _Language = None,
    keyword: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    *,
    stream: _Stream = False,
    output: _Output = None,
    timeout: _Timeout = 120,
) -> None:
    """Write title, description, tags, hashtags and chapters for a video."""
    _need(topic, script, "a TOPIC")
    fields = {
        "topic": topic,
        "script": _text(script, "--script"),
        "platform": platform,
        "language": language,
        "keywords": keyword,
    }
    _one(run, "metadata", fields, timeout, stream, output)


def batch(
    run: Invocation,
    file: Annotated[
        Path,
        typer.Argument(help='One request a line: {"kind": "script", "topic": ...}. `-` reads stdin.', allow_dash=True),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file to write the results to, one JSON object a line.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, max=3600, help="Seconds to wait for each hundred.")] = 600,
) -> None:
    """Send many requests at once; one result or error a line comes back, in the same order."""
    from aiinfra.commands.batch_file import requests_of  # noqa: PLC0415
    from aiinfra.commands.generate import generate_batch  # noqa: PLC0415

    requests = requests_of(_text(file, "FILE") or "", str(file))
    results: list[dict[str, Any]] = []
    for result in generate_batch(run.target, requests, timeout=timeout):
        results.append(result)
        if output is None:
            run.console.line(json.dumps(result, ensure_ascii=False))
    if output is not None:
        _write(output, "".join(json.dumps(result, ensure_ascii=False) + "\n" for result in results))
    failed = [result for result in results if not result["success"]]
    run.console.say(f"{len(results) - len(failed)} of {len(results)} generated")
    data = {"results": results, "succeeded": len(results) - len(failed), "failed": len(failed)}
    run.done(data, _first_failure(failed, len(results)))


def _first_failure(failed: list[dict[str, Any]], total: int) -> AiinfraError | None:
    if not failed:
        return None
    first = failed[0]
    return AiinfraError(
        Code.REQUEST_FAILED,
        f"{len(failed)} of {total} requests failed; the first is number {first['index'] + 1}: "
        f"{first['error']['code']}: {first['error']['message']}",
        hint="each failed result says why in its `error`",
        details={"failed": [result["index"] for result in failed]},
    )


def _one(
    run: Invocation,
    kind: Any,  # noqa: ANN401
    fields: Mapping[str, object],
    timeout: float,
    stream: bool,  # noqa: FBT001
    output: Path | None,
) -> None:
    from aiinfra.commands.generate import generate  # noqa: PLC0415 - httpx costs 80 ms

    if any("\udc80" <= letter <= "\udcff" for value in fields.values() for letter in str(value)):
        raise AiinfraError(Code.USAGE, "an argument is not UTF-8 text", hint="use a UTF-8 locale, such as C.UTF-8")
    telling = generated.Telling(run.console) if stream else None
    data = generate(run.target, kind, fields, timeout=timeout, tell=telling.part if telling else None)
    lines = generated.lines(kind, data)
    if telling:
        telling.end()
    if output is not None:
        as_json = output.suffix == ".json"
        _write(output, json.dumps(data, ensure_ascii=False, indent=2) + "\n" if as_json else "\n".join(lines) + "\n")
        run.console.say(f"written to {output}")
    for line in generated.remarks(data) if telling or output is not None else lines:
        run.console.line(line)
    for warning in generated.warnings(data):
        run.console.warn(warning)
    run.done(data)


def _need(subject: str | None, script: Path | None, what: str) -> None:
    if not subject and script is None:
        raise AiinfraError(Code.USAGE, f"{what} or a --script is needed", hint="see --help")


def _text(path: Path | None, what: str) -> str | None:
    if path is None:
        return None
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AiinfraError(Code.USAGE, f"{what}: {path}: {error}", hint="name a text file, or `-`") from error


def _write(path: Path, text: str) -> None:
    from aiinfra.disk import write  # noqa: PLC0415

    write(path, text)
