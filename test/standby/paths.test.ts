import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { masterPath, masterSide, nameInDirectory, PathMistake, slavePaths } from '../../src/standby/paths.js';
import { withTempDir } from '../support/site.js';

/** A directory `data` with a Data.fs in it, and links to both. */
function withPlace(use: (place: string) => void | Promise<void>): Promise<void> {
  return withTempDir((directory) => {
    const place = realpathSync(directory);
    mkdirSync(join(place, 'data'));
    mkdirSync(join(place, 'empty'));
    writeFileSync(join(place, 'data', 'Data.fs'), 'FS30');
    writeFileSync(join(place, 'data', 'other.db'), 'FS30');
    symlinkSync('data', join(place, 'to-data'));
    symlinkSync('data/Data.fs', join(place, 'Data.fs'));
    symlinkSync('nowhere', join(place, 'to-nowhere'));
    return use(place);
  });
}

describe('MASTER', () => {
  it('is the directory of the file, or the file itself', async () => {
    await withPlace(async (place) => {
      const file = join(place, 'data', 'Data.fs');
      assert.equal(await masterPath(join(place, 'data'), 'Data.fs'), file);
      assert.equal(await masterPath(`${join(place, 'data')}/`, 'Data.fs'), file);
      assert.equal(await masterPath(file, 'Data.fs'), file);
      assert.equal(await masterPath(join(place, 'data', 'other.db'), 'Data.fs'), join(place, 'data', 'other.db'));
    });
  });

  it('may be given by a link, or relative to the current directory', async () => {
    await withPlace(async (place) => {
      assert.equal(await masterPath(join(place, 'to-data'), 'Data.fs'), join(place, 'to-data', 'Data.fs'));
      assert.equal(await masterPath(join(place, 'Data.fs'), 'Data.fs'), join(place, 'Data.fs'));
      const given = relative(process.cwd(), join(place, 'data'));
      assert.equal(await masterPath(given, 'Data.fs'), join(place, 'data', 'Data.fs'));
    });
  });

  it('is a directory when it does not exist, unless its name is that of such a file', async () => {
    await withPlace(async (place) => {
      const named = (name: string, file = 'Data.fs') => masterPath(join(place, 'gone', name), file);
      assert.equal(await named('var'), join(place, 'gone', 'var', 'Data.fs'));
      assert.equal(await named('Data.fs'), join(place, 'gone', 'Data.fs'));
      assert.equal(await named('catalog.fs'), join(place, 'gone', 'catalog.fs'));
      assert.equal(await named('zodb', 'zodb'), join(place, 'gone', 'zodb'));
    });
  });

  it('in a directory with another file name is that file', async () => {
    await withPlace(async (place) => {
      assert.equal(await masterPath(join(place, 'data'), 'other.db'), join(place, 'data', 'other.db'));
    });
  });
});

describe('the name of the file in a directory', () => {
  it('is --file, or that of a side given as a file, or Data.fs', async () => {
    await withPlace(async (place) => {
      const directory = await masterSide(join(place, 'data'), undefined);
      const file = await masterSide(join(place, 'data', 'other.db'), undefined);
      assert.deepEqual([directory.name, file.name], [undefined, 'other.db']);
      assert.equal(nameInDirectory(undefined, directory), 'Data.fs');
      assert.equal(nameInDirectory(undefined, directory, file), 'other.db');
      assert.equal(nameInDirectory(undefined, undefined, file), 'other.db');
      assert.equal(nameInDirectory('zodb', directory, file), 'zodb');
      assert.equal(slavePaths(join(place, 'empty'), undefined, file).data, join(place, 'empty', 'other.db'));
      assert.equal(slavePaths(join(place, 'empty'), undefined, directory).data, join(place, 'empty', 'Data.fs'));
      assert.equal(slavePaths(join(place, 'empty', 'a.fs'), undefined, file).data, join(place, 'empty', 'a.fs'));
      assert.equal(slavePaths(join(place, 'empty'), 'zodb', file).data, join(place, 'empty', 'zodb'));
    });
  });
});

