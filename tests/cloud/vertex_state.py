"""What the stand-in for Vertex AI has, and the rules it keeps: those that Google's reference states."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TYPES = "type.googleapis.com/google.cloud.aiplatform.v1."
NOW = "2026-11-01T00:00:00Z"
Json = dict[str, Any]


class Refusal(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class Running:
    """A long-running operation: what it does when it ends, after some looks at it."""

    name: str
    kind: str
    effect: Callable[[], Json]
    looks: int
    error: Json | None = None
    response: Json | None = None

    @property
    def json(self) -> Json:
        told: Json = {"name": self.name, "done": self.response is not None or self.looks < 0}
        if self.error and told["done"]:
            return told | {"error": self.error}
        return told | ({"response": self.response} if self.response is not None else {})


@dataclass
class State:
    """`models` by name and version; an operation ends after `looks`, with the error that `end_badly` laid out."""

    endpoints: dict[str, Json] = field(default_factory=dict)
    models: dict[str, dict[str, Json]] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    looks: int = 1
    bad: dict[str, Json] = field(default_factory=dict)
    sick: set[str] = field(default_factory=set)  # versions whose replicas do not work
    next_id: int = 1000

    @property
    def empty(self) -> bool:
        return not self.endpoints and not self.models

    def end_badly(self, operation: str, code: int, message: str) -> None:
        """The next operation of that name ends with an error of google.rpc."""
        self.bad[operation] = {"code": code, "message": message}

    def end_all(self) -> None:
        """Time passes: whatever runs comes to its end."""
        for operation in self.running.values():
            while not operation.json["done"]:
                self._look(operation)

    def serving(self, endpoint: str) -> str:
        """The version that gets the most requests."""
        found = self.endpoints[endpoint]
        top = max(found["trafficSplit"], key=lambda name: found["trafficSplit"][name])
        return next(str(each["modelVersionId"]) for each in found["deployedModels"] if each["id"] == top)

    def answer(self, operation: str, resource: str, payload: Json) -> Json:
        handler = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        answered: Json = getattr(self, f"_{handler}")(resource, payload)
        return answered

    def _get_operation(self, resource: str, _: Json) -> Json:
        operation = self.running[resource]
        self._look(operation)
        return operation.json

    def _list_operations(self, resource: str, _: Json) -> Json:
        found = [each for name, each in self.running.items() if name.startswith(f"{resource}/operations/")]
        return {"operations": [each.json for each in found]}

    def _look(self, operation: Running) -> None:
        if operation.json["done"]:
            return
        operation.looks -= 1
        if operation.looks < 0 and not operation.error:
            operation.response = operation.effect()

    def _begin(self, resource: str, kind: str, effect: Callable[[], Json]) -> Json:
        self.next_id += 1
        name = f"{resource}/operations/{self.next_id}"
        self.running[name] = Running(name, kind, effect, self.looks, self.bad.pop(kind, None))
        return self.running[name].json

    def _upload_model(self, parent: str, payload: Json) -> Json:
        name = payload.get("parentModel") or f"{parent}/models/{payload['modelId']}"
        if "parentModel" in payload and name not in self.models:
            raise Refusal(404, f"The model {name} does not exist.")
        if "modelId" in payload and name in self.models:
            raise Refusal(409, f"The model {name} exists.")

        def effect() -> Json:
            versions = self.models.setdefault(name, {})
            number = str(max(map(int, versions), default=0) + 1)
            default = [] if versions else ["default"]
            aliases = [*default, *payload["model"].get("versionAliases", [])]
            made = {"name": name, "versionId": number, "versionAliases": aliases, "createTime": NOW}
            versions[number] = payload["model"] | made
            return {"@type": f"{TYPES}UploadModelResponse", "model": name, "modelVersionId": number}

        return self._begin(name, "UploadModel", effect)

    def _list_model_versions(self, name: str, _: Json) -> Json:
        if name not in self.models:
            raise Refusal(404, f"The model {name} is not found.")
        return {"models": list(reversed(self.models[name].values()))}

    def _merge_version_aliases(self, resource: str, payload: Json) -> Json:
        name, _, number = resource.partition("@")
        versions = self.models[name]
        if number not in versions:
            raise Refusal(404, f"{resource} is not found: give the number of a version.")
        for alias in payload["versionAliases"]:
            has = versions[number]["versionAliases"]
            if alias.startswith("-"):
                has.remove(alias[1:])
            elif any(alias in each["versionAliases"] for each in versions.values()):
                raise Refusal(400, f"The alias {alias} is taken.")
            else:
                has.append(alias)
        return versions[number]

    def _delete_model(self, name: str, _: Json) -> Json:
        if name not in self.models:
            raise Refusal(404, f"The model {name} is not found.")
        if any(each["model"] == name for end in self.endpoints.values() for each in end["deployedModels"]):
            raise Refusal(400, f"The model {name} is deployed.")
        return self._begin(name, "DeleteModel", lambda: self._gone(self.models, name))

    def _create_endpoint(self, parent: str, payload: Json) -> Json:
        name = f"{parent}/endpoints/{payload['endpointId']}"
        if name in self.endpoints:
            raise Refusal(409, f"The endpoint {name} exists.")

        def effect() -> Json:
            made = {"name": name, "createTime": NOW, "deployedModels": [], "trafficSplit": {}}
            self.endpoints[name] = payload["endpoint"] | made
            return {"@type": f"{TYPES}Endpoint"} | self.endpoints[name]

        return self._begin(name, "CreateEndpoint", effect)

    def _get_endpoint(self, name: str, _: Json) -> Json:
        return self._endpoint(name)

    def _endpoint(self, name: str) -> Json:
        if name not in self.endpoints:
            raise Refusal(404, f"The endpoint {name} is not found.")
        return self.endpoints[name]

    def _update_endpoint(self, name: str, payload: Json) -> Json:
        found = self._endpoint(name)
        assert payload["updateMask"] == "trafficSplit"
        found["trafficSplit"] = self._split(found, payload["endpoint"]["trafficSplit"])
        return found

    def _delete_endpoint(self, name: str, _: Json) -> Json:
        if self._endpoint(name)["deployedModels"]:
            raise Refusal(400, f"The endpoint {name} has deployed models.")
        return self._begin(name, "DeleteEndpoint", lambda: self._gone(self.endpoints, name))

    def _deploy_model(self, name: str, payload: Json) -> Json:
        found, wanted = self._endpoint(name), payload["deployedModel"]
        model, _, named = wanted["model"].partition("@")
        versions = self.models.get(model, {})
        number = next((key for key, each in versions.items() if named in (key, *each["versionAliases"])), None)
        if number is None:
            raise Refusal(404, f"The model {wanted['model']} is not found.")
        self._split(found | {"deployedModels": [*found["deployedModels"], {"id": "0"}]}, payload["trafficSplit"])

        def effect() -> Json:
            self.next_id += 1
            made = {"id": str(self.next_id), "model": model, "modelVersionId": number, "createTime": NOW}
            works = {"availableReplicaCount": 0 if number in self.sick else 1, "lastUpdateTime": NOW}
            said = {"message": "CrashLoop"} if number in self.sick else {}
            found["deployedModels"].append(wanted | made | {"status": works | said})
            split = {made["id"] if key == "0" else key: share for key, share in payload["trafficSplit"].items()}
            found["trafficSplit"] = {key: share for key, share in split.items() if share}
            return {"@type": f"{TYPES}DeployModelResponse", "deployedModel": wanted | made}

        return self._begin(name, "DeployModel", effect)

    def _undeploy_model(self, name: str, payload: Json) -> Json:
        found, gone = self._endpoint(name), payload["deployedModelId"]
        left = [each for each in found["deployedModels"] if each["id"] != gone]
        split = payload.get("trafficSplit") or found["trafficSplit"]
        if left and split.get(gone):
            raise Refusal(400, f"The deployed model {gone} has traffic.")
        if left:
            self._split(found | {"deployedModels": left}, split)

        def effect() -> Json:
            found["deployedModels"] = left
            found["trafficSplit"] = split if left else {}
            return {"@type": f"{TYPES}UndeployModelResponse"}

        return self._begin(name, "UndeployModel", effect)

    def _mutate_deployed_model(self, name: str, payload: Json) -> Json:
        wanted = payload["deployedModel"]
        each = next((each for each in self._endpoint(name)["deployedModels"] if each["id"] == wanted["id"]), None)
        if each is None:
            raise Refusal(404, f"The deployed model {wanted['id']} is not found.")

        def effect() -> Json:
            for path in payload["updateMask"].split(","):
                key = path.removeprefix("dedicatedResources.")
                each["dedicatedResources"].pop(key, None)
                if key in wanted["dedicatedResources"]:
                    each["dedicatedResources"][key] = wanted["dedicatedResources"][key]
            return {"@type": f"{TYPES}MutateDeployedModelResponse", "deployedModel": each}

        return self._begin(name, "MutateDeployedModel", effect)

    @staticmethod
    def _split(endpoint: Json, split: Json) -> Json:
        known = {each["id"] for each in endpoint["deployedModels"]}
        if set(split) - known or sum(split.values()) != 100:
            raise Refusal(400, f"The traffic split {split} does not fit {sorted(known)}.")
        return dict(split)

    @staticmethod
    def _gone(where: dict[str, Any], name: str) -> Json:
        del where[name]
        return {"@type": "type.googleapis.com/google.protobuf.Empty"}
