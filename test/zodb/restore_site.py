"""Random histories that are restored to random moments: python restore_site.py DIRECTORY SEED PROGRAM...

The writer notes what each transaction left: names and their texts, as it wrote them. That is the first oracle. The second one
is ZODB's own loadBefore, asked on the original storage. Prints one JSON object for each restore, and ends with 1 at the first
difference.
"""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from datetime import datetime
from datetime import timedelta
from datetime import timezone

import transaction
from persistent.TimeStamp import TimeStamp
from persistent.mapping import PersistentMapping
from ZODB.blob import Blob
from ZODB.DB import DB
from ZODB.FileStorage import FileStorage
from ZODB.POSException import POSKeyError
from ZODB.utils import p64
from ZODB.utils import u64

DIRECTORY, SEED = sys.argv[1], int(sys.argv[2])
PROGRAM = sys.argv[3:]
RANDOM = random.Random(SEED)
DATA = os.path.join(DIRECTORY, 'Data.fs')
BLOBS = os.path.join(DIRECTORY, 'blobs')


def texts(folder):
    """Names and texts below a folder, with those of blobs."""
    found = {}
    for name, value in folder.items():
        if isinstance(value, Blob):
            with value.open('r') as file:
                found[name] = file.read().decode()
        elif isinstance(value, PersistentMapping):
            for inner, text in texts(value).items():
                found[name + '/' + inner] = text
        else:
            found[name] = value
    return found


