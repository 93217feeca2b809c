import assert from 'node:assert/strict';
import { type Block, blocksOf } from './markdown.js';

/**
 * The blocks of a page for two hosts. A remark before each of them says where it is typed, and for which cluster manager:
 *
 *   on m1 | m2 | both   by hand                 where; `by hand`: a person does it
 *   , once                                      not one to repeat until the output is right
 *   , heartbeat                                 for these managers alone; names with blanks between
 *   , keepalived, in 8                          of a section of its own: it takes the place of a block for other managers in section 8
 */
export type Manager = 'heartbeat' | 'keepalived' | 'pacemaker';

const MANAGERS = '(?:heartbeat|keepalived|pacemaker)';
const REMARK = new RegExp(
  `^(on (?:m1|m2|both)|by hand)(, once)?(?:, (${MANAGERS}(?: ${MANAGERS})*))?(?:, in ([\\w ]+))?$`,
);

export interface HostBlock extends Block {
  readonly where: 'm1' | 'm2' | 'both' | 'by hand';
  readonly isOnce: boolean;
  /** Empty: for all of them. */
  readonly managers: readonly string[];
  /** The first words of the heading of the section in which it takes another one's place. */
  readonly place: string | undefined;
}

/** Undefined: it is for no host. */
export function hostBlock(block: Block): HostBlock | undefined {
  const found = REMARK.exec(block.remark);
  if (!found) return undefined;
  const [, where = '', once, managers, place] = found;
  return {
    ...block,
    where: where.replace(/^on /, '') as HostBlock['where'],
    isOnce: once !== undefined,
    managers: managers?.split(' ') ?? [],
    place,
  };
}

/** What is typed with one cluster manager, in its order: in each section the blocks for other managers give way to those for this one. */
export function courseOf(page: string, manager: Manager): readonly HostBlock[] {
  const blocks = blocksOf(page).flatMap((block) => hostBlock(block) ?? []);
  const main = blocks.filter(({ place }) => place === undefined);
  const ours = blocks.filter(({ place, managers }) => place !== undefined && managers.includes(manager));
  const left = new Set(ours);
  const course: HostBlock[] = [];
  for (const [at, block] of main.entries()) {
    const isOurs = block.managers.length === 0 || block.managers.includes(manager);
    if (isOurs) course.push(block);
    else {
      const isLast = !main
        .slice(at + 1)
        .some((later) => later.section === block.section && isForOthers(later, manager));
      const replacing = [...left].filter((own) => isIn(block.section, own));
      for (const own of isLast ? replacing : replacing.slice(0, 1)) {
        course.push(own);
        left.delete(own);
      }
    }
  }
  assert.deepEqual(
    [...left].map(({ line }) => `${page}:${line}`),
    [],
    "these take nothing's place",
  );
  return course;
}

function isForOthers({ managers }: HostBlock, manager: Manager): boolean {
  return managers.length > 0 && !managers.includes(manager);
}

function isIn(section: string, { place = '' }: HostBlock): boolean {
  return section === place || section.startsWith(`${place} `);
}
