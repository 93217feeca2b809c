"""live_writer.py SECONDS LOG: commits to the ZEO of this host each SECONDS, each fifth time with a blob. SIGTERM ends it, between two commits.

LOG gets a line for each commit that has returned: the time, and how long Data.fs was then.
"""

import os
import signal
import sys
import time

import transaction
import ZEO.ClientStorage
import ZODB
from persistent.mapping import PersistentMapping
from ZODB.blob import Blob


def main(pause, log):
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    storage = ZEO.ClientStorage.ClientStorage(("127.0.0.1", 8100), blob_dir="/srv/zope/var/blobs")
    connection = ZODB.DB(storage).open()
    root = connection.root()
    if "written" not in root:
        root["written"] = PersistentMapping()
        transaction.commit()
    with open(log, "a", buffering=1) as lines:
        number = 0
        while not ended:
            root["written"][number % 50] = os.urandom(500)
            if number % 5 == 0:
                blob = Blob()
                with blob.open("w") as file:
                    file.write(os.urandom(20000))
                root["written"]["blob", number % 50] = blob
            transaction.commit()
            size = os.stat("/srv/zeo/var/Data.fs").st_size
            lines.write("%.3f %d\n" % (time.time(), size))
            number += 1
            time.sleep(pause)
    storage.close()


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
