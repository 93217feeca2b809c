"""A side: a data directory, the real FileStorage that serves it, and the book of what its writers were promised."""
import os
import time
from io import BytesIO

from persistent.mapping import PersistentMapping
from persistent.TimeStamp import TimeStamp
from ZODB._compat import PersistentPickler
from ZODB.blob import Blob
from ZODB.Connection import TransactionMetaData
from ZODB.FileStorage import FileStorage
from ZODB.POSException import POSError, UndoError
from ZODB.serialize import referencesf
from ZODB.utils import z64

from reading import committed_bytes, transactions

LARGE = 120_000


def pickled(thing_class, state):
    file = BytesIO()
    pickler = PersistentPickler(lambda thing: None, file, 3)
    pickler.dump(thing_class)
    pickler.dump(state)
    return file.getvalue()


BLOB_RECORD = pickled(Blob, None)


class Commit:
    """What a writer was promised: `stored` is {oid: data}, `blobs` is {oid: content}."""

    def __init__(self, number):
        self.number, self.tid, self.stored, self.blobs = number, None, {}, {}
        self.note = '{T%06d}' % number

    def data(self, filler=b''):
        marker = '{D%06d.%d}' % (self.number, len(self.stored))
        return pickled(PersistentMapping, {'data': {'marker': marker, 'filler': filler}})


