"""Real ZODB as judge of two slaves. A line of JSON on stdin (the arguments of judge), a line of JSON on stdout: what
does not belong together."""
import json
import os
import shutil
import sys

import transaction
import ZODB
from ZODB.FileStorage import FileStorage


def judge(main, catalog, blobs, work, killed):
    """The files are copied, because opening a FileStorage may change it, and the blobs are read where they are."""
    shutil.rmtree(work, ignore_errors=True)
    os.mkdir(work)
    databases = {}
    blobs_there = os.path.join(work, 'blobs')
    shutil.copytree(blobs, blobs_there)
    for name, path in (('main', main), ('catalog', catalog)):
        copy = os.path.join(work, f'{name}.fs')
        shutil.copyfile(path, copy)
        size = os.path.getsize(copy)
        # What a killed round has not made visible, ZODB cuts off.
        storage = FileStorage(copy, **({'blob_dir': blobs_there} if name == 'main' else {}))
        if os.path.getsize(copy) != size and not killed:
            return {'error': f'{path} was cut by ZODB from {size} to {os.path.getsize(copy)} bytes'}
        ZODB.DB(storage, database_name=name, databases=databases)
    try:
        return compare(databases['main'].open(transaction.TransactionManager()))
    finally:
        for database in databases.values():
            database.close()


def compare(main):
    """Everything is loaded, references across the two included."""
    catalog = main.get_connection('catalog')
    differences = []
    total = 0
    for name in main.root():
        if name.startswith('thread-'):
            here, there = main.root()[name], catalog.root()[name]
            total += here['count']
            if here['count'] != there['count']:
                differences.append([name, here['count'], there['count']])
            if ('target' in here) != ('target' in there):
                differences.append([name, 'target', 'target' in here, 'target' in there])
            elif 'target' in here and here['target']['count'] != there['target']['count']:
                differences.append([name, 'target', here['target']['count'], there['target']['count']])
            with main.root()[name.replace('thread', 'blob')].open('r') as file:
                blob = int(file.read())
            if blob != there.get('blob', 0):
                differences.append([name, 'blob', blob, there.get('blob', 0)])
    return {'differences': differences, 'total': total}


for line in sys.stdin:
    try:
        answer = judge(**json.loads(line))
    except Exception as error:
        answer = {'error': f'{type(error).__name__}: {error}'}
    print(json.dumps(answer), flush=True)
