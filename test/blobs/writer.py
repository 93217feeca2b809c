"""Everything that a site does to its blobs, by ZODB's own ways: commits, edits, undo, aborts at each stage. Registers each content."""
import os
from base64 import decodebytes

import transaction
from persistent.mapping import PersistentMapping
from ZODB import DB
from ZODB.blob import Blob
from ZODB.Connection import TransactionMetaData
from ZODB.FileStorage.FileStorage import FileIterator
from ZODB.utils import load_current, z64

import records

HOLDERS = 6
SMALL, LARGE, HUGE = 2_000, 300_000, 4_000_000
FORMS = records.accepted()


class Refusal(Exception):
    """Ends a transaction after its vote."""


class Refuser:
    """The last participant of a transaction, which votes no: ZODB aborts what it has voted for."""

    def __init__(self, manager):
        self.transaction_manager = manager

    def sortKey(self):
        return '~~~'

    def tpc_vote(self, transaction):
        raise Refusal

    def abort(self, transaction):
        pass

    tpc_begin = commit = tpc_finish = tpc_abort = abort


class Writer:
    """`registry` gets each transaction once it is finished. One thread at a time uses a writer, and packs. `path`: the storage's Data.fs."""

    def __init__(self, storage, path, registry, directory, rng):
        self.storage, self.path, self.registry, self.directory, self.rng = storage, path, registry, directory, rng
        self.db = DB(storage)
        self.manager = transaction.TransactionManager(explicit=False)
        self.connection = self.db.open(self.manager)
        root = self.connection.root()
        for number in range(HOLDERS):
            root[f'holder {number}'] = PersistentMapping()
        self.manager.commit()
        self.first = storage.lastTransaction()
        self.names = 0

    def close(self):
        self.manager.abort()
        self.connection.close()
        self.db.close()

    def content(self):
        rng = self.rng
        size, = rng.choices([0, rng.randrange(1, 40), rng.randrange(SMALL), rng.randrange(LARGE), rng.randrange(HUGE)], [4, 10, 40, 43, 3])
        return (self.registry.next_marker() + rng.randbytes(size))[:size]

    def holder(self):
        return self.connection.root()[f'holder {self.rng.randrange(HOLDERS)}']

    def some_blob(self):
        """A blob that is in use, and its holder."""
        holders = [self.connection.root()[f'holder {number}'] for number in range(HOLDERS)]
        found = [(holder, key) for holder in holders for key in sorted(holder.keys()) if isinstance(holder[key], Blob)]
        if not found:
            raise Refusal
        holder, key = self.rng.choice(found)
        return holder, key, holder[key]

    def outside_file(self, content):
        path = os.path.join(self.directory, f'upload-{self.registry.count}-{self.rng.random()}')
        with open(path, 'wb') as file:
            file.write(content)
        return path

    def fill(self, blob, content):
        if self.rng.random() < 0.3:
            blob.consumeFile(self.outside_file(content))
        else:
            with blob.open('w') as file:
                file.write(content)

    def commit(self, planned):
        self.manager.commit()
        self.registry.transaction(self.storage.lastTransaction(), {blob._p_oid: content for blob, content in planned})

    def new_blobs(self, holder, count):
        planned = []
        for _ in range(count):
            blob, content = Blob(), self.content()
            self.fill(blob, content)
            self.names += 1
            holder[f'blob {self.names}'] = blob
            planned.append((blob, content))
        return planned

    def edited(self, blob):
        """Changes a blob in one of the ways of its API; its new content."""
        old, content = self.registry.current(blob._p_oid), self.content()
        way = self.rng.choice(['w', 'w', 'r+', 'a', 'c'])
        if way == 'c':
            blob.consumeFile(self.outside_file(content))
            return content
        with blob.open(way) as file:
            file.write(content)
        return {'w': content, 'r+': content + old[len(content):], 'a': old + content}[way]

    def create(self):
        self.commit(self.new_blobs(self.holder(), self.rng.choice([1, 1, 1, 2, 3, 7])))

    def edit(self):
        blob = self.some_blob()[2]
        self.commit([(blob, self.edited(blob))])

    def edit_and_create(self):
        holder, _, blob = self.some_blob()
        self.commit([(blob, self.edited(blob)), *self.new_blobs(holder, 1)])

    def without_blobs(self):
        self.names += 1
        self.holder()[f'text {self.names}'] = PersistentMapping(data='about ZODB.blob\nBlob\n' * self.rng.randrange(60))
        self.commit([])

    def unlink(self):
        for _ in range(self.rng.choice([1, 1, 3])):
            holder, key, _ = self.some_blob()
            del holder[key]
        self.commit([])

    def savepoint_then_abort(self):
        self.new_blobs(self.holder(), 2)
        self.manager.savepoint()
        self.manager.abort()

    def savepoint_then_commit(self):
        holder = self.holder()
        planned = self.new_blobs(holder, 1)
        self.manager.savepoint(optimistic=True)
        self.commit(planned + self.new_blobs(holder, 1))

    def vote_then_abort(self):
        self.new_blobs(self.holder(), 2)
        self.manager.get().join(Refuser(self.manager))
        self.manager.commit()

    def other_form(self):
        """The record of a blob as another ZODB has written it."""
        oid = self.some_blob()[2]._p_oid
        vote = Vote(self)
        try:
            vote.store(oid, self.rng.choice(FORMS))
            vote.vote()
        except Exception:
            vote.abort()
            raise
        vote.finish()

    def supersede(self):
        """New blobs with older revisions: a pack to now takes these away again."""
        self.manager.begin()
        self.connection.cacheMinimize()
        try:
            blobs = self.new_blobs(self.holder(), 3)
            self.commit(blobs)
            for blob, _ in blobs * 2:
                self.commit([(blob, self.edited(blob))])
        except Exception:
            self.manager.abort()

    def undo(self):
        """Of an edit, of a creation, of an undo; the newest one can always be undone."""
        log = [(each['id'], decodebytes(each['id'] + b'\n')) for each in self.storage.undoLog(0, 10)]
        log = [(name, tid) for name, tid in log if tid > self.first]
        if not log:
            raise Refusal
        name, tid = log[0] if self.rng.random() < 0.4 else self.rng.choice(log)
        meta = TransactionMetaData()
        self.storage.tpc_begin(meta)
        try:
            self.storage.undo(name, meta)
            self.storage.tpc_vote(meta)
        except Exception:
            self.storage.tpc_abort(meta)
            raise
        tid = self.storage.tpc_finish(meta)
        iterator = FileIterator(self.path, tid, tid)
        try:
            self.registry.transaction(tid, self.registry.undone(record for transaction in iterator for record in transaction))
        finally:
            iterator.close()

    def step(self):
        """One transaction; what became of it."""
        actions = [(self.create, 26), (self.edit, 22), (self.edit_and_create, 8), (self.without_blobs, 10), (self.unlink, 8),
                   (self.undo, 16), (self.savepoint_then_abort, 3), (self.savepoint_then_commit, 3), (self.vote_then_abort, 6),
                   (self.other_form, 5)]
        action, = self.rng.choices([action for action, _ in actions], [weight for _, weight in actions])
        self.manager.begin()
        self.connection.cacheMinimize()
        try:
            action()
            return action.__name__
        except Exception as error:
            # Undo and pack remove objects under a writer, and an undo may be impossible.
            self.manager.abort()
            return f'{action.__name__} ({type(error).__name__})'


class Vote:
    """A transaction by the storage's own calls, so that a sync can run between its vote and its end."""

    def __init__(self, writer):
        self.writer, self.storage = writer, writer.storage
        self.meta = TransactionMetaData()
        self.blobs = {}
        self.storage.tpc_begin(self.meta)

    def store(self, oid=None, form=records.USUAL):
        serial = z64 if oid is None else load_current(self.storage, oid)[1]
        oid = oid or self.storage.new_oid()
        content = self.writer.content()
        self.storage.storeBlob(oid, serial, form, self.writer.outside_file(content), '', self.meta)
        self.blobs[oid] = content

    def vote(self):
        self.storage.tpc_vote(self.meta)

    def finish(self):
        self.writer.registry.transaction(self.storage.tpc_finish(self.meta), self.blobs)

    def abort(self):
        self.storage.tpc_abort(self.meta)
