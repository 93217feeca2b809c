"""Rejoins of sites that a real ZODB has written: rejoin.py CLI DIRECTORY SCENARIO

Each host has a directory with a Data.fs. A commit is acknowledged once ZODB has returned; what is acknowledged must be on the
side that serves, or in a file of what was lost. The files themselves are compared byte by byte.
"""
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time

import transaction
from persistent.mapping import PersistentMapping
from ZODB import DB
from ZODB.blob import Blob
from ZODB.FileStorage import FileStorage

module = sys.modules[FileStorage.__module__]
CLI, ROOT, SCENARIO = sys.argv[1:4]


class Host:
    def __init__(self, name):
        self.directory = os.path.join(ROOT, name)
        self.path = os.path.join(self.directory, 'Data.fs')
        self.status = os.path.join(ROOT, name + '.status')
        os.makedirs(self.directory, exist_ok=True)

    def commit(self, names, size=300):
        """Commits each name in a transaction of its own. Returns those that ZODB has acknowledged."""
        if not names:
            return []
        db = DB(FileStorage(self.path))
        with db.transaction() as connection:
            connection.root.pages = connection.root().get('pages') or PersistentMapping()
        connection = db.open()
        pages = connection.root()['pages']
        done = []
        for name in names:
            page = PersistentMapping()
            page['name'], page['text'] = name, os.urandom(size // 2).hex()
            pages[str(hash(name) % 17)] = page
            page = PersistentMapping(name=name)
            connection.root()['last'] = page
            transaction.get().note(name)
            transaction.commit()
            done.append(name)
        connection.close()
        db.close()
        return done

    def pack(self):
        db = DB(FileStorage(self.path))
        time.sleep(0.01)
        db.pack(time.time())
        db.close()

    def bytes(self):
        with open(self.path, 'rb') as file:
            return file.read()

    def lost(self):
        names = sorted(os.listdir(self.directory))
        return [os.path.join(self.directory, name) for name in names if name.startswith('lost-') and name.endswith('.fs')]

    def acknowledged(self):
        """The names in the transactions of its file, and of the files of what was lost, as stock ZODB reads them."""
        found = set()
        for path in [self.path, *self.lost()]:
            storage = FileStorage(path, read_only=True)
            for each in storage.iterator():
                found.add(each.description.decode())
            storage.close()
        return found


def run(*args, expected=0):
    done = subprocess.run(['node', CLI, *args], capture_output=True, text=True, check=False)
    assert done.returncode == expected, (args, done.returncode, done.stdout, done.stderr)
    return done.stdout


def sync(master, slave):
    run('sync', '-q', master.directory, slave.directory, '--status-file', slave.status)


def promote(host, *more):
    run('promote', '-q', host.directory, '--status-file', host.status, *more)


def rejoin(master, slave, *more, expected=0):
    args = ['rejoin', '--yes', '--json', master.directory, slave.directory, '--status-file', slave.status, *more]
    result = json.loads(run(*args, expected=expected))
    assert result['exitCode'] == expected, result
    return result


def named(word, count):
    return [f'{word} {number}' for number in range(count)]


def handed_over(a, b, lost=3, new=4):
    """b has been promoted, a went on for some transactions. Returns what is acknowledged."""
    done = a.commit(named('common', 20))
    sync(a, b)
    done += a.commit(named('lost', lost))
    promote(b)
    done += b.commit(named('new', new))
    return done


def check(serving, slave, done):
    assert serving.bytes() == slave.bytes(), 'the slave is not the side that serves'
    missing = set(done) - serving.acknowledged() - slave.acknowledged()
    assert not missing, missing
    # An ordinary slave: the next sync finds nothing new.
    out = run('sync', '--json', '-q', serving.directory, slave.directory, '--status-file', slave.status)
    assert json.loads(out)['action'] == 'none', out


def exchanged(a, b):
    """The roles change again and again, with and without loss."""
    rng = random.Random(14)
    done = a.commit(named('first', 30))
    sync(a, b)
    serving, slave = a, b
    for turn in range(5):
        lost, new = rng.choice([(0, 0), (0, 9), (4, 0), (7, 12), (1, 1)]) if turn else (5, 6)
        if turn == 2:
            run('promote', '-q', slave.directory, '--master', serving.directory, '--status-file', slave.status)
        else:
            done += serving.commit([f'{turn} lost {n}' for n in range(lost)])
            promote(slave)
        serving, slave = slave, serving
        done += serving.commit([f'{turn} new {n}' for n in range(new)])
        result = rejoin(serving, slave)
        assert result['action'] == 'rewind', result
        expected = 0 if turn == 2 else lost and lost + 1
        assert (result['lost'] or {'transactions': 0})['transactions'] == expected, (lost, result)
        check(serving, slave, done)
        done += serving.commit([f'{turn} more {n}' for n in range(3)])
        sync(serving, slave)
        check(serving, slave, done)


def killed(a, b):
    """Killed at moments spread over its time; the last run ends it."""
    done = handed_over(a, b, 10, 20)
    began = time.time()
    shutil.copytree(a.directory, a.directory + '.0')
    rejoin(b, a)
    seconds = time.time() - began
    for number in range(7):
        shutil.rmtree(a.directory)
        shutil.copytree(a.directory + '.0', a.directory)
        args = ['node', CLI, 'rejoin', '--yes', '-q', b.directory, a.directory, '--status-file', a.status]
        with subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(seconds * (0.2 + 0.8 * number / 7))
            process.kill()
        result = rejoin(b, a)
        assert result['exitCode'] == 0, result
        check(b, a, done)
        assert len(a.lost()) == 1, a.lost()


def packed(a, b):
    """A pack on either side: refused with its cost, and done with --full; what was lost is kept."""
    done = handed_over(a, b)
    before = a.bytes()
    b.pack()
    result = rejoin(b, a, expected=3)
    assert 'packed' in result['reason'] and '--full' in result['hint'] and str(os.path.getsize(b.path)) in result['hint'], result
    assert a.bytes() == before and not os.path.exists(a.path + '.role'), 'a refusal changes nothing'
    assert rejoin(b, a, '--full')['action'] == 'full'
    assert b.bytes() == a.bytes()
    assert {name for name in done if name.startswith('lost')} <= a.acknowledged()
    sync(b, a)


def packed_here(a, b):
    done = handed_over(a, b)
    a.pack()
    assert 'packed' in rejoin(b, a, expected=3)['reason']
    assert rejoin(b, a, '--full')['action'] == 'full'
    assert b.bytes() == a.bytes()
    kept = [name for name in os.listdir(a.directory) if name.startswith(('lost-', 'Data.fs.only-here'))]
    assert kept, done


def others(a, b):
    """What is told apart: swapped, not promoted, unrelated, damaged, empty, in use."""
    done = handed_over(a, b)
    assert 'swapped' in rejoin(a, b, expected=3)['hint']
    c = Host('c')
    sync(b, c)
    assert 'does not serve' in rejoin(c, a, expected=3)['reason']
    d = Host('d')
    d.commit(named('other', 9))
    assert 'nothing in common' in rejoin(d, a, expected=3)['reason']
    empty = Host('e')
    assert '--full' in rejoin(b, empty, expected=3)['hint']
    whole = a.bytes()
    broken = bytearray(whole)
    at = whole.index(b'common 7')
    broken[at] ^= 1
    with open(a.path, 'wb') as file:
        file.write(broken)
    rejoin(b, a, expected=4)
    with open(a.path, 'wb') as file:
        file.write(whole)
    storage = FileStorage(a.path)
    rejoin(b, a, expected=5)
    storage.close()
    rejoin(b, a)
    check(b, a, done)


def behind(a, b):
    """An old backup of the old master has nothing of its own; a tail in flight is kept aside."""
    done = a.commit(named('common', 5))
    old = a.bytes()
    done += a.commit(named('later', 20))
    sync(a, b)
    promote(b)
    done += b.commit(named('new', 5))
    with open(a.path, 'wb') as file:
        file.write(old)
    result = rejoin(b, a)
    assert result['lost'] is None and result['fork']['position'] == len(old), result
    check(b, a, done)


def in_flight(a, b):
    done = handed_over(a, b, 2, 2)
    with open(a.path, 'ab') as file:
        file.write(b'\x7f' * 8 + (5000).to_bytes(8, 'big') + b'c' + bytes(6) + b'an unfinished transaction' * 9)
    result = rejoin(b, a)
    with open(result['kept'], 'rb') as file:
        assert b'an unfinished transaction' in file.read()
    check(b, a, done)


def split(a, b):
    """Both were promoted and have served, the clock of one is an hour behind: a person names the loser."""
    c = Host('c')
    done = c.commit(named('common', 9))
    sync(c, a)
    done += c.commit(named('later', 3))
    sync(c, b)
    promote(a)
    promote(b)
    done += a.commit(named('of a', 5))
    done += b.commit(named('of b', 5))
    result = rejoin(b, a)
    assert result['lost']['transactions'] == 6, result
    check(b, a, done)


def plain(a, b):
    """Nobody was promoted by syncpozo: no term says where the histories fork."""
    done = a.commit(named('common', 9))
    shutil.copy(a.path, b.path)
    done += a.commit(named('lost', 2))
    done += b.commit(named('new', 3))
    result = rejoin(b, a)
    assert result['lost']['transactions'] == 3, result
    check(b, a, done)


def served_by_mistake(a, b):
    """A slave that was served without a promotion: its own transactions are kept, and it follows again."""
    done = a.commit(named('common', 9))
    sync(a, b)
    done += b.commit(named('by mistake', 2))
    done += a.commit(named('new', 3))
    result = rejoin(a, b)
    assert result['lost']['transactions'] == 3, result
    check(a, b, done)


def budget(a, b):
    """Of the serving side's file hardly more is read than the difference."""
    common = named('common', 30)
    sizes = [(2, 3, 100), (0, 5, 2000), (1, 2, 700_000), (3, 60, 700_000)]
    done = a.commit(common, 60_000)
    sync(a, b)
    serving, slave = a, b
    for turn, (lost, new, size) in enumerate(sizes):
        done += serving.commit([f'{turn} lost {n}' for n in range(lost)])
        promote(slave)
        serving, slave = slave, serving
        before = os.path.getsize(serving.path)
        done += serving.commit([f'{turn} new {n}' for n in range(new)], size)
        log = os.path.join(ROOT, 'strace.log')
        calls = ['-e', 'trace=read,pread64,readv,preadv,preadv2,copy_file_range,sendfile,mmap']
        command = ['strace', '-f', '-q', '-s', '0', '-o', log, *calls, '-P', serving.path, 'node', CLI]
        args = ['rejoin', '--yes', '-q', serving.directory, slave.directory, '--status-file', slave.status]
        subprocess.run([*command, *args], check=True, capture_output=True)
        with open(log, encoding='utf8') as file:
            ends = [line.rsplit('= ', 1)[1] for line in file if ' = ' in line]
        read = sum(int(end) for end in ends if end.strip().isdigit())
        difference = os.path.getsize(serving.path) - before
        # The head and the last bytes before the fork are read to recognise the file.
        assert read <= 1.05 * difference + 400, (read, difference)
        check(serving, slave, done)


def with_blobs(a, b):
    """The blobs below the fork are not copied again, those of lost transactions are kept aside, the new ones are brought."""
    from ZODB.blob import Blob

    def commit(host, words):
        storage = FileStorage(host.path, blob_dir=os.path.join(host.directory, 'blobs'))
        db = DB(storage)
        connection = db.open()
        for word in words:
            connection.root()[word] = Blob(word.encode() * 50)
            transaction.commit()
        connection.close()
        db.close()

    def files(host):
        found = {}
        for directory, _, names in os.walk(os.path.join(host.directory, 'blobs')):
            for name in names:
                if name.endswith('.blob'):
                    path = os.path.join(directory, name)
                    with open(path, 'rb') as file:
                        found[os.path.relpath(path, host.directory)] = (file.read(), os.stat(path).st_ino)
        return found

    for host in (a, b):
        os.makedirs(os.path.join(host.directory, 'blobs'), exist_ok=True)
    ab = f'{a.directory}/blobs:{b.directory}/blobs'
    ba = f'{b.directory}/blobs:{a.directory}/blobs'
    commit(a, ['one', 'two'])
    run('sync', '-q', a.directory, b.directory, '--status-file', b.status, '--blobs', ab)
    common = files(a)
    commit(a, ['lost 1', 'lost 2'])
    promote(b)
    commit(b, ['new'])
    run('rejoin', '--yes', '-q', b.directory, a.directory, '--status-file', a.status, expected=2)
    result = rejoin(b, a, '--blobs', ba)
    assert result['lost']['transactions'] == 2, result
    assert {name: each[0] for name, each in files(a).items()} == {name: each[0] for name, each in files(b).items()}
    for name, (_, inode) in common.items():
        assert files(a)[name][1] == inode, 'a blob below the fork was copied again'
    storage = FileStorage(a.lost()[0], read_only=True, blob_dir=result['lost']['blobs'])
    db = DB(storage)
    kept = []
    for directory, _, names in os.walk(result['lost']['blobs']):
        for name in names:
            if name.endswith('.blob'):
                with open(os.path.join(directory, name), 'rb') as file:
                    kept.append(file.read())
    db.close()
    assert sorted(kept) == [b'lost 1' * 50, b'lost 2' * 50], kept
    out = run('sync', '--json', '-q', b.directory, a.directory, '--status-file', a.status, '--blobs', ba)
    assert json.loads(out)['action'] == 'none', out
    run('verify', '-q', a.directory)


def mistakes(a, b):
    """Another site, another kind of file, and blob directories that are not the right ones: before anything is changed."""
    handed_over(a, b)
    other, far = Host('c'), Host('d')
    handed_over(other, far)
    result = rejoin(b, other, expected=3)
    assert 'no transaction in common' in result['reason'] and 'packed since' not in result['reason'], result
    with open(far.path, 'wb') as file:
        file.write(b'no database' * 99)
    assert 'is not a Data.fs' in rejoin(b, far, expected=4)['reason']
    there = [os.path.join(ROOT, name) for name in ('blobs of a', 'blobs of b')]
    for path in there:
        os.makedirs(path)
    before = a.bytes(), sorted(os.listdir(a.directory))
    for pair, expected in ((f'{ROOT}/none:{there[0]}', 1), (f'{there[1]}:{ROOT}/none', 2), (f'{there[0]}:{there[0]}', 2)):
        for word in ('--dry-run', '--yes'):
            args = ['rejoin', word, b.directory, a.directory, '--status-file', a.status, '--blobs', pair]
            run(*args, expected=expected)
            assert (a.bytes(), sorted(os.listdir(a.directory))) == before, (pair, word)


def blobs_left_out(a, b):
    """Blobs of what was lost that are not kept with it: the answer and the report say where they are."""
    right = ['--blobs', f'{ROOT}/blobs of b:{ROOT}/blobs of a']
    for words in (right, ['--no-blobs'], ['--blobs', f'{ROOT}/blobs of b:{ROOT}/another']):
        for host in (a, b):
            shutil.rmtree(host.directory)
            os.makedirs(host.directory)
            run('on', '--status-file', host.status)
        for name in ('blobs of a', 'blobs of b', 'another'):
            shutil.rmtree(os.path.join(ROOT, name), ignore_errors=True)
            os.makedirs(os.path.join(ROOT, name))
        a.commit(named('common', 5))
        sync(a, b)
        db = DB(FileStorage(a.path, blob_dir=os.path.join(ROOT, 'blobs of a')))
        with db.transaction() as connection:
            connection.root.lost = Blob(b'a blob that was lost')
        db.close()
        promote(b)
        before = a.bytes()
        swapped = ['--status-file', a.status, '--blobs', f'{ROOT}/blobs of a:{ROOT}/blobs of b']
        run('rejoin', '--yes', b.directory, a.directory, *swapped, expected=2)
        assert a.bytes() == before, 'swapped blob directories are found before anything is cut'
        result = rejoin(b, a, *words)
        if words == right:
            assert result['hint'] is None and len(os.listdir(result['lost']['blobs'])) > 1, result
            continue
        assert 'the files of 1 blob of what was lost' in result['hint'], result
        with open(result['lost']['report'][:-4] + 'txt') as file:
            text = file.read()
        assert 'still in that of' in text if words == ['--no-blobs'] else 'not found' in text, text


def server_between(a, b):
    """A run that cannot write what is new, then a server that nobody should have started: both files of what was lost are complete."""
    done = handed_over(a, b, 2, 2)
    done += b.commit(named('much', 40), 9000)
    limit = len(a.bytes()) + 40_000
    args = ['node', CLI, 'rejoin', '--yes', '-q', b.directory, a.directory, '--status-file', a.status]
    limited = subprocess.run(
        args, capture_output=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)), check=False)
    with open(a.path + '.role') as file:
        assert limited.returncode != 0 and 'rewound' in file.read(), limited
    done += a.commit(named('by mistake', 2))
    rejoin(b, a)
    check(b, a, done)
    assert len(a.lost()) == 2, a.lost()
    for path in a.lost():
        with open(path[:-2] + 'json') as file:
            assert {each['since'] for each in json.load(file)['objects']} <= {'changed', 'unchanged', 'deleted'}, path


def report_after_pack(a, b):
    """What a pack of either side has removed: the report is true, and complete where nothing was committed since."""
    def objects():
        result = rejoin(b, a, '--full')
        with open(result['lost']['report']) as file:
            report = json.load(file)
        assert report['counts']['deleted'] == sum(each['since'] == 'deleted' for each in report['objects']), report
        return {each['oid']: (each['createdHere'], each['since'], each['sameOid']) for each in report['objects']}

    a.commit(named('common', 20))
    db = DB(FileStorage(a.path))
    with db.transaction() as connection:
        connection.root.goes = PersistentMapping()
        # A pack leaves this one in the same transaction.
        connection.root.stays = PersistentMapping()
    db.close()
    sync(a, b)
    db = DB(FileStorage(a.path))
    with db.transaction() as connection:
        connection.root()['goes']['lost'] = 1
        oid = connection.root()['goes']._p_oid.hex()
    db.close()
    promote(b)
    assert objects() == {oid: (False, 'unchanged', False)}
    db = DB(FileStorage(a.path))
    with db.transaction() as connection:
        connection.root()['goes']['lost'] = 2
        connection.root()['last']['lost'] = 3
        kept = connection.root()['last']._p_oid.hex()
    db.close()
    db = DB(FileStorage(b.path))
    with db.transaction() as connection:
        del connection.root.goes
        connection.root()['last']['new'] = 4
    time.sleep(0.01)
    db.pack(time.time())
    db.close()
    found = objects()
    assert found == {oid: (False, 'deleted', False), kept: (False, 'changed', False)}, (found, oid, kept)


