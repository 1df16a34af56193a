"""Visitors come and go, some rudely; nothing of them stays."""

from __future__ import annotations

import gc
import json
import threading
import time
from contextlib import suppress

from websockets.sync.client import connect

from glassnet.lab.protocol import unpack

N_VISITS = 200
OPEN = json.dumps({"id": 1, "do": "open", "settings": {}})
STEP = json.dumps({"id": 2, "do": "step", "n": 3})


def living(kind: type) -> int:
    gc.collect()
    return sum(type(thing) is kind for thing in gc.get_objects())


def test_two_hundred_visits_leave_nothing_behind(lab_port, counter):
    url = f"ws://127.0.0.1:{lab_port}/exhibits/counter/ws"
    with connect(url) as faithful:
        faithful.send(OPEN)
        faithful.recv()
        threads = threading.active_count()
        for visit in range(N_VISITS):
            with suppress(OSError), connect(url) as connection:
                connection.send(OPEN)
                connection.recv()
                connection.send(STEP)
                if visit % 2:
                    connection.socket.close()  # a network that is cut, with an answer on its way
        for _ in range(100):
            if living(counter) == 1 and threading.active_count() <= threads + 1:
                break
            time.sleep(0.1)
        assert living(counter) == 1
        assert threading.active_count() <= threads + 1
        faithful.send(STEP)
        assert unpack(faithful.recv())[0]["frame"]["value"] == 3
