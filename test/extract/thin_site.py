"""A random history of a real FileStorage, and real ZODB's judgement of a thin file of its end.

  thin_site.py make DIR SEED...    writes DIR/SEED/Data.fs (blobs in blobs/), markers.json and range.json; prints the ranges to export
  thin_site.py judge DIR SEED...   compares DIR/SEED/lost.fs, and DemoStorage of the file cut at the fork and of lost.fs, with Data.fs;
                                   prints counts

The oracle is what was committed (markers.json) and what ZODB itself reads from Data.fs. It knows nothing of positions in THIN.
"""
import base64, io, json, logging, os, random, sys
from ZODB.Connection import TransactionMetaData
from ZODB.DemoStorage import DemoStorage
from ZODB.FileStorage import FileStorage
from ZODB.FileStorage.fsdump import fsdump
from ZODB.POSException import POSKeyError, UndoError
from ZODB.scripts import fstest
from ZODB.utils import p64, u64, z64

logging.disable(logging.CRITICAL)

BLOB_RECORD = b'\x80\x03cZODB.blob\nBlob\nq\x00.\x80\x03N.'
CLASS = b'\x80\x03csite.content\nDocument\nq\x00.\x80\x03'


def marker(n):
    return ('marker-%06d' % n).encode()


class Site:
    def __init__(self, directory, seed):
        self.random = random.Random(seed)
        self.directory = directory
        self.storage = FileStorage(os.path.join(directory, 'Data.fs'), blob_dir=os.path.join(directory, 'blobs'))
        # ZODB's own iterator raises at a transaction with the status u.
        self.undone = seed % 4 == 3
        self.count = 0
        self.oids = []
        self.blobs = set()
        self.records = []
        self.undoable = []

    def data(self, size):
        self.count += 1
        return CLASS + marker(self.count) + self.random.randbytes(self.random.randrange(size)) + b'.'

    def serial(self, oid):
        try:
            return self.storage.load(oid)[1]
        except POSKeyError:
            return None

    def new_oid(self):
        oid = self.storage.new_oid()
        self.oids.append(oid)
        return oid

    def commit(self, actions, tid=None, status=' '):
        """Runs actions in one transaction; returns its tid, or None if ZODB refuses one of them."""
        n = len(self.undoable)
        meta = TransactionMetaData('üser %d' % n, 'change %d' % n, {'extra': n} if n % 3 == 0 else {})
        if tid is None:
            self.storage.tpc_begin(meta)
        else:
            self.storage.tpc_begin(meta, tid, status)
        stored = []
        try:
            for action in actions:
                stored += action(meta) or []
            self.storage.tpc_vote(meta)
        except (UndoError, POSKeyError):
            self.storage.tpc_abort(meta)
            return None
        got = self.storage.tpc_finish(meta)
        if status != 'u':
            self.records += [(oid, got, data) for oid, data in stored]
        self.undoable.append(got)
        return got

    def store(self, size=400):
        fresh = len(self.oids) < 5 or self.random.random() < 0.3
        oid = self.new_oid() if fresh else self.random.choice(self.oids)
        data = self.data(size)
        serial = z64 if fresh else self.serial(oid)
        def action(meta):
            # The object may be a blob, or gone; it may be stored twice in one transaction.
            if serial is None or oid in self.blobs:
                return None
            self.storage.store(oid, serial, data, '', meta)
            return [(oid, data)]
        return action

    def store_blob(self):
        old = self.blobs and self.random.random() < 0.5
        oid = self.random.choice(sorted(self.blobs)) if old else self.new_oid()
        self.blobs.add(oid)
        serial = self.serial(oid)
        path = os.path.join(self.directory, 'upload')
        self.count += 1
        with open(path, 'wb') as file:
            file.write(marker(self.count))
        def action(meta):
            if serial is None and old:
                return None
            self.storage.storeBlob(oid, serial or z64, BLOB_RECORD, path, '', meta)
            return [(oid, BLOB_RECORD)]
        return action

    def delete(self):
        oid = self.random.choice(self.oids)
        serial = self.serial(oid)
        def action(meta):
            if serial is not None:
                self.storage.deleteObject(oid, serial, meta)
        return action

    def undo(self):
        recent = self.undoable[-8:] if self.random.random() < 0.8 else self.undoable
        tid = self.random.choice(recent)
        return lambda meta: self.storage.undo(base64.b64encode(tid), meta) and None

    def step(self):
        kind = self.random.random()
        if kind < 0.55 or not self.undoable:
            sizes = [100000 if self.random.random() < 0.03 else 400 for _ in range(self.random.randrange(1, 6))]
            self.commit([self.store(size) for size in sizes])
        elif kind < 0.68:
            self.commit([self.store_blob()])
        elif kind < 0.90:
            self.commit([self.undo()])
        elif kind < 0.96:
            self.commit([self.delete()])
        else:
            self.commit([])

    def odd(self):
        """Transactions as old tools wrote them: packed, undone, and tids that do not rise."""
        now = u64(self.storage.lastTransaction())
        self.commit([self.store()], p64(now + 10), 'p')
        if self.undone:
            self.commit([self.store()], p64(now + 20), 'u')
        self.commit([self.store()], p64(now - 1000), ' ')
        self.commit([self.store()], p64(now + 2000), ' ')