def index_used(path):
    """Where FileStorage begins to read the file for its index, and the index that it has then."""
    starts = []
    real = module.read_index

    def noted(*args, **named):
        starts.append(named.get('start', 4))
        return real(*args, **named)

    module.read_index = noted
    storage = FileStorage(path, read_only=True)
    module.read_index = real
    found = dict(storage._index.items())
    storage.close()
    return starts[-1], found


def index(a, b):
    """A large slave has an index to its end, although nothing, or hardly anything, had to be copied."""
    done = a.commit(named('large', 6), 12_000_000)
    sync(a, b)
    serving, slave = a, b
    for lost in (0, 2):
        done += serving.commit([f'lost {n}' for n in range(lost)])
        promote(slave)
        serving, slave = slave, serving
        for path in (slave.path + '.index', serving.path + '.index'):
            if os.path.exists(path):
                os.remove(path)
        result = rejoin(serving, slave)
        assert result['action'] == 'rewind' and result['copied']['bytes'] == 0, result
        size = os.path.getsize(slave.path)
        assert size > 64 << 20
        start, used = index_used(slave.path)
        assert start == size, (start, size)
        from_nothing, scanned = index_used(serving.path)
        assert from_nothing == 4 and scanned == used
        check(serving, slave, done)


SCENARIOS = {each.__name__: each for each in (
    exchanged, killed, packed, packed_here, others, behind, in_flight, split, plain, served_by_mistake, mistakes,
    blobs_left_out, server_between, report_after_pack, budget, with_blobs, index)}
SCENARIOS[SCENARIO](Host('a'), Host('b'))
