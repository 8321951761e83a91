"""The server of a class: the app of ``streamlit_app.py`` behind limits and security headers, with the class's routes.

``python -m explorer serve --class`` starts it (:mod:`explorer.cli_serve`), in a process with the settings in its
environment.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
import uvicorn
from google.protobuf.message import DecodeError
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.types import ASGIApp
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from explorer.classroom.names import new_token
from explorer.classroom.store import MAX_HOURS, ClassStore, shared_store
from explorer.serving.addresses import own_names
from explorer.serving.headers import SecurityHeaders, content_policy
from explorer.serving.limits import Limits, LimitsMiddleware
from explorer.serving.news import NewsCache
from explorer.serving.routes import class_routes
from explorer.serving.usage import USAGE
from explorer.settings import class_link, data_folder, read_setting

SCRIPT = Path(__file__).with_name("streamlit_app.py")
_MESSAGES = ("rerun_script", "stop_script", "file_urls_request", "app_heartbeat")
_PRESENCE_S = 10
_CLOSE_OLD_S = 600
_MAX_CONNECTIONS = 4_000  # open at once, those that fetch files included


def hide_paths() -> None:
    """Send browsers no path and no version of Python: Streamlit sends both with each run of the script.

    Its own version stays: its page compares it with the one of its scripts, which name it anyway.
    """
    create: Callable[..., ForwardMsg] = AppSession._create_new_session_message

    def create_without_paths(*arguments: Any, **named: Any) -> ForwardMsg:
        message = create(*arguments, **named)
        message.new_session.main_script_path = SCRIPT.name
        environment = message.new_session.initialize.environment_info
        environment.python_version = environment.server_os = ""
        message.new_session.initialize.user_info.Clear()
        return message

    AppSession._create_new_session_message = create_without_paths  # type: ignore[method-assign]  # no other way


def is_allowed(frame: bytes) -> bool:
    """Whether a frame is a message of Streamlit's that a browser of a class may send.

    Others clear the caches of all sessions, for example, or end the server in a mode for developers.
    """
    try:
        message = BackMsg.FromString(frame)
    except DecodeError:
        return False
    return message.WhichOneof("type") in _MESSAGES


def held_bytes() -> int:
    """Return the size of all uploads that Streamlit keeps, until their sessions end."""
    manager = Runtime.instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    sessions = list(manager.file_storage.values())  # other threads change them
    return sum(len(record.data) for files in sessions for record in list(files.values()))


def make_app(store: ClassStore, link: str) -> ASGIApp:
    """Return the app of a class server; ``link`` is its address in the network."""
    news = NewsCache(store)

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[None]:
        for name in ("uvicorn.access", "uvicorn.error"):  # Streamlit lowers them; addresses hold what students do
            logging.getLogger(name).setLevel(logging.WARNING)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(USAGE.measure_delays()),
                tasks.create_task(_repeat(_PRESENCE_S, lambda: store.members.mark_present(news.take_present()))),
                tasks.create_task(_repeat(_CLOSE_OLD_S, lambda: store.close_older(MAX_HOURS))),
            ]
            yield
            for task in running:
                task.cancel()

    index = Path(st.__file__).parent / "static" / "index.html"
    limits = Limits(sessions=read_setting("EXPLORER_SESSIONS"))
    return st.App(
        SCRIPT,
        lifespan=lifespan,
        routes=class_routes(store, news, USAGE.report),
        middleware=[
            Middleware(SecurityHeaders, policy=content_policy(index.read_text("utf-8")), new_token=new_token),
            Middleware(
                LimitsMiddleware,
                limits=limits,
                usage=USAGE,
                hosts=own_names(link),
                is_allowed=is_allowed,
                held=held_bytes,
            ),
        ],
    )


async def _repeat(seconds: float, act: Callable[[], object]) -> None:
    while True:
        await asyncio.sleep(seconds)
        await run_in_threadpool(act)


def main() -> None:
    """Serve until a signal ends the process."""
    hide_paths()
    app = make_app(shared_store(data_folder()), class_link())
    uvicorn.run(
        app,
        host=os.environ["STREAMLIT_SERVER_ADDRESS"],
        port=int(os.environ["STREAMLIT_SERVER_PORT"]),
        ws="websockets-sansio",
        ws_max_size=Limits().frame,
        ws_per_message_deflate=True,
        ws_ping_interval=30,
        ws_ping_timeout=30,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=5,
        server_header=False,
        date_header=True,
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
