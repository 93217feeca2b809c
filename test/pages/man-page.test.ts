import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { commandLine } from '../../pages/command-line.js';
import { manPage } from '../../pages/man-page.js';
import { example, paragraph, plain, prose, terms } from '../../pages/roff.js';
import { inProject } from '../support/root.js';

const PAGE = inProject('dist', 'man', 'syncpozo.1');
const text = readFileSync(PAGE, 'utf8');
const { version } = JSON.parse(readFileSync(inProject('package.json'), 'utf8')) as { version: string };
const line = await commandLine(version);

/** To groff: without bold and italics. */
const PLAIN = '-P-cbou';

/** What shows the page, or judges it, where it is installed. Each is told to warn of all that is not as it should be. */
const TOOLS: readonly (readonly [string, readonly string[]])[] = [
  ['man', ['--warnings=w', '--local-file']],
  ['groff', ['-man', '-ww', '-Tutf8', PLAIN]],
  ['mandoc', ['-Tlint', '-W', 'warning']],
];

function show(tool: string, args: readonly string[], t: TestContext, input?: string) {
  const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '100' };
  const run = spawnSync(tool, args, { encoding: 'utf8', env, ...(input !== undefined && { input }) });
  // A minimized system has a `man` that says only that there are no pages.
  const isThere = !run.error && !run.stdout.includes('has been minimized');
  if (!isThere) t.skip(`${tool} is not installed here`);
  return isThere ? run : undefined;
}

describe('the man page', () => {
  it('is the one that the command line of these sources makes', () => {
    assert.equal(text, manPage(line));
  });

  for (const [tool, args] of TOOLS)
    it(`is rendered by ${tool} without a warning`, (t) => {
      const run = show(tool, [...args, PAGE], t);
      if (!run) return;
      // The page has no date: two builds of the same sources are to be the same.
      const complaints = (run.stderr + (tool === 'mandoc' ? run.stdout : '')).split('\n').filter((complaint) => {
        return complaint !== '' && !complaint.includes('missing date');
      });
      assert.deepEqual(complaints, []);
      if (tool === 'mandoc') return;
      assert.equal(run.status, 0);
      assert.match(
        run.stdout,
        /^ +syncpozo sync \[OPTIONS\] MASTER SLAVE\n +syncpozo sync \[OPTIONS\] \[NAME\.\.\.\]$/m,
      );
      assert.match(run.stdout, /^ +\* \* \* \* \* zope syncpozo sync --quiet /m);
    });

  it('has the sections of a man page in their order', () => {
    const sections = [...text.matchAll(/^\.SH (.*)$/gm)].map(([, title]) => title);
    const expected = 'NAME|SYNOPSIS|DESCRIPTION|COMMANDS|COMMON OPTIONS|OPTIONS OF THE PROGRAM|EXIT STATUS|FILES';
    assert.deepEqual(sections, [...expected.split('|'), 'ENVIRONMENT', 'EXAMPLES', 'SEE ALSO']);
    assert.ok(text.includes(`"syncpozo ${plain(version)}"`));
  });

  it('names every file beside a slave, and the variables', () => {
    for (const name of ['dat', 'role', 'outcome', 'events', 'scrub', 'lock', 'index', 'new', 'tr0', 'only-here-<tid>'])
      assert.ok(text.includes(plain(`Data.fs.${name}`)), name);
    for (const name of ['syncPozo.status', 'SYNCPOZO_STATUS', 'SYNCPOZO_LOSS', 'syncpozo.bash', '_syncpozo'])
      assert.ok(text.includes(plain(name)), name);
  });

  it('has every option of the program', () => {
    for (const flag of line.program.options.flatMap(({ flags }) => flags))
      assert.ok(text.includes(`\\fB${plain(flag)}\\fR`), flag);
  });

  const common = /^\.SH COMMON OPTIONS$(.*?)^\.SH/ms.exec(text)?.[1] ?? '';
  for (const command of line.commands)
    it(`has every argument, option, example and exit status of ${command.name}`, () => {
      const chapter =
        new RegExp(`^\\.SS syncpozo ${plain(command.name).replaceAll('\\', '\\\\')}$(.*?)^\\.S[SH]`, 'ms').exec(
          text,
        )?.[1] ?? '';
      for (const { name, description } of command.arguments)
        assert.ok(chapter.includes(`\\fI${name}\\fR\n${plain(description)}\n`), name);
      for (const { flags, description } of command.options) {
        assert.ok(chapter.includes(`\\fB${plain(flags.at(-1) ?? '')}\\fR`), flags.join());
        const described = [chapter, common].some((part) => part.includes(`\n${plain(description)}\n`));
        assert.ok(described, `${flags.join()}: ${description}`);
      }
      const { examples, exits } = command.manual;
      for (const sample of examples) assert.ok(chapter.includes(`\n${plain(sample)}\n`), sample);
      for (const [status, meaning] of exits) assert.ok(chapter.includes(`\n\\fB${status}\\fR\n${plain(meaning)}\n`));
    });
});

describe('text in roff', () => {
  const STRANGE = [
    '.TH at the start',
    "'quoted' at the start",
    'a \\fB backslash \\n',
    '--long-option',
    '~/x ^y `z` "w"',
  ];

  it('is shown as it is', (t) => {
    const page = ['.TH X 1 "" "" ""', '.nh', ...STRANGE.map((one) => paragraph(plain(one))), example(STRANGE)];
    const run = show('groff', ['-man', '-ww', '-Tascii', PLAIN], t, `${page.join('\n')}\n`);
    if (!run) return;
    assert.equal(run.stderr, '');
    const shown = run.stdout.split('\n');
    for (const one of STRANGE) assert.equal(shown.filter((shownLine) => shownLine.trim() === one).length, 2, one);
  });

  it('shows in bold what stands in back quotes, also at the start of a line', () => {
    assert.equal(prose('`.dat` and `-q`.'), '\\fB\\&.dat\\fR and \\fB\\-q\\fR.');
    assert.deepEqual(terms([['a', 'b']]), ['.TP\na\nb']);
  });

  it('has one line, of ASCII', () => {
    assert.throws(() => plain('two\nlines'), /ASCII/);
    assert.throws(() => plain('caf\u00e9'), /ASCII/);
  });
});
