from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from glassnet.errors import InvalidInputError
from glassnet.history import HISTORY
from glassnet.lab.access import HEADERS, Access
from glassnet.lab.launcher import MAX_MESSAGE, N_PORTS, listen
from glassnet.lab.protocol import unpack
from glassnet.lab.server import Lab
from glassnet.registry import EXHIBITS

OPEN = json.dumps({"id": 1, "do": "open", "settings": {}})


@pytest.fixture
def client() -> TestClient:
    return TestClient(Lab(Access.to("127.0.0.1")).app(), base_url="http://127.0.0.1")


@pytest.fixture
def socket_url(lab_port: int) -> str:
    return f"ws://127.0.0.1:{lab_port}/exhibits/counter/ws"


def ask(connection, text: str) -> dict:
    connection.send(text)
    return unpack(connection.recv())[0]


# pages


def test_the_first_page_tells_the_history_and_which_exhibits_there_are(client):
    page = client.get("/")
    assert page.status_code == 200
    told = json.loads(re.search('id="history">(.*?)</script>', page.text)[1])
    assert [(moment["year"], moment["title"]) for moment in told["moments"]] == [(m.year, m.title) for m in HISTORY]
    assert told["exhibits"] == list(EXHIBITS)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/exhibits/playground", "text/html"),
        ("/exhibits/playground.js", "text/javascript"),
        ("/static/page.js", "javascript"),
        ("/static/styles.css", "text/css"),
        ("/static/icon.svg", "image/svg"),
    ],
)
def test_pages_and_modules_are_served_and_may_speak_to_no_other_host(client, path, kind):
    response = client.get(path)
    assert response.status_code == 200
    assert kind in response.headers["content-type"]
    for name, value in HEADERS.items():
        assert response.headers[name] == value


