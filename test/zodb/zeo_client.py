"""A client that causes everything in a ZEO server that can happen to a Data.fs, until it is ended.

usage: zeo_client.py PORT SEED writer|packer|mortal [shared|cached BLOB_DIRECTORY]

With a directory it also changes blobs: through the server's own directory, or through a cache of its own.

A writer commits, aborts (before and after the vote), undoes, deletes, conflicts. A packer packs, now and by days. A mortal
one is a writer that sometimes dies between vote and finish, like a killed client.
"""
import os
import random
import sys
import time

import transaction
from BTrees.OOBTree import OOBTree
from persistent.mapping import PersistentMapping
from ZEO.ClientStorage import ClientStorage
from ZEO.Exceptions import ServerException
from ZODB import DB
from ZODB.Connection import TransactionMetaData
from ZODB.POSException import ConflictError, UndoError
from ZODB.utils import z64

from zeo_blobs import BlobActions

KEYS = 200
MOST_FAILURES = 20


class Writer:
    def __init__(self, storage, rng, mortal):
        self.storage = storage
        self.rng = rng
        self.mortal = mortal
        self.db = open_database(storage)
        self.connection = self.db.open()
        self.failures = 0
        self.blobs = None

    def prepare(self):
        # More than once, because an undo may have removed them.
        root = self.connection.root()
        if 'tree' not in root or 'hot' not in root:
            root['tree'] = OOBTree()
            root['hot'] = PersistentMapping()
            transaction.commit()
        self.tree = root['tree']

    def payload(self, most):
        return os.urandom(int(min(most, self.rng.lognormvariate(6.5, 1.6))))

    def annotate(self):
        current = transaction.get()
        if self.rng.random() < 0.7:
            current.setUser(self.rng.choice(['admin', 'Jörg', 'редактор', 'x' * 300]))
            current.note('edited /plone/' + 'é' * self.rng.randrange(200))
        if self.rng.random() < 0.4:
            current.setExtendedInfo('path', 'a' * self.rng.randrange(3000))

    def small(self):
        for _ in range(self.rng.randrange(1, 8)):
            self.tree[self.rng.randrange(KEYS)] = PersistentMapping(data=self.payload(60_000))
        self.annotate()
        transaction.commit()

    def large(self):
        self.tree[self.rng.randrange(KEYS)] = PersistentMapping(data=os.urandom(self.rng.randrange(3_000_000)))
        transaction.commit()

    def many_records(self):
        for _ in range(self.rng.randrange(100, 400)):
            self.tree[self.rng.randrange(KEYS)] = PersistentMapping(data=self.payload(300))
        transaction.commit()

    def remove(self):
        keys = list(self.tree.keys())
        for key in self.rng.sample(keys, min(len(keys), 20)):
            del self.tree[key]
        self.annotate()
        transaction.commit()

    def conflict(self):
        self.connection.root()['hot']['count'] = self.rng.random()
        time.sleep(self.rng.random() / 50)
        transaction.commit()

    def abort(self):
        self.tree[self.rng.randrange(KEYS)] = PersistentMapping(data=self.payload(60_000))
        transaction.abort()

    def meta(self):
        return TransactionMetaData('rawhide', 'b' * self.rng.randrange(500), {'n': 1})

    def empty(self):
        for _ in range(self.rng.randrange(1, 12)):
            meta = self.meta()
            self.storage.tpc_begin(meta)
            self.storage.tpc_vote(meta)
            self.storage.tpc_finish(meta)

    def abort_after_vote(self):
        meta = self.meta()
        self.storage.tpc_begin(meta)
        for _ in range(self.rng.randrange(1, 6)):
            self.storage.store(self.storage.new_oid(), z64, self.payload(800_000), '', meta)
        self.storage.tpc_vote(meta)
        time.sleep(self.rng.random() / 4)
        if self.mortal and self.rng.random() < 0.4:
            os._exit(7)
        self.storage.tpc_abort(meta)

    def slow_finish(self):
        meta = self.meta()
        self.storage.tpc_begin(meta)
        self.storage.store(self.storage.new_oid(), z64, self.payload(800_000), '', meta)
        self.storage.tpc_vote(meta)
        time.sleep(self.rng.random() / 4)
        self.storage.tpc_finish(meta)

    def undo(self):
        log = self.db.undoLog(0, 20)
        if log:
            self.db.undo(self.rng.choice(log[:4])['id'], transaction.get())
            transaction.commit()

    def delete_object(self):
        meta = self.meta()
        oid = self.storage.new_oid()
        self.storage.tpc_begin(meta)
        self.storage.store(oid, z64, self.payload(5_000), '', meta)
        self.storage.tpc_vote(meta)
        tid = self.storage.tpc_finish(meta)
        meta = self.meta()
        self.storage.tpc_begin(meta)
        self.storage.deleteObject(oid, tid, meta)
        self.storage.tpc_vote(meta)
        self.storage.tpc_finish(meta)

    def payload_object(self):
        return PersistentMapping(data=self.payload(5_000))

    def step(self):
        actions = [self.small, self.large, self.many_records, self.remove, self.conflict, self.abort, self.empty,
                   self.abort_after_vote, self.slow_finish, self.undo, self.delete_object]
        weights = [40, 3, 4, 8, 12, 4, 6, 8, 6, 8, 6]
        if self.blobs:
            actions += self.blobs.actions()
            weights += self.blobs.weights
        action, = self.rng.choices(actions, weights)
        try:
            self.prepare()
            action()
            self.failures = 0
        except (ConflictError, UndoError):
            transaction.abort()
        except Exception as error:
            # An undo or a pack may have removed objects under this client; but not every time.
            print(action.__name__, repr(error), flush=True)
            transaction.abort()
            self.failures += 1
            if self.failures > MOST_FAILURES:
                raise


def open_database(storage):
    while True:
        try:
            return DB(storage)
        except ConflictError:
            # Another client has created the root object at the same moment.
            transaction.abort()
            storage.sync()


def write(storage, rng, mortal, blob_seed):
    writer = Writer(storage, rng, mortal)
    if blob_seed:
        writer.blobs = BlobActions(writer, blob_seed)
    while True:
        writer.step()
        # Bursts and pauses: some syncs find much, some nothing.
        time.sleep(rng.choice([0, 0, 0, 0.01, 0.05, 0.3]))


def pack(storage, rng):
    failures = 0
    while True:
        time.sleep(rng.uniform(1, 5))
        kind = rng.choice(['now', 'now', 'seconds ago', 'days'])
        ago = rng.uniform(1, 10) if kind == 'seconds ago' else 0
        try:
            storage.pack(time.time() - ago, wait=True, days=1 if kind == 'days' else 0)
            failures = 0
        except ServerException as error:
            # ZODB's packer fails one of its own assertions at some undos across the pack time, and leaves the file unchanged.
            failures += 1
            if failures > MOST_FAILURES:
                raise
            kind += f' failed: {error!r}'
        print('packed', kind, flush=True)


def main():
    port, seed, role = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    rng = random.Random(seed)
    kind, directory = sys.argv[4:6] or (None, None)
    storage = ClientStorage(('127.0.0.1', port), wait_timeout=20, min_disconnect_poll=0.1,
                            blob_dir=directory, shared_blob_dir=kind == 'shared')
    if role == 'packer':
        pack(storage, rng)
    else:
        write(storage, rng, role == 'mortal', seed if kind else None)


if __name__ == '__main__':
    main()
