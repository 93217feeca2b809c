"""live_writer.py SECONDS LOG: commits to the ZEO of this host each SECONDS, each fifth time with a blob, until it is ended.

LOG gets a line for each commit that has returned: the time, and how long Data.fs was then.
"""

import os
import sys
import time

import transaction
import ZEO.ClientStorage
import ZODB
from persistent.mapping import PersistentMapping
from ZODB.blob import Blob


def main(pause, log):
    storage = ZEO.ClientStorage.ClientStorage(("127.0.0.1", 8100), blob_dir="/srv/zope/var/blobs")
    connection = ZODB.DB(storage).open()
    root = connection.root()
    if "written" not in root:
        root["written"] = PersistentMapping()
        transaction.commit()
    with open(log, "a", buffering=1) as lines:
        for number in range(10**9):
            root["written"][number % 50] = os.urandom(500)
            if number % 5 == 0:
                blob = Blob()
                with blob.open("w") as file:
                    file.write(os.urandom(20000))
                root["written"]["blob", number % 50] = blob
            transaction.commit()
            size = os.stat("/srv/zeo/var/Data.fs").st_size
            lines.write("%.3f %d\n" % (time.time(), size))
            time.sleep(pause)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
