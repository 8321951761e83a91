"""A client that speaks Streamlit's protocol: sessions without a browser, which cost the machine almost nothing.

Only what an answer holds is checked here; how long a browser draws it is measured in :mod:`benchmarks.browser`.
"""

import asyncio
import zlib
from time import monotonic
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

PATIENCE_S = 60


class Session:
    """One browser tab: its connection, the elements of its page by their widget id, and the state of its widgets."""

    def __init__(self, address: str, page: str = "", query: str = "", cookies: str = "") -> None:
        self.address, self.page, self.query, self.cookies = address, page, query, cookies
        self.states: dict[str, WidgetState] = {}
        self.elements: dict[str, tuple[str, Any, str]] = {}  # id → kind, proto, id of the fragment
        self.html: dict[tuple[int, ...], str] = {}
        self.cache: dict[str, ForwardMsg] = {}
        self.script_hash = ""
        self.first_message = b""  # about the server and the session, serialized
        self.bytes_received = 0
        self.bytes_on_wire = 0  # counted only while ``deflater`` is set
        self.deflater: Any = None
        self.errors: list[str] = []
        self.connection: Any = None

    async def open(self) -> float:
        """Connect and run the page for the first time. Return the seconds until its script had finished."""
        start = monotonic()
        headers = {"Cookie": self.cookies} if self.cookies else {}
        self.connection = await websockets.connect(
            f"{self.address.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=["streamlit"],
            additional_headers=headers,
            max_size=None,
            open_timeout=PATIENCE_S,
        )
        await self.run()
        return monotonic() - start

    def count_on_wire(self) -> None:
        """Count from now on what the server sends after compression, with the settings of its extension (RFC 7692)."""
        self.deflater = zlib.compressobj(wbits=-12, memLevel=5)

    async def close(self) -> None:
        """End the connection."""
        if self.connection is not None:
            await self.connection.close()

    async def run(self, changed: WidgetState | None = None, fragment: str = "", *, until: str = "") -> float:
        """Run the page, or one of its fragments, with a changed widget. Return the seconds until it had finished.

        With ``until``, return the seconds until an element has this text instead; the run is awaited all the same.
        """
        start = monotonic()
        await self.connection.send(self._rerun_request(changed, fragment))
        return await asyncio.wait_for(self._receive(start, until), PATIENCE_S)

    async def flood(self, reruns: int) -> None:
        """Request so many runs of the page at once, and receive what comes until cancelled."""
        request = self._rerun_request(None, "")
        sending = asyncio.gather(*(self.connection.send(request) for _ in range(reruns)))
        try:
            while True:
                await self.connection.recv()
        finally:
            sending.cancel()

    def _rerun_request(self, changed: WidgetState | None, fragment: str) -> bytes:
        """Return a request to run the page or a fragment, with the state of all widgets and what changed."""
        message = BackMsg()
        request = message.rerun_script
        request.query_string = self.query
        request.page_name = "" if self.script_hash else self.page
        request.page_script_hash = self.script_hash
        request.fragment_id = fragment
        request.cached_message_hashes.extend(self.cache)
        if changed is not None and not changed.HasField("trigger_value"):
            self.states[changed.id] = changed
        request.widget_states.widgets.extend(self.states.values())
        if changed is not None and changed.HasField("trigger_value"):
            request.widget_states.widgets.append(changed)
        return message.SerializeToString()

    async def _receive(self, start: float, until: str) -> float:
        found = 0.0
        while True:
            data = await self.connection.recv()
            self.bytes_received += len(data)
            if self.deflater is not None:
                self.bytes_on_wire += len(self.deflater.compress(data) + self.deflater.flush(zlib.Z_SYNC_FLUSH)) - 4
            message = ForwardMsg.FromString(data)
            if message.WhichOneof("type") == "ref_hash":
                metadata = message.metadata
                message = ForwardMsg.FromString(self.cache[message.ref_hash].SerializeToString())
                message.metadata.CopyFrom(metadata)
            elif message.metadata.cacheable:
                self.cache[message.hash] = message
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.script_hash = message.new_session.page_script_hash
                self.first_message = data
            elif kind == "delta":
                text = self._keep(message)
                if until and until in text and not found:
                    found = monotonic() - start
            elif kind == "script_finished":
                return found or monotonic() - start

    def _keep(self, message: ForwardMsg) -> str:
        """Keep an element that arrived; return the text in it."""
        delta = message.delta
        if delta.WhichOneof("type") != "new_element":
            return ""
        kind = delta.new_element.WhichOneof("type")
        proto = getattr(delta.new_element, kind)
        if kind == "exception":
            self.errors.append(proto.message)
        if identity := getattr(proto, "id", ""):
            self.elements[identity] = kind, proto, delta.fragment_id
        text = getattr(proto, "body", "")
        self.html[tuple(message.metadata.delta_path)] = text
        return str(text)

    def widget(self, key: str) -> tuple[str, Any, str]:
        """Return the id, the proto and the fragment of the widget with a key. Raises KeyError if there is none."""
        for identity, (_, proto, fragment) in reversed(self.elements.items()):
            if identity.endswith(f"-{key}"):
                return identity, proto, fragment
        raise KeyError(key)

    async def type_into_cell(self, row: int, heading: str, value: Any, *, until: str = "") -> float:
        """Edit a cell of the page's table. Return the seconds."""
        identity, _, fragment = self.widget("table")
        edits = f'{{"edited_rows": {{"{row}": {{"{heading}": "{value}"}}}}, "added_rows": [], "deleted_rows": []}}'
        return await self.run(WidgetState(id=identity, string_value=edits), fragment, until=until)

    async def choose(self, key: str, option: int, *, until: str = "") -> float:
        """Choose an option of radio buttons."""
        identity, proto, fragment = self.widget(key)
        return await self.run(WidgetState(id=identity, string_value=proto.options[option]), fragment, until=until)

    async def click(self, key: str, *, until: str = "") -> float:
        """Press a button."""
        identity, _, fragment = self.widget(key)
        return await self.run(WidgetState(id=identity, trigger_value=True), fragment, until=until)
