"""The broker as its clients see it: a real server on a free port."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from app.pool import Pool
from app.server import Broker


@pytest.fixture
def client():
    broker = Broker(("127.0.0.1", 0), Pool(["one", "two"]))
    thread = threading.Thread(target=broker.serve_forever)
    thread.start()
    connection = http.client.HTTPConnection(*broker.server_address, timeout=10)

    def request(method, path, body=None, headers=None):
        content = body if isinstance(body, (bytes, type(None))) else json.dumps(body)
        connection.request(method, path, content, headers or {})
        response = connection.getresponse()
        answer = response.read()
        return response.status, json.loads(answer) if answer else None

    yield request
    connection.close()
    broker.shutdown()
    thread.join()
    broker.server_close()


def test_it_is_healthy(client):
    assert client("GET", "/v1/healthz") == (200, {"status": "ok"})


def test_a_sandbox_is_allocated_and_released(client):
    status, answer = client("POST", "/v1/allocations", {"owner": "ann"})
    assert (status, answer["owner"]) == (201, "ann")
    assert client("GET", "/v1/sandboxes") == (200, {"total": 2, "free": 1})
    assert client("DELETE", f"/v1/allocations/{answer['sandbox']}", {"owner": "ann"}) == (204, None)
    assert client("GET", "/v1/sandboxes") == (200, {"total": 2, "free": 2})


def test_an_exhausted_pool_is_a_conflict(client):
    for owner in ("ann", "bob"):
        assert client("POST", "/v1/allocations", {"owner": owner})[0] == 201
    assert client("POST", "/v1/allocations", {"owner": "cleo"})[0] == 409


def test_somebody_elses_sandbox_is_not_released(client):
    _, answer = client("POST", "/v1/allocations", {"owner": "ann"})
    assert client("DELETE", f"/v1/allocations/{answer['sandbox']}", {"owner": "bob"})[0] == 404


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"{}", b'{"owner": " "}', b'{"owner": 1}', b"x" * 5000])
def test_a_request_that_makes_no_sense_is_refused(client, body):
    assert client("POST", "/v1/allocations", body)[0] == 400


def test_other_pages_do_not_exist(client):
    assert client("GET", "/")[0] == 404
    assert client("POST", "/v1/other", {"owner": "ann"})[0] == 404


def test_it_starts_as_the_image_starts_it_and_stops_when_asked():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"PORT": str(port), "SANDBOXES": "one, two"}
    process = subprocess.Popen([sys.executable, "-m", "app"], env=environment)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/v1/sandboxes")
                assert json.loads(connection.getresponse().read()) == {"total": 2, "free": 2}
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
