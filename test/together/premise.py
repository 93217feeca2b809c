"""What the choice of a common moment relies on, asked of real ZODB: premise.py MAIN CATALOG [PORT].

A commit of both storages is watched from outside: just before each tpc_finish both files are read. Prints a line of JSON for
each: the status of the last transaction of both files, whether it is complete, and which storage finishes.
"""
import json
import struct
import sys

import transaction
import ZODB
from ZODB.FileStorage import FileStorage

main_file, catalog_file = sys.argv[1:3]
FILES = {'main': main_file, 'catalog': catalog_file}


def opened(name):
    if len(sys.argv) > 3:
        from ZEO.ClientStorage import ClientStorage

        return ClientStorage(('127.0.0.1', int(sys.argv[3])), storage=name, wait_timeout=20)
    return FileStorage(FILES[name])


def last_status(path):
    """From the trailer at the end of the file: the status of a complete transaction; '?' if there is none."""
    with open(path, 'rb') as file:
        data = file.read()
    (length,) = struct.unpack('>Q', data[-8:])
    start = len(data) - 8 - length
    if length < 23 or start < 4 or struct.unpack('>Q', data[start + 8:start + 16])[0] != length:
        return '?'
    return chr(data[start + 16])


databases = {}
for name in FILES:
    ZODB.DB(opened(name), database_name=name, databases=databases)
main = databases['main'].open()
catalog = main.get_connection('catalog')


def watched(name, finish):
    def tpc_finish(*args, **kwargs):
        print(json.dumps({'finishes': name, **{each: last_status(path) for each, path in FILES.items()}}), flush=True)
        return finish(*args, **kwargs)

    return tpc_finish


for name, database in databases.items():
    database.storage.tpc_finish = watched(name, database.storage.tpc_finish)
for count in range(20):
    # The one that is changed first is not always the same.
    for connection in (main, catalog) if count % 2 else (catalog, main):
        connection.root()['count'] = count
    transaction.commit()
