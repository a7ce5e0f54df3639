"""Check the payments of a training job, and hand them on as its channel.

python process.py --data FOLDER --channel FOLDER
"""

from mercato_models.entry import copied, process
from mercato_models.fraud import payments

if __name__ == "__main__":
    process(__doc__.split("\n")[0], copied(payments.read))
