"""`python -m containers build|run|check|up|down`: the images, from the Dockerfile to a stack that is healthy."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from backends.terminal import exit_status
from containers import images, running, stack
from containers.checks import demo_contract as contract_demo
from containers.checks import inference_contract as contract


def main(given: Sequence[str] | None = None) -> int:
    """Do what the command says, and give the exit status."""
    options = _arguments(given)
    return exit_status(lambda: options.do(options))


def _build(options: argparse.Namespace) -> int:
    client = images.engine()
    for name in options.images or images.NAMES:
        if name not in images.NAMES:
            raise images.ContainerError(f"There is no image {name!r}.", f"There are: {', '.join(images.NAMES)}.")
        tag = f"spaceport-{name}:{options.tag}"
        trust = images.certificates() if options.trust_mine else options.trust
        for line in images.build(client, name, tag, trust=trust, extra=options.extra):
            print(line, flush=True)
        print(f"{tag}: {images.size(client, tag)}")
    return 0


def _run(options: argparse.Namespace) -> int:
    with running.running(images.engine(), options.image) as (container, url):
        print(f"{options.image} answers on {url}; Ctrl-C ends it.", flush=True)
        for line in container.logs(stream=True, follow=True):
            print(line.decode("utf-8", "replace"), end="", flush=True)
    return 0


def _check(options: argparse.Namespace) -> int:
    kept = True
    client = images.engine()
    if images.title(client, options.image) == contract_demo.TITLE:
        rows = contract_demo.check(client, options.image)
    else:
        rows = contract.check(client, options.image, first_token_limit=options.first_token)
    for row in rows:
        print(f"{'ok    ' if row.kept else 'BROKEN'} {row.promise:<48} {row.seen}", flush=True)
        kept = kept and row.kept
    return 0 if kept else 1


def _up(options: argparse.Namespace) -> int:
    stack.up(options.profile, say=lambda line: print(line, flush=True))
    return 0


def _down(options: argparse.Namespace) -> int:
    stack.down(volumes=options.volumes)
    return 0


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m containers", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, do: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(do=do)
        return added

    build = command("build", _build, "Build images, and say how large they are.")
    build.add_argument("images", nargs="*", metavar="IMAGE", help="inference or demo (both)")
    build.add_argument("--tag", default="dev", help="the tag (dev)")
    build.add_argument(
        "--trust", type=Path, metavar="FILE", help="certificates that downloads of the build are to trust"
    )
    build.add_argument("--trust-mine", action="store_true", help="those that this machine trusts")
    build.add_argument("--extra", type=Path, metavar="FOLDER", help="what to lay into the build context")
    command("run", _run, "Run an inference image on a free port until Ctrl-C.").add_argument("image", metavar="IMAGE")
    check = command("check", _check, "Try out everything that an inference image promises.")
    check.add_argument("image", metavar="IMAGE")
    check.add_argument("--first-token", type=float, default=10.0, metavar="SECONDS", help="the most it may take (10)")
    up = command("up", _up, "Start the stack and wait until all of it is healthy.")
    up.add_argument("--profile", action="append", default=[], help="gpu or ollama, beside what always runs")
    down = command("down", _down, "Stop the stack; its volumes stay.")
    down.add_argument("--volumes", action="store_true", help="delete them too, with what they hold")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
