"""Start the broker: PORT (8080), SANDBOXES (comma-separated names), LIFETIME in seconds (3600)."""

from __future__ import annotations

import os
import signal
import threading

from app.pool import Pool
from app.server import Broker


def main() -> None:
    """Serve until the container is asked to stop."""
    names = [name.strip() for name in os.environ.get("SANDBOXES", "sandbox-1").split(",")]
    pool = Pool((name for name in names if name), float(os.environ.get("LIFETIME", "3600")))
    broker = Broker(("", int(os.environ.get("PORT", "8080"))), pool)
    # shutdown() waits for serve_forever(), which the handler has interrupted.
    signal.signal(
        signal.SIGTERM, lambda *_: threading.Thread(target=broker.shutdown).start()
    )
    broker.serve_forever()
    broker.server_close()


if __name__ == "__main__":
    main()
