/**
 * Milliseconds since this process began, of a clock that nobody sets. Not performance.now(): the first use of that makes
 * Node load all that it has for measuring, which takes longer than most of what a run with nothing new does.
 */
export function milliseconds(): number {
  return process.uptime() * 1000;
}
