"""`python -m containers build|run|check|up|down|models|lock|pin`: builds, checks and locks images, runs the stack."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from backends.commands.terminal import exit_status
from containers import images, locks, pins, sandbox, stack
from containers.checks import demo_contract, edge_contract, gateway_contract, inference_contract, vision_contract
from containers.models import files


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit status."""
    options = _parse(arguments)
    return exit_status(lambda: options.run(options))


def _build(options: argparse.Namespace) -> int:
    client = images.docker_client()
    for name in options.images or images.STACK:
        if name not in images.NAMES:
            raise images.ContainerError(f"There is no image {name!r}.", f"There are: {', '.join(images.NAMES)}.")
        tag = f"spaceport-{name}:{options.tag}"
        trust = images.trusted_certificates() if options.trust_mine else options.trust
        for line in images.build(client, name, tag, trust=trust, extra=options.extra, local_base=options.local_base):
            print(line, flush=True)
        print(f"{tag}: {images.image_size(client, tag)}")
    return 0


def _run(options: argparse.Namespace) -> int:
    with sandbox.run_container(images.docker_client(), options.image) as (container, url):
        print(f"{options.image} runs at {url}. Press Ctrl-C to stop it.", flush=True)
        for line in container.logs(stream=True, follow=True):
            print(line.decode("utf-8", "replace"), end="", flush=True)
    return 0


def _check(options: argparse.Namespace) -> int:
    client = images.docker_client()
    title = images.image_title(client, options.image)
    if title == demo_contract.TITLE:
        results = demo_contract.check(client, options.image)
    elif title == vision_contract.TITLE:
        results = vision_contract.check(client, options.image)
    elif title == gateway_contract.TITLE:
        results = gateway_contract.check(client, options.image)
    elif title == edge_contract.TITLE:
        results = edge_contract.check(client, options.image, model=options.model, first_token_limit=options.first_token)
    else:
        results = inference_contract.check(client, options.image, first_token_limit=options.first_token)
    passed = True
    for result in results:
        print(f"{'ok    ' if result.passed else 'FAILED'} {result.promise:<48} {result.detail}", flush=True)
        passed = passed and result.passed
    return 0 if passed else 1


def _up(options: argparse.Namespace) -> int:
    stack.up(options.profile, report=lambda line: print(line, flush=True))
    return 0


def _down(options: argparse.Namespace) -> int:
    stack.down(volumes=options.volumes)
    return 0


def _models(options: argparse.Namespace) -> int:
    for path in files.write_files():
        print(path.relative_to(images.ROOT))
    return 0


def _lock(options: argparse.Namespace) -> int:
    for path in locks.write_locks():
        print(path.relative_to(images.ROOT))
    return 0


def _pin(options: argparse.Namespace) -> int:
    if options.check:
        for reference in (unpinned := pins.unpinned()):
            print(f"{reference.file.relative_to(images.ROOT)}: {reference} has no digest")
        return 1 if unpinned else 0
    for image, digest in pins.pin(images.docker_client()).items():
        print(f"{image:<40} {digest}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m containers", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        subparser = commands.add_parser(name, help=text, description=text)
        subparser.set_defaults(run=run)
        return subparser

    build = command("build", _build, "Build images and print their sizes.")
    build.add_argument(
        "images", nargs="*", metavar="IMAGE", help=f"{', '.join(images.NAMES)} (default: {', '.join(images.STACK)})"
    )
    build.add_argument("--tag", default="dev", help="the tag (default: dev)")
    build.add_argument("--trust", type=Path, metavar="FILE", help="CA certificates for downloads during the build")
    build.add_argument("--trust-mine", action="store_true", help="use this machine's CA certificates")
    build.add_argument("--extra", type=Path, metavar="FOLDER", help="files to add to the build context")
    build.add_argument(
        "--local-base", action="store_true", help="use the base image that this machine has, whatever its digest"
    )
    command("run", _run, "Run an inference image on a free port until Ctrl-C.").add_argument("image", metavar="IMAGE")
    check = command("check", _check, "Check everything that an image promises.")
    check.add_argument("image", metavar="IMAGE")
    check.add_argument(
        "--first-token", type=float, default=10.0, metavar="SECONDS", help="maximum time to first token (default: 10)"
    )
    check.add_argument("--model", type=Path, metavar="FILE", help="the GGUF file for an image without a model")
    up = command("up", _up, "Start the stack and wait until all services are healthy.")
    up.add_argument("--profile", action="append", default=[], help="also start gpu, ollama, gateway or models")
    down = command("down", _down, "Stop the stack and keep its volumes.")
    down.add_argument("--volumes", action="store_true", help="delete the volumes with their data")
    command("models", _models, "Write the files for the models in containers/models.toml.")
    command("lock", _lock, "Write the locked requirements of the images.")
    pin = command("pin", _pin, "Write the digests of all images that the project's files name by tag.")
    pin.add_argument(
        "--check", action="store_true", help="only list images without a digest; status 1 if there are any"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