@pytest.mark.parametrize("path", ["/exhibits/plaground", "/exhibits/plaground.js"])
def test_an_unknown_exhibit_names_those_there_are(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert "Unknown exhibit: 'plaground'. " in response.text
    assert all(name in response.text for name in EXHIBITS)


@pytest.mark.parametrize("path", ["/static/../server.py", "/static/%2e%2e/server.py", "/exhibits/playground.py"])
def test_no_other_file_is_served(client, path):
    assert client.get(path).status_code == 404


def test_the_first_page_comes_without_torch_and_scikit_learn():
    code = """
import sys
from starlette.testclient import TestClient
from glassnet.lab import server
from glassnet.lab.access import Access

server._WARM_UP = ()
page = TestClient(server.Lab(Access()).app(), base_url="http://localhost").get("/")
assert page.status_code == 200
print(sorted({"torch", "sklearn", "numba", "scipy"} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# who may come in


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "https://localhost", "null"])
def test_a_foreign_page_gets_403_before_the_socket_opens(socket_url, origin):
    with pytest.raises(InvalidStatus) as caught, connect(socket_url, additional_headers={"Origin": origin}):
        pass
    assert caught.value.response.status_code == 403
    assert f"A page of '{origin}' may not speak to the lab" in caught.value.response.body.decode()


def test_the_labs_own_page_may_speak(socket_url, lab_port):
    with connect(socket_url, additional_headers={"Origin": f"http://127.0.0.1:{lab_port}"}) as connection:
        assert ask(connection, OPEN)["frame"]["value"] == 0


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "", "127.0.0.1.evil.example"])
def test_a_name_that_only_points_here_is_refused(client, host):
    response = client.get("/", headers={"Host": host})
    assert response.status_code == 403
    assert "This lab is at 127.0.0.1, localhost or ::1" in response.text


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8765"])
def test_this_machine_has_three_names_and_any_port(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 200


def test_beyond_loopback_the_token_is_asked_for_and_remembered():
    access = Access.to("0.0.0.0")
    client = TestClient(Lab(access).app(), base_url="http://school.example:8765")
    assert access.token is not None
    assert len(access.token) >= 32
    assert client.get("/").status_code == 403
    assert client.get("/?token=wrong").status_code == 403
    assert client.get(f"/?token={access.token}").status_code == 200
    assert client.get("/exhibits/playground").status_code == 200  # by the cookie
    assert access.token != Access.to("0.0.0.0").token


def test_a_socket_needs_the_token_too(exhibits):
    access = Access.to("0.0.0.0")
    client = TestClient(Lab(access, exhibits).app(), base_url="http://school.example")
    with pytest.raises(WebSocketDenialResponse) as caught, client.websocket_connect("/exhibits/counter/ws"):
        pass
    assert caught.value.status_code == 403
    with client.websocket_connect(f"/exhibits/counter/ws?token={access.token}") as connection:
        connection.send_text(OPEN)
        assert unpack(connection.receive_bytes())[0]["frame"]["value"] == 0


# sockets


def test_messages_that_are_wrong_get_words_and_the_session_goes_on(socket_url):
    with connect(socket_url) as connection:
        assert ask(connection, OPEN)["settings"]["startValue"] == 0
        assert "not JSON" in ask(connection, "{")["error"]
        assert "not JSON" in ask(connection, b"\xff\xfe")["error"]
        assert "got 6" in ask(connection, '{"id": 2, "do": "set", "settings": {"startValue": 6}}')["error"]
        assert (
            "RuntimeError: -5 is unlucky"
            in ask(connection, '{"id": 3, "do": "set", "settings": {"startValue": -5}}')["error"]
        )
        assert ask(connection, '{"id": 4, "do": "step", "n": 3}')["frame"]["value"] == 3


def test_answers_come_in_the_order_of_the_requests(socket_url):
    with connect(socket_url) as connection:
        ask(connection, OPEN)
        for i in range(20):
            connection.send(json.dumps({"id": i, "do": "step", "n": 1}))
        replies = [unpack(connection.recv())[0] for _ in range(20)]
    assert [reply["id"] for reply in replies] == list(range(20))
    assert [reply["frame"]["value"] for reply in replies] == list(range(1, 21))


def test_every_visitor_has_an_exhibit_of_their_own(socket_url):
    with connect(socket_url) as one, connect(socket_url) as other:
        ask(one, OPEN)
        ask(other, OPEN)
        ask(one, '{"id": 2, "do": "step", "n": 9}')
        assert ask(other, '{"id": 2, "do": "step", "n": 1}')["frame"]["value"] == 1


def test_the_socket_is_not_compressed(socket_url):
    with connect(socket_url, compression="deflate") as connection:
        assert connection.response.headers.get("Sec-WebSocket-Extensions") is None


def test_a_message_that_is_too_large_ends_its_own_connection_only(socket_url):
    with connect(socket_url) as connection, connect(socket_url) as other:
        with pytest.raises(ConnectionClosed):
            ask(connection, "x" * (MAX_MESSAGE + 1))
        assert ask(other, OPEN)["id"] == 1


def test_an_exhibit_that_cannot_be_loaded_says_so(lab_port, exhibits):
    exhibits["broken"] = "no_such_module:Broken"
    with connect(f"ws://127.0.0.1:{lab_port}/exhibits/broken/ws") as connection:
        header, _ = unpack(connection.recv())
        assert header == {"id": None, "error": "ModuleNotFoundError: No module named 'no_such_module'"}
        with pytest.raises(ConnectionClosed):
            connection.recv()


def test_an_unknown_exhibit_has_no_socket(lab_port):
    with pytest.raises(InvalidStatus) as caught, connect(f"ws://127.0.0.1:{lab_port}/exhibits/no/ws"):
        pass
    assert caught.value.response.status_code == 404


# ports, starting, stopping


def test_a_taken_port_gives_the_next():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with listen("127.0.0.1", port) as other:
            assert port < other.getsockname()[1] <= port + N_PORTS


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("127.0.0.1", 70000, "A port is a number from 0 to 65535, got 70000"),
        ("127.0.0.1", -1, "A port is a number from 0 to 65535, got -1"),
        ("203.0.113.7", 8765, "Cannot listen at 203.0.113.7:8765"),
        ("no.such.host.invalid", 8765, "Cannot listen at no.such.host.invalid:8765"),
    ],
)
def test_where_it_cannot_listen_it_says_so(host, port, words):
    with pytest.raises(InvalidInputError, match=words):
        listen(host, port)


def test_launch_prints_its_address_and_ctrl_c_stops_it_with_a_visitor_connected():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = f"from glassnet.lab import launch; launch(port={port}, open_browser=False)"
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as lab:
            line = lab.stdout.readline()
            url = line.split()[2]
            assert line.startswith("glassnet lab: http://127.0.0.1:")
            with connect(url.replace("http", "ws") + "exhibits/playground/ws") as connection:
                assert "not JSON" in ask(connection, "hello")["error"]
                lab.send_signal(signal.SIGINT)
                _, errors = lab.communicate(timeout=20)
    assert lab.returncode == 0
    assert errors.strip() == f"Port {port} is taken."
