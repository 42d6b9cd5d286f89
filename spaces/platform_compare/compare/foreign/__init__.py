"""Reads raw outputs of other load tools (AIPerf, GuideLLM, vLLM's benchmark) as runs of this program."""
