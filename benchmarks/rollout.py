"""What a rolling update and a killed pod cost those who are being answered, with the manifest's own times.

    python benchmarks/rollout.py [--image spaceport-inference:dev] [--replicas 3] [--streams 20]

Needs a Docker engine with the image, kubectl and nginx. Streams are asked for again and again through a proxy, at
first while nothing happens, then during a rolling update, one without preStop, and when a pod is killed.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.replicas import ROOT, Deployment, Manifest
from harness.tables import table, write

WORDS = 24  # tokens an answer: it could always end within the grace
QUESTION = "Count from one to twenty in words."
# So that several servers fit on one machine; what is rehearsed is their coming and going.
SMALL = {"SPACEPORT_CONTEXT": "512", "SPACEPORT_PARALLEL": "8", "SPACEPORT_QUEUE": "32"}
IN_FLIGHT, QUEUED = "spaceport_requests_in_flight", "spaceport_queue_length"


@dataclass(slots=True)
class Counts:
    """What became of the streams of one scene; an outcome is "whole", or the error's kind and whether text had come."""

    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    hidden: int = 0  # answered by the other target of `fallback`

    @property
    def whole(self) -> int:
        return self.outcomes["whole"]

    @property
    def cut(self) -> int:
        return sum(count for outcome, count in self.outcomes.items() if outcome.endswith("after its first token"))

    @property
    def unanswered(self) -> int:
        return self.outcomes.total() - self.whole - self.cut


async def ask(backend: Any, counts: Counts) -> None:
    """One stream, counted under what became of it."""
    from backends import BackendError, ChatRequest, Delta, Message

    spoke = False
    try:
        async for event in backend.stream(ChatRequest((Message("user", QUESTION),), max_tokens=WORDS)):
            spoke = spoke or isinstance(event, Delta)
        counts.outcomes["whole"] += 1
        counts.hidden += getattr(backend, "used", None) == "spare"
    except BackendError as error:
        kind = f"{type(error).__name__} {'after' if spoke else 'before'} its first token"
        counts.outcomes[kind] += 1


async def load(entries: dict[str, Any], target: str, streams: int, done: threading.Event, counts: Counts) -> None:
    """`streams` at a time, each asked again when it has ended, until `done`; those that run then are waited for."""
    from backends import Catalog
    from backends.http import client as http

    catalog = Catalog(entries, source="the rehearsal")

    async def visitor() -> None:
        while not done.is_set():
            backend = catalog.connect(target)
            await ask(backend, counts)
            await asyncio.sleep(0.05)

    await asyncio.gather(*(visitor() for _ in range(streams)))
    await http.aclose()


class Rehearsal:
    """The scenes, over one deployment and a spare pod that is not in the Service."""

    def __init__(self, deployment: Deployment, streams: int) -> None:
        self._deployment = deployment
        self._streams = streams
        self._replicas = len(deployment.in_service)
        self.on_killed: list[float] = []  # what a killed pod was answering, or had waiting
        spare = deployment.start()
        deployment.wait_ready(spare)
        self._entries = {
            "service": {"kind": "openai", "url": f"{deployment.url}/v1"},
            "spare": {"kind": "openai", "url": f"{spare.url}/v1"},
            "both": {"kind": "fallback", "targets": ["service", "spare"]},
        }

    def play(self, name: str) -> Counts:
        """One of SCENES: what became of the streams meanwhile."""
        while len(self._deployment.in_service) < self._replicas:
            self._deployment.add()
        counts, done = Counts(), threading.Event()

        def act() -> None:
            try:
                time.sleep(5)  # until all of them stream
                SCENES[name](self)
                time.sleep(3)
            finally:
                done.set()

        acting = threading.Thread(target=act)
        acting.start()
        target = "both" if "fallback" in name else "service"
        asyncio.run(load(self._entries, target, self._streams, done, counts))
        acting.join()
        return counts

    def nothing(self) -> None:
        time.sleep(10)

    def roll(self) -> None:
        self._deployment.roll()

    def roll_at_once(self) -> None:
        self._deployment.roll(pre_stop=False)

    def kill(self) -> None:
        """The pod that does most dies."""
        busy = {pod.name: pod.metric(IN_FLIGHT) + pod.metric(QUEUED) for pod in self._deployment.in_service}
        pod = max(self._deployment.in_service, key=lambda each: busy[each.name])
        self.on_killed.append(busy[pod.name])
        self._deployment.kill(pod)


ROLLED, KILLED, HIDDEN = "rolling update", "a pod is killed", "a pod is killed, with fallback"
SCENES: dict[str, Callable[[Rehearsal], None]] = {
    "nothing happens": Rehearsal.nothing,
    ROLLED: Rehearsal.roll,
    "rolling update, preStop left out": Rehearsal.roll_at_once,
    KILLED: Rehearsal.kill,
    HIDDEN: Rehearsal.kill,
}


def report(scenes: dict[str, Counts], on_killed: list[float], about: dict[str, Any]) -> bool:
    rows = [
        [
            name,
            str(counts.outcomes.total()),
            str(counts.whole),
            str(counts.cut),
            str(counts.unanswered),
            str(counts.hidden) if name == HIDDEN else "",
            ", ".join(sorted(f"{count} {what}" for what, count in counts.outcomes.items() if what != "whole")),
        ]
        for name, counts in scenes.items()
    ]
    print(table(["scene", "streams", "whole", "cut", "unanswered", "answered by the spare", "errors"], rows))
    rolled, killed, hidden = (scenes[name] for name in (ROLLED, KILLED, HIDDEN))
    goals = {
        "a rolling update loses no stream": rolled.whole == rolled.outcomes.total(),
        "a killed pod cuts only its own streams": killed.cut <= on_killed[0] and hidden.cut <= on_killed[1],
        "each that is cut says so (Interrupted)": killed.cut == killed.outcomes["Interrupted after its first token"],
        "fallback hides it from those without a first token": hidden.unanswered == 0,
    }
    print()
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'}  {goal}")
    told = {name: dict(counts.outcomes) | {"by the spare": counts.hidden} for name, counts in scenes.items()}
    write("rollout", {**about, "scenes": told, "in flight on the killed": on_killed, "goals": goals})
    return all(goals.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", default="spaceport-inference:dev")
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--kustomization", type=Path, default=ROOT / "k8s" / "base")
    parser.add_argument("--short", action="store_true", help="only the scenes that have a goal")
    options = parser.parse_args()
    from containers import images

    manifest = Manifest.load(options.kustomization)
    print(f"preStop {manifest.pre_stop:g} s, grace {manifest.grace:g} s, {options.streams} streams at a time\n")
    names = [ROLLED, KILLED, HIDDEN] if options.short else list(SCENES)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # nginx's workers are nobody
        deployment = Deployment(images.engine(), options.image, manifest, Path(folder), SMALL)
        with deployment.running(options.replicas):
            rehearsal = Rehearsal(deployment, options.streams)
            scenes = {name: rehearsal.play(name) for name in names}
    ended = [f"{pod.name}: {pod.ended}" for pod in deployment.pods if pod.ended]
    about = {"replicas": options.replicas, "streams": options.streams, "manifest": asdict(manifest), "ended": ended}
    print()
    return 0 if report(scenes, rehearsal.on_killed, about) else 1


if __name__ == "__main__":
    sys.exit(main())
