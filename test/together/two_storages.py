"""A site of two storages, written to until the process ends: two_storages.py SETTINGS (JSON).

main and catalog are databases of one ZODB multi-database. Each thread has a counter in both of them, and a blob and a
cross-database reference that belong to it. A commit of both changes all of them together, so they are equal at every
moment at which no commit is between its first and its last tpc_finish. A pause before tpc_finish makes that time long.
"""
import json
import random
import sys
import threading
import time

import transaction
import ZODB
from persistent.mapping import PersistentMapping
from ZODB.blob import Blob
from ZODB.FileStorage import FileStorage
from ZODB.POSException import ConflictError

SETTINGS = json.loads(sys.argv[1])
THREADS = SETTINGS['threads']


def storages():
    if 'port' in SETTINGS:
        from ZEO.ClientStorage import ClientStorage

        return {
            name: ClientStorage(
                ('127.0.0.1', SETTINGS['port']), storage=name, wait_timeout=20,
                **({'blob_dir': SETTINGS['blobs'], 'shared_blob_dir': True} if name == 'main' else {})
            )
            for name in ('main', 'catalog')
        }
    return {
        'main': FileStorage(SETTINGS['main'], blob_dir=SETTINGS['blobs']),
        'catalog': FileStorage(SETTINGS['catalog']),
    }


def slow(storage, chance):
    """Before it finishes, a storage waits. The other one of the same commit may be finished by then."""
    finish = storage.tpc_finish

    def tpc_finish(*args, **kwargs):
        if chance.random() < SETTINGS['pauses']:
            time.sleep(chance.random() * SETTINGS['longest'])
        return finish(*args, **kwargs)

    storage.tpc_finish = tpc_finish


def create(db):
    """Every thread's objects, so that threads never conflict."""
    manager = transaction.TransactionManager()
    main = db.open(manager)
    catalog = main.get_connection('catalog')
    if 'thread-0' in main.root():
        return
    for number in range(THREADS):
        for connection in (main, catalog):
            connection.root()[f'thread-{number}'] = PersistentMapping(count=0)
            connection.root()[f'alone-{number}'] = PersistentMapping(count=0)
        main.root()[f'blob-{number}'] = Blob(b'0')
    manager.commit()
    main.close()


def work(db, number, seed):
    chance = random.Random(f'{seed}-{number}')
    manager = transaction.TransactionManager()
    main = db.open(manager)
    catalog = main.get_connection('catalog')
    while True:
        time.sleep(chance.random() * SETTINGS['rest'])
        try:
            manager.begin()
            if chance.random() < 0.3:
                manager.get().setUser('editor')
                manager.get().note('/site/page')
            if chance.random() < 0.3:
                alone = chance.choice([main, catalog]).root()[f'alone-{number}']
                alone['count'] += 1
            else:
                both(main.root(), catalog.root(), number, chance)
            manager.commit()
        except ConflictError:
            manager.abort()


def both(main, catalog, number, chance):
    name = f'thread-{number}'
    count = main[name]['count'] + 1
    main[name]['count'] = count
    catalog[name]['count'] = count
    if chance.random() < 0.3:
        # A new object of the catalog, which an object of main refers to. The catalog has to hold it too, or a pack of the
        # catalog would remove it.
        target = PersistentMapping(count=count)
        catalog._p_jar.add(target)
        catalog[name]['target'] = target
        main[name]['target'] = target
    if chance.random() < 0.2:
        with main[f'blob-{number}'].open('w') as file:
            file.write(str(count).encode())
        catalog[name]['blob'] = count


def main():
    seed = SETTINGS['seed']
    databases = {}
    opened = storages()
    for name, storage in opened.items():
        if SETTINGS['pauses']:
            slow(storage, random.Random(f'{seed}-{name}'))
        ZODB.DB(storage, database_name=name, databases=databases)
    create(databases['main'])
    print('ready', flush=True)
    for number in range(*SETTINGS['slice']):
        threading.Thread(target=work, args=(databases['main'], number, seed), daemon=True).start()
    chance = random.Random(seed)
    while True:
        time.sleep(SETTINGS['packEvery'] * (0.5 + chance.random()))
        if SETTINGS['slice'][0] > 0:
            # A server packs for one client at a time.
            continue
        name = chance.choice(['main', 'catalog'])
        databases[name].pack(time.time())
        print('packed', name, flush=True)


main()
