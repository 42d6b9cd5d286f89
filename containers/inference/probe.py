"""`python -m inference.probe`: exits 0 if the server on this machine is ready; for HEALTHCHECK, without curl."""

from __future__ import annotations

import sys
from http.client import HTTPConnection

from backends import SpaceportError
from inference.settings import from_environment


def main() -> int:
    """Ask `/ready`, and give the exit status."""
    try:
        connection = HTTPConnection("127.0.0.1", from_environment().port, timeout=3)
        connection.request("GET", "/ready")
        answer = connection.getresponse()
    except (OSError, SpaceportError) as error:
        print(error)
        return 1
    print(answer.read(200).decode("utf-8", "replace"))
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
