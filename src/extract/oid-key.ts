/** The oid as a key of a map, from its halves: the number itself where it is exact, which is always but for damaged oids. */
export function oidKey(high: number, low: number): number | bigint {
  return high > 0x1f_ffff ? wholeOid(high, low) : high * 0x1_0000_0000 + low;
}

export function wholeOid(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}
