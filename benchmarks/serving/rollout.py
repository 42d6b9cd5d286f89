"""Measures how many streams a rolling update and a killed pod break, with the times of the manifest.

    python benchmarks/serving/rollout.py [--image spaceport-inference:dev] [--replicas 3] [--streams 20]

Needs a Docker engine with the image, kubectl and nginx. Clients stream answers through a proxy in a closed loop: first
without an event, then during a rolling update, during one without preStop, and while a pod is killed.
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

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.replicas import ROOT, Deployment, Manifest
from harness.tables import table, write

MAX_TOKENS = 24  # an answer of this length always ends within the grace period
QUESTION = "Count from one to twenty in words."
# Small servers, so that several fit on one machine.
SMALL = {"SPACEPORT_CONTEXT": "512", "SPACEPORT_PARALLEL": "8", "SPACEPORT_QUEUE": "32"}
IN_FLIGHT, QUEUED = "spaceport_requests_in_flight", "spaceport_queue_length"


@dataclass(slots=True)
class Counts:
    """Outcomes of the streams in one scenario: "complete", or the error's class before or after the first token."""

    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    by_fallback: int = 0  # answered by the second target of `fallback`

    @property
    def complete(self) -> int:
        return self.outcomes["complete"]

    @property
    def interrupted(self) -> int:
        return sum(count for outcome, count in self.outcomes.items() if outcome.endswith("after its first token"))

    @property
    def unanswered(self) -> int:
        return self.outcomes.total() - self.complete - self.interrupted


async def stream_once(backend: Any, counts: Counts) -> None:
    """Stream one answer and count its outcome."""
    from backends import BackendError, ChatRequest, Delta, Message
    from backends.kinds.fallback import FallbackBackend

    has_text = False
    try:
        async for event in backend.stream(ChatRequest((Message("user", QUESTION),), max_tokens=MAX_TOKENS)):
            has_text = has_text or isinstance(event, Delta)
        counts.outcomes["complete"] += 1
        counts.by_fallback += isinstance(backend, FallbackBackend) and backend.last_target == "spare"
    except BackendError as error:
        outcome = f"{type(error).__name__} {'after' if has_text else 'before'} its first token"
        counts.outcomes[outcome] += 1


@dataclass(frozen=True, slots=True)
class Load:
    """A closed loop of so many clients, each of which rests between two streams."""

    streams: int
    pause_seconds: float


async def run_load(entries: dict[str, Any], target: str, load: Load, done: threading.Event, counts: Counts) -> None:
    """Run the clients until `done` is set, and wait for their last streams."""
    from backends import Catalog
    from backends.http.connections import close_connections

    catalog = Catalog(entries, source="the benchmark")

    async def client() -> None:
        while not done.is_set():
            backend = catalog.connect(target)
            await stream_once(backend, counts)
            await asyncio.sleep(load.pause_seconds)

    await asyncio.gather(*(client() for _ in range(load.streams)))
    await close_connections()


class Simulation:
    """Runs scenarios on one deployment, with a spare pod outside the Service as the second target of `fallback`."""

    def __init__(self, deployment: Deployment, load: Load) -> None:
        self._deployment = deployment
        self._load = load
        self._replicas = len(deployment.in_service)
        self.broken: list[int] = []  # streams that each killed pod broke, as the proxy saw it
        spare = deployment.start()
        deployment.wait_ready(spare)
        self._entries = {
            "service": {"kind": "openai", "url": f"{deployment.url}/v1"},
            "spare": {"kind": "openai", "url": f"{spare.url}/v1"},
            "both": {"kind": "fallback", "targets": ["service", "spare"]},
        }

    def run(self, name: str) -> Counts:
        """Run one of SCENARIOS under load and return the outcomes of the streams."""
        while len(self._deployment.in_service) < self._replicas:
            self._deployment.add()
        counts, done = Counts(), threading.Event()

        def run_scenario() -> None:
            try:
                time.sleep(5)  # until all clients stream
                SCENARIOS[name](self)
                time.sleep(3)
            finally:
                done.set()

        thread = threading.Thread(target=run_scenario)
        thread.start()
        target = "both" if "fallback" in name else "service"
        asyncio.run(run_load(self._entries, target, self._load, done, counts))
        thread.join()
        return counts

    def wait(self) -> None:
        time.sleep(10)

    def roll(self) -> None:
        self._deployment.roll()

    def roll_without_pre_stop(self) -> None:
        self._deployment.roll(pre_stop=False)

    def kill(self) -> None:
        """Kill the busiest pod, as soon as one has requests."""
        busy: dict[str, float] = {}
        deadline = time.monotonic() + 30
        while not any(busy.values()):
            if time.monotonic() > deadline:
                raise RuntimeError("No pod had a request in 30 s.")
            time.sleep(0.02)
            busy = {pod.name: pod.metric(IN_FLIGHT) + pod.metric(QUEUED) for pod in self._deployment.in_service}
        pod = max(self._deployment.in_service, key=lambda pod: busy[pod.name])
        self._deployment.kill(pod)
        self.broken.append(self._deployment.broken_streams(pod))


