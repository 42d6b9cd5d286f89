"""Errors of a comparison, written for the person who reads them.

CompareError
├── PlanError        targets, loads or numbers that can't be measured
├── WorkloadError    prompts that can't be used
├── RunError         a stored run that can't be read
└── PriceError       a price that can't be used
"""

from __future__ import annotations

from backends import SpaceportError


class CompareError(SpaceportError):
    """An error of the comparison itself, not of a model."""


class PlanError(CompareError):
    """Targets, loads or numbers that can't be measured."""


class WorkloadError(CompareError):
    """Prompts that can't be read."""


class RunError(CompareError):
    """A stored run that can't be read."""


class PriceError(CompareError):
    """A price that is missing, negative or misspelled."""
