"""A small OpenAI-compatible server that answers as a test tells it to, and to health checks too."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

NARRATIONS = ("Your coffee is too hot.", "Use cold water. Wait. Subscribe!")
DRAFTS: dict[str, dict[str, Any]] = {
    "script": {
        "title": "Cold brew in five minutes",
        "hook": "Your coffee is too hot.",
        "sections": [
            {"heading": "Why", "narration": NARRATIONS[0], "visualNotes": "steam", "seconds": 10},
            {"heading": "How", "narration": NARRATIONS[1], "visualNotes": "", "seconds": 20},
        ],
        "callToAction": "Subscribe!",
    },
    "thumbnail": {
        "prompt": "A glass of cold brew, backlit",
        "negativePrompt": "text, watermark",
        "textOverlay": "Too hot?",
        "composition": "glass on the left third",
        "colours": ["#112233", "amber"],
    },
    "metadata": {
        "title": "Cold brew",
        "description": "How to make it.",
        "tags": ["coffee", "#coffee", "cold brew"],
        "hashtags": ["cold brew", "#coffee", "#coffee"],
        "category": "Howto & Style",
        "chapters": [
            {"title": "How", "startSeconds": 12.6},
            {"title": "Why", "startSeconds": 0},
            {"title": "End", "startSeconds": 40},
        ],
    },
}


def draft(name: str, request: dict[str, Any]) -> dict[str, Any]:
    """A valid draft; a script is filled up with words until it lasts as long as was asked."""
    made: dict[str, Any] = json.loads(json.dumps(DRAFTS[name]))
    if name == "script":
        words = round(request.get("duration", 60) * 2.5)
        have = sum(len(text.split()) for text in NARRATIONS)
        made["sections"][1]["narration"] += " and the water" * ((words - have) // 3)
    return made


@dataclass(frozen=True)
class Reply:
    """One scripted answer; `text` is what the model says, `body` replaces the whole answer.

    Streamed answers come in pieces of 7 characters with `pause` seconds between; `cut` breaks off after so many.
    """

    status: int = 200
    text: str | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    refusal: str | None = None
    pause: float = 0.0
    cut: int | None = None


def error(status: int, message: str, **headers: str) -> Reply:
    """An error as LiteLLM words it."""
    content = {"error": {"message": message, "type": None, "param": None, "code": str(status)}}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, body=json.dumps(content).encode(), headers=given)


@dataclass(frozen=True)
class Seen:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Upstream:
    """Serves on a free port; `replies` are used up one a chat, then every chat gets a valid draft."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.seen: list[Seen] = []
        self.readiness = Reply()
        self.readiness_asked = 0
        self.closing = threading.Event()
        # How many clients went away in the middle of a stream.
        self.abandoned = 0
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"upstream": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def reset(self) -> None:
        self.replies.clear()
        self.seen.clear()
        self.readiness = Reply()
        self.readiness_asked = 0
        self.abandoned = 0
        self.most_at_once = 0

    @contextmanager
    def reply(self, seen: Seen) -> Iterator[Reply]:
        """The next scripted reply, or the usual one, counted among those at once until it is sent."""
        with self._lock:
            self.seen.append(seen)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            reply = self.replies.popleft() if self.replies else Reply()
        try:
            yield reply
        finally:
            with self._lock:
                self.at_once -= 1


def text_of(reply: Reply, seen: Seen) -> str:
    """What the model says: scripted, or a valid draft of the kind that is asked for in whatever format."""
    if reply.text is not None:
        return reply.text
    messages = seen.body["messages"]
    asked = messages[0]["content"] + json.dumps(seen.body.get("response_format"))
    telling = {"script": "visualNotes", "thumbnail": "negativePrompt", "metadata": "startSeconds"}
    name = next(name for name, word in telling.items() if f'"{word}"' in asked)
    return json.dumps(draft(name, json.loads(messages[1]["content"].splitlines()[1])))


def completion(reply: Reply, seen: Seen) -> bytes:
    message = {"role": "assistant", "content": text_of(reply, seen), "refusal": reply.refusal}
    choices = [{"index": 0, "finish_reason": "stop", "message": message}]
    return json.dumps(_envelope(seen, "chat.completion") | {"choices": choices, "usage": USAGE}).encode()


def chunks(reply: Reply, seen: Seen) -> list[bytes]:
    """The events of a streamed completion, `[DONE]` included."""
    text = text_of(reply, seen)
    pieces = [text[index : index + 7] for index in range(0, len(text), 7)]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": piece} for piece in pieces]
    if reply.refusal:
        deltas.append({"refusal": reply.refusal})
    choices: list[list[dict[str, Any]]] = [[{"index": 0, "finish_reason": None, "delta": one}] for one in deltas]
    choices.append([{"index": 0, "finish_reason": "stop", "delta": {}}])
    envelope = _envelope(seen, "chat.completion.chunk")
    events = [json.dumps(envelope | {"choices": one}) for one in choices]
    events.append(json.dumps(envelope | {"choices": [], "usage": USAGE}))
    return [f"data: {one}\n\n".encode() for one in [*events, "[DONE]"]]


USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


def _envelope(seen: Seen, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": f"test/{seen.body['model']}"}


class _Handler(BaseHTTPRequestHandler):
    upstream: Upstream  # set by a subclass a server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write an answer: two would wait for each other (Nagle against delayed ACK)

    def do_GET(self) -> None:
        self.upstream.readiness_asked += 1
        self._send(self.upstream.readiness, self.upstream.readiness.body or b'{"status":"healthy"}')

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.path, headers, body)
        with self.upstream.reply(seen) as reply:
            if body.get("stream") and reply.body is None:
                self._stream(reply, chunks(reply, seen))
            else:
                self._send(reply, completion(reply, seen) if reply.body is None else reply.body)

    def _stream(self, reply: Reply, events: list[bytes]) -> None:
        self.close_connection = True
        if reply.delay and self.upstream.closing.wait(reply.delay):
            return
        try:
            self.send_response(reply.status)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            for one in events[: reply.cut]:
                if reply.pause and self.upstream.closing.wait(reply.pause):
                    return
                self.wfile.write(one)
                self.wfile.flush()
        except OSError:
            self.upstream.abandoned += 1

    def _send(self, reply: Reply, body: bytes) -> None:
        if reply.delay and self.upstream.closing.wait(reply.delay):
            self.close_connection = True
            return
        try:
            self.send_response(reply.status)
            for name, value in {"content-type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # whoever asked gave up: a test of timeouts
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass
