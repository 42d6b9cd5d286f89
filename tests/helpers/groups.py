"""Groups of tests: which ones share a worker process, and what they need besides Python."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache

from xdist.scheduler import LoadScopeScheduling

# Tests that share one thing: a Docker engine with its images, one running app, or what takes seconds to import.
SHARED = {
    "engine": ("tests/containers",),
    "aws": (
        "tests/cloud/test_sagemaker.py",
        "tests/cloud/test_sagemaker_model.py",
        "tests/cloud/test_side_by_side.py",
    ),
    "inference server": (
        "tests/inference/http/test_json.py",
        "tests/inference/http/test_prompt_limits.py",
        "tests/inference/http/test_schema_limits.py",
        "tests/inference/test_bad_input.py",
        "tests/inference/test_compatibility.py",
        "tests/inference/test_disconnects.py",
        "tests/inference/test_formats.py",
        "tests/inference/test_logs.py",
        "tests/inference/test_metrics.py",
        "tests/inference/test_openai.py",
        "tests/inference/test_platforms.py",
        "tests/inference/test_startup.py",
        "tests/inference/test_unusual_clients.py",
    ),
    "postgresql": ("tests/gateway/test_database.py", "tests/gateway/test_database_loss.py"),
    # Importing it takes 8 s.
    "torch": (
        "tests/backends/kinds/test_transformers.py",
        "tests/backends/vectors/test_local_models.py",
        "tests/rag/search/embedding/test_embedders.py",
        "tests/rag/search/embedding/test_prompts.py",
        "tests/rag/search/test_rerank.py",
    ),
    "scripted page": (
        "tests/app/test_access.py",
        "tests/app/test_conversations.py",
        "tests/app/test_documents.py",
        "tests/app/test_event_stream.py",
        "tests/app/test_languages.py",
        "tests/app/test_layout.py",
        "tests/app/test_link_preview.py",
        "tests/app/test_mcp.py",
        "tests/app/test_session.py",
        "tests/app/test_streaming.py",
    ),
    "digits": ("tests/vision", "tests/diffusion"),
    "demo": ("tests/app/test_browser.py", "tests/app/test_filings.py"),
    "attacked comparator": (
        "tests/security/test_comparator_events.py",
        "tests/security/limits/test_shared_measurements.py",
    ),
    "attacked page": (
        "tests/security/access/test_direct_calls.py",
        "tests/security/test_errors.py",
        "tests/security/limits/test_event_limits.py",
        "tests/security/test_injection.py",
        "tests/security/access/test_links.py",
        "tests/security/access/test_routes.py",
        "tests/security/access/test_sessions.py",
        "tests/security/limits/test_sizes.py",
    ),
}


def group(nodeid: str) -> str:
    """Return the group of a test: its module, or what it shares with other modules."""
    return _group_of_module(nodeid.partition("::")[0])


@cache
def _group_of_module(module: str) -> str:
    return next((name for name, parts in SHARED.items() if _is_in(module, parts)), module)


def _is_in(module: str, places: Iterable[str]) -> bool:
    """Return whether a module is one of these files, or in one of these folders."""
    return any(module == place or module.startswith(f"{place}/") for place in places)


class GroupScheduling(LoadScopeScheduling):
    """Give each worker whole groups, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


