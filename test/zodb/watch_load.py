"""Load for a watch: watch_load.py FILE RATE SECONDS PACK_EVERY. Commits with real ZODB, and packs now and then.

Prints one JSON line for each commit that has returned ({"tid"}), for each pack ({"packed"}), and {"end"} at the end.
"""
import json
import random
import sys
import threading
import time

import persistent.mapping
import transaction
import ZODB
from ZODB.FileStorage import FileStorage

PAGES = 200
path, rate, seconds, pack_every = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
db = ZODB.DB(FileStorage(path))
until = time.time() + seconds


def say(**facts):
    # In one piece: two threads report.
    sys.stdout.write(json.dumps(facts) + '\n')
    sys.stdout.flush()


def setup():
    root = db.open().root()
    for page in range(PAGES):
        root[str(page)] = persistent.mapping.PersistentMapping()
    transaction.commit()


def pack():
    while time.time() < until - pack_every:
        time.sleep(pack_every)
        db.pack()
        say(packed=True)


def write():
    root = db.open().root()
    while time.time() < until:
        began = time.time()
        root[str(random.randrange(PAGES))]['field-%d' % random.randrange(50)] = 'x' * random.randrange(2000)
        transaction.commit()
        say(tid=db.storage.lastTransaction().hex())
        time.sleep(max(0, 1 / rate - (time.time() - began)))


setup()
packer = threading.Thread(target=pack, daemon=True)
packer.start()
write()
packer.join()
db.close()
say(end=True)
