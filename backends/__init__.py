"""One streaming client for a model on any platform.

    from backends import Catalog, ChatRequest, Message

    backend = Catalog.load().connect("laptop")
    async for event in backend.stream(ChatRequest([Message("user", "Hello")])):
        ...

`python -m backends list` lists the targets.
"""

from backends.catalog import Catalog, Target
from backends.errors import (
    BackendError,
    Interrupted,
    InvalidAnswer,
    NotConfigured,
    Overloaded,
    Rejected,
    SpaceportError,
    TimedOut,
    Unreachable,
)
from backends.stopwatch import Arrival, Mark, Stopwatch
from backends.types import (
    Backend,
    ChatRequest,
    Delta,
    Done,
    Event,
    Health,
    Message,
    Picture,
    TokenLogprob,
    Tool,
    ToolCall,
    Usage,
)

__all__ = [
    "Arrival",
    "Backend",
    "BackendError",
    "Catalog",
    "ChatRequest",
    "Delta",
    "Done",
    "Event",
    "Health",
    "Interrupted",
    "InvalidAnswer",
    "Mark",
    "Message",
    "NotConfigured",
    "Overloaded",
    "Picture",
    "Rejected",
    "SpaceportError",
    "Stopwatch",
    "Target",
    "TimedOut",
    "TokenLogprob",
    "Tool",
    "ToolCall",
    "Unreachable",
    "Usage",
]
