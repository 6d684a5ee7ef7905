"""What FastAPI raises on its own, in our format."""

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mpc_api.boundary import note
from mpc_api.errors import ApiError, Code

MAX_REPORTED = 20

_BY_STATUS = {
    400: (Code.BAD_REQUEST, "The body cannot be read as JSON"),
    404: (Code.NOT_FOUND, "There is nothing at this address"),
    405: (Code.METHOD_NOT_ALLOWED, "This address does not answer this method"),
}


def install(app: FastAPI) -> None:
    """Answer everything that is raised inside `app` in one format; the unforeseen is the boundary's."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid)


def _respond(request: Request, error: ApiError) -> Response:
    note(request.state.exchange, error)
    return error.response()


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101
    return _respond(request, error)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code not in _BY_STATUS:
        raise error
    code, message = _BY_STATUS[error.status_code]
    return _respond(request, ApiError(code, message, headers=error.headers or {}))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    problems = error.errors()
    if problems[0]["type"] == "json_invalid":
        position = {"position": problems[0]["loc"][-1], "reason": problems[0]["ctx"]["error"]}
        return _respond(request, ApiError(Code.BAD_REQUEST, "The body is not valid JSON", position))
    if isinstance(error.body, bytes):
        message = "The body is not JSON: send it with Content-Type: application/json"
        return _respond(request, ApiError(Code.BAD_REQUEST, message))
    details = {"fields": field_problems(problems)}
    return _respond(request, ApiError(Code.VALIDATION_ERROR, "Some fields are not valid", details))


def field_problems(problems: Sequence[dict[str, object]]) -> list[dict[str, str]]:
    """`[{"path": "keyPoints.3", "message", "type"}]` of the first problems; never what was sent."""
    return [
        {"path": _path(problem["loc"]), "message": str(problem["msg"]), "type": str(problem["type"])}
        for problem in problems[:MAX_REPORTED]
        if problem["type"] != "default_factory_not_called"  # follows from another field's problem
    ]


def _path(loc: object) -> str:
    steps = [str(step)[:100] for step in loc] if isinstance(loc, tuple) else []
    if steps[:1] == ["body"] and len(steps) > 1:
        steps = steps[1:]
    return ".".join(steps)
