"""What can go wrong around a comparison, in words for the person who reads them.

CompareError
├── PlanError        what was asked for cannot be measured
├── WorkloadError    the prompts cannot be used
├── RunError         a stored run cannot be read
└── PriceError       a price cannot be used
"""

from __future__ import annotations

from backends import SpaceportError


class CompareError(SpaceportError):
    """Something about a comparison, not about a model."""


class PlanError(CompareError):
    """Targets, loads or numbers that cannot be measured."""


class WorkloadError(CompareError):
    """Prompts that cannot be read."""


class RunError(CompareError):
    """A stored run that cannot be read."""


class PriceError(CompareError):
    """A price that is missing, negative or misspelt."""
