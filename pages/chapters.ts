/** What the man page says beyond the command line. Text in back quotes is shown in bold. */

export const DESCRIPTION: readonly string[] = [
  'syncpozo keeps a second `Data.fs`, the standby or slave, in step with the `Data.fs` that a ZEO server writes, the master. cron runs `syncpozo sync` every minute. It copies complete, committed transactions only, so that a server can open the slave at any moment.',
  'syncpozo detects packs, damage and slaves that have forked, and reports what it did. It never writes to the master and takes no lock there.',
  'A MASTER, SLAVE or FILE is the directory that holds `Data.fs`, or the file itself. A NAME is a storage of the configuration file; without an argument, a command does its work for all of them.',
];

export const COMMON =
  'Several commands take these options. The text of a command names those that it takes, and describes those that differ.';

export const EXIT_STATUS: readonly string[] = [
  'Each command lists the statuses that it returns. In general:',
  'A process that hangs in a read of a dead mount ends itself with SIGKILL where Node.js is older than 22.15; a shell reports 137.',
];

export const FILES: readonly (readonly [string, string])[] = [
  [
    'Data.fs.dat',
    'what syncpozo knows of the slave: up to where it equals the master, and the hashes of its pieces. Text. Without it, the next sync reads and compares everything.',
  ],
  [
    'Data.fs.role',
    'whether this side is a slave or serves, and one line for each promotion; also a refusal that stands, and reported damage. Text with a checksum. syncpozo never removes it. While it cannot be read, nothing is synced.',
  ],
  ['Data.fs.outcome', 'how the last sync ended, and when one last ended in step; `syncpozo status` reports it.'],
  ['Data.fs.events', 'the last events, one JSON object a line; `syncpozo status` shows them.'],
  [
    'Data.fs.scrub',
    'how far old bytes have been read again, and when the last full round ended. Without it, a new round begins.',
  ],
  [
    'Data.fs.lock',
    "ZODB's own lock. While syncpozo holds it, no ZEO server opens the slave; while a ZEO server holds it, nothing is synced.",
  ],
  [
    'Data.fs.index',
    "ZODB's own index, byte for byte as FileStorage writes it. A full copy writes it; later syncs refresh it when it does not cover the last 64 MiB; `sync --no-index` omits it.",
  ],
  [
    'Data.fs.blobs',
    'the blobs of the transactions that the slave has: length and checksum of each file as it was copied. Without it, the next `sync --blobs` compares every blob with the file of the master.',
  ],
  [
    'Data.fs.blobs.journal, Data.fs.blobs.before, Data.fs.blobs.scrub, Data.fs.new.blobs',
    'what is copied already of many blobs; what was copied before a pack; how far the scrub of blobs has come; the list of a slave that is being rebuilt. After a crash they are harmless, and the next sync uses or removes them.',
  ],
  [
    'DIR/**/*.blob.syncpozo-tmp, DIR/**/*.blob.replaced',
    "in the slave's blob directory: a copy that did not end; and a file that had other bytes than the master's, which syncpozo never removes.",
  ],
  [
    'Data.fs.new, Data.fs.new.dat',
    'a slave that is being rebuilt, and its `.dat`. After a crash they are harmless, and the next sync removes them.',
  ],
  [
    'Data.fs.tr0',
    'bytes that a promotion has cut off because they were no complete transactions. ZODB gives such pieces the same name.',
  ],
  [
    'Data.fs.only-here-<tid>',
    "the slave's old file, kept by a rebuild because it has, or may have, transactions that the master lacks. Examine it with `syncpozo compare`, then remove it; syncpozo never does.",
  ],
  [
    '/etc/syncpozo.yml',
    'the configuration file: the storages of the site. `--config` and `SYNCPOZO_CONFIG` name another file; `syncpozo config check` reports every mistake in it. Not needed by commands that are given paths.',
  ],
  [
    '/var/run/syncPozo.status',
    'the status file, which is the switch: one line, `SYNCING=1` or `SYNCING=0`. A missing file means 1. Any other content is an error, and nothing is synced. `--status-file` and `SYNCPOZO_STATUS` name another file.',
  ],
];

/** Of an installation by npm; PREFIX is what `npm prefix --global` prints. */
export const INSTALLED: readonly (readonly [string, string])[] = [
  ['PREFIX/share/man/man1/syncpozo.1', 'this page.'],
  [
    'PREFIX/lib/node_modules/syncpozo/dist/completion/syncpozo.bash',
    'completion for bash. Source it in `.bashrc`, or link it as `syncpozo` into `/usr/share/bash-completion/completions`.',
  ],
  [
    'PREFIX/lib/node_modules/syncpozo/dist/completion/_syncpozo',
    'completion for zsh. Put its directory into `fpath` before `compinit` runs.',
  ],
  [
    'PREFIX/lib/node_modules/syncpozo/scripts',
    'scripts for cron, logrotate, NFS, Heartbeat and Apache, and `README.md`, which says where they go.',
  ],
];

export const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['SYNCPOZO_CONFIG', 'path of the configuration file, unless `--config` names one.'],
  ['SYNCPOZO_STATUS', 'path of the status file, unless `--status-file` or the configuration names one.'],
  [
    'UV_THREADPOOL_SIZE',
    'number of threads of Node.js that read files; syncpozo sets it to 16 unless it is set. Reads of a slow master wait side by side in them.',
  ],
];

export const EXAMPLES: readonly (readonly [string, readonly string[]])[] = [
  [
    'Sync every minute, from `/etc/cron.d/syncpozo`. Errors only are logged, so every mail is a reason to look:',
    [
      'MAILTO=root',
      'PATH=/usr/local/bin:/usr/bin:/bin',
      '* * * * * zope syncpozo sync --quiet /mnt/m1/zeo/var /srv/zeo/var',
    ],
  ],
  [
    'From a monitoring system, warn of a lag of more than two minutes, and more loudly of ten:',
    ['syncpozo status /srv/zeo/var --master /mnt/m1/zeo/var --max-lag 120,600'],
  ],
  ['Check every byte of the slave, once a week:', ['syncpozo verify /srv/zeo/var --against /mnt/m1/zeo/var']],
  [
    'Take over on the slave. Start ZEO afterwards if the exit status is 0 or 4:',
    ['syncpozo promote /srv/zeo/var --master /mnt/m1/zeo/var'],
  ],
  ['Turn a promoted slave into a slave again:', ['syncpozo demote /srv/zeo/var && syncpozo on']],
];

export const SEE_ALSO: readonly (readonly [string, string])[] = [
  ['crontab', '5'],
  ['flock', '1'],
  ['nfs', '5'],
];
