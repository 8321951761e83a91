"""The routes of a class beside the app: the teacher's door, news for pages, results, status and health.

The teacher's token reaches the server once, in the body of a form: the link that is printed has it behind ``#``, which
browsers send to nobody, and the page there moves it into the form. After that a cookie holds it, which no script reads
and which no other site can have sent.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from explorer.classroom.export import results_csv
from explorer.classroom.names import is_token
from explorer.classroom.store import ClassStore
from explorer.paths import ASSETS
from explorer.serving.headers import DAY_S, MEMBER_COOKIE, TEACHER_COOKIE, set_cookie
from explorer.serving.news import NewsCache

ROOT = "/class"
TEACHER_PAGE = "/teach"  # of the app
_DOOR = ASSETS / "class"
_MAX_FORM = 400  # bytes
_REFUSED = "This is not the teacher's link of a class that is open here."


def class_routes(store: ClassStore, news: NewsCache, status: Callable[[], Mapping[str, Any]]) -> list[BaseRoute]:
    """Return the routes; ``status`` gives what the server is doing, for a teacher."""

    async def enter(request: Request) -> Response:
        token = await _form_token(request)
        if not token or await run_in_threadpool(store.teacher_class, token) is None:
            return PlainTextResponse(_REFUSED, 403)
        answer = RedirectResponse(TEACHER_PAGE, 303)
        answer.headers.append("Set-Cookie", set_cookie(TEACHER_COOKIE, token, "Strict", DAY_S))
        return answer

    async def tell_version(request: Request) -> Response:
        token = request.cookies.get(MEMBER_COOKIE, "")
        version = await run_in_threadpool(news.version, token) if is_token(token) else 0
        return JSONResponse({"version": version}, headers={"Cache-Control": "no-store"})

    async def send_results(request: Request) -> Response:
        classroom = await _teacher_class(request, store)
        if classroom is None:
            return PlainTextResponse(_REFUSED, 403)
        text = await run_in_threadpool(lambda: results_csv(store.polls.results(classroom)))
        disposition = {"Content-Disposition": "attachment; filename=votes.csv", "Cache-Control": "no-store"}
        return Response(text, media_type="text/csv; charset=utf-8", headers=disposition)

    async def send_status(request: Request) -> Response:
        if await _teacher_class(request, store) is None:
            return PlainTextResponse(_REFUSED, 403)
        return JSONResponse(dict(status()), headers={"Cache-Control": "no-store"})

    async def send_health(_: Request) -> Response:
        await run_in_threadpool(store.version, 0)
        return PlainTextResponse("ok", headers={"Cache-Control": "no-store"})

    return [
        Route(f"{ROOT}/teacher", _file("teacher.html")),
        Route(f"{ROOT}/teacher.js", _file("teacher.js")),
        Route(f"{ROOT}/teacher.css", _file("teacher.css")),
        Route(f"{ROOT}/teacher", enter, methods=["POST"]),
        Route(f"{ROOT}/news", tell_version),
        Route(f"{ROOT}/results.csv", send_results),
        Route(f"{ROOT}/status", send_status),
        Route(f"{ROOT}/health", send_health),
    ]


def _file(name: str) -> Callable[[Request], Any]:
    async def send(_: Request) -> Response:
        return FileResponse(_DOOR / name, headers={"Cache-Control": "no-cache"})

    return send


async def _form_token(request: Request) -> str:
    """Return the token in a form; empty if there is none, or if another site sent it."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return ""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            return ""
    token = parse_qs(body.decode("latin-1")).get("token", [""])[0].strip()
    return token if is_token(token) else ""


async def _teacher_class(request: Request, store: ClassStore) -> int | None:
    """Return the class whose teacher's cookie a request has; None if it has none."""
    token = request.cookies.get(TEACHER_COOKIE, "")
    return await run_in_threadpool(store.teacher_class, token) if is_token(token) else None
