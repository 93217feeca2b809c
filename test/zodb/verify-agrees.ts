import assert from 'node:assert/strict';
import type { VerifyResult } from '../../src/commands/verify-result.js';
import type { HostileVerdict } from './hostile-judge.js';

/** Asserts that verify reports what ZODB does with a file; returns what that is. */
export function agreed(result: VerifyResult, { scan, fstest }: HostileVerdict, bytes: Uint8Array): string {
  const { problems, problemCount, tail, magic } = result;
  const blocking = problems.find(({ severity }) => severity === 'refused' || severity === 'truncated');
  const what = JSON.stringify({ result, scan, fstest, hex: Buffer.from(bytes).toString('hex') });
  if (magic === 'FS21') return 'of Python 2';
  if (fstest.error !== undefined) assert.ok(problemCount > 0 || tail === 'in-flight', what);
  if (scan.error !== undefined) {
    assert.equal(blocking?.severity, 'refused', what);
    return 'refused';
  }
  if (scan.end < bytes.length) {
    assert.ok(blocking?.severity === 'truncated' || (!blocking && tail === 'in-flight'), what);
    return 'cut off';
  }
  assert.equal(blocking, undefined, what);
  return problemCount > 0 ? 'taken, with problems that verify names' : 'taken';
}