ROLLOUT, KILL, KILL_WITH_FALLBACK = "rolling update", "killed pod", "killed pod, with fallback"
SCENARIOS: dict[str, Callable[[Simulation], None]] = {
    "no event": Simulation.wait,
    ROLLOUT: Simulation.roll,
    "rolling update without preStop": Simulation.roll_without_pre_stop,
    KILL: Simulation.kill,
    KILL_WITH_FALLBACK: Simulation.kill,
}


def report(results: dict[str, Counts], broken: list[int], setup: dict[str, Any]) -> bool:
    """Print the table and the goals, save both, and return whether all goals are met."""
    rows = [
        [
            name,
            str(counts.outcomes.total()),
            str(counts.complete),
            str(counts.interrupted),
            str(counts.unanswered),
            str(counts.by_fallback) if name == KILL_WITH_FALLBACK else "",
            ", ".join(sorted(f"{count} {key}" for key, count in counts.outcomes.items() if key != "complete")),
        ]
        for name, counts in results.items()
    ]
    print(
        table(["scenario", "streams", "complete", "interrupted", "unanswered", "answered by fallback", "errors"], rows)
    )
    rollout, kill, fallback = (results[name] for name in (ROLLOUT, KILL, KILL_WITH_FALLBACK))
    goals = {
        "a rolling update breaks no stream": rollout.complete == rollout.outcomes.total(),
        "a killed pod interrupts only its own streams": kill.interrupted <= broken[0]
        and fallback.interrupted <= broken[1],
        "every interrupted stream raises Interrupted": kill.interrupted
        == kill.outcomes["Interrupted after its first token"],
        "fallback answers every stream without a first token": fallback.unanswered == 0,
    }
    print()
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'}  {goal}")
    outcomes = {name: dict(counts.outcomes) | {"by fallback": counts.by_fallback} for name, counts in results.items()}
    write("rollout", {**setup, "scenarios": outcomes, "streams that the killed pod broke": broken, "goals": goals})
    return all(goals.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", default="spaceport-inference:dev")
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two streams of a client")
    parser.add_argument("--kustomization", type=Path, default=ROOT / "k8s" / "base")
    parser.add_argument("--short", action="store_true", help="only the scenarios with a goal")
    options = parser.parse_args()
    from containers import images

    manifest = Manifest.load(options.kustomization)
    print(f"preStop {manifest.pre_stop:g} s, grace period {manifest.grace:g} s, {options.streams} concurrent streams\n")
    names = [ROLLOUT, KILL, KILL_WITH_FALLBACK] if options.short else list(SCENARIOS)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # nginx's workers run as nobody
        deployment = Deployment(images.docker_client(), options.image, manifest, Path(folder), SMALL)
        with deployment.run(options.replicas):
            simulation = Simulation(deployment, Load(options.streams, options.pause))
            results = {name: simulation.run(name) for name in names}
    exits = [f"{pod.name}: {pod.exit}" for pod in deployment.pods if pod.exit]
    setup = {"replicas": options.replicas, "streams": options.streams, "manifest": asdict(manifest), "exits": exits}
    print()
    return 0 if report(results, simulation.broken, setup) else 1


if __name__ == "__main__":
    sys.exit(main())
