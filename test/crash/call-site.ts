import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inProject } from '../support/root.js';

/**
 * The caller of a disk operation, as a position in the compiled sources: `sync/batch.js:46:23`. A call in src/io is named
 * together with its callers up to the first one outside: `io/replace.js:28:14 < standby/...`.
 */
export interface Caller {
  readonly site: string;
  /** Names of the functions on the stack, innermost first. */
  readonly within: readonly string[];
}

export const COMPILED_SOURCES = inProject('dist', 'src');
/** The primitives of all operations: a call in these files does not identify the caller. */
export const PRIMITIVES = ['io/observer.js', 'io/open-file.js', 'io/directory.js'];
const FRAMES = 40;

/** The caller of the operation that the disk's observer receives. */
export function currentCaller(): Caller {
  const frames = stack().flatMap((frame) => {
    const place = placeOf(frame);
    return place === undefined ? [] : [{ place, name: frame.getFunctionName() ?? '' }];
  });
  const places: string[] = [];
  for (const { place } of frames) {
    places.push(place);
    if (!place.startsWith('io/')) break;
  }
  return { site: places.join(' < '), within: frames.map(({ name }) => name) };
}

function placeOf(frame: NodeJS.CallSite): string | undefined {
  const url = frame.getFileName();
  if (!url?.startsWith('file:')) return undefined;
  const path = relative(COMPILED_SOURCES, fileURLToPath(url)).split(sep).join('/');
  if (path.startsWith('..') || PRIMITIVES.includes(path)) return undefined;
  return `${path}:${frame.getLineNumber()}:${frame.getColumnNumber()}`;
}

/** V8's own stack: positions in the compiled files, with and without source maps. */
function stack(): NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.prepareStackTrace = (_, frames) => frames;
    Error.stackTraceLimit = FRAMES;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, stack);
    return holder.stack as NodeJS.CallSite[];
  } finally {
    if (prepareStackTrace) Error.prepareStackTrace = prepareStackTrace;
    else Reflect.deleteProperty(Error, 'prepareStackTrace');
    Error.stackTraceLimit = stackTraceLimit;
  }
}
