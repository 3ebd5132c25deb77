"""The broker's HTTP interface.

GET  /v1/healthz                      200 when the broker can answer
GET  /v1/sandboxes                    how many there are and how many are free
POST /v1/allocations {"owner": …}     201 with a sandbox, 409 when none is free
DELETE /v1/allocations/NAME {"owner": …}  204, 404 when the owner does not hold it
"""

from __future__ import annotations

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from app.pool import NotAllocated, Pool, PoolExhausted

LARGEST_BODY = 4096
ALLOCATIONS = "/v1/allocations"


class Invalid(Exception):
    """The request cannot be understood; the text says why."""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server: Broker

    def do_GET(self) -> None:
        """Health and counts."""
        if self.path == "/v1/healthz":
            self._answer(HTTPStatus.OK, {"status": "ok"})
        elif self.path == "/v1/sandboxes":
            self._answer(HTTPStatus.OK, self.server.pool.counts())
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "no such page"})

    def do_POST(self) -> None:
        """Allocate."""
        try:
            owner = self._owner()
        except Invalid as error:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
            return
        if self.path != ALLOCATIONS:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "no such page"})
            return
        try:
            sandbox = self.server.pool.allocate(owner)
        except PoolExhausted:
            self._answer(HTTPStatus.CONFLICT, {"error": "every sandbox is allocated"})
        else:
            self._answer(HTTPStatus.CREATED, {"sandbox": sandbox.name, "owner": sandbox.owner})

    def do_DELETE(self) -> None:
        """Release."""
        try:
            owner = self._owner()
        except Invalid as error:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
            return
        try:
            self.server.pool.release(unquote(self.path.removeprefix(f"{ALLOCATIONS}/")), owner)
        except NotAllocated:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "not allocated to this owner"})
        else:
            self._answer(HTTPStatus.NO_CONTENT, None)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing per request: the load balancer keeps the access log."""

    def _owner(self) -> str:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            raise Invalid("a body of at most 4096 bytes is needed")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError:
            raise Invalid("the body is not JSON") from None
        owner = body.get("owner") if isinstance(body, dict) else None
        if not isinstance(owner, str) or not owner.strip():
            raise Invalid("the body names no owner")
        return owner

    def _answer(self, status: HTTPStatus, body: object) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if body is not None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Broker(ThreadingHTTPServer):
    """A server with a pool."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], pool: Pool) -> None:
        super().__init__(address, Handler)
        self.pool = pool
