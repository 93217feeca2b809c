"""A small WSGI site on a ZEO client, as zope.service in each host.

    site.py ZEO-HOST:PORT LISTEN-PORT NAME DIRECTORY

DIRECTORY has the client's persistent cache (NAME-1.zec) and its blob cache.

    GET /                a page, with a little of the data
    POST /commit?id=N    an acknowledged write; the answer has its tid
    POST /blob?id=N      the same with a blob, whose bytes follow from the id
    GET /has?id=N        is the id here, and its blob's SHA-256
    GET /all             every id that this client sees
    POST /ghost?id=N     gives the object `ghost` the value N
    GET /ghost           its value, as this client sees it

Every answer names the client, its process and when that started. Apache's rewriting in front of a Plone site is understood.
"""

import hashlib
import json
import logging
import os
import random
import sys
import time
from urllib.parse import parse_qs

import transaction
import waitress
import ZEO
import ZODB
from blob_bytes import blob_bytes
from persistent.mapping import PersistentMapping
from ZODB.blob import Blob
from ZODB.POSException import ConflictError

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
BUCKETS = 64
STARTED = time.time()


def connect(address, name, directory):
    """The ZEO client; it waits for its server for ever, as a Zope instance does under a supervisor."""
    host, port = address.rsplit(":", 1)
    blobs = os.path.join(directory, "blobs-" + name)
    os.makedirs(blobs, exist_ok=True)
    while True:
        try:
            return ZEO.client(
                (host, int(port)), wait=True, wait_timeout=30, client=name, var=directory, blob_dir=blobs, cache_size=40 << 20
            )
        except Exception as error:  # noqa: BLE001 whatever it is, the site is not up yet
            logging.info("no ZEO yet: %r", error)
            time.sleep(0.2)


class Site:
    def __init__(self, storage, name):
        self.storage = storage
        self.name = name
        self.db = ZODB.DB(storage, pool_size=12)

    def write(self, change, note):
        """Commits `change(root)`, which returns an object that it changed: its serial is the tid that the server has given."""
        for attempt in range(10):
            manager = transaction.TransactionManager()
            connection = self.db.open(manager)
            try:
                touched = change(connection.root())
                manager.get().note(note)
                manager.commit()
                return {"tid": touched._p_serial.hex()}
            except ConflictError:
                manager.abort()
                time.sleep(0.003 * attempt)
            finally:
                manager.abort()
                connection.close()
        raise RuntimeError("ten conflicts")

    def read(self, question):
        manager = transaction.TransactionManager()
        connection = self.db.open(manager)
        try:
            return question(connection.root())
        finally:
            manager.abort()
            connection.close()

    def answer(self, method, path, ident):
        bucket = ident % BUCKETS
        if method == "POST" and path in ("/commit", "/blob"):

            def add(root):
                ids = root["ids"][bucket]
                ids[ident] = PersistentMapping({"text": "x" * (200 + ident % 1500)})
                if path == "/blob":
                    ids[ident]["blob"] = Blob()
                    with ids[ident]["blob"].open("w") as out:
                        out.write(blob_bytes(ident))
                # Not the blob: ZODB does not give it its serial.
                return ids[ident]

            return self.write(add, f"id {ident}")
        if method == "POST" and path == "/ghost":

            def set_ghost(root):
                root["ghost"]["value"] = ident
                return root["ghost"]

            return self.write(set_ghost, f"ghost {ident}")
        if path == "/ghost":
            return self.read(lambda root: {"ghost": root["ghost"]["value"]})
        if path == "/all":
            return self.read(lambda root: {"ids": [n for ids in root["ids"].values() for n in ids]})
        if path == "/has":
            return self.read(lambda root: has(root["ids"][bucket].get(ident)))
        return self.read(lambda root: {"count": len(root["ids"][random.randrange(BUCKETS)])})

    def __call__(self, environ, start):
        path = environ["PATH_INFO"].split("VirtualHostRoot", 1)[-1] or "/"
        ident = int(parse_qs(environ.get("QUERY_STRING", "")).get("id", ["0"])[0])
        status = "200 OK"
        try:
            out = self.answer(environ["REQUEST_METHOD"], path, ident)
        except Exception as error:  # noqa: BLE001 a site says 503 and goes on
            status, out = "503 Service Unavailable", {"error": repr(error)[:300]}
        out.update(client=self.name, pid=os.getpid(), started=STARTED)
        body = json.dumps(out).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
        start(status, headers)
        return [body]


def has(value):
    if value is None or "blob" not in value:
        return {"has": value is not None}
    with value["blob"].open("r") as stored:
        return {"has": True, "sha256": hashlib.sha256(stored.read()).hexdigest()}


def main(address, port, name, directory):
    site = Site(connect(address, name, directory), name)
    logging.info("the site is up")
    waitress.serve(site, host="0.0.0.0", port=int(port), threads=8, _quiet=True)  # noqa: S104


if __name__ == "__main__":
    main(*sys.argv[1:])
