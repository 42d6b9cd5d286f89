"""Words of the vision page."""

from __future__ import annotations

TITLE = "What is in the picture"
SUBTITLE = "Classifiers side by side, and what decided"
DESCRIPTION = "Classify pictures with models in this process or on a server."
PICTURE = "Picture"
PLACEHOLDER = "Drop a picture, paste one, or click to choose: JPEG, PNG, WebP or GIF"
TARGETS = "One or two classifiers"
EXPLAIN = "Show what decided"
EXPLAIN_INFO = "Covers 49 parts of the picture one after another: 49 times the work."
CLASSIFY = "Classify"
STOP = "Stop"
NO_PICTURE = "Choose a picture first."
PICTURE_GONE = "The picture was deleted after an hour. Choose it again."
NO_TARGET = "Choose one or two classifiers."
TOO_MANY_TARGETS = "Choose at most two classifiers."
EMPTY = "What the classifiers find appears here."
UNAVAILABLE = "Classifiers that are not set up:"
WAITING = "Waits for the other one, so that the times are its own"
LOADING = "Loading the model"
CLASSIFYING = "Classifying"
EXPLAINING = "Looking for what decided"
MAP_CAPTION = "Orange decided for “{label}”. Dark edges are outside of what the model sees."
PROBABILITIES = "Labels and how likely they are"


def map_alt(label: str) -> str:
    """Return the text for those who don't see the map."""
    return f"The picture with the parts in orange that decided for “{label}”"


def seconds_text(seconds: float) -> str:
    """Return a time in milliseconds or seconds."""
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.2f} s"


def percent_text(share: float) -> str:
    """Return a probability; one below 0.1 % isn't 0."""
    return "< 0.1 %" if share < 0.001 else f"{share:.1%}".replace("%", " %")
