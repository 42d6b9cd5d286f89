"""Words of the comparator's page. The words of a report are in `compare.report.words.strings`."""

from __future__ import annotations

TITLE = "Compare platforms"
SUBTITLE = "The same prompts on several backends, with numbers you can defend"
DESCRIPTION = "Compare model backends side by side."
RACE_TAB = "Race"
MEASURE_TAB = "Measure"
LEADERBOARD_TAB = "Leaderboard"

# Race
RACE_LEAD = (
    "Send one prompt to two to four targets and watch them answer side by side. For numbers, use Measure: here they "
    "run at the same time, and can slow each other down."
)
RACE = "Race"
RACE_TARGETS = "Two to four targets"
PROMPT = "Prompt"
PROMPT_PLACEHOLDER = "One prompt for all targets"
EXAMPLES = "Examples"
EXAMPLE_PROMPTS = ["Why is the sky blue?", "Write three lines about the sea.", "Explain a hash table to a child."]
HIDE_NAMES = "Hide the names until I vote"
SETTINGS = "Settings"
MAX_LENGTH = "Maximum length (tokens)"
TEMPERATURE = "Temperature"
EQUAL = "Equally good"
BOTH_BAD, ALL_BAD = "Both are bad", "All are bad"
VOTES_FILE = "My votes (JSONL)"
NO_PROMPT = "Enter a prompt."

# Measure
MEASURE_LEAD = (
    "Choose two or more targets and press Measure: each gets the same prompts in turn, and you get one sentence that "
    "says which is faster, and how sure that is. Until then, you see an example."
)
TARGETS = "Targets"
WORKLOAD = "Prompts and answers (tokens)"
LOAD = "Load and repetitions"
MODE = "How to send requests"
MODES = {
    "concurrency": "Keep in flight (closed loop)",
    "sweep": "Sweep: keep 1, 2, 4 … in flight, up to",
    "poisson": "Send per second, at random times (Poisson)",
    "constant": "Send per second, evenly",
}
LOADS = "How many"
LOADS_INFO = "For several loads: 1, 4, 16"
WARMUP = "Warm-up requests (not counted)"
SEED = "Random seed"
MINUTES = "Maximum duration (minutes)"
OWN_PROMPTS = "Your own prompts (JSONL)"
QUESTIONS = "Questions about your documents"
QUESTIONS_LEAD = (
    'To see whose answers are right, add questions, a line each, like <code>{"question": "…", "answers": ["$4.6 '
    'billion"]}</code>, and the documents that answer them. Each question is asked equally often, so the number of '
    "requests is rounded up."
)
QUESTIONS_FILE, DOCUMENTS = "Questions (JSONL)", "Documents"
TWO_WORKLOADS, ONE_WORKLOAD = "There are questions and prompts of your own.", "Remove one of the two."
HALF_A_WORKLOAD, BOTH_FILES = "Questions need documents, and documents need questions.", "Add both, or neither."
REQUESTS = "Requests per target and load"
REQUESTS_INFO = "More requests show smaller differences."
MEASURE = "Measure"
STOP = "Stop"
STARTING = "Starting"
STOPPING = "Stopping; what was measured is kept"
THE_LOAD = "the load"
REQUESTS_IN_ALL = "requests in all"
CELLS = "targets times loads"
MINUTES_IN_ALL = "minutes"
MEASURE_YOURSELF = "Measure less here, or run python -m compare run on your own machine."

# Results
RUN = "Run"
COMPARE_WITH = "Compare with"
NO_OTHER_RUN = "no other run"
METRICS = "Metrics"
THIS_RUN = "Files and settings"
DEFINITIONS = "Metric definitions"
OBJECTIVES = "Limits of goodput"
PRICES_LABEL = "Prices, one line per target"
PRICES_PLACEHOLDER = "gpu = ml.g5.xlarge\nlaptop = 0.05/h\ncloud = tokens:openai/gpt-4o-mini"
BREAK_EVEN = "Break-even with a price per token"
BREAK_EVEN_INFO = "Choose models to see from how many requests on a machine by the hour costs less than they do."
UTILIZATION = "Utilization (%)"
UTILIZATION_INFO = "How much of its capacity a machine by the hour works"
SPOT = "Use spot prices where available"
MARGIN = "Equally good within (points)"
MARGIN_INFO = "Targets whose shares of right answers are shown to differ by less are as good as each other."
OPEN_RUN = "Open a stored run (JSONL)"
NO_RUN = "Measure, or open a stored run, to see its metrics."
RAW_FILE = "Raw arrivals (JSONL)"
SHARE = "Share by link"
SHARE_TEXTS = "Share its questions and answers too"
LINK = "Link to this run"
LINK_INFO = (
    "Anyone with the link can open the run with its settings, but not your prompts. Questions, answers and what "
    "servers say in errors are left out unless you share them too."
)
FILES = {"html": "Report (HTML)", "csv": "Requests (CSV)", "md": "Table (Markdown)"}

# Leaderboard
LEADERBOARD_LEAD = (
    "Results that people have published, each with its verdict and what to know before you trust it. They are in the "
    "dataset"
)
SEARCH = "Search"
SEARCH_PLACEHOLDER = "A target or a model"
WORKLOADS, ALL_WORKLOADS = "Prompts", "all"
ORDER = "First"
ORDERS = {
    "newest": "the newest",
    "right": "most right answers",
    "first-token": "the soonest first token",
    "end-to-end": "the fastest whole answer",
    "cost": "the cheapest",
}
ONLY_JUDGED = "With right answers only"
ONLY_CLEAN = "Without notes only"


def too_large(name: str, value: float, limit: int) -> str:
    """Return why a measurement is too large for this page."""
    return f"This page measures up to {limit:,} {name}; this would be {value:,.10g}."


def better_label(name: str) -> str:
    """Return the label of a vote."""
    return f"{name} is better"


def progress_text(done: int, total: int, unit: str, seconds_left: float | None, current_step: str) -> str:
    """Return the progress of a measurement; a step with a `total` of 0 counts nothing."""
    left = "" if seconds_left is None else f" · about {seconds_left:,.0f} s left"
    return f"{done:,} of {total:,} {unit}{left} · {current_step}" if total else current_step


def unavailable_summary(count: int) -> str:
    """Return the line behind which the targets are listed that can't be used."""
    return "1 target is not set up" if count == 1 else f"{count} targets are not set up"