# What a test needs besides Python, by a fixture that it uses, or by its path. `make quick` leaves these tests out.
NEEDS_BY_FIXTURE = {
    "browser": "browser",
    "start_app": "browser",
    "comparator": "browser",
    "served": "browser",
    "engine": "containers",
    "embedder": "models",
    "model": "models",
    "rapidocr": "models",
}
NEEDS_BY_PATH = {
    "tests/app": "browser",
    "tests/dashboard/test_staged.py": "browser",
    "tests/publish/test_documents.py": "browser",
    "tests/publish/test_large_library.py": "browser",
    "tests/publish/test_page.py": "browser",
    "tests/publish/test_rollback.py": "browser",
    "tests/security/limits/test_admission.py": "browser",
    "tests/security/test_edges.py": "browser",
    "tests/security/access/test_login.py": "browser",
    "tests/security/access/test_prefix.py": "browser",
    "tests/containers/test_pins.py": "containers",
    "tests/containers/test_rollout.py": "containers",
    "tests/backends/kinds/test_embedded.py": "models",
    "tests/backends/kinds/test_fast_copy.py": "models",
    "tests/backends/kinds/test_transformers.py": "models",
    "tests/backends/commands/test_commands.py": "models",
    "tests/backends/local_models/test_local_models.py": "models",
    "tests/backends/vectors/test_local_models.py": "models",
    "tests/cloud/test_side_by_side.py": "models",
    "tests/dashboard/test_prometheus.py": "models",
    "tests/diffusion": "models",
    "tests/inference": "models",
    "tests/rag/reading/ocr/test_rapid.py": "models",
    "tests/rag/reading/ocr/test_tesseract.py": "models",
    "tests/rag/search/embedding/test_embedders.py": "models",
    "tests/rag/search/embedding/test_prompts.py": "models",
    "tests/rag/search/test_rerank.py": "models",
    "tests/rag/test_headless.py": "models",
    "tests/vision": "models",
    "tests/backends/kinds/test_kubernetes.py": "time",
    "tests/backends/local_models/test_model_files.py": "time",
    "tests/chat_page/conversations/test_two_processes.py": "time",
    "tests/chat_page/sources/test_page_picture.py": "time",
    "tests/chat_page/test_better_model.py": "time",
    "tests/cloud/test_sagemaker.py": "time",
    "tests/cloud/test_terraform.py": "time",
    "tests/cloud/test_vertex.py": "time",
    "tests/compare/analyse/test_canary.py": "time",
    "tests/compare/analyse/test_canary_quality.py": "time",
    "tests/compare/analyse/test_rates.py": "time",
    "tests/compare/analyse/test_verdict.py": "time",
    "tests/compare/capacity/test_capacity_command.py": "time",
    "tests/compare/conformance/test_conformance.py": "time",
    "tests/compare/measure": "time",
    "tests/compare/test_cli.py": "time",
    "tests/compare/test_questions.py": "time",
    "tests/containers/test_gateway_contract.py": "time",
    "tests/containers/test_models.py": "time",
    "tests/containers/test_stack_files.py": "time",
    "tests/dashboard/test_costs.py": "time",
    "tests/dashboard/test_performance.py": "time",
    "tests/dashboard/test_playground.py": "time",
    "tests/dashboard/test_runs.py": "time",
    "tests/gateway/test_database_loss.py": "time",
    "tests/gateway/test_pictures.py": "time",
    "tests/gateway/test_requests.py": "time",
    "tests/gateway/test_shared_path.py": "time",
    "tests/publish/test_faults.py": "time",
    "tests/publish/test_hardware.py": "time",
    "tests/publish/test_publish.py": "time",
    "tests/publish/test_waiting.py": "time",
    "tests/rag/library/built/test_ray.py": "time",
    "tests/rag/library/test_store.py": "time",
    "tests/rag/scoring/test_hostile_answers.py": "time",
    "tests/rag/scoring/test_workload.py": "time",
    "tests/rag/search/test_index.py": "time",
    "tests/security/test_hostile_model_server.py": "time",
    "tests/security/test_linear_patterns.py": "time",
    "tests/security/limits/test_middleware_limits.py": "time",
    "tests/security/documents/test_office_readers.py": "time",
    "tests/security/limits/test_page_process.py": "time",
    "tests/security/documents/test_readers.py": "time",
    "tests/security/limits/test_replicas.py": "time",
    "tests/test_compatibility_page.py": "time",
    "tests/test_delivery.py": "time",
}


def needs(nodeid: str, fixtures: Collection[str]) -> frozenset[str]:
    """Return the marks of a test: browser, containers, models or time (its module takes many seconds)."""
    by_fixture = {NEEDS_BY_FIXTURE[fixture] for fixture in NEEDS_BY_FIXTURE.keys() & set(fixtures)}
    return _needs_of_module(nodeid.partition("::")[0]) | by_fixture


def is_left_out(module: str, selection: str) -> bool:
    """Return whether `-m` leaves out all tests of a module by its path, if it is like "not browser and not models"."""
    conditions = [condition.strip().partition("not ") for condition in selection.split(" and ")]
    names = {name for before, negation, name in conditions if negation and not before and name.isidentifier()}
    return not names.isdisjoint(_needs_of_module(module))


@cache
def _needs_of_module(module: str) -> frozenset[str]:
    return frozenset(need for place, need in NEEDS_BY_PATH.items() if _is_in(module, [place]))