class Site:
    def __init__(self):
        self.storage = FileStorage(DATA, blob_dir=BLOBS)
        self.db = DB(self.storage)
        self.connection = self.db.open()
        self.root = self.connection.root()
        self.states = []
        self.packed_at = []
        self.note()

    def note(self):
        self.states.append((self.storage.lastTransaction(), texts(self.root)))

    def step(self, number):
        root, kind = self.root, RANDOM.random()
        folders = [name for name, value in root.items() if isinstance(value, PersistentMapping)]
        if kind < 0.2 or not folders:
            root['folder-%d' % number] = PersistentMapping({'text': 'new %d' % number})
        elif kind < 0.5:
            folder = root[RANDOM.choice(folders)]
            folder['page-%d' % RANDOM.randrange(3)] = 'text %d %s' % (number, 'x' * RANDOM.randrange(3000))
        elif kind < 0.7:
            folder = root[RANDOM.choice(folders)]
            folder['file-%d' % RANDOM.randrange(2)] = Blob(b'blob %d' % number)
        elif kind < 0.8 and len(folders) > 1:
            del root[RANDOM.choice(folders)]
        elif kind < 0.9 and len(self.states) > 3:
            undone = self.db.undoLog(0, RANDOM.randrange(1, 3))
            try:
                self.db.undo(undone[-1]['id'])
                transaction.commit()
            except Exception:
                transaction.abort()
                return
            self.connection.sync()
            return self.note()
        else:
            root['note'] = 'note %d' % number
        transaction.commit()
        self.note()

    def pack(self):
        at = RANDOM.choice(self.states[len(self.states) // 3:])[0]
        self.db.pack(TimeStamp(at).timeTime())
        self.packed_at.append(self.storage.lastTransaction())
        self.connection.sync()

    def close(self):
        transaction.abort()
        self.connection.close()
        self.db.close()


def state_of_files():
    found = {}
    for name in sorted(os.listdir(DIRECTORY)):
        path = os.path.join(DIRECTORY, name)
        if os.path.isfile(path) and not name.startswith('out'):
            with open(path, 'rb') as file:
                found[name] = (hashlib.sha256(file.read()).hexdigest(), os.stat(path).st_mtime_ns)
    return found


def iso(tid, offset_us=0):
    stamp = TimeStamp(tid)
    seconds = stamp.second()
    time_ = datetime(stamp.year(), stamp.month(), stamp.day(), stamp.hour(), stamp.minute(), tzinfo=timezone.utc)
    return (time_ + timedelta(microseconds=int(seconds * 1e6) + offset_us)).isoformat()


def restore(until, dest, *more):
    command = [*PROGRAM, 'restore', DATA, dest, '--until', until, '--json', '--quiet', *more]
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        raise AssertionError('%s: %s' % (' '.join(command), done.stderr))
    result = json.loads(done.stdout)
    assert done.returncode == result['exitCode'], done
    return result


def check(dest, blobs, tid, expected, original):
    """The restored file is the state behind tid: by the writer's notes, and by ZODB's loadBefore."""
    size = os.path.getsize(dest)
    storage = FileStorage(dest, read_only=True)
    try:
        assert storage._used_index, 'the index is not used'
        assert storage.lastTransaction() == tid, (storage.lastTransaction(), tid)
        with open(dest + '.index', 'rb') as file:
            assert file.read(16), 'no index'
        if original is not None:
            compared = 0
            for oid in sorted(oids_of(original)):
                before = None
                try:
                    before = original.loadBefore(oid, p64(u64(tid) + 1))
                except POSKeyError:
                    pass
                try:
                    data, serial = storage.load(oid)
                except POSKeyError:
                    data = serial = None
                assert (data, serial) == ((before[0], before[1]) if before else (None, None)), u64(oid)
                compared += 1
            assert compared > 0
    finally:
        storage.close()
    # Served for real: with its blobs, and for writing.
    db = DB(FileStorage(dest, blob_dir=blobs))
    try:
        connection = db.open()
        found = texts(connection.root())
        assert found == expected, (found, expected)
        connection.root()['goes on'] = True
        transaction.commit()
        connection.close()
    finally:
        db.close()
    assert os.path.getsize(dest) > size


def oids_of(storage):
    found = set()
    for each in storage.iterator():
        found.update(record.oid for record in each)
    return found


def prove(site_states, index, number, original, how):
    tid, expected = site_states[index]
    dest = os.path.join(DIRECTORY, 'out-%d' % number)
    os.mkdir(dest)
    blobs = os.path.join(dest, 'blobs')
    if how == 'tid':
        until = tid.hex()
    elif how == 'behind':
        until = p64(u64(tid) + 1).hex()
    else:
        until = iso(tid, 500)
    before = state_of_files()
    more = ['--copy-blobs'] if number % 3 == 0 else []
    result = restore(until, dest, '--blobs', '%s:%s' % (BLOBS, blobs), *more)
    assert state_of_files() == before, 'the original has changed'
    assert result['exitCode'] == 0, result
    assert sorted(os.listdir(dest)) == ['Data.fs', 'Data.fs.index', 'blobs'], os.listdir(dest)
    assert result['end']['tid'] == tid.hex(), (result, tid.hex())
    check(os.path.join(dest, 'Data.fs'), blobs, tid, expected, original)
    print(json.dumps({'until': until, 'source': os.path.basename(result['source']), 'how': how}), flush=True)
    shutil.rmtree(dest)


def main():
    site = Site()
    for number in range(40):
        site.step(number)
        # Times of two transactions differ by more than what a time in the command line can tell apart.
        time.sleep(0.002)
    states = list(site.states)
    site.close()
    original = FileStorage(DATA, read_only=True)
    number = 0
    for how in ('tid', 'behind', 'time', 'time', 'tid', 'time'):
        prove(states, RANDOM.randrange(len(states)), number, original, how)
        number += 1
    prove(states, 0, number, original, 'tid')
    prove(states, len(states) - 1, number + 1, original, 'tid')
    number += 2
    original.close()
    assert restore(p64(u64(states[0][0]) - 1).hex(), os.path.join(DIRECTORY, 'out.fs'))['exitCode'] == 3
    packs(states, number)


def packs(states, number):
    """A pack leaves earlier states out; Data.fs.old has them, as long as it is there."""
    storage = FileStorage(DATA, blob_dir=BLOBS)
    middle = len(states) // 2
    db = DB(storage)
    db.pack(TimeStamp(states[middle][0]).timeTime() + 0.0005)
    connection = db.open()
    later = []
    for each in range(5):
        connection.root()['after the pack'] = 'edit %d' % each
        transaction.commit()
        later.append((storage.lastTransaction(), texts(connection.root())))
        time.sleep(0.002)
    connection.close()
    # FILE is written to while it is read.
    going, done = threading.Event(), threading.Event()

    def write():
        local = transaction.TransactionManager()
        busy = db.open(local)
        while not done.is_set():
            busy.root()['busy'] = 'edit %s' % RANDOM.random()
            local.commit()
            going.set()
        busy.close()

    writer = threading.Thread(target=write)
    writer.start()
    going.wait()
    try:
        for tid, expected in (states[middle], later[0], later[3]):
            dest = os.path.join(DIRECTORY, 'live-%d.fs' % number)
            number += 1
            blobs = dest + '.blobs'
            result = restore(tid.hex(), dest, '--blobs', '%s:%s' % (BLOBS, blobs))
            assert result['exitCode'] == 0 and result['packed'] is None, result
            check(dest, blobs, tid, expected, None)
            print(json.dumps({'until': tid.hex(), 'source': 'Data.fs', 'how': 'while it is written'}), flush=True)
    finally:
        done.set()
        writer.join()
        db.close()
    packed = FileStorage(DATA, read_only=True)
    newest = max(each.tid for each in packed.iterator() if each.status == 'p')
    packed.close()
    # The blobs that the pack has removed are in blobs.old; FileStorage keeps them with Data.fs.old.
    early = [index for index, (tid, _) in enumerate(states) if tid < newest]
    for index in RANDOM.sample(early, 3):
        prove(states, index, number, None, 'tid')
        number += 1
    os.rename(DATA + '.old', DATA + '.only-here-' + states[-1][0].hex())
    prove(states, early[1], number, None, 'tid')
    number += 1
    os.rename(DATA + '.only-here-' + states[-1][0].hex(), DATA + '.packed-' + states[-1][0].hex())
    prove(states, early[2], number, None, 'tid')
    os.remove(DATA + '.packed-' + states[-1][0].hex())
    refused = restore(states[early[0]][0].hex(), os.path.join(DIRECTORY, 'out.fs'))
    assert refused['exitCode'] == 3 and refused['packed']['tid'] == newest.hex(), refused
    assert not os.path.exists(os.path.join(DIRECTORY, 'out.fs'))


main()
