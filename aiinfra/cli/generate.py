"""The verbs of `generate`: script, thumbnail-prompt, metadata."""

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from aiinfra.cli.invocation import GLOBAL_OPTIONS, Invocation, current, sign, verb
from aiinfra.errors import AiinfraError, Code

_Text = Annotated[str | None, typer.Option()]
_Timeout = Annotated[float, typer.Option(min=1, max=3600, help="Seconds to wait for the answer.")]
_ScriptFile = Annotated[
    Path | None,
    typer.Option("--script", help="A file with the script's text; `-` reads standard input.", allow_dash=True),
]
_Platform = Annotated[str | None, typer.Option(help="youtube, tiktok, instagram, podcast ...")]
_Language = Annotated[str | None, typer.Option(help="A BCP 47 tag, such as en or pt-BR.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Send one request to the running MPC-API and print the result.",
        invoke_without_command=True,
        rich_markup_mode=None,
    )
    sign(_group, [_CONTEXT, *GLOBAL_OPTIONS], None)
    group.callback()(_group)
    verb(group, "generate script")(script)
    verb(group, "generate thumbnail-prompt")(thumbnail_prompt)
    verb(group, "generate metadata")(metadata)
    app.add_typer(group, name="generate")


def _group(**given: Any) -> None:  # noqa: ANN401
    context: typer.Context = given.pop("context")
    current.take(given)
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")


_CONTEXT = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)


def script(
    run: Invocation,
    topic: Annotated[str, typer.Argument(help="What the video is about.")],
    audience: _Text = None,
    tone: _Text = None,
    language: _Language = None,
    duration: Annotated[int | None, typer.Option(help="Seconds that the video runs.")] = None,
    format_: Annotated[str | None, typer.Option("--format", help="short, long, tutorial, list ...")] = None,
    key_point: Annotated[list[str] | None, typer.Option(help="A point to make; may be repeated.")] = None,
    call_to_action: _Text = None,
    brand_voice: _Text = None,
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
    data = _send(run, "script", fields, timeout)
    say = run.console.line
    say(data["title"])
    say(f"\n{data['hook']}")
    for section in data["sections"]:
        say(f"\n{section['heading']} ({section['seconds']} s)")
        say(f"  {section['narration']}")
        say(f"  [{section['visualNotes']}]")
    say(f"\n{data['callToAction']}")
    say(f"\n{data['wordCount']} words, about {data['estimatedSeconds']} s")
    run.done(data)


def thumbnail_prompt(
    run: Invocation,
    title: Annotated[str | None, typer.Argument(help="The video's title.")] = None,
    script: _ScriptFile = None,
    style: _Text = None,
    aspect_ratio: Annotated[str | None, typer.Option(help="16:9, 9:16, 1:1 ...")] = None,
    platform: _Platform = None,
    brand_colour: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    text_overlay: _Text = None,
    timeout: _Timeout = 120,
) -> None:
    """Write an image prompt for a video's thumbnail."""
    _need(title, script, "a TITLE")
    fields = {
        "title": title,
        "script": _text(script),
        "style": style,
        "aspectRatio": aspect_ratio,
        "platform": platform,
        "brandColours": brand_colour,
        "textOverlay": text_overlay,
    }
    data = _send(run, "thumbnail-prompt", fields, timeout)
    _show(
        run,
        data,
        ("prompt", "negativePrompt", "textOverlay", "composition", "colours", "aspectRatio"),
    )


def metadata(
    run: Invocation,
    topic: Annotated[str | None, typer.Argument(help="What the video is about.")] = None,
    script: _ScriptFile = None,
    platform: _Platform = None,
    language: _Language = None,
    keyword: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    timeout: _Timeout = 120,
) -> None:
    """Write title, description, tags and hashtags for a video."""
    _need(topic, script, "a TOPIC")
    fields = {
        "topic": topic,
        "script": _text(script),
        "platform": platform,
        "language": language,
        "keywords": keyword,
    }
    data = _send(run, "metadata", fields, timeout)
    _show(run, data, ("title", "description", "tags", "hashtags", "category"))


def _send(run: Invocation, kind: Any, fields: Mapping[str, object], timeout: float) -> dict[str, Any]:  # noqa: ANN401
    from aiinfra.commands.generate import generate  # noqa: PLC0415 - httpx costs 80 ms

    if any("\udc80" <= letter <= "\udcff" for value in fields.values() for letter in str(value)):
        raise AiinfraError(Code.USAGE, "an argument is not UTF-8 text", hint="use a UTF-8 locale, such as C.UTF-8")
    return generate(run.target, kind, fields, timeout=timeout)


def _show(run: Invocation, data: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        value = data[name]
        run.console.line(f"{name}: {', '.join(value) if isinstance(value, list) else value}")
    run.done(data)


def _need(subject: str | None, script: Path | None, what: str) -> None:
    if not subject and script is None:
        raise AiinfraError(Code.USAGE, f"{what} or a --script is needed", hint="see --help")


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AiinfraError(Code.USAGE, f"--script: {path}: {error}", hint="name a text file, or `-`") from error
