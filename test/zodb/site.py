"""The real ZODB as judge of the demo's writer: site.py check FILE | site.py pack FILE TID | site.py append FILE."""
import json
import sys

import transaction
import ZODB
from persistent.TimeStamp import TimeStamp
from ZODB.FileStorage import FileStorage
from ZODB.scripts import fstest
from ZODB.serialize import referencesf


def check(path):
    """What a client sees: every object of the root, loaded, and every transaction."""
    fstest.check(path)
    db = ZODB.DB(FileStorage(path, read_only=True))
    texts = {name: page.get('text') for name, page in db.open().root().items()}
    tids = [each.tid.hex() for each in db.storage.iterator()]
    db.close()
    print(json.dumps({'texts': texts, 'tids': tids}))


def pack(path, tid):
    """The time is slightly after the tid's own: ZODB converts it back to a tid, and rounds."""
    storage = FileStorage(path)
    storage.pack(TimeStamp(bytes.fromhex(tid)).timeTime() + 1e-6, referencesf)
    storage.close()


def append(path):
    db = ZODB.DB(FileStorage(path))
    connection = db.open()
    connection.root()['page-1']['text'] = 'changed by ZODB'
    transaction.commit()
    db.close()


{'check': check, 'pack': pack, 'append': append}[sys.argv[1]](*sys.argv[2:])