def make(directory, seed):
    site = Site(directory, seed)
    before = site.random.randrange(1, 40)
    for _ in range(before):
        site.step()
    fork = os.path.getsize(os.path.join(directory, 'Data.fs'))
    lost = len(site.records)
    for n in range(site.random.randrange(1, 50)):
        site.step()
    if seed % 2:
        site.odd()
        for n in range(5):
            site.step()
    site.commit([site.store()])
    site.storage.close()
    os.remove(os.path.join(directory, 'Data.fs.index'))
    # Of two records of an object in one transaction the later one counts.
    last = {(oid, tid): data for oid, tid, data in site.records[lost:]}
    markers = [[base64.b64encode(part).decode() for part in (*key, data)] for key, data in last.items()]
    with open(os.path.join(directory, 'markers.json'), 'w') as file:
        json.dump(markers, file)
    end = os.path.getsize(os.path.join(directory, 'Data.fs'))
    found = json.dumps({'from': fork, 'end': end, 'undone': site.undone})
    with open(os.path.join(directory, 'range.json'), 'w') as file:
        file.write(found)
    return json.loads(found)


def seen_by(load):
    try:
        return load()
    except POSKeyError:
        return 'gone'


def transactions(storage):
    for found in storage.iterator():
        records = [(r.oid, r.tid, r.data) for r in found]
        yield found.tid, found.status, found.user, found.description, found.extension, records


