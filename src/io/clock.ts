/**
 * Milliseconds since this process started, from a monotonic clock. Not performance.now(): its first use makes Node load
 * its whole performance module, which takes longer than most of a run with nothing new.
 */
export function milliseconds(): number {
  return process.uptime() * 1000;
}
