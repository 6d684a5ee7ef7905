"""How an answer is kept, and how a kept one becomes an answer again."""

import hashlib

from pydantic_core import from_json, to_json

from mpc_api import prompts
from mpc_api.answers import Answer
from mpc_api.inputs import Input
from mpc_api.kinds import AnyKind
from mpc_api.wire import timestamp


def name_of(kind: AnyKind, model: str, wanted: Input) -> str:
    """The same for requests that mean the same: `wanted` is normalised, and everything else that counts is in it."""
    told = f"{kind.name}\0{model}\0{prompts.PROMPT_VERSION}\0{wanted.model_dump_json()}"
    return f"mpc:answer:{hashlib.blake2b(told.encode(), digest_size=20).hexdigest()}"


def pack(kind: AnyKind, answer: Answer) -> bytes:
    """The body of the answer without what differs from one time to the next, so that `body` has little to do."""
    data = answer.model_dump(mode="json", by_alias=True)
    usage = data.pop("usage")
    usage.pop("milliseconds")
    return to_json({"success": True, "message": kind.message, "data": {**data, "usage": {**usage, "cached": True}}})


def body(record: bytes, milliseconds: int) -> bytes:
    """The whole answer, as JSON; a record ends with the braces of usage, data and the answer itself."""
    return b'%b,"milliseconds":%d}},"timestamp":"%b"}' % (record[:-3], milliseconds, timestamp().encode())


def unpack(kind: AnyKind, record: bytes, milliseconds: int) -> Answer:
    data = from_json(record)["data"]
    data["usage"]["milliseconds"] = milliseconds
    answer: Answer = kind.answer.model_validate(data)
    return answer
