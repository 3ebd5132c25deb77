"""Serves the inventory on the port that PORT names."""

import os
from wsgiref.simple_server import make_server

from inventory.store import Store
from inventory.web import application

if __name__ == "__main__":
    # All addresses of the container: Kubernetes decides who gets there.
    with make_server("0.0.0.0", int(os.environ.get("PORT", "8080")), application(Store())) as server:  # nosec B104
        server.serve_forever()
