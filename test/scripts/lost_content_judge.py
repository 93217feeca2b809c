"""Judge of scripts/lost-content.py. Makes the two sides of a takeover with ZODB alone, runs the program, and checks what the serving side has.

lost_content_judge.py PROGRAM DIRECTORY SCENE
"""

import json
import os
import subprocess
import sys
import types

import transaction
import ZODB
from BTrees.OOBTree import OOBTree
from persistent import Persistent
from persistent.mapping import PersistentMapping
from persistent.wref import WeakRef
from ZODB.blob import Blob
from ZODB.FileStorage import FileStorage
from ZODB.utils import u64

PROGRAM, HERE, SCENE = sys.argv[1:]
OLD, SERVING, BLOBS = 'old.fs', 'serving.fs', 'serving.blobs'

# The classes of the site: the program finds them where it runs, and nowhere else.
SITE = '''
from persistent import Persistent
class Page(Persistent):
    pass
class Manager(Persistent):
    """Stands for OFS.ObjectManager: children are attributes, and are added by _setObject."""
    def _getOb(self, name, default=None):
        return getattr(self, name, default)
    def _setObject(self, name, child):
        assert child.id == name, (child.id, name)
        setattr(self, name, child)
        self.added = getattr(self, 'added', ()) + (name,)
'''
os.chdir(HERE)
with open('shop.py', 'w') as file:
    file.write(SITE)
sys.path.insert(0, HERE)
import shop  # noqa: E402


def page(title, parent=None, **more):
    result = shop.Page()
    result.__dict__.update(title=title, id=title, **more)
    if parent is not None:
        result.parent = parent
    return result


shop.Page._setId = lambda self, name: setattr(self, 'id', name)
with open('shop.py', 'a') as file:
    file.write('Page._setId = lambda self, name: setattr(self, "id", name)\n')


class Side:
    """A site of its own, on a file."""

    def __init__(self, path, blobs):
        self.db = ZODB.DB(FileStorage(path, blob_dir=blobs))
        self.root = self.db.open().root()

    def commit(self, note):
        transaction.get().note(note)
        transaction.commit()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        transaction.abort()
        self.db.close()


def copy_until(source, target, blobs):
    with_blobs = FileStorage(target, blob_dir=blobs)
    with_blobs.copyTransactionsFrom(source)
    with_blobs.close()


def split(weak=True):
    """A common history; a lost transaction on the old master; another one on the serving side, which hands out the same oids."""
    with Side(OLD, 'old.blobs') as old:
        old.root['site'] = site = shop.Manager()
        site.news = OOBTree()
        site.home = page('home', site, text='common text', shared=PersistentMapping(n=1))
        old.commit('common')
        fork = old.db.lastTransaction()
    source = FileStorage(OLD, read_only=True, blob_dir='old.blobs')
    copy_until(source, SERVING, BLOBS)
    source.close()
    with Side(OLD, 'old.blobs') as old:
        site = old.root['site']
        site.home.text = 'text that was lost'
        site.news['event'] = event = page('event', site)
        event.picture = Blob(b'picture that was lost')
        event.detail = PersistentMapping(text='detail that was lost', home=site.home)
        event.detail['event'] = event
        if weak:
            event.weak, event.gone = WeakRef(event.detail), WeakRef(site.news)
        old.commit('what was lost')
        ids = {'event': event._p_oid, 'home': site.home._p_oid, 'site': site._p_oid, 'shared': site.home.shared._p_oid}
    thin(fork)
    with Side(SERVING, BLOBS) as serving:
        site = serving.root['site']
        site.home.text = 'text since the takeover'
        site.news['other'] = other = page('other', site)
        serving.commit('since the takeover')
        assert other._p_oid == ids['event'], 'both sides hand out the same oids'
    return {name: '0x%x' % u64(oid) for name, oid in ids.items()}


