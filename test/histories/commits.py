"""Everything a serving host does to its file: commits of all kinds, aborts, packs. Real FileStorage, injected tids."""
from ZODB.Connection import TransactionMetaData
from ZODB.POSException import UndoError
from ZODB.serialize import referencesf
from ZODB.utils import z64

from host import time_of
from objects import data_marker, pickled, references, transaction_marker

HOT_OBJECTS = 3
BUCKETS = 2
FIRST_FREE = 1 + HOT_OBJECTS + BUCKETS


class Vote:
    """A transaction between begin and finish."""

    def __init__(self, host, tid=None):
        self.host = host
        self.storage = host.open()
        self.commit = host.world.new_commit()
        self.count = 0
        self.meta = TransactionMetaData('user', transaction_marker(self.commit))
        self.tid = tid or host.next_tid()
        self.storage.tpc_begin(self.meta, self.tid)

    def store(self, oid, serial, refs, filler=b''):
        data = pickled(data_marker(self.commit, self.count), refs, filler)
        self.count += 1
        self.host.world.data.add(data)
        self.storage.store(oid, serial, data, '', self.meta)

    def vote(self):
        self.storage.tpc_vote(self.meta)
        self.oids = frozenset(self.storage._tindex)

    def finish(self):
        self.storage.tpc_finish(self.meta)
        self.host.book.lineage.add(self.commit)
        self.host.world.committed[self.commit] = (self.tid, self.oids)

    def abort(self):
        self.storage.tpc_abort(self.meta)


def first_commit(host):
    vote = Vote(host)
    oids = [z64] + [host.storage.new_oid() for _ in range(FIRST_FREE - 1)]
    vote.store(z64, z64, oids[1:])
    for oid in oids[1:]:
        vote.store(oid, z64, [])
    vote.vote()
    vote.finish()


def hot(vote, rng):
    found = vote.host.reachable()
    roots = references(found[z64][0])[:HOT_OBJECTS] if z64 in found else []
    for oid in rng.sample(roots, min(len(roots), rng.choice([1, 1, 2]))):
        if oid in found:
            edit_one(vote, found, oid)


def edit_one(vote, found, oid, filler=b''):
    data, serial = found[oid]
    vote.store(oid, serial, references(data), filler)


def edit(vote, rng):
    found = vote.host.reachable()
    for oid in rng.sample(sorted(found), min(len(found), rng.randrange(1, 5))):
        edit_one(vote, found, oid)


def large(vote, rng):
    found = vote.host.reachable()
    oid = rng.choice(sorted(found))
    edit_one(vote, found, oid, rng.randbytes(rng.randrange(3_000, 30_000)))


def new(vote, rng):
    """New objects in a bucket; sometimes in the root itself."""
    found = vote.host.reachable()
    holders = buckets(found) or [z64]
    holder = z64 if rng.random() < 0.15 else rng.choice(holders)
    fresh = [vote.storage.new_oid() for _ in range(rng.choice([1, 1, 2, 3]))]
    for oid in fresh:
        vote.store(oid, z64, [])
    if holder in found:
        data, serial = found[holder]
        vote.store(holder, serial, references(data) + fresh)


def buckets(found):
    roots = references(found[z64][0]) if z64 in found else []
    return [oid for oid in roots[HOT_OBJECTS:HOT_OBJECTS + BUCKETS] if oid in found]


def unlink(vote, rng):
    """Objects that lose their last reference: garbage for the next pack."""
    found = vote.host.reachable()
    holders = [oid for oid in buckets(found) if references(found[oid][0])]
    if not holders:
        return edit(vote, rng)
    holder = rng.choice(holders)
    data, serial = found[holder]
    refs = references(data)
    for _ in range(rng.randrange(1, len(refs) + 1)):
        refs.pop(rng.randrange(len(refs)))
    vote.store(holder, serial, refs)


def delete(vote, rng):
    """Unlinks and deletes in one transaction, which sometimes changes the object first."""
    found = vote.host.reachable()
    holders = [oid for oid in buckets(found) if any(ref in found for ref in references(found[oid][0]))]
    if not holders:
        return edit(vote, rng)
    holder = rng.choice(holders)
    data, serial = found[holder]
    refs = references(data)
    victim = rng.choice([oid for oid in refs if oid in found])
    vote.store(holder, serial, [oid for oid in refs if oid != victim])
    if rng.random() < 0.5:
        edit_one(vote, found, victim)
    vote.storage.deleteObject(victim, found[victim][1], vote.meta)


def undo(vote, rng):
    # All but the one that created the root, without which nothing would remain.
    log = [each for each in vote.storage.undoLog(0, 8) if transaction_marker(1).encode() not in each['description']]
    if not log:
        raise UndoError('nothing to undo')
    # The newest one can always be undone.
    vote.storage.undo((log[0] if rng.random() < 0.4 else rng.choice(log))['id'], vote.meta)


def empty(vote, rng):
    pass


def identical(vote, rng):
    """Writes the same data once more."""
    found = vote.host.reachable()
    for oid in rng.sample(sorted(found), min(len(found), rng.randrange(1, 3))):
        vote.storage.store(oid, found[oid][1], found[oid][0], '', vote.meta)


KINDS = [(hot, 30), (edit, 16), (new, 22), (unlink, 8), (delete, 5), (undo, 12), (empty, 3), (identical, 5), (large, 3)]


def begin(host, rng, kind=None):
    """A transaction with its changes, before the vote; None if it failed and was aborted."""
    kind = kind or rng.choices([kind for kind, _ in KINDS], [weight for _, weight in KINDS])[0]
    vote = Vote(host)
    try:
        kind(vote, rng)
    except Exception:
        # Objects are missing, or there is nothing to change: rot and fsrecover may have removed the root.
        vote.abort()
        return None, kind.__name__
    return vote, kind.__name__


def commit(host, rng, kind=None):
    vote, name = begin(host, rng, kind)
    if vote is None:
        return f'{name} (aborted)'
    vote.vote()
    if rng.random() < 0.03:
        vote.abort()
        return f'{name} (aborted after the vote)'
    vote.finish()
    return f'{name} T{vote.commit:06d} {vote.tid.hex()}'


def pack(host, tid, gc, keep_old):
    """Packs to the time of a transaction; returns the outcome."""
    storage = host.open()
    storage.pack_keep_old = keep_old
    before = storage._pos
    try:
        storage.pack(time_of(tid) + 1e-6, referencesf, gc=gc)
    except Exception as error:
        # ZODB's packer gives up at missing objects, at some undos, and at rot; the file stays unchanged.
        return f'failed: {type(error).__name__}'
    return f'{before} -> {storage._pos}'
