"""What goes wrong around blob directories, beside a site that a real ZODB writes: directories.py CLI DIRECTORY SCENARIO

The judge is ZODB as well: it opens a copy of the slave and of its blob directory, and reads every blob that a transaction names. What
was committed is remembered by the scenario itself.
"""
import json
import os
import shutil
import subprocess
import sys
import time

import transaction
from ZODB import DB
from ZODB.blob import Blob, is_blob_record
from ZODB.FileStorage import FileStorage
from ZODB.POSException import POSKeyError

from tree import Tree, name_of, path_of, write

CLI, ROOT, SCENARIO = sys.argv[1:4]
NOBODY = 65534
ITEM = 32


def at(*names):
    return os.path.join(ROOT, *names)


class Site:
    """The master: ZODB with blobs. `contents`: {(oid, tid): bytes} of all that it has ever committed."""
    contents = {}

    def __init__(self, data='m', blobs='mb'):
        self.data, self.blobs = data, blobs
        os.makedirs(at(data), exist_ok=True)
        self.db = DB(FileStorage(at(data, 'Data.fs'), blob_dir=at(blobs)))
        self.connection = self.db.open()
        self.root = self.connection.root()

    def put(self, **contents):
        for name, content in contents.items():
            blob = self.root.get(name)
            if blob is None:
                blob = self.root[name] = Blob()
            with blob.open('w') as file:
                file.write(content)
        transaction.commit()
        for name, content in contents.items():
            self.contents[self.key(name)] = content
        return self

    def key(self, name):
        self.root[name]._p_activate()
        return self.root[name]._p_oid, self.root[name]._p_serial

    def drop(self, names):
        for name in names:
            del self.root[name]
        transaction.commit()

    def value(self, name, value):
        self.root[name] = value
        transaction.commit()

    def pack(self):
        time.sleep(0.01)
        self.db.pack(time.time())

    def close(self):
        transaction.abort()
        self.connection.close()
        self.db.close()


def run(*arguments, user=None):
    """(exit status, JSON result, all that it wrote)"""
    who = {'user': user, 'group': user, 'extra_groups': []} if user is not None else {}
    environment = {**os.environ, 'SYNCPOZO_STATUS': at('status')}
    done = subprocess.run(['node', CLI, *arguments, '--json'], capture_output=True, text=True, env=environment, **who)
    return done.returncode, json.loads(done.stdout or '{}'), done.stdout + done.stderr


def sync(*options, expected=0, blobs=('mb', 'sb'), user=None):
    status, result, output = run('sync', at('m'), at('s'), '--blobs', ':'.join(map(at, blobs)), *options, user=user)
    assert status == expected, f'sync ends with {status}, not {expected}: {output}'
    return result, output


def problems(data='s/Data.fs', blobs='sb'):
    """What ZODB has to complain about the blobs that a file names: (oid, tid): what. It opens copies, which it may change."""
    copy = at('judged')
    shutil.rmtree(copy, ignore_errors=True)
    os.mkdir(copy)
    shutil.copy(at(data), os.path.join(copy, 'Data.fs'))
    shutil.copytree(at(blobs), os.path.join(copy, 'blobs'))
    storage = FileStorage(os.path.join(copy, 'Data.fs'), blob_dir=os.path.join(copy, 'blobs'), read_only=True)
    found, named = {}, 0
    for each in storage.iterator():
        for record in each:
            if not record.data or not is_blob_record(record.data):
                continue
            named += 1
            key = record.oid, record.tid
            try:
                with open(storage.loadBlob(*key), 'rb') as file:
                    if file.read() != Site.contents[key]:
                        found[key] = 'has other bytes'
            except POSKeyError:
                found[key] = 'is not there'
    storage.close()
    assert named > 0, f'no blob is named in {data}: nothing was judged'
    return found


def right(data='s/Data.fs', blobs='sb'):
    found = problems(data, blobs)
    assert not found, f'in {data} with {blobs}: {found}'


def names(directory):
    """Every name below a directory, with the bytes of its file."""
    found = {}
    for path, directories, files in os.walk(at(directory)):
        for name in directories:
            found[os.path.join(path, name)] = None
        for name in files:
            with open(os.path.join(path, name), 'rb') as file:
                found[os.path.join(path, name)] = file.read()
    return found


def says(output, *texts):
    for text in texts:
        assert text in output, f'{text!r} is not in: {output}'


