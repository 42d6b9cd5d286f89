"""Downloads a model from Cloud Storage; on Vertex AI `AIP_STORAGE_URI` names its folder.

Uses plain HTTP requests with the service account's token: Google's library would make the image a tenth larger.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from backends import NotConfigured

logger = logging.getLogger(__name__)

TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105 - a path
TIMEOUT = httpx2.Timeout(60, connect=5)


def download(uri: str, folder: Path) -> Path:
    """Copy the files below `uri` (gs://bucket/folder) to `folder`, and return it; blocks.

    Skips files that exist with their full size. Raises `NotConfigured` if the bucket refuses or a copy fails.
    """
    bucket, _, prefix = uri.removeprefix("gs://").strip("/").partition("/")
    prefix = f"{prefix}/" if prefix else ""
    try:
        with httpx2.Client(timeout=TIMEOUT) as client:
            files = list(_list_objects(client, bucket, prefix))
            if not files:
                raise NotConfigured(f"There is no file below {uri}.", "Upload the model there, or fix the address.")
            for name, size in files:
                _fetch(client, bucket, name, size, _local_path(folder, name.removeprefix(prefix)))
    except httpx2.HTTPStatusError as error:
        status = error.response.status_code
        raise NotConfigured(
            f"Cloud Storage refused {uri} ({status}).", "Give the service account storage.objects.get and .list."
        ) from error
    except (httpx2.TransportError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise NotConfigured(f"{uri} could not be copied ({reason}).", "Check the network and the disk.") from error
    return folder


def _list_objects(client: httpx2.Client, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield the names and sizes of the objects below `prefix`, without folders."""
    page: dict[str, Any] = {}
    while True:
        parameters = {"prefix": prefix, "fields": "items(name,size),nextPageToken"}
        if token := page.get("nextPageToken"):
            parameters["pageToken"] = token
        response = client.get(f"{_api()}/storage/v1/b/{quote(bucket)}/o", params=parameters, headers=_headers(client))
        page = response.raise_for_status().json()
        for item in page.get("items", []):
            if not item["name"].endswith("/"):
                yield item["name"], int(item["size"])
        if not page.get("nextPageToken"):
            return


def _local_path(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise NotConfigured(f"The object {name!r} would lie outside its folder.", "Rename it.")
    return path


def _fetch(client: httpx2.Client, bucket: str, name: str, size: int, path: Path) -> None:
    if path.is_file() and path.stat().st_size == size:
        return
    logger.info("copying", extra={"fields": {"object": name, "bytes": size}})
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")  # so that an incomplete copy is never used as the model
    url = f"{_api()}/storage/v1/b/{quote(bucket)}/o/{quote(name, safe='')}?alt=media"
    with client.stream("GET", url, headers=_headers(client)) as response, part.open("wb") as file:
        response.raise_for_status()
        for chunk in response.iter_bytes(1 << 20):
            file.write(chunk)
    if part.stat().st_size != size:
        raise OSError(f"{name} has {part.stat().st_size} bytes instead of {size}")
    part.replace(path)


def _api() -> str:
    return os.environ.get("STORAGE_EMULATOR_HOST", "https://storage.googleapis.com").rstrip("/")


def _headers(client: httpx2.Client) -> dict[str, str]:
    """Return headers with the service account's token; the metadata server caches and renews it."""
    host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    response = client.get(f"http://{host}{TOKEN_PATH}", headers={"Metadata-Flavor": "Google"})
    return {"Authorization": f"Bearer {response.raise_for_status().json()['access_token']}"}
