import assert from 'node:assert/strict';

/** Asserts that an object contains all of `expected`, at any depth; it may contain more. */
export function assertHolds(actual: unknown, expected: object): void {
  assert.deepEqual(pick(actual, expected), expected);
}

function pick(actual: unknown, expected: unknown): unknown {
  if (!isPlain(actual) || !isPlain(expected)) return actual;
  return Object.fromEntries(Object.keys(expected).map((name) => [name, pick(actual[name], expected[name])]));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