describe('a path on another machine', () => {
  const stat = async () => undefined;
  const NAMES: readonly (readonly [string, RegExp])[] = [
    ['m1:/zeo/var', /mount -t nfs -o ro,soft 'm1:\/zeo\/var' \/mnt\/m1, or sshfs -o ro 'm1:\/zeo\/var' \/mnt\/m1/],
    [
      'zope@m1.example.org:/zeo/var',
      /nfs -o ro,soft 'm1\.example\.org:\/zeo\/var' .* sshfs -o ro 'zope@m1\.example\.org:/,
    ],
    ['zope@m1:var', /example: sshfs -o ro 'zope@m1:var' \/mnt\/m1/],
    ['10.0.0.7:/x/Data.fs', /'10\.0\.0\.7:\/x\/Data\.fs'/],
    ['[::1]:/x', /'\[::1\]:\/x'/],
    ['zope@[fe80::1%eth0]:/x', /nfs -o ro,soft '\[fe80::1%eth0\]:\/x'/],
    ['ssh://m1/zeo', /sshfs -o ro 'HOST:\/PATH'/],
  ];
  for (const [given, hint] of NAMES)
    it(`is recognised: ${given}`, async () => {
      const isIt = (error: unknown): true => {
        assert.ok(error instanceof PathMistake);
        assert.equal(error.message, `${given} is not a path of this machine`);
        assert.ok(error.hint.includes(given));
        return true;
      };
      await assert.rejects(masterSide(given, undefined, stat), (error) => {
        assert.match((error as PathMistake).hint, hint);
        return isIt(error);
      });
      assert.throws(() => slavePaths(given, undefined), isIt);
    });

  it('is neither one with its first colon behind a slash, nor an existing one', async () => {
    for (const given of ['/srv/a:b/var', './m1:/var', '../a:b', 'var', ':/x', '@:/x', 'a b:/x'])
      assert.equal((await masterSide(given, undefined, stat)).name, undefined);
    await withPlace(async (place) => {
      const before = process.cwd();
      mkdirSync(join(place, 'a:b', 'c'), { recursive: true });
      process.chdir(place);
      try {
        assert.equal(slavePaths('a:b/c', undefined).data, join(place, 'a:b', 'c', 'Data.fs'));
        assert.equal(await masterPath('a:b/c', undefined), join(place, 'a:b', 'c', 'Data.fs'));
        assert.equal(await masterPath('a:b/missing', undefined), join(place, 'a:b', 'missing', 'Data.fs'));
        assert.throws(() => slavePaths('a:b/missing', undefined), /a:b\/missing does not exist/);
      } finally {
        process.chdir(before);
      }
    });
  });
});

describe('SLAVE', () => {
  it('is a directory, with or without the file, and every other file is beside it', async () => {
    await withPlace((place) => {
      for (const name of ['data', 'empty']) {
        const directory = join(place, name);
        const paths = slavePaths(directory, 'Data.fs');
        const data = join(directory, 'Data.fs');
        assert.equal(paths.directory, directory);
        assert.equal(paths.data, data);
        assert.equal(paths.directoryFacts.kind, 'directory');
        const beside = [paths.dat, paths.lock, paths.index, paths.fresh, paths.onlyHere('0f')];
        assert.deepEqual(
          beside,
          ['.dat', '.lock', '.index', '.new', '.only-here-0f'].map((end) => data + end),
        );
      }
    });
  });

  it('is the file itself, existing or not', async () => {
    await withPlace((place) => {
      assert.equal(slavePaths(join(place, 'data', 'other.db'), 'Data.fs').data, join(place, 'data', 'other.db'));
      assert.equal(slavePaths(join(place, 'empty', 'Data.fs'), 'Data.fs').data, join(place, 'empty', 'Data.fs'));
      assert.equal(slavePaths(join(place, 'empty', 'new.fs'), 'Data.fs').dat, join(place, 'empty', 'new.fs.dat'));
    });
  });

  it('may be reached by a link to its directory, and its resolved path contains none', async () => {
    await withPlace((place) => {
      assert.equal(slavePaths(join(place, 'to-data'), 'Data.fs').data, join(place, 'data', 'Data.fs'));
      assert.equal(slavePaths(join(place, 'to-data', 'Data.fs'), 'Data.fs').data, join(place, 'data', 'Data.fs'));
    });
  });

  const mistakes: Readonly<Record<string, readonly [string, RegExp]>> = {
    'in a missing directory is a mistake': ['gone', /gone does not exist/],
    'below a missing directory is a mistake': ['gone/Data.fs', /gone does not exist/],
    'below a file is a mistake': ['data/Data.fs/Data.fs', /does not exist/],
    'that is a link is a mistake': ['Data.fs', /symbolic link/],
  };
  for (const [name, [given, message]] of Object.entries(mistakes)) {
    it(name, async () => {
      await withPlace((place) => {
        assert.throws(
          () => slavePaths(join(place, given), 'Data.fs'),
          (error) => {
            assert.ok(error instanceof PathMistake);
            assert.match(error.message, message);
            assert.ok(error.hint.length > 10);
            return true;
          },
        );
      });
    });
  }

  it('that is a dangling link is a mistake', async () => {
    await withPlace((place) => {
      assert.throws(() => slavePaths(join(place, 'to-nowhere'), 'Data.fs'), PathMistake);
    });
  });

  it("that is a directory in the file's place is a mistake", async () => {
    await withPlace((place) => {
      mkdirSync(join(place, 'empty', 'Data.fs'));
      assert.throws(() => slavePaths(join(place, 'empty'), 'Data.fs'), /directory, not a file/);
    });
  });
});
