"""`python -m gateway`: serves the catalogue, manages its keys and reports what they spent."""

from __future__ import annotations

from inference.program import run_program

HELP = """\
usage: python -m gateway [serve]
       python -m gateway keys add OWNER [--targets A,B] [--requests N] [--tokens N] [--budget USD]
       python -m gateway keys list
       python -m gateway keys revoke ID
       python -m gateway report --by owner|target|day [--month YYYY-MM] [--csv]

Serves every target of the catalogue over HTTP until SIGTERM. Each setting is an environment variable, which
docs/gateway.md explains.

variable                           default"""


def main(arguments: list[str]) -> int:
    """Run a command; returns its exit status, or 2 for wrong usage."""
    if arguments in (["-h"], ["--help"]):
        print(_help())
        return 0
    if arguments in ([], ["serve"]):
        from gateway.server import serve  # half a second, which --help must not wait for

        return serve()
    from gateway.commands.command import run

    return run(arguments)


def _help() -> str:
    from gateway.settings import Settings
    from inference.settings import describe

    return "\n".join([HELP, *describe(Settings)])


if __name__ == "__main__":
    run_program(main, extra="gateway")
