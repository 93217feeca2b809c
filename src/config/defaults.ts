/** What applies where neither the file nor an option sets anything. */
export const DEFAULTS = {
  scrub: 16 << 20,
  timeoutSeconds: 30,
  intervalSeconds: 1,
  hookTimeoutSeconds: 30,
  keepPacked: 0,
} as const;

/** Most files that rebuilds replace after packs and that stay. */
export const MOST_KEPT_PACKED = 1000;

/** Whether a watch may check so often. */
export function isInterval(seconds: number | undefined): seconds is number {
  return seconds !== undefined && seconds >= 0.1 && seconds <= 3600;
}
