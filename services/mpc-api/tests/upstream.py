"""A small OpenAI-compatible server that answers as a test tells it to, and to health checks too."""

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

DRAFTS: dict[str, dict[str, Any]] = {
    "script": {
        "title": "Cold brew in five minutes",
        "hook": "Your coffee is too hot.",
        "sections": [
            {"heading": "Why", "narration": "Your coffee is too hot.", "visualNotes": "steam", "seconds": 10},
            {
                "heading": "How",
                "narration": "Use cold water. Wait. Subscribe!",
                "visualNotes": "",
                "seconds": 20,
            },
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
        "chapters": [{"title": "How", "startSeconds": 12.6}, {"title": "Why", "startSeconds": 0}],
    },
}


@dataclass(frozen=True)
class Reply:
    """One scripted answer; `text` is what the model says, `body` replaces the whole answer."""

    status: int = 200
    text: str | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    refusal: str | None = None


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
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
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

    def chat(self, seen: Seen) -> tuple[Reply, bytes]:
        self.seen.append(seen)
        reply = self.replies.popleft() if self.replies else Reply()
        if reply.body is not None:
            return reply, reply.body
        name = seen.body["response_format"]["json_schema"]["name"]
        text = json.dumps(DRAFTS[name]) if reply.text is None else reply.text
        message = {"role": "assistant", "content": text, "refusal": reply.refusal}
        completion = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": f"test/{seen.body['model']}",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        }
        return reply, json.dumps(completion).encode()


def _handler(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one write an answer: two would wait for each other (Nagle against delayed ACK)

        def do_GET(self) -> None:
            upstream.readiness_asked += 1
            self._send(upstream.readiness, upstream.readiness.body or b'{"status":"healthy"}')

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(*upstream.chat(Seen(self.path, headers, body)))

        def _send(self, reply: Reply, body: bytes) -> None:
            if reply.delay and upstream.closing.wait(reply.delay):
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

    return Handler
