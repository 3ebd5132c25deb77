"""Serves the inventory on the port that PORT names."""

import os
from wsgiref.simple_server import make_server

from inventory.store import Store
from inventory.web import application

if __name__ == "__main__":
    # All addresses of the container: Kubernetes decides who gets there.
    host, port = "0.0.0.0", int(os.environ.get("PORT", "8080"))  # nosec B104
    with make_server(host, port, application(Store())) as server:
        server.serve_forever()
