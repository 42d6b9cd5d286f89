"""The command line of keys and reports: reads arguments, opens the database, prints errors with their remedies."""

from __future__ import annotations

import argparse
import logging
import sys

from sqlalchemy.exc import DBAPIError

from backends import SpaceportError
from gateway.commands import keys, report
from gateway.database.connect import AWAY, away, migrate, open_database
from gateway.database.store import Store
from gateway.settings import from_environment


def run(arguments: list[str]) -> int:
    """Run `keys` or `report`; returns 0, or 1 after an error."""
    parser = argparse.ArgumentParser(prog="python -m gateway")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    keys.add_arguments(commands)
    report.add_arguments(commands)
    options = parser.parse_args(arguments)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        engine = open_database(from_environment())
        migrate(engine)
        options.run(Store(engine), options)
        engine.dispose()
    except SpaceportError as error:
        print(error.for_terminal, file=sys.stderr)
        return 1
    except DBAPIError as error:
        if not isinstance(error, AWAY):
            raise
        print(away(error).for_terminal, file=sys.stderr)
        return 1
    return 0
