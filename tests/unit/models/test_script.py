"""How a training script ends."""

from __future__ import annotations

import pytest

from mercato_models import script
from mercato_models.checks import CheckError


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (CheckError("all labels are 0"), "train: all labels are 0"),
        (ValueError("no rows"), "train: no rows"),
        (KeyboardInterrupt(), 130),
    ],
)
def test_what_went_wrong_is_said_and_not_traced(raised: BaseException, said: str | int) -> None:
    def main(_arguments: list[str]) -> None:
        raise raised

    with pytest.raises(SystemExit) as ended:
        script.train(main)
    assert ended.value.code == said


def test_what_is_a_bug_is_traced() -> None:
    def main(_arguments: list[str]) -> None:
        raise TypeError("of ours")

    with pytest.raises(TypeError):
        script.train(main)
