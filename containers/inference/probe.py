"""`python -m inference.probe`: exits with 0 if the local server is ready; for HEALTHCHECK in images without curl."""

from __future__ import annotations

import sys
from http.client import HTTPConnection

from backends import SpaceportError
from inference.settings import from_environment


def main() -> int:
    """Request `/ready` and return the exit status."""
    try:
        connection = HTTPConnection("127.0.0.1", from_environment().port, timeout=3)
        connection.request("GET", "/ready")
        response = connection.getresponse()
    except (OSError, SpaceportError) as error:
        print(error)
        return 1
    print(response.read(200).decode("utf-8", "replace"))
    return 0 if response.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
