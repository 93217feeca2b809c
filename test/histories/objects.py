"""Object data that real ZODB can load, with a marker in it, and references that its garbage collector follows."""
from io import BytesIO

from persistent.mapping import PersistentMapping
from zodbpickle import binary
from ZODB._compat import PersistentPickler
from ZODB.serialize import referencesf

PROTOCOL = 3


class Reference:
    def __init__(self, oid):
        self.oid = oid


def persistent_id(thing):
    return binary(thing.oid) if isinstance(thing, Reference) else None


def transaction_marker(commit):
    return '{T%06d}' % commit


def data_marker(commit, record):
    return '{D%06d.%d}' % (commit, record)


def pickled(marker, references=(), filler=b''):
    file = BytesIO()
    pickler = PersistentPickler(persistent_id, file, PROTOCOL)
    pickler.dump(PersistentMapping)
    state = {'marker': marker, 'filler': filler, 'references': [Reference(oid) for oid in references]}
    pickler.dump({'data': state})
    return file.getvalue()


def references(data):
    """Finds none in data that rot has made unreadable."""
    try:
        return [bytes(oid) for oid in referencesf(data)]
    except Exception:
        return []
