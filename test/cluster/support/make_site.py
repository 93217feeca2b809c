"""make_site.py DATA.FS BLOBS MEGABYTES: the site before the first day, with ballast and the objects that site.py changes."""

import os
import sys

import transaction
import ZODB
from BTrees.IOBTree import IOBTree
from BTrees.LOBTree import LOBTree
from persistent.mapping import PersistentMapping
from ZODB.FileStorage import FileStorage

BUCKETS = 64


def main(path, blobs, megabytes):
    storage = FileStorage(path, blob_dir=blobs)
    db = ZODB.DB(storage)
    connection = db.open()
    root = connection.root()
    root["ids"] = IOBTree({bucket: LOBTree() for bucket in range(BUCKETS)})
    root["ghost"] = PersistentMapping({"value": 0})
    root["ballast"] = IOBTree()
    transaction.commit()
    block = os.urandom(3000)
    while storage.getSize() < float(megabytes) * 1e6:
        for _ in range(100):
            root["ballast"][len(root["ballast"])] = PersistentMapping({"bytes": os.urandom(16) + block})
        transaction.commit()
        connection.cacheMinimize()
    connection.close()
    db.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
