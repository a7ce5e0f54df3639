"""Check the snapshots of a training job, and hand them on as its channel.

python process.py --data FOLDER --channel FOLDER
"""

from mercato_models.churn import channels
from mercato_models.script import copied, process

if __name__ == "__main__":
    process(__doc__.split("\n")[0], copied(channels.read))
