"""A dependency that keeps failing is left alone, and tried again."""

from __future__ import annotations

from lambdas.circuit import Circuit


def test_opens_after_failures_in_a_row_and_lets_one_trial_through_per_pause() -> None:
    now = 0.0
    circuit = Circuit(failures=2, pause=1.0, clock=lambda: now)
    circuit.failed()
    assert circuit.allows()
    circuit.failed()
    assert (circuit.state, circuit.allows()) == ("open", False)
    now = 1.0
    assert [circuit.allows(), circuit.allows()] == [True, False]
    circuit.succeeded()
    assert (circuit.state, circuit.allows(), circuit.allows()) == ("closed", True, True)


def test_a_success_in_between_starts_the_count_again() -> None:
    circuit = Circuit(failures=2)
    circuit.failed()
    circuit.succeeded()
    circuit.failed()
    assert circuit.state == "closed"
