import json

from inventory.store import Store
from inventory.web import application


def get(path, store=None):
    seen = {}

    def start_response(status, headers):
        seen["status"] = status

    body = b"".join(application(store or Store())({"PATH_INFO": path}, start_response))
    return seen["status"], json.loads(body)


def test_health():
    assert get("/health") == ("200 OK", {"status": "ok"})


def test_items():
    assert get("/api/items", Store({"bolt": 2})) == ("200 OK", {"items": {"bolt": 2}})


def test_anything_else():
    assert get("/")[0] == "404 Not Found"
