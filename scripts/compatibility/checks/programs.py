"""What clients in environments of their own do with our server: LiteLLM, LangChain and the command line `llm`."""

from __future__ import annotations

import json

from compatibility.checks.chat import ASK, SCHEMA
from compatibility.checks.clients import MESSAGES, Checks, several, targets, text
from compatibility.environments import run
from compatibility.workplace import Server, Workplace


def litellm_sdk(server: Server, place: Workplace) -> Checks:
    """LiteLLM's Python client."""
    target, vectors = targets(server)
    access = f"api_base={target.url!r}, api_key={target.key!r}"
    chat = f"model='openai/{target.model}', messages={MESSAGES!r}, max_tokens=16, temperature=0, {access}"

    def python(code: str) -> str:
        return place.environments.python("litellm", f"import litellm\n{code}").strip()

    return {
        "chat": lambda: text(python(f"print(litellm.completion({chat}).choices[0].message.content)")),
        "stream": lambda: several(
            python(f"for each in litellm.completion({chat}, stream=True): print(each.id)").split()
        ),
        "embeddings": lambda: several(
            python(
                f"for each in litellm.embedding(model='openai/{vectors.model}', input=['a', 'b'], "
                f"encoding_format='float', {access}).data: print(each['index'])"
            ).split()
        ),
    }


def langchain(server: Server, place: Workplace) -> Checks:
    """LangChain's client for OpenAI."""
    target, vectors = targets(server)
    access = f"base_url={target.url!r}, api_key={target.key!r}"
    head = (
        "from langchain_openai import ChatOpenAI, OpenAIEmbeddings\n"
        f"chat = ChatOpenAI(model={target.model!r}, max_tokens=48, temperature=0, {access})\n"
        f"vectors = OpenAIEmbeddings(model={vectors.model!r}, check_embedding_ctx_length=False, {access})\n"
    )
    schema = {"title": "town", "description": "A town", **SCHEMA}

    def python(code: str) -> str:
        return place.environments.python("langchain", head + code).strip()

    return {
        "chat": lambda: text(python(f"print(chat.invoke({ASK!r}).content)")),
        "stream": lambda: several(python(f"for each in chat.stream({ASK!r}): print('piece')").split()),
        "JSON schema": lambda: text(
            python(f"print(chat.with_structured_output({schema!r}, method='json_schema').invoke('Name a town.'))")
        ),
        "embeddings": lambda: several(
            python("for each in vectors.embed_documents(['a', 'b']): print(len(each))").split()
        ),
    }


def llm_command(server: Server, place: Workplace) -> Checks:
    """The command line `llm`, with our server among its models."""
    target, _ = targets(server)
    home = place.folder / "llm"
    home.mkdir(exist_ok=True)
    entry = {"model_id": "ours", "model_name": target.model, "api_base": target.url, "api_key_name": "ours"}
    (home / "extra-openai-models.yaml").write_text(json.dumps([entry]))  # JSON is YAML too
    (home / "keys.json").write_text(json.dumps({"ours": target.key}))

    def prompt(*options: str) -> str:
        command = [str(place.environments.install("llm") / "llm"), "prompt", "-m", "ours", "-o", "max_tokens", "16"]
        return text(run([*command, *options, ASK], {"LLM_USER_PATH": str(home)}))

    return {"chat": lambda: prompt("--no-stream"), "stream": prompt}