def kept_file():
    """The blobs of an old file that was kept aside stay, also when the master packs them away."""
    Site().put(a=b'A1', z=b'Z').close()
    sync()
    assert run('promote', at('s'))[0] == 0
    Site('s', 'sb').put(fork=b'FORK').close()
    assert run('demote', at('s'))[0] == 0
    site = Site().put(m=b'M')
    run('on')
    sync('--full')
    kept = ['s/' + name for name in os.listdir(at('s')) if 'only-here-' in name and not name.endswith('.index')]
    assert len(kept) == 1, kept
    right(kept[0])
    site.put(a=b'A2')
    sync()
    site.pack()
    sync()
    right(kept[0])
    right()
    # The control: without that file they go.
    before = set(Tree(at('sb'), 'bushy').blobs)
    os.remove(at(kept[0]))
    sync()
    gone = before - set(Tree(at('sb'), 'bushy').blobs)
    assert [Site.contents[key] for key in gone] == [b'A1'], gone
    right()


def tree_unmounted():
    """--blobs-by tree: an empty directory in the place of the master's blobs says nothing, and removes nothing."""
    by_tree = ('--blobs-by', 'tree')
    site = Site().put(a=b'A1', b=b'B1')
    sync(*by_tree)
    site.put(c=b'C1')
    size = os.path.getsize(at('s/Data.fs'))
    os.rename(at('mb'), at('mb.unmounted'))
    os.mkdir(at('mb'))
    _, output = sync(*by_tree, expected=1)
    says(output, 'hint', "is the master's blob directory mounted")
    assert os.path.getsize(at('s/Data.fs')) == size, 'a transaction came before its blob'
    right()
    os.rmdir(at('mb'))
    os.rename(at('mb.unmounted'), at('mb'))
    sync(*by_tree)
    right()
    site.put(a=b'A2')
    sync(*by_tree)
    site.pack()
    os.rename(at('mb'), at('mb.unmounted'))
    os.mkdir(at('mb'))
    before = names('sb')
    sync(*by_tree, expected=1)
    assert names('sb') == before, 'blobs of the slave were removed'
    right()
    os.rmdir(at('mb'))
    os.rename(at('mb.unmounted'), at('mb'))
    sync(*by_tree)
    right()


def nested():
    """One blob directory in the other, or the master's where --keep-blobs keeps packed ones: refused, nothing is written."""
    Site('m', 'sb.old').put(a=b'A1').close()
    os.makedirs(at('sb.old/0x00/inner'), exist_ok=True)
    os.makedirs(at('around/sb'))
    os.symlink(at('sb.old'), at('around/link'))
    for blobs, options in ((('sb.old', 'sb.old/0x00/inner'), ()), (('around/sb', 'around'), ()), (('around/link', 'sb.old/0x00'), ()),
                           (('sb.old', 'sb'), ('--keep-blobs',))):
        before = names('sb.old'), names('around'), names('sb')
        _, output = sync(*options, expected=2, blobs=blobs)
        says(output, 'one lies in the other')
        assert (names('sb.old'), names('around'), names('sb')) == before, (blobs, options)
        assert not os.path.exists(at('s/Data.fs')), (blobs, options)
    sync(blobs=('sb.old', 'sb'))
    right()


def replaced_tree():
    """Another directory is in the place of the slave's, as under a disk that is not mounted: no claim counts for it."""
    site = Site().put(**{f'b{number}': b'%d' % number for number in range(20)})
    sync()
    os.rename(at('sb'), at('sb.unmounted'))
    os.mkdir(at('sb'))
    write(at('sb/.layout'), b'bushy')
    site.put(new=b'NEW')
    before = os.path.getsize(at('s/Data.fs'))
    _, output = sync(expected=2)
    says(output, 'has no blob, and 20 were copied into it', 'is its disk mounted?')
    assert os.path.getsize(at('s/Data.fs')) == before and os.listdir(at('sb')) == ['.layout']
    status, _, output = run('promote', at('s'))
    assert status == 4, output
    says(output, 'is missing')
    assert run('demote', at('s'))[0] == 0
    run('on')
    # An older state of the same tree: some blobs are there, and one of them has other bytes of the same length.
    first, second = site.key('b10'), site.key('b11')
    write(path_of(at('sb'), first, 'bushy'), b'10')
    write(path_of(at('sb'), second, 'bushy'), b'xx')
    sync()
    right()