class Side:
    """
    `had`: the numbers of all commits that its Data.fs has, or had until a pack dropped them. `knows`: it has learned that
    another side serves, so that it may never again serve by itself. `promotions`: how often it was promoted.
    """

    def __init__(self, world, name):
        self.world, self.name, self.rng = world, name, world.rng
        self.directory = os.path.join(world.directory, name)
        self.path = os.path.join(self.directory, 'Data.fs')
        self.blobs = os.path.join(world.directory, f'{name}-blobs') if world.has_blobs else None
        self.status_file = os.path.join(world.directory, f'{name}.status')
        os.mkdir(self.directory)
        if self.blobs:
            os.mkdir(self.blobs)
            with open(os.path.join(self.blobs, '.layout'), 'w', encoding='utf8') as file:
                file.write('bushy')
        self.storage, self.had, self.knows = None, set(), False
        self.skew = 0
        # Small files beside the data, of earlier lives.
        self.earlier = []

    def open(self):
        if self.storage is None:
            self.storage = FileStorage(self.path, blob_dir=self.blobs)
        return self.storage

    def close(self):
        if self.storage is not None:
            self.storage.close()
            self.storage = None

    def die(self):
        """The server is gone without a word: no index is written."""
        if self.storage is not None:
            self.storage._save_index = lambda: None
            self.close()

    def next_tid(self):
        last = self.open()._ltid
        if self.world.has_ties:
            # Both sides of a fork give out the same tids.
            seconds = 60 + (TimeStamp(last).timeTime() if last != z64 else self.world.now)
        else:
            self.world.now += self.rng.choice([0.01, 1, 60]) + self.rng.random()
            seconds = self.world.now + self.skew
        tid = TimeStamp(*time.gmtime(seconds)[:5] + (seconds % 60,)).raw()
        return tid if tid > last else TimeStamp(tid).laterThan(TimeStamp(last)).raw()

    def commit(self, kind=None):
        """One acknowledged transaction; None if it could not be made."""
        commit = Commit(self.world.next_number())
        storage = self.open()
        meta = TransactionMetaData(self.rng.choice(['', 'admin', 'Jörg']), f'{commit.note} edited', {'n': commit.number})
        storage.tpc_begin(meta, self.next_tid())
        try:
            (kind or self.rng.choices(KINDS, WEIGHTS)[0])(self, commit, meta)
            storage.tpc_vote(meta)
        except (POSError, KeyError, UndoError):
            storage.tpc_abort(meta)
            return None
        if self.rng.random() < 0.02:
            storage.tpc_abort(meta)
            return None
        commit.tid = storage.tpc_finish(meta)
        self.acknowledged(commit)
        return commit

    def acknowledged(self, commit):
        self.world.acknowledged[commit.number] = commit
        self.had.add(commit.number)

    def commits(self, count):
        for _ in range(count):
            self.commit()

    def some_oids(self, most):
        oids = list(self.storage._index.keys())
        return self.rng.sample(oids, min(len(oids), self.rng.randrange(1, most + 1)))

    def tail_in_flight(self):
        """The server died between vote and finish: a transaction that nobody was promised, complete or cut."""
        before = committed_bytes(self.path)
        commit = None
        while commit is None:
            commit = self.commit(store_new)
        self.die()
        del self.world.acknowledged[commit.number]
        self.had.discard(commit.number)
        with open(self.path, 'r+b') as file:
            file.seek(len(before) + 16)
            file.write(b'c')
            file.truncate(self.rng.randrange(len(before) + 23, os.path.getsize(self.path) + 1))
        return len(before)

    def pack(self):
        """To the time of some transaction; the commits of which it dropped something are the site's own decision."""
        before = transactions(self.path)
        storage = self.open()
        at = TimeStamp(self.rng.choice(before[len(before) // 2:]).tid).timeTime() + 1e-6
        try:
            storage.pack(at, referencesf, gc=False)
        except Exception as error:
            # ZODB's packer fails one of its own assertions at some undos, and leaves the file unchanged.
            return f'failed: {type(error).__name__}'
        after = {each.commit: len(each.sequence) for each in transactions(self.path)}
        dropped = {each.commit for each in before if after.get(each.commit, -1) < len(each.sequence)}
        self.world.packed |= dropped
        return f'{len(dropped)} transactions changed'


def store_new(side, commit, meta):
    for _ in range(side.rng.choice([1, 1, 2, 5])):
        store(side, side.storage.new_oid(), z64, commit, meta)


def store_edit(side, commit, meta):
    for oid in side.some_oids(4):
        if oid not in commit.stored and not is_blob(side, oid):
            store(side, oid, side.storage.load(oid)[1], commit, meta)


def store_large(side, commit, meta):
    store(side, side.storage.new_oid(), z64, commit, meta, side.rng.randbytes(side.rng.randrange(LARGE)))


def store(side, oid, serial, commit, meta, filler=b''):
    data = commit.data(filler)
    side.storage.store(oid, serial, data, '', meta)
    commit.stored[oid] = data


def store_blob(side, commit, meta):
    if not side.blobs:
        return store_edit(side, commit, meta)
    known = [oid for oid in side.some_oids(6) if is_blob(side, oid)]
    oid = known[0] if known else side.storage.new_oid()
    content = b'{B%06d}' % commit.number + side.rng.randbytes(side.rng.randrange(5000))
    path = os.path.join(side.world.directory, f'upload-{commit.number}')
    with open(path, 'wb') as file:
        file.write(content)
    side.storage.storeBlob(oid, side.storage.load(oid)[1] if known else z64, BLOB_RECORD, path, '', meta)
    commit.stored[oid], commit.blobs[oid] = BLOB_RECORD, content


def is_blob(side, oid):
    return side.storage.load(oid)[0] == BLOB_RECORD


def undo(side, commit, meta):
    log = [each for each in side.storage.undoLog(0, 6) if b'{T000001}' not in each['description']]
    if not log:
        raise UndoError('nothing to undo')
    side.storage.undo(side.rng.choice(log)['id'], meta)


def delete(side, commit, meta):
    oid = side.some_oids(1)[0]
    if oid == z64:
        return
    side.storage.deleteObject(oid, side.storage.load(oid)[1], meta)


def empty(side, commit, meta):
    pass


KINDS = [store_new, store_edit, undo, store_blob, delete, empty, store_large]
WEIGHTS = [30, 40, 10, 15, 3, 3, 2]


def first_commit(side):
    """The root, an object that nobody deletes."""
    def root(side, commit, meta):
        store(side, z64, z64, commit, meta)
        store_new(side, commit, meta)
    side.commit(root)
