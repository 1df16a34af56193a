"""A kernel's comm and a notebook's model, thin: a real widget on one side, a real page on the other."""

from __future__ import annotations

import base64
from typing import Any

import comm
from comm.base_comm import BaseComm

from glassnet.lab.widget import LabWidget

PAGE = """<!doctype html><title>notebook</title><body data-jp-theme-light="true"><div id="cell"></div>"""

# what anywidget gives to render(): the traits, and messages both ways
SHOW = """async ([esm, state]) => {
    const listeners = [];
    const bytes = (text) => new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
    const text = (data) => btoa(Array.from(new Uint8Array(data), (byte) => String.fromCharCode(byte)).join(""));
    const model = {
        get: (name) => state[name],
        on: (kind, listener) => listeners.push(listener),
        off: (kind, listener) => listeners.splice(listeners.indexOf(listener), 1),
        send: async (content, callbacks, buffers = []) => {
            for (const [answer, data] of await toKernel(content, buffers.map(text))) {
                for (const listener of [...listeners]) listener(answer, data.map(bytes));
            }
        },
    };
    const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
    const { default: widget } = await import(url);
    window.close = widget.render({ model, el: document.querySelector("#cell") });
    window.listeners = listeners;
}"""


class RecordingComm(BaseComm):
    """Keeps what the kernel sends until the page takes it."""

    sent: list[Any]

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        self.__dict__.setdefault("sent", []).append((data or {}, buffers or []))


class Notebook:
    """Shows one widget in one page."""

    def __init__(self, page, monkeypatch, name: str, **settings: Any):
        monkeypatch.setattr(comm, "create_comm", RecordingComm)
        self.widget = LabWidget(name, **settings)
        self.messages = 0
        page.set_content(PAGE)
        page.expose_function("toKernel", self._to_kernel)
        state = {key: getattr(self.widget, key) for key in ("exhibit_name", "styles", "settings", "step")}
        page.evaluate(SHOW, [self.widget._esm, state])

    def _to_kernel(self, content: dict, buffers: list[str]) -> list:
        """Hand a message to the widget as the kernel does; return what the widget sent, buffers as base64."""
        self.messages += 1
        channel = self.widget.comm
        channel.sent.clear()
        data = {"method": "custom", "content": content}
        channel.handle_msg({"content": {"data": data}, "buffers": [base64.b64decode(text) for text in buffers]})
        custom = [(data["content"], parts) for data, parts in channel.sent if data.get("method") == "custom"]
        return [(answer, [base64.b64encode(part).decode() for part in parts]) for answer, parts in custom]