def thin(fork):
    """The lost file, made by ZODB: transactions with their tids, and what they changed."""
    source = FileStorage(OLD, read_only=True, blob_dir='old.blobs')
    tids = [record.tid for record in source.iterator() if record.tid > fork]
    name = 'lost-%s-%s' % (tids[0].hex(), tids[-1].hex())
    lost = FileStorage('lost.fs', blob_dir='lost.blobs')
    for record in source.iterator(tids[0]):
        lost.tpc_begin(record, record.tid, record.status)
        for each in record:
            if lost.is_blob_record(each.data):
                os.link(source.loadBlob(each.oid, each.tid), 'blob')
                lost.restoreBlob(each.oid, each.tid, each.data, 'blob', None, record)
            else:
                lost.restore(each.oid, each.tid, each.data, '', None, record)
        lost.tpc_vote(record)
        lost.tpc_finish(record)
    lost.close()
    source.close()
    os.remove('lost.fs.index')
    with open('lost.json', 'w') as file:
        json.dump({'fork': {'position': 4, 'tid': fork.hex()}}, file)
    return name


def run(*arguments, status=0, site=HERE):
    done = subprocess.run([sys.executable, PROGRAM, *arguments], capture_output=True, text=True, env={**os.environ, 'PYTHONPATH': site})
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    assert 'Traceback' not in done.stderr, done.stderr
    return done.stdout + done.stderr


def copy(oid, *options, status=0, serving=SERVING, blobs=('--blobs', BLOBS)):
    return run('copy', 'lost.fs', serving, oid, *blobs, '--into', 'site', *options, status=status)


def everything():
    """Every byte of the serving side's file: what was there stays where it was."""
    with open(SERVING, 'rb') as file:
        return file.read()


def assert_event_is_back(event, site):
    assert event.title == 'event' and event.detail['text'] == 'detail that was lost'
    with event.picture.open() as picture:
        assert picture.read() == b'picture that was lost'
    assert event.detail['event'] is event and event.weak() is event.detail
    assert event.gone() is None, 'what is not copied is not referred to by an old number'
    assert event.parent is site, 'the parent is the one of the serving side'
    assert site.news['other'].title == 'other' and site.home.text == 'text since the takeover'
    assert 'event' not in site.news


def lists():
    ids = split()
    listed = run('list', 'lost.fs', SERVING)
    for text in ('what was lost', "title='event'", 'shop.Page', 'ANOTHER object has this oid', 'parts of BTrees: 1'):
        assert text in listed, (text, listed)
    home = next(line for line in listed.splitlines() if line.split()[0] == ids['home'])
    assert 'changed here and on the serving side' in home, home
    assert 'OOBTree' not in listed and 'OOBTree' in run('list', 'lost.fs', '--all')
    elsewhere = run('list', 'lost.fs', site=os.devnull)
    assert "title='event'" in elsewhere, 'the classes of the site are not needed to list'
    assert 'text that was lost' in run('show', 'lost.fs', SERVING, ids['home'], site=os.devnull)


def copies():
    ids = split()
    before = everything()
    tree = {name: os.listdir(name) for name in (BLOBS, 'lost.blobs')}
    assert 'dry run' in copy(ids['event'], '--refer-to', ids['site'], '--as', 'rescued')
    assert everything() == before and tree == {name: os.listdir(name) for name in tree}
    print(copy(ids['event'], '--refer-to', ids['site'], '--as', 'rescued', '--yes'))
    assert everything().startswith(before) and everything() != before
    with Side(SERVING, BLOBS) as serving:
        site = serving.root['site']
        assert_event_is_back(site.rescued, site)
        assert site.added == ('rescued',) and site.rescued.id == 'rescued'
        assert site.rescued.detail['home'].text == 'text that was lost'
        assert site.rescued.detail['home'] is not site.home
        assert site.rescued.detail['home'].shared is not site.home.shared
    before = everything()
    assert "'rescued' already" in copy(ids['event'], '--refer-to', ids['site'], '--as', 'rescued', '--yes', status=1)
    assert everything() == before
    # Into mappings: the root and a BTree. An object of common history, as it was on the old master.
    for into in ('/', 'site/news'):
        run('copy', 'lost.fs', SERVING, ids['home'], '--into', into, '--as', 'old-home', '--refer-to', ids['site'], '--blobs', BLOBS, '--yes')
    with Side(SERVING, BLOBS) as serving:
        for home in (serving.root['old-home'], serving.root['site'].news['old-home']):
            assert home.text == 'text that was lost' and home.shared['n'] == 1
        assert serving.root['site'].home.text == 'text since the takeover'


