"""Whether the page answers, as exit status 0 or 1: the image has no curl."""

from __future__ import annotations

import http.client
import os
import sys

SECONDS = 4


def main() -> int:
    """Ask this container for its page, past any proxy that the environment names."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["GRADIO_SERVER_PORT"]), timeout=SECONDS)
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
