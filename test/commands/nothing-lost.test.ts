import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runSync, type SyncResult } from '../../src/round/run-sync.js';
import { assertEnd, syncpozo } from '../support/cli.js';
import { withPair as withPairOfCommands } from '../support/pair.js';
import { promote } from '../support/promotion.js';
import { Site, steadyClock, withTempDir } from '../support/site.js';

const ONLY_COPY = 'the only copy of this text';

function text(value: string): ReadonlyMap<number, string> {
  return new Map([[1, value]]);
}

/** Every file beside the slave that contains the text: the slave, or a kept file. */
function holders(slave: string): string[] {
  const files = readdirSync(slave).filter((name) => name.startsWith('Data.fs'));
  return files.filter((name) => readFileSync(join(slave, name)).includes(ONLY_COPY));
}

async function withPair(use: (master: string, slave: string, sync: () => Promise<SyncResult>) => Promise<void>) {
  await withTempDir(async (directory) => {
    const [master, slave] = [join(directory, 'master'), join(directory, 'slave')];
    mkdirSync(master);
    mkdirSync(slave);
    await use(master, slave, () => runSync({ master, slave, statusFile: join(directory, 'status') }));
  });
}

describe('runSync never destroys data that exists nowhere else', () => {
  // With the clock behind the last transaction every ZODB takes the next tid, so both sides take the same one.
  it('when both sides gave the same tid to different transactions', () =>
    withPair(async (master, slave, sync) => {
      const clock = () => Date.UTC(2026, 0, 1);
      const site = Site.create(join(master, 'Data.fs'), { clock });
      await sync();
      const other = Site.open(join(slave, 'Data.fs'), { clock });
      other.commit(other.pages(text(ONLY_COPY)));
      other.close();
      site.commit(site.pages(text('another text')));
      site.close();
      assert.equal((await sync()).exitCode, 3);
      assert.deepEqual(holders(slave), ['Data.fs']);
    }));

  // The restored file's last transaction is packed: the tids alone cannot show whether a pack dropped the lost transaction.
  it('when a packed master is restored from a backup and grows', () =>
    withPair(async (master, slave, sync) => {
      const clock = steadyClock();
      const path = join(master, 'Data.fs');
      const site = Site.create(path, { clock });
      site.commit(site.pages(text('first')));
      site.commit(site.pages(text('second')));
      site.pack();
      copyFileSync(path, join(master, 'backup'));
      site.commit(site.pages(text(ONLY_COPY)));
      site.close();
      await sync();

      renameSync(join(master, 'backup'), path);
      const restored = Site.open(path, { clock });
      restored.commit(restored.pages(text('after the restore')));
      restored.close();
      await sync();
      assert.equal(holders(slave).length, 1);
    }));

  it('when the promoted side restarts from a backup, and its pack includes the same pages', () =>
    withPairOfCommands((pair) => {
      pair.synced();
      const backup = readFileSync(pair.slaveFile);
      pair.commit(ONLY_COPY);
      pair.synced();
      pair.site.close();
      assert.equal(promote(pair).exit, 0);
      writeFileSync(pair.slaveFile, backup);
      const site = Site.open(pair.slaveFile, { clock: pair.clock });
      site.commit(site.pages(text('after the restore')));
      site.commit(site.pages(text('once more')));
      site.pack();
      site.close();
      const run = syncpozo(['sync', pair.slave, pair.master, '--json', '--status-file', `${pair.statusFile}.back`]);
      assert.equal(run.exit, 0, run.all);
      assert.equal(holders(pair.master).length, 1, 'the only copy is kept');
    }));

  it('when a record of the master has rotted, and the pack drops its object', () =>
    withPairOfCommands((pair) => {
      const pages = Array.from({ length: 40 }, (_, n) => `page ${n} ${'x'.repeat(6000)}`);
      pair.commit(...pages);
      pair.synced();
      const bytes = readFileSync(pair.masterFile);
      // The oid of the record of page 20 becomes that of page 21, which is committed once more.
      const data = bytes.indexOf('page 19 x');
      const oid = Buffer.from(oidOf(20));
      const at = bytes.lastIndexOf(oid, data);
      Buffer.from(oidOf(21)).copy(bytes, at);
      writeFileSync(pair.masterFile, bytes);
      pair.site = Site.open(pair.masterFile, { clock: pair.clock });
      pair.site.commit(pair.site.pages(new Map([[21, 'written once more']])));
      pair.site.pack();
      assert.ok(!readFileSync(pair.masterFile).includes('page 19 x'), 'the pack has dropped it');
      for (const more of [[], ['--full']]) {
        const run = pair.unchanged(() => pair.sync(...more), 'Data.fs.role');
        assertEnd(run, { exit: 4, action: 'failed', reason: /Data\.fs\.old\) has other bytes there/ });
      }
    }));
});

function oidOf(page: number): Uint8Array {
  const oid = new Uint8Array(8);
  oid[7] = page;
  return oid;
}
