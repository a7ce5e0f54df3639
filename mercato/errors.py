"""Errors that a person can act on."""

from __future__ import annotations


class MercatoError(RuntimeError):
    """Something is missing or refused; the message names the cause and the next step.

    Commands print the message alone; anything else that is raised is a bug and shows its trace.
    """
