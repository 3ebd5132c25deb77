import json

from inventory.store import Store
from inventory.web import application


def get(path, store=None):
    seen = {}

    def start_response(status, headers):
        seen["status"] = status

    answer = application(store or Store())
    body = b"".join(answer({"PATH_INFO": path}, start_response))
    return seen["status"], json.loads(body)


def test_health():
    assert get("/health") == ("200 OK", {"status": "ok"})


def test_items():
    expected = ("200 OK", {"items": {"bolt": 2}})
    assert get("/api/items", Store({"bolt": 2})) == expected


def test_anything_else():
    assert get("/")[0] == "404 Not Found"
