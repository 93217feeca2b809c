/** How long after a commit another host sees it, from what live_writer.py and view_of_size.py have noted: median and longest. */
export interface Age {
  readonly commits: number;
  readonly median: number;
  readonly longest: number;
}

/** @param commits the time of each, and how long the file was then */
export function ageOfView(commits: readonly (readonly [number, number])[], printed: string, way: string): Age {
  const seen = printed
    .split('\n')
    .filter((line) => line.startsWith(`${way} `))
    .map((line) => line.split(' ').slice(1).map(Number) as [number, number]);
  const [from = Number.POSITIVE_INFINITY] = seen[0] ?? [];
  const [to = 0] = seen.at(-1) ?? [];
  const ages = commits
    .filter(([time]) => time > from && time < to)
    .map(([time, size]) => (seen.find(([, length]) => length >= size)?.[0] ?? Number.NaN) - time)
    .sort((one, other) => one - other);
  return { commits: ages.length, median: ages[ages.length >> 1] ?? Number.NaN, longest: ages.at(-1) ?? Number.NaN };
}
