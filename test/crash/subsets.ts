/**
 * The distinct sets of pending changes that may have taken place, in the order of the changes: none, all, every prefix,
 * all but one, all but two, only one.
 */
export function subsets<T>(changes: readonly T[]): T[][] {
  const found = new Map<string, T[]>();
  const add = (takesPart: (index: number) => boolean): void => {
    const indexes = changes.map((_, index) => index).filter(takesPart);
    found.set(
      indexes.join(),
      indexes.map((index) => changes[index]!),
    );
  };
  for (let length = 0; length <= changes.length; length++) add((index) => index < length);
  for (let one = 0; one < changes.length; one++) {
    add((index) => index === one);
    add((index) => index !== one);
    for (let two = one + 1; two < changes.length; two++) add((index) => index !== one && index !== two);
  }
  return [...found.values()];
}
