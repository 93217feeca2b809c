import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { drawTerminal, linesIn, PICTURE, recordDemo, takeoverLines } from './picture.js';

/** Times, sizes and tids differ from one demo to the next. */
function comparable(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replace(/\b[0-9a-f]{16}\b/g, 'TID')
      .replace(/\d+(\.\d+)? (s|MiB)\b/g, 'N $2')
      .replace(/\d+ transactions/g, 'N transactions'),
  );
}

test('the picture in the README shows what the demo prints; npm run picture draws it again', () => {
  const lines = takeoverLines(recordDemo());
  const drawn = drawTerminal(lines);
  assert.deepEqual(
    linesIn(drawn),
    lines.filter((line) => line !== ''),
  );
  const shown = linesIn(readFileSync(PICTURE, 'utf8'));
  assert.deepEqual(comparable(shown), comparable(linesIn(drawn)));
  const takeover = shown.findIndex((line) => line.includes('The takeover'));
  assert.ok(takeover > 0 && shown.slice(takeover).some((line) => line === '    ok: promoted'));
  assert.match(shown.at(-1) ?? '', /^As expected: all \d+ steps/);
});
