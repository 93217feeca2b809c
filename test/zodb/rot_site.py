"""A site of real ZODB that keeps its own record of its commits: one question per line on stdin, one answer per line on stdout.

open     creates a database at a path, with a seed
commit   commits this many transactions of random objects; fewer if the storage can no longer read its own file
pack     packs up to now: the record keeps the newest revision of each object
index    writes the index that FileStorage builds for a file
check    loads every recorded revision from a slave, through the index beside it
"""
import json
import logging
import os
import random
import sys
import time

from ZODB.Connection import TransactionMetaData
from ZODB.FileStorage import FileStorage
from ZODB.FileStorage.FileStorage import read_index
from ZODB.fsIndex import fsIndex
from ZODB.utils import p64
from ZODB.utils import u64
from ZODB.utils import z64

OBJECTS = 60


class Site:
    def open(self, path, seed):
        self.random = random.Random(seed)
        self.storage = FileStorage(path, pack_gc=False)
        self.record = {}
        return {}

    def commit(self, count):
        for done in range(count):
            meta = TransactionMetaData('writer', 'some change')
            self.storage.tpc_begin(meta)
            changed = {}
            try:
                for number in self.random.sample(range(OBJECTS), self.random.randint(1, 4)):
                    oid = p64(number)
                    serial = max(self.record.get(oid, {z64: b''}))
                    data = self.random.randbytes(self.random.choice([1, 60, 700, 4000]))
                    self.storage.store(oid, serial, data, '', meta)
                    changed[oid] = data
                self.storage.tpc_vote(meta)
            except Exception as error:
                self.storage.tpc_abort(meta)
                return {'committed': done, 'error': repr(error)}
            tid = self.storage.tpc_finish(meta)
            for oid, data in changed.items():
                self.record.setdefault(oid, {})[tid] = data
        return {'committed': count}

    def pack(self):
        # A transaction of this very moment would not be packed.
        time.sleep(0.01)
        self.storage.pack(time.time(), lambda data, oids=None: [])
        for oid, revisions in self.record.items():
            newest = max(revisions)
            self.record[oid] = {newest: revisions[newest]}
        return {}

    def index(self, path):
        index = fsIndex()
        with open(path, 'rb') as file:
            end, _, _ = read_index(file, path, index, {}, read_only=True)
        index.save(end, path + '.index')
        return {}

    def check(self, path):
        storage = FileStorage(path, read_only=True)
        try:
            if storage._pos != os.path.getsize(path):
                return {'problem': 'FileStorage ends at %d of %d' % (storage._pos, os.path.getsize(path))}
            if len(storage._index) != len(self.record):
                return {'problem': '%d objects, %d were committed' % (len(storage._index), len(self.record))}
            loads = 0
            for oid, revisions in self.record.items():
                newest = max(revisions)
                if storage.load(oid) != (revisions[newest], newest):
                    return {'problem': 'object %d is another one' % u64(oid)}
                for tid, data in revisions.items():
                    loads += 2
                    before = storage.loadBefore(oid, p64(u64(tid) + 1))
                    if storage.loadSerial(oid, tid) != data or before is None or before[:2] != (data, tid):
                        return {'problem': 'object %d at %s is another one' % (u64(oid), tid.hex())}
            return {'loads': loads, 'indexUsed': bool(storage._used_index)}
        finally:
            storage.close()


def main():
    logging.disable(logging.CRITICAL)
    site = Site()
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = getattr(site, question.pop('ask'))(**question)
        except Exception as error:
            answer = {'problem': repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
