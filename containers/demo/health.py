"""Health check of the demo image, which has no curl: exits with 0 if the page answers."""

from __future__ import annotations

import http.client
import os
import sys

TIMEOUT = 4  # seconds


def main() -> int:
    """Request the page of this container directly, without the proxies of the environment."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["GRADIO_SERVER_PORT"]), timeout=TIMEOUT)
    try:
        connection.request("GET", "/")
        status = connection.getresponse().status
    except OSError as error:
        print(error)
        return 1
    print(status)
    return 0 if status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main())
