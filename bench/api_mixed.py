"""Ten thousand requests of every sort, two hundred at a time, and what came of them."""

import asyncio
import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field

from bench.api_servers import KEY

TOTAL = 10_000
AT_ONCE = 200
SEED = 20261128

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_WRONG = {"topic": 7, "surprise": True}
# Each sort of request with its share and the statuses that it may have.
SORTS: dict[str, tuple[int, frozenset[int]]] = {
    "cached": (30, frozenset({200})),
    "new": (20, frozenset({200})),
    "invalid": (15, frozenset({422})),
    "broken": (10, frozenset({400})),
    "stranger": (10, frozenset({401})),
    "huge": (5, frozenset({413})),
    "deep": (5, frozenset({400})),
    "nowhere": (3, frozenset({404})),
    "slow": (1, frozenset({200})),
    "leaving": (1, frozenset({0})),
}


@dataclass
class Outcome:
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def mixed(port: int, total: int = TOTAL) -> Outcome:
    """Send `total` requests; `wrong` says what was not as documented."""
    generator = random.Random(SEED)  # noqa: S311 - the same mix every time
    names = list(SORTS)
    sorts = generator.choices(names, [SORTS[name][0] for name in names], k=total)
    outcome = Outcome()
    waiting = list(enumerate(sorts))

    async def worker() -> None:
        while waiting:
            number, sort = waiting.pop()
            status, text = await _send(port, sort, number)
            outcome.statuses[f"{sort} {status}"] += 1
            fault = _fault(sort, status, text)
            if fault:
                outcome.wrong.append(f"{sort}: {fault}")

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return outcome


def _body(sort: str, number: int) -> bytes:
    if sort == "huge":
        return b'{"topic": "' + b"x" * (2**20 + 1) + b'"}'
    if sort == "deep":
        return b'{"topic":' + b"[" * 500
    if sort == "broken":
        return b'{"topic": "x"'
    if sort == "invalid":
        return json.dumps(_WRONG).encode()
    return json.dumps({"topic": f"new {number}" if sort in {"new", "leaving"} else f"kept {number % 5}"}).encode()


async def _send(port: int, sort: str, number: int) -> tuple[int, str]:
    body = _body(sort, number)
    path = "/generate/nowhere" if sort == "nowhere" else "/generate/script"
    key = "sk-of-a-stranger" if sort == "stranger" else KEY
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head.encode())
        if sort == "slow":
            for index in range(0, len(body), 4):
                writer.write(body[index : index + 4])
                await asyncio.sleep(0.1)
        else:
            writer.write(body)
        if sort == "leaving":
            return 0, ""
        answer = await reader.read()
    except ConnectionError:
        # A server that refuses a body does not read the rest of it; its answer may be lost with the connection.
        return (413, "") if sort == "huge" else (-1, "the connection was broken")
    finally:
        writer.close()
    start, _, text = answer.decode().partition("\r\n\r\n")
    return int(start.split(" ")[1]) if start else -1, text


def _fault(sort: str, status: int, text: str) -> str:
    if status not in SORTS[sort][1]:
        return f"status {status}: {text[:200]}"
    if not text:
        return ""
    found = json.loads(text)
    if status == 200:  # noqa: PLR2004
        right = set(found) == {"success", "message", "data", "timestamp"} and _STAMP.fullmatch(found["timestamp"])
    else:
        error = found.get("error", {})
        fields = {"code", "message", "statusCode", "timestamp", "details"}
        right = set(found) == {"error"} and set(error) == fields and error["statusCode"] == status
    return "" if right else f"not in the documented format: {text[:200]}"
