"""Asks the Hub whether it accepts the front matter of a README, before anything is created."""

from __future__ import annotations

from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

from backends.hub.client import Hub, refused_metadata, translate_errors


def check_metadata(hub: Hub, readme: str) -> None:
    """Raise `HubError` with the Hub's own words if it refuses the front matter."""
    request = {"content": readme, "repoType": "space"}
    with translate_errors("the front matter of README.md"):
        url = f"{hub.api.endpoint}/api/validate-yaml"
        response = get_session().post(url, json=request, headers=build_hf_headers(token=hub.api.token))
        if response.status_code != 400:
            hf_raise_for_status(response)
            return
        messages = [str(problem.get("message")) for problem in response.json().get("errors", [])]
    raise refused_metadata(messages)
