"""What callers are told of a model that does not answer."""

from __future__ import annotations

import pytest

from lambdas.api.endpoints import SageMakerEndpoint, ScorerUnavailableError


def test_a_failed_endpoint_is_told_without_its_address_which_the_log_has(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(ScorerUnavailableError) as raised:
        SageMakerEndpoint("mercato-prod-fraud").invoke(b"")
    assert str(raised.value) == "its endpoint did not answer; the API's log says why"
    assert "mercato-prod-fraud" in caplog.text
    assert "127.0.0.1:9" in caplog.text