class Judge:
    def __init__(self, directory, thin_path, blobs):
        path = os.path.join(directory, 'Data.fs')
        with open(os.path.join(directory, 'range.json')) as file:
            found = json.load(file)
        with open(os.path.join(directory, 'markers.json')) as file:
            self.markers = [list(map(base64.b64decode, record)) for record in json.load(file)]
        cut_path = os.path.join(directory, 'cut.fs')
        with open(path, 'rb') as source, open(cut_path, 'wb') as target:
            target.write(source.read(found['from']))
        self.thin_path = thin_path
        self.old = FileStorage(path, read_only=True, blob_dir=os.path.join(directory, 'blobs'))
        self.cut = FileStorage(cut_path, read_only=True)
        self.thin = FileStorage(thin_path, read_only=True, **({'blob_dir': blobs} if blobs else {}))
        self.blobs = blobs
        self.undone = found['undone']
        self.counts = {}

    def committed(self):
        with open(self.thin_path, 'rb') as file:
            everything = file.read()
        for oid, tid, data in self.markers:
            assert data in everything, 'what was committed is not in the thin file'
            found = seen_by(lambda: self.thin.loadSerial(oid, tid))
            # It does not find a record behind one with an older tid.
            is_behind = found == 'gone' and seen_by(lambda: self.old.loadSerial(oid, tid)) == 'gone'
            assert found == data or is_behind, 'a committed record is not found in the thin file'
        self.counts['committed'] = len(self.markers)

    def transactions(self):
        common = len(list(transactions(self.cut)))
        expected = list(transactions(self.old))[common:]
        got = list(transactions(self.thin))
        assert got == expected, 'transactions differ'
        assert self.thin.lastTransaction() == expected[-1][0]
        self.counts['transactions'] = len(got)
        self.counts['uncreated'] = sum(r[2] is None for found in got for r in found[5])
        return got

    def objects(self):
        """The file cut at the fork and the thin file are the whole old one, but for the documented exception."""
        demo = DemoStorage(base=self.cut, changes=self.thin)
        mine = set(self.thin._index.keys())
        excepted = 0
        for oid in self.old._index.keys():
            want = seen_by(lambda: self.old.load(oid))
            have = seen_by(lambda: demo.load(oid))
            if want == 'gone' and oid in mine and seen_by(lambda: self.cut.load(oid)) != 'gone':
                # The creation was undone in the range: stock DemoStorage shows the old object.
                excepted += 1
                continue
            assert want == have, 'an object differs: %r' % oid
        self.counts.update(objects=len(mine), excepted=excepted)

    def older(self):
        """Older revisions inside the range, by way of the previous pointers."""
        count = 0
        for oid in self.thin._index.keys():
            revisions = [tid for each, tid, _ in self.markers if each == oid]
            if revisions != sorted(revisions):
                continue
            for tid in revisions[1:]:
                want = seen_by(lambda: self.old.loadBefore(oid, tid))
                assert want == seen_by(lambda: self.thin.loadBefore(oid, tid)), 'an older revision differs'
                count += 1
        self.counts['older'] = count

    def opened(self, got):
        found = {(r[0], r[1]) for each in got for r in each[5] if r[2] == BLOB_RECORD}
        self.counts['blobs'] = len(found) if self.blobs else 0
        if not self.blobs:
            return
        for oid, tid in found:
            with open(self.thin.loadBlob(oid, tid), 'rb') as a, open(self.old.loadBlob(oid, tid), 'rb') as b:
                assert a.read() == b.read()
        files = [f for _, _, names in os.walk(self.blobs) for f in names if f.endswith('.blob')]
        assert len(files) == len(found), 'blobs of other transactions'

    def tools(self, got):
        text = sys.stdout
        sys.stdout = io.StringIO()
        try:
            fsdump(self.thin_path)
            dumped = sys.stdout.getvalue().count('Trans #')
            # It does not know the status p, and refuses tids that do not rise.
            if all(found[1] == ' ' for found in got) and [f[0] for f in got] == sorted(f[0] for f in got):
                fstest.check(self.thin_path)
        finally:
            sys.stdout = text
        assert dumped == len(got), 'fsdump shows %d transactions' % dumped


def judge(directory, seed):
    thin_path = os.path.join(directory, 'lost.fs')
    blobs = os.path.join(directory, 'lost.blobs')
    blobs = blobs if os.path.exists(blobs) else None
    before = open(thin_path, 'rb').read()
    all_of_it = Judge(directory, thin_path, blobs)
    all_of_it.committed()
    all_of_it.objects()
    # An undone transaction stays in the chain of the server that has written it.
    if not all_of_it.undone:
        all_of_it.older()
        got = all_of_it.transactions()
        all_of_it.opened(got)
        all_of_it.tools(got)
    all_of_it.thin.close()
    assert open(thin_path, 'rb').read() == before, 'ZODB has changed the thin file'
    return all_of_it.counts


def main(what, root, *seeds):
    results = []
    for seed in seeds:
        directory = os.path.join(root, seed)
        os.makedirs(directory, exist_ok=True)
        results.append({'make': make, 'judge': judge}[what](directory, int(seed)))
    print(json.dumps(results))


if __name__ == '__main__':
    main(*sys.argv[1:])
