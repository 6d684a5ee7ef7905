"""Every failure a caller can meet: its code, its status and its one format."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from starlette.responses import Response

from mpc_api.wire import Wire, timestamp


class Code(StrEnum):
    BAD_REQUEST = "BAD_REQUEST"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    HEADERS_TOO_LARGE = "HEADERS_TOO_LARGE"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    GENERATION_FAILED = "GENERATION_FAILED"
    LLM_ERROR = "LLM_ERROR"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    GATEWAY_TIMEOUT = "GATEWAY_TIMEOUT"


STATUS: Mapping[Code, int] = {
    Code.BAD_REQUEST: 400,
    Code.UNAUTHORIZED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.REQUEST_TIMEOUT: 408,
    Code.PAYLOAD_TOO_LARGE: 413,
    Code.HEADERS_TOO_LARGE: 431,
    Code.VALIDATION_ERROR: 422,
    Code.RATE_LIMIT_EXCEEDED: 429,
    Code.INTERNAL_ERROR: 500,
    Code.GENERATION_FAILED: 500,
    Code.LLM_ERROR: 502,
    Code.SERVICE_UNAVAILABLE: 503,
    Code.GATEWAY_TIMEOUT: 504,
}


@dataclass
class ApiError(Exception):
    """Raised where a failure is known, answered at the boundary; everything in it is shown to the caller."""

    code: Code
    message: str
    details: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return STATUS[self.code]

    def body(self) -> dict[str, object]:
        return {
            "code": self.code.value,
            "message": self.message,
            "statusCode": self.status,
            "timestamp": timestamp(),
            "details": dict(self.details),
        }

    def response(self) -> Response:
        # ASCII escapes: a field name echoed in `details` may hold a lone surrogate, which UTF-8 cannot carry.
        text = json.dumps({"error": self.body()}, separators=(",", ":"))
        return Response(text, self.status, self.headers, "application/json")


class Problem(Wire):
    """The content of `error` in every failure."""

    code: Code
    message: str
    status_code: int
    timestamp: str
    details: dict[str, object]


class Failure(Wire):
    error: Problem


def documented(*codes: Code) -> dict[int | str, dict[str, object]]:
    """The `responses` of an endpoint that can fail with `codes`, for its OpenAPI document."""
    return {
        status: {
            "model": Failure,
            "description": " or ".join(code for code in codes if STATUS[code] == status),
        }
        for status in sorted({STATUS[code] for code in codes})
    }
