import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RoundLog } from '../../src/watch/round-log.js';

function recorded(use: (log: RoundLog) => void): string[] {
  const lines: string[] = [];
  const at = (level: string) => (fields: Record<string, unknown>, message: string) => {
    lines.push(`${level} ${String(fields['storage'])} ${message}`);
  };
  use(new RoundLog({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, 'main'));
  return lines;
}

describe('the log of the rounds of a watch', () => {
  it('keeps the lines that each round writes at debug, and names the storage', () => {
    assert.deepEqual(
      recorded((log) => log.info({}, 'Start syncing')),
      ['debug main Start syncing'],
    );
  });

  it('reports what repeats once, until the storage was in step in between', () => {
    const lines = recorded((log) => {
      for (let n = 0; n < 3; n++) log.error({}, 'no progress');
      log.warn({}, 'another one');
      log.forget();
      log.error({}, 'no progress');
    });
    const loud = lines.filter((line) => !line.startsWith('debug'));
    assert.deepEqual(loud, ['error main no progress', 'warn main another one', 'error main no progress']);
    assert.equal(lines.length, 5, 'the others are there at debug');
  });

  it('has each event at its own level', () => {
    const lines = recorded((log) => {
      for (let n = 0; n < 2; n++) {
        log.warn({ event: 'damage' }, 'a trouble begins: damage');
        log.info({ event: 'in-step' }, 'the slave is in step again');
      }
    });
    const once = ['warn main a trouble begins: damage', 'info main the slave is in step again'];
    assert.deepEqual(lines, [...once, ...once]);
  });

  it('remembers a bounded number of messages', () => {
    const lines = recorded((log) => {
      for (let n = 0; n < 1000; n++) log.error({}, `message ${n}`);
    });
    assert.equal(lines.filter((line) => line.startsWith('error')).length, 1000);
  });
});
