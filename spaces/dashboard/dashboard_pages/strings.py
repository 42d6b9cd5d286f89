"""All text that the dashboard's pages show."""

from __future__ import annotations

from collections.abc import Mapping

TITLE, SUBTITLE = "Spaceport dashboard", "Try, watch and compare LLM backends"
PLAYGROUND, PERFORMANCE, RUNS, COSTS = "Playground", "Performance", "Runs", "Costs"
PLAYGROUND_SUBTITLE = "One conversation, any model backend"
PERFORMANCE_SUBTITLE = "Live server metrics"
RUNS_SUBTITLE = "What the comparator measured"
COSTS_SUBTITLE = "Who used what through the gateway"

# Playground
CHECKING_MODELS = "Checking which models are available"
MODELS_CHECKED = "Models checked {age}."
MODEL = "Model"
NO_MODEL = "No model is available. The list below says why."
OTHER_MODELS = "Other models"
NO_MESSAGES = "Ask something, or begin with one of these. The model on this machine needs no key."
EXAMPLES = ("Why is the sky blue?", "Write three lines about the sea.", "Explain a hash table to a child.")
ASK = "Ask the model"
THOUGHTS = "Thoughts"
CLEAR, EXPORT = "Clear", "Export"
PARAMETERS = "Parameters"
MAX_TOKENS, TEMPERATURE, TOP_P, SEED = "Maximum length (tokens)", "Temperature", "Top p", "Seed"
TOP_P_HELP = "At 1, the backend decides."
SEED_PLACEHOLDER = "random"
SYSTEM_PROMPT, SYSTEM_PROMPT_PLACEHOLDER = "System prompt", "How the model should answer"
FIRST_TOKEN, TOKENS_PER_SECOND, TOTAL_SECONDS = "first token {:.2f} s", "{} tokens/s", "{:.2f} s in total"
TOKEN_COUNTS, PRICE = "{:,} tokens in, {:,} out", "{} USD"
STATES: Mapping[str, str] = {
    "loading": "loading the model",
    "waiting": "waiting for the first token",
    "thinking": "thinking",
    "answering": "answering",
    "stopped": "stopped",
    "failed": "failed",
}

# Performance
TIME = "Time"
READ_AT = "{source}, read {age}. Numbers cover the last five minutes. Times are in UTC."
STALE = "These are the last numbers that Prometheus sent: "
NO_GPU = "No GPU metrics: Prometheus doesn't scrape NVIDIA's DCGM exporter."
NO_PROMETHEUS = (
    "Set `SPACEPORT_PROMETHEUS_URL` to the address of a Prometheus, like `http://127.0.0.1:9090`: "
    "this page shows these metrics live."
)

# Runs
NO_RUNS = "There is no recorded run. Measure with the comparator, then open its JSONL file."
RUNS_NOTE = "The comparator measures runs and shows all their details: `make compare`, or `python -m compare run`."
RUN = "Run"
OPEN_RUN, OPEN_RUN_HELP = "Open a stored run", "The JSONL file that the comparator wrote"
COMPUTING_SUMMARY = "Computing the summary"
REPORT_HTML, RAW_JSONL = "Report (HTML)", "Raw arrivals (JSONL)"
REQUESTS_CSV, TABLE_MARKDOWN = "Requests (CSV)", "Table (Markdown)"

# Costs
BY, MONTH, ALL_TIME = "By", "Month (UTC)", "All time"
GROUPS: Mapping[str, str] = {"Day": "day", "Owner": "owner", "Target": "target"}
READING_LEDGER = "Reading the ledger"
TABLE_LABEL = "All lines of the ledger's report"
LEDGER_CSV = "Table (CSV)"
NO_LEDGER = (
    "Set `SPACEPORT_DATABASE_URL` to the database of your gateway: this page shows what each owner, target and day "
    "cost. For the gateway's own SQLite file that is `sqlite:////home/YOU/.local/share/spaceport/gateway/gateway.db`. "
    "Everybody who can open this page sees all bills, so put a login in front of it."
)
EMPTY_LEDGER = (
    "The ledger is empty. Start the gateway with `python -m gateway`, add a key with `python -m gateway keys add NAME` "
    "and send a request: each one with a valid key becomes a row."
)
NO_BILLS = "Nobody sent a request in {month}. Choose another month."
UNKNOWN_COST = (
    "The cost of {count} is unknown and in no sum, because the target has no price. Set `price` in its entry of the "
    "gateway's catalogue."
)
LEDGER_NOTE = (
    "“Failed” are requests that ended with an error, “refused” those that a key, limit or budget didn't allow. "
    "`python -m gateway report` prints the same table."
)


def requests(count: int) -> str:
    """Return a number of requests in words."""
    return "one request" if count == 1 else f"{count:,} requests"


def age(seconds: float) -> str:
    """Return how long ago something was."""
    if seconds < 1:
        return "just now"
    if seconds < 90:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 5400 else f"{seconds / 3600:.0f} h ago"
