"""The real ZODB as judge of the benchmarks' fixtures: a path as argument, the result as JSON on stdout.

Runs fstest, reads every record through loadBefore and its pickle, then packs with garbage collection to the middle of the
history, after which every reachable object must be unchanged.
"""
import json
import logging
import os
import sys

from persistent.TimeStamp import TimeStamp
from ZODB.FileStorage import FileStorage
from ZODB.POSException import POSKeyError
from ZODB.scripts import fstest
from ZODB.serialize import referencesf
from ZODB.utils import p64
from ZODB.utils import u64
from ZODB.utils import z64


def after(tid):
    return p64(u64(tid) + 1)


def reachable(storage):
    """The current data of all objects reachable from the root."""
    found = {}
    todo = [z64]
    while todo:
        oid = todo.pop()
        if oid not in found:
            found[oid] = storage.load(oid)[0]
            todo.extend(referencesf(found[oid]))
    return found


def read_all(storage):
    facts = {'transactions': 0, 'records': 0, 'undone': 0, 'uncreated': 0}
    tids = []
    for transaction in storage.iterator():
        facts['transactions'] += 1
        tids.append(transaction.tid)
        for record in transaction:
            facts['records'] += 1
            facts['undone'] += record.data_txn is not None
            try:
                data, tid, _ = storage.loadBefore(record.oid, after(record.tid))
                assert (data, tid) == (record.data, record.tid), record
            except POSKeyError:
                assert record.data is None, record
                facts['uncreated'] += 1
    return facts, tids


def main(path):
    logging.disable(logging.CRITICAL)
    fstest.check(path)
    size = os.path.getsize(path)
    storage = FileStorage(path)
    opened = storage._pos
    facts, tids = read_all(storage)
    facts['objects'] = len(storage)
    facts['lastTid'] = storage.lastTransaction().hex()
    before = reachable(storage)
    storage.pack(TimeStamp(tids[len(tids) // 2]).timeTime(), referencesf)
    packed = os.path.getsize(path)
    assert reachable(storage) == before
    storage.close()
    fstest.check(path)
    print(json.dumps({**facts, 'size': size, 'opened': opened, 'reachable': len(before), 'packed': packed}))


main(sys.argv[1])