def misplaced():
    """A blob of the master lies in the other layout, where ZODB does not look: the slave gets it where ZODB looks, with a warning."""
    site = Site().put(a=b'A1', b=b'B1')
    key = site.key('a')
    site.close()
    lawn = path_of(at('mb'), key, 'lawn')
    os.makedirs(os.path.dirname(lawn), exist_ok=True)
    os.rename(path_of(at('mb'), key, 'bushy'), lawn)
    assert problems('m/Data.fs', 'mb') == {key: 'is not there'}
    status, result, output = run('verify', at('m'), '--blobs', at('mb'))
    assert status == 4 and result['blobs']['missing'] == 1, output
    says(output, name_of(key, 'lawn'), 'where ZODB does not look')
    _, output = sync()
    says(output, '"level":"warn"', 'lie in another layout than its own')
    right()


def lost_layout():
    """Without .layout ZODB takes a bushy directory for a lawn: verify names it, a sync and a promotion write it."""
    site = Site().put(a=b'A1')
    sync()
    right()
    os.remove(at('sb/.layout'))
    assert list(problems().values()) == ['is not there']
    status, result, output = run('verify', at('s'), '--blobs', at('sb'))
    assert (status, result['blobs']['wrong'], result['blobs']['missing']) == (4, 1, 0), output
    says(output, 'no file .layout', 'finds no blob')
    assert not os.path.exists(at('sb/.layout')), 'verify writes nothing'
    sync()
    site.put(b=b'B1')
    os.remove(at('sb/.layout'))
    sync()
    right()
    os.remove(at('sb/.layout'))
    assert len(problems()) == 2
    status, _, output = run('promote', at('s'))
    assert status == 0, output
    right()


def removal_forbidden():
    """Packed blobs that may not be removed stay with a warning, and replication goes on; once it is allowed they go."""
    site = Site().put(a=b'A1', z=b'Z')
    user = NOBODY if os.getuid() == 0 else None
    os.chmod(ROOT, 0o755)
    if user is not None:
        write(at('status'), b'SYNCING=1\n')
        for path in ('s', 'sb', 'status'):
            os.chown(at(path), user, user)

    def synced():
        subprocess.run(['chmod', '-R', 'a+rX', at('m'), at('mb')], check=True)
        return sync('--log-level', 'warn', user=user)[1]

    synced()
    old = site.key('a')
    site.put(a=b'A2')
    synced()
    site.pack()
    directory = os.path.dirname(path_of(at('sb'), old, 'bushy'))
    os.chmod(directory, 0o555)
    says(synced(), 'not all blobs that were packed away could be removed')
    for number in range(2):
        site.value('x', number)
        synced()
        assert os.path.getsize(at('s/Data.fs')) == os.path.getsize(at('m/Data.fs')), 'the slave lags'
    assert os.path.exists(path_of(at('sb'), old, 'bushy'))
    os.chmod(directory, 0o755)
    site.value('x', 'allowed')
    assert 'could be removed' not in synced()
    assert not os.path.exists(path_of(at('sb'), old, 'bushy'))
    right()


def scrub_round():
    """After a rebuild the blobs have another order: a round that has begun does not count for those that it has not read."""
    site = Site().put(**{f'b{number}': b'%04d' % number * 6000 for number in range(16)})
    sync('--scrub', '0')
    for number in range(4):
        site.value('x', number)
        sync('--scrub', '64KiB')
    with open(at('s/Data.fs.blobs.scrub')) as file:
        next_item = int(file.read().split('\nnext ')[1].split()[0])
    with open(at('s/Data.fs.blobs'), 'rb') as file:
        manifest = file.read()
    listed = [manifest[start:start + 16] for start in range(0, len(manifest), ITEM)]
    assert 2 < next_item < len(listed) - 6, (next_item, len(listed))
    rotten, keep = listed[next_item + 2], {key[:8] for key in listed[next_item + 2:next_item + 6]}
    path = path_of(at('sb'), (rotten[:8], rotten[8:]), 'bushy')
    status = os.stat(path)
    with open(path, 'r+b') as file:
        file.write(b'ROT')
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert list(problems().values()) == ['has other bytes']
    site.drop([name for name in list(site.root) if name != 'x' and site.root[name]._p_oid not in keep])
    site.pack()
    sync('--scrub', '0')
    for number in range(3):
        site.value('x', f'after {number}')
        sync('--scrub', '64KiB')
        with open(at('s/Data.fs.blobs.scrub')) as file:
            if 'full never' not in file.read():
                break
    else:
        raise AssertionError('no round ends')
    right()


for directory in ('s', 'sb'):
    os.mkdir(at(directory))
globals()[SCENARIO]()
