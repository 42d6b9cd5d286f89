"""The parts of a gateway that all its requests share."""

from __future__ import annotations

import asyncio
import math
import uuid
from dataclasses import dataclass, field
from typing import Protocol

from backends import BackendError, Catalog
from diffusion.answers import cancel
from gateway.billing.bills import Size
from gateway.billing.budgets import Budgets
from gateway.cache.answers import Answers
from gateway.errors import NoSuchTarget, NotAllowed
from gateway.keys.key import Key
from gateway.keys.key_ring import KeyRing, revoked
from gateway.ledger.ledger import Ledger
from gateway.limits.quota import Limits, Reservation
from gateway.metrics import GatewayMetrics
from gateway.routing.router import Router
from gateway.routing.target_states import TargetStates
from gateway.targets import GatewayTarget, Targets, no_such_task
from inference.answers.admission_queue import AdmissionQueue
from inference.answers.generation import Work
from inference.errors import Full


class RunningRequest(Protocol):
    """A request in progress; `work` is its answer, once it has begun."""

    key: Key
    size: Size
    work: Work | None


@dataclass(slots=True)
class Parts:
    """What every request of one gateway uses; `id` names this gateway in the ledger, and is new at each start."""

    targets: Targets
    ledger: Ledger
    queue: AdmissionQueue
    metrics: GatewayMetrics
    keys: KeyRing = field(default_factory=KeyRing)
    budgets: Budgets = field(default_factory=Budgets)
    running: set[RunningRequest] = field(default_factory=set)
    limits: Limits = field(default_factory=Limits)
    answers: Answers = field(default_factory=lambda: Answers(None))
    router: Router = field(default_factory=lambda: Router(Catalog({}, source=""), TargetStates()))
    caches: bool = False  # whether equal requests share answers
    most_request_bytes: float = math.inf  # of the requests that wait or run
    request_bytes: int = 0
    settling: set[asyncio.Task[None]] = field(default_factory=set)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def settle(self, limits: Reservation, tokens: int) -> None:
        """Correct the tokens that a request took from its key's minute, in the background."""
        task = asyncio.create_task(limits.settle(tokens))
        self.settling.add(task)
        task.add_done_callback(self.settling.discard)

    def admit(self, request: RunningRequest) -> None:
        """Add a request to those in progress; raises `Full` if they would take too much memory together."""
        if self.request_bytes and self.request_bytes + request.size.bytes > self.most_request_bytes:
            wait = self.queue.retry_after
            raise Full("The requests in progress fill the memory.", f"Try again in {wait} s.", retry_after=wait)
        self.running.add(request)
        self.request_bytes += request.size.bytes

    def release(self, request: RunningRequest) -> None:
        """Take a request out of those in progress, if it is one."""
        if request in self.running:
            self.running.remove(request)
            self.request_bytes -= request.size.bytes

    def target_of(self, key: Key, model: str) -> GatewayTarget:
        """Return the target of that name; `NoSuchTarget` or `NotAllowed` if the key can't use it."""
        target = self.targets.find(model)
        if not key.may_use(target.name):
            raise NotAllowed(f"The key may not use {model}.", "GET /v1/models lists what it may use.")
        return target

    def check_task(self, target: GatewayTarget, task: str) -> None:
        """Raise the error of a target, or of all targets of a route, that can't do a task."""
        if task == "chat" or target.can(task):  # a route is itself a backend for text
            target.backend_for(task)
            return
        errors: list[BackendError] = []
        for name in self.router.leaves(target.name):
            try:
                self.targets.find(name).backend_for(task)
                return
            except BackendError as error:
                errors.append(error)
        what = "The route" if target.name in self.router.routes else "The target"
        missing = no_such_task(f"{what} {target.name}", task)
        raise next((error for error in errors if not isinstance(error, NoSuchTarget)), missing)

    def cancel(self, key: Key, request_id: str) -> int:
        """Cancel the pictures that a key's owner asked for with an ID; return how many, `Refused` if there are none."""
        works = [each.work for each in self.running if each.work and each.key.owner == key.owner]
        works = [work for work in works if work.id == request_id and work.dialect == "images"]
        return cancel(works)

    def end_revoked(self) -> None:
        """End the answers that run with a key that is revoked by now."""
        for request in list(self.running):
            if request.work and not self.keys.is_valid(request.key.id):
                request.work.interrupt(revoked())
