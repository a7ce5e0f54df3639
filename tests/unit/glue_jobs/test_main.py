"""The launcher says what it does not know."""

from __future__ import annotations

import pytest

from glue_jobs.main import main


def test_a_topic_that_does_not_exist_is_named_with_those_that_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--stream", "payments.v1,nope.v1"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "no such topic: nope.v1; there are transactions.v1" in said
