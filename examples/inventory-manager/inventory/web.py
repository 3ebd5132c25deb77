"""The inventory over HTTP, as a WSGI application.

GET /health     {"status": "ok"}
GET /api/items  {"items": {name: count}}
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from inventory.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def application(store: Store) -> Callable[..., Iterable[bytes]]:
    """Answers for one store."""

    pages = {
        "/health": lambda: {"status": "ok"},
        "/api/items": lambda: {"items": store.counts},
    }

    def answer(
        environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        page = pages.get(environ.get("PATH_INFO", ""))
        status = "200 OK" if page else "404 Not Found"
        start_response(status, [("Content-Type", "application/json")])
        said = page() if page else {"error": "no such page"}
        return [json.dumps(said).encode()]

    return answer
