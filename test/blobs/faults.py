"""
The faults of the stand-in: {name: (kinds of history that show it, rules that find it)}. What each does stands where stand_in.py asks for it.
"""
NO_FILE, REMOVED, OTHER_BYTES = 'a visible blob has no file', 'a visible blob was removed', 'a visible blob has other bytes'
BROKEN = ('ZODB does not open the slave', 'ZODB does not read the slave', 'an empty Data.fs, which ZODB opens as an empty database')
LEFT, COUNT = 'blobs that Data.fs does not name', 'exit 4 with a wrong count'

FAULTS = {
    'data first': ('kill', (NO_FILE,)),
    'blobs by a walk first': ('beside', (NO_FILE, 'a file of no committed blob was copied')),
    'current revisions only': ('', (NO_FILE,)),
    'usual records only': ('', (NO_FILE,)),
    # A used directory without a layout is a lawn to ZODB.
    'no layout': ('', (NO_FILE, "the layout is not the master's")),
    'removes before the data': ('kill,pack', (REMOVED, NO_FILE)),
    'no second look': ('beside,pack', (COUNT, NO_FILE)),
    'not atomic': ('kill', (OTHER_BYTES, NO_FILE, *BROKEN)),
    'one name per object': ('', (OTHER_BYTES,)),
    'trusts what is there': ('rot', (OTHER_BYTES,)),
    'hides what is missing': ('loss', ('exit 0 with a blob missing',)),
    'forgets what is missing': ('loss', ('exit 0 with a blob missing',)),
    'counts wrong': ('loss', (COUNT,)),
    'aborts at a missing blob': ('loss', ('exit 1',)),
    'removes nothing': ('pack', (LEFT,)),
    'keeps nothing': ('keep,pack', ('--keep-blobs lost a blob',)),
    'removes foreign files': ('junk,pack', ("a foreign file was removed from the slave's tree",)),
    'copies junk': ('junk', ("a foreign file of the master's was copied",)),
    'hard links': ('', ("hard links to the master's files, which nobody asked for",)),
    'touches the master': ('', ("the master's tree was changed",)),
    'wrong figures': ('', ('wrong figures',)),
}
# In the right order; `slow` waits between reading the master's Data.fs and copying blobs, so that packs and aborts come between.
RIGHT = ('right', 'slow')
# Found in the first histories of any seed: no SIGKILL and no pack has to fall at the right moment.
CERTAIN = ('current revisions only', 'no layout', 'one name per object', 'trusts what is there', 'hides what is missing')