def refuses():
    ids = split()
    before = everything()
    # The parent leads to the whole site: 3 objects are too many here.
    assert '--refer-to' in copy(ids['event'], '--limit', '3', '--yes', status=1)
    assert 'not an object that both sides have' in copy(ids['home'], '--refer-to', ids['event'], '--yes', status=1)
    assert 'with --blobs' in copy(ids['event'], '--refer-to', ids['site'], '--yes', status=1, blobs=())
    assert "no 'elsewhere'" in copy(ids['event'], '--refer-to', ids['site'], '--into', 'site/elsewhere', '--yes', status=1)
    elsewhere = run('copy', 'lost.fs', SERVING, ids['event'], '--into', '/', '--blobs', BLOBS, '--yes', status=1, site=os.devnull)
    assert 'Python of the site' in elsewhere, elsewhere
    assert 'weak references' in run('export', 'lost.fs', SERVING, ids['event'], '--to', '.', '--blobs', BLOBS, status=1)
    os.rename('lost.json', 'gone')
    assert '--fork TID' in copy(ids['event'], status=1)
    os.rename('gone', 'lost.json')
    os.rename('lost.blobs', 'gone')
    assert 'the blob of' in copy(ids['event'], '--refer-to', ids['site'], '--yes', status=1)
    assert everything() == before


def packed():
    """A pack of the serving side removes the state at the fork: it has to come from a base."""
    ids = split()
    with open('lost.json') as file:
        fork = bytes.fromhex(json.load(file)['fork']['tid'])
    source = FileStorage(OLD, read_only=True, stop=fork[:-1] + bytes([fork[-1] + 1]), blob_dir='old.blobs')
    copy_until(source, 'base.fs', 'base.blobs')
    source.close()
    with Side(SERVING, BLOBS) as serving:
        serving.root['site'].home.shared['n'] = 2
        serving.commit('changed after the fork')
        serving.db.pack()
    assert '--base' in copy(ids['home'], '--refer-to', ids['site'], '--yes', status=1)
    copy(ids['home'], '--refer-to', ids['site'], '--as', 'old', '--base', 'base.fs', '--base-blobs', 'base.blobs', '--yes')
    with Side(SERVING, BLOBS) as serving:
        site = serving.root['site']
        assert (site.old.text, site.old.shared['n']) == ('text that was lost', 1)
        assert (site.home.text, site.home.shared['n']) == ('text since the takeover', 2)


def exports():
    ids = split(weak=False)
    os.mkdir('import')
    run('export', 'lost.fs', SERVING, ids['event'], '--to', 'import', '--blobs', BLOBS)
    assert 'exists' in run('export', 'lost.fs', SERVING, ids['event'], '--to', 'import', status=1)
    with Side(SERVING, BLOBS) as serving:
        jar = serving.root._p_jar
        event = jar.importFile('import/lost-%x.zexp' % int(ids['event'], 16))
        serving.root['imported'] = event
        serving.commit('import')
        assert event.title == 'event' and event.detail['text'] == 'detail that was lost'
        with event.picture.open() as picture:
            assert picture.read() == b'picture that was lost'


def served():
    """Through ZEO, while another client works."""
    import ZEO
    ids = split()
    address, stop = ZEO.server(path=SERVING, blob_dir=BLOBS, threaded=False)
    try:
        client = ZEO.DB(address, blob_dir='client.blobs', wait_timeout=20)
        root = client.open().root()
        assert root['site'].home.text == 'text since the takeover'
        place = '%s:%d' % address[:2]
        assert 'dry run' in copy(ids['event'], '--refer-to', ids['site'], '--as', 'rescued', serving=place, blobs=())
        copy(ids['event'], '--refer-to', ids['site'], '--as', 'rescued', '--yes', serving=place, blobs=())
        root._p_jar.sync()
        assert_event_is_back(root['site'].rescued, root['site'])
        client.close()
    finally:
        stop()


globals()[SCENE]()
