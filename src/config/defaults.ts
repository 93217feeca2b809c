/** What applies where neither the file nor an option sets anything. */
export const DEFAULTS = {
  scrub: 16 << 20,
  timeoutSeconds: 30,
  intervalSeconds: 1,
  hookTimeoutSeconds: 30,
} as const;
