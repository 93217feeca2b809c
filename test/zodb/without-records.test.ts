import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { assertEnd, syncpozo } from '../support/cli.js';
import { dataFs, nthTid } from '../support/data-fs.js';
import { Judge } from './judge.js';
import { Pair } from './pair.js';

/** ZODB's check of an index goes back to the newest transaction with a record, and fails if there is none. */
test('a slave whose transactions have no records gets no index, and ZODB opens it', async () => {
  const judge = new Judge();
  try {
    await Pair.with(async (pair) => {
      const empty = [1, 2, 3].map((n) => ({ tid: nthTid(n), records: [], description: `nothing is changed, ${n}` }));
      writeFileSync(pair.master, dataFs(empty).bytes);
      await pair.syncMust(0, 'the first sync');
      assert.ok(!existsSync(`${pair.slave}.index`), 'no index');
      assertEnd(syncpozo(['index', pair.slave, '--json']), {
        exit: 0,
        action: 'none',
        reason: /no transaction has a record/,
      });
      assert.ok(!existsSync(`${pair.slave}.index`), 'no index of the command either');
      await judge.assertComplete(pair.slave, 'without records');

      const record = { tid: nthTid(4), records: [{ oid: 0n, data: 'cpersistent.mapping\nPersistentMapping\n.}.' }] };
      writeFileSync(pair.master, dataFs([...empty, record]).bytes);
      await pair.syncMust(0, 'a sync of the first record');
      assertEnd(syncpozo(['index', pair.slave, '--json']), { exit: 0, action: 'built' });
      assert.ok((await judge.assertComplete(pair.slave, 'with one record')).indexUsed, 'the index is used');
    });
  } finally {
    await judge.close();
  }
});
