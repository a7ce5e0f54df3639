"""Check the contexts and the catalogue of a training job, and hand them on as its channel.

python process.py --data FOLDER --channel FOLDER
"""

from pathlib import Path

from mercato_models.recommend import channels
from mercato_models.script import copied, process


def check(channel: Path) -> None:
    """Read what training reads.

    Raises:
        ChannelError, CheckError: it cannot be learned from.
    """
    contexts = channels.read_contexts(channel)
    channels.Snapshots(channel, channels.stores(contexts))
    for split in (channels.TRAIN, channels.TEST):
        channels.targets(contexts, split)


if __name__ == "__main__":
    process(__doc__.split("\n")[0], copied(check))
