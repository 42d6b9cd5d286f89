"""The state of the fake Vertex AI, with the rules of Google's reference."""

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
    """A long-running operation: it takes effect after `polls` requests for it."""

    name: str
    kind: str
    effect: Callable[[], Json]
    polls: int
    error: Json | None = None
    response: Json | None = None

    @property
    def json(self) -> Json:
        values: Json = {"name": self.name, "done": self.response is not None or self.polls < 0}
        if self.error and values["done"]:
            return values | {"error": self.error}
        return values | ({"response": self.response} if self.response is not None else {})


@dataclass
class State:
    """`models` by name and version. An operation ends after `polls` requests, with the error of `fail_operation`."""

    endpoints: dict[str, Json] = field(default_factory=dict)
    models: dict[str, dict[str, Json]] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    polls: int = 1
    errors: dict[str, Json] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)  # versions whose replicas fail
    next_id: int = 1000

    @property
    def empty(self) -> bool:
        return not self.endpoints and not self.models

    def fail_operation(self, operation: str, code: int, message: str) -> None:
        """Make the next operation of that name end with an error of google.rpc."""
        self.errors[operation] = {"code": code, "message": message}

    def finish_operations(self) -> None:
        """Finish all running operations."""
        for operation in self.running.values():
            while not operation.json["done"]:
                self._poll(operation)

    def serving(self, endpoint: str) -> str:
        """Return the version with the most traffic."""
        values = self.endpoints[endpoint]
        top = max(values["trafficSplit"], key=lambda name: values["trafficSplit"][name])
        return next(str(each["modelVersionId"]) for each in values["deployedModels"] if each["id"] == top)

    def answer(self, operation: str, resource: str, payload: Json) -> Json:
        handler = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        response: Json = getattr(self, f"_{handler}")(resource, payload)
        return response

    def _get_operation(self, resource: str, _: Json) -> Json:
        operation = self.running[resource]
        self._poll(operation)
        return operation.json

    def _list_operations(self, resource: str, _: Json) -> Json:
        operations = [each for name, each in self.running.items() if name.startswith(f"{resource}/operations/")]
        return {"operations": [each.json for each in operations]}

    def _poll(self, operation: Running) -> None:
        if operation.json["done"]:
            return
        operation.polls -= 1
        if operation.polls < 0 and not operation.error:
            operation.response = operation.effect()

    def _begin(self, resource: str, kind: str, effect: Callable[[], Json]) -> Json:
        self.next_id += 1
        name = f"{resource}/operations/{self.next_id}"
        self.running[name] = Running(name, kind, effect, self.polls, self.errors.pop(kind, None))
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
            values = {"name": name, "versionId": number, "versionAliases": aliases, "createTime": NOW}
            versions[number] = payload["model"] | values
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
        if any(each["model"] == name for endpoint in self.endpoints.values() for each in endpoint["deployedModels"]):
            raise Refusal(400, f"The model {name} is deployed.")
        return self._begin(name, "DeleteModel", lambda: self._delete(self.models, name))

    def _create_endpoint(self, parent: str, payload: Json) -> Json:
        name = f"{parent}/endpoints/{payload['endpointId']}"
        if name in self.endpoints:
            raise Refusal(409, f"The endpoint {name} exists.")

        def effect() -> Json:
            values = {"name": name, "createTime": NOW, "deployedModels": [], "trafficSplit": {}}
            self.endpoints[name] = payload["endpoint"] | values
            return {"@type": f"{TYPES}Endpoint"} | self.endpoints[name]

        return self._begin(name, "CreateEndpoint", effect)

    def _get_endpoint(self, name: str, _: Json) -> Json:
        return self._endpoint(name)

    def _endpoint(self, name: str) -> Json:
        if name not in self.endpoints:
            raise Refusal(404, f"The endpoint {name} is not found.")
        return self.endpoints[name]

    def _update_endpoint(self, name: str, payload: Json) -> Json:
        endpoint = self._endpoint(name)
        assert payload["updateMask"] == "trafficSplit"
        endpoint["trafficSplit"] = self._split(endpoint, payload["endpoint"]["trafficSplit"])
        return endpoint

    def _delete_endpoint(self, name: str, _: Json) -> Json:
        if self._endpoint(name)["deployedModels"]:
            raise Refusal(400, f"The endpoint {name} has deployed models.")
        return self._begin(name, "DeleteEndpoint", lambda: self._delete(self.endpoints, name))

    def _deploy_model(self, name: str, payload: Json) -> Json:
        endpoint, model_values = self._endpoint(name), payload["deployedModel"]
        model, _, label = model_values["model"].partition("@")
        versions = self.models.get(model, {})
        number = next((key for key, each in versions.items() if label in (key, *each["versionAliases"])), None)
        if number is None:
            raise Refusal(404, f"The model {model_values['model']} is not endpoint.")
        self._split(endpoint | {"deployedModels": [*endpoint["deployedModels"], {"id": "0"}]}, payload["trafficSplit"])

        def effect() -> Json:
            self.next_id += 1
            values = {"id": str(self.next_id), "model": model, "modelVersionId": number, "createTime": NOW}
            status: Json = {"availableReplicaCount": 0 if number in self.broken else 1, "lastUpdateTime": NOW}
            status |= {"message": "CrashLoop"} if number in self.broken else {}
            endpoint["deployedModels"].append(model_values | values | {"status": status})
            split = {values["id"] if key == "0" else key: share for key, share in payload["trafficSplit"].items()}
            endpoint["trafficSplit"] = {key: share for key, share in split.items() if share}
            return {"@type": f"{TYPES}DeployModelResponse", "deployedModel": model_values | values}

        return self._begin(name, "DeployModel", effect)

    def _undeploy_model(self, name: str, payload: Json) -> Json:
        endpoint, removed = self._endpoint(name), payload["deployedModelId"]
        left = [each for each in endpoint["deployedModels"] if each["id"] != removed]
        split = payload.get("trafficSplit") or endpoint["trafficSplit"]
        if left and split.get(removed):
            raise Refusal(400, f"The deployed model {removed} has traffic.")
        if left:
            self._split(endpoint | {"deployedModels": left}, split)

        def effect() -> Json:
            endpoint["deployedModels"] = left
            endpoint["trafficSplit"] = split if left else {}
            return {"@type": f"{TYPES}UndeployModelResponse"}

        return self._begin(name, "UndeployModel", effect)

    def _mutate_deployed_model(self, name: str, payload: Json) -> Json:
        model_values = payload["deployedModel"]
        each = next((each for each in self._endpoint(name)["deployedModels"] if each["id"] == model_values["id"]), None)
        if each is None:
            raise Refusal(404, f"The deployed model {model_values['id']} is not endpoint.")

        def effect() -> Json:
            for path in payload["updateMask"].split(","):
                key = path.removeprefix("dedicatedResources.")
                each["dedicatedResources"].pop(key, None)
                if key in model_values["dedicatedResources"]:
                    each["dedicatedResources"][key] = model_values["dedicatedResources"][key]
            return {"@type": f"{TYPES}MutateDeployedModelResponse", "deployedModel": each}

        return self._begin(name, "MutateDeployedModel", effect)

    @staticmethod
    def _split(endpoint: Json, split: Json) -> Json:
        model_ids = {each["id"] for each in endpoint["deployedModels"]}
        if set(split) - model_ids or sum(split.values()) != 100:
            raise Refusal(400, f"The traffic split {split} does not fit {sorted(model_ids)}.")
        return dict(split)

    @staticmethod
    def _delete(where: dict[str, Any], name: str) -> Json:
        del where[name]
        return {"@type": "type.googleapis.com/google.protobuf.Empty"}
