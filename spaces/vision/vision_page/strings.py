"""Words of the vision page."""

from __future__ import annotations

TITLE = "Pictures in and out"
SUBTITLE = "What is in a picture, and pictures from prompts"
DESCRIPTION = "Classify and make pictures with models in this process or on a server."
CLASSIFY_TAB = "Classify"
DRAW_TAB = "Draw"
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
WAITING = "Waiting for the other model, so that they don't slow each other down"
LOADING = "Loading the model"
CLASSIFYING = "Classifying"
EXPLAINING = "Finding what decided"
MAP_CAPTION = "The orange parts decided for “{label}”. The model doesn't see the dark edges."
PROBABILITIES = "Labels and how likely they are"

PROMPT = "Prompt"
PROMPT_PLACEHOLDER = "What should the picture show?"
EXAMPLES = "Examples"
EXAMPLE_PROMPTS = [
    "A lighthouse at dusk, oil on canvas",
    "A red fox in the snow, photograph",
    "A reading robot, children's book",
]
SIZE = "Size"
SIZE_OF_MODEL = "Default"
SEED = "Seed"
SEED_PLACEHOLDER = "Random"
GENERATORS = "One or two models"
DRAW = "Draw"
NO_PROMPT = "Write a prompt first."
PROMPT_TOO_LONG = "The prompt is too long: write at most {limit:,} characters."
WRONG_SEED = "The seed is a whole number from 0 to {limit:,}."
WRONG_SIZE = "Choose one of the sizes."
NO_GENERATOR = "Choose one or two models."
TOO_MANY_GENERATORS = "Choose at most two models."
DRAW_EMPTY = "Progress and pictures appear here."
STARTING = "Sending the prompt"
NO_GENERATORS = "This page has no model that makes pictures yet. There are two ways to give it one:"
IN_THIS_PAGE = "A model in this page, best on a GPU. It needs the packages of the extra “diffusion”:"
ON_A_SERVER = "A server with a model, and its address for the page:"
# Commands and names of variables are the same in every language.
SWITCH_ON_PAGE = """\
pip install 'spaceport[diffusion]'
export SPACEPORT_DIFFUSION_MODEL=stable-diffusion-v1-5/stable-diffusion-v1-5
make vision"""
SWITCH_ON_SERVER = """\
SPACEPORT_PORT=8081 python -m diffusion
SPACEPORT_DIFFUSION_URL=http://127.0.0.1:8081 make vision"""


def unavailable_classifiers(count: int) -> str:
    """Return the line behind which the classifiers are listed that can't be used."""
    return "1 classifier is not set up" if count == 1 else f"{count} classifiers are not set up"


def unavailable_models(count: int) -> str:
    """Return the same line for models that make pictures."""
    return "1 model is not set up" if count == 1 else f"{count} models are not set up"


def queued_text(ahead: int) -> str:
    """Return how long the line at the server is."""
    return "Waiting: next in line" if ahead < 1 else f"Waiting: {ahead} ahead in line"


def step_text(step: int, steps: int) -> str:
    """Return how far the denoising is."""
    return f"Step {step} of {steps}" if steps else "Working"


def seed_text(seed: int | None) -> str:
    """Return the caption of a picture."""
    return "" if seed is None else f"Seed {seed}"


def picture_alt(prompt: str) -> str:
    """Return the text for those who don't see the picture."""
    return f"A picture for the prompt “{prompt}”"


def preview_alt(prompt: str) -> str:
    """Return the text for those who don't see the preview."""
    return f"A preview of the picture for the prompt “{prompt}”"


def map_alt(label: str) -> str:
    """Return the text for those who don't see the map."""
    return f"The picture with the parts in orange that decided for “{label}”"


def seconds_text(seconds: float) -> str:
    """Return a time in milliseconds or seconds."""
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.2f} s"


def percent_text(share: float) -> str:
    """Return a probability; one below 0.1% isn't 0."""
    return "< 0.1%" if share < 0.001 else f"{share:.1%}"
