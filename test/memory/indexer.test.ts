import { describe, expect, test } from 'bun:test';
import {
  appendFileSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createLog } from '../../src/log/log.ts';
import { IndexDb } from '../../src/memory/index-db.ts';
import { Indexer } from '../../src/memory/indexer.ts';
import { indexOnce, type JournalEntry } from '../../src/memory/memory.ts';
import type { watchFolder } from '../../src/memory/watch.ts';
import { stopwatch, watchLoop } from '../stopwatch.ts';
import { testMemory, until } from './home.ts';

const said = (text: string): JournalEntry => ({ at: new Date(2025, 10, 22, 14).getTime(), kind: 'note', text });

describe('the index follows the folder', () => {
  test('a note saved by an editor is found within a second, also after a rename, an edit and a removal', async () => {
    await using t = await testMemory();
    t.memory.start();
    await t.memory.settled();
    const paths = () => t.memory.search('zanzibar').map((hit) => hit.path);
    const file = (name: string) => join(t.home.memory, name);
    const took = stopwatch();
    writeFileSync(file('a.md'), 'zanzibar\n');
    expect(await until(() => paths().includes('a.md'))).toBe(true);
    expect(took()).toBeLessThan(1000);
    mkdirSync(file('new/deep'), { recursive: true });
    renameSync(file('a.md'), file('new/deep/b.md'));
    expect(await until(() => paths().join() === 'new/deep/b.md')).toBe(true);
    renameSync(file('new'), file('other'));
    expect(await until(() => paths().join() === 'other/deep/b.md')).toBe(true);
    writeFileSync(file('other/deep/b.md'), 'madagascar\n');
    expect(await until(() => paths().length === 0 && t.memory.search('madagascar').length === 1)).toBe(true);
    rmSync(file('other'), { recursive: true });
    expect(await until(() => t.memory.stats().notes === 0)).toBe(true);
    expect(
      t.events.some((event) => event.type === 'memory.indexed' && event.path === 'a.md' && event.chunks === 1),
    ).toBe(true);
  });

  test('changes made while px was off are found at the next start, and unchanged files are not read again', async () => {
    await using t = await testMemory();
    for (const name of ['a', 'b', 'c']) writeFileSync(join(t.home.memory, `${name}.md`), `animal ${name}\n`);
    await t.memory.settled();
    unlinkSync(join(t.home.memory, 'a.md'));
    writeFileSync(join(t.home.memory, 'b.md'), 'plant b\n');
    t.events.length = 0;
    const memory = await t.reopen();
    await memory.settled();
    expect(memory.search('animal').map((hit) => hit.path)).toEqual(['c.md']);
    expect(t.events.map((event) => event.type === 'memory.indexed' && event.path)).toEqual(['b.md']);
  });

  test('an edit that keeps size and modification time is noticed', async () => {
    await using t = await testMemory();
    const file = join(t.home.memory, 'a.md');
    writeFileSync(file, 'aaaa\n');
    await t.memory.settled();
    const { atime, mtime } = statSync(file);
    writeFileSync(file, 'bbbb\n');
    utimesSync(file, atime, mtime);
    await t.memory.settled();
    expect(t.memory.search('bbbb').length).toBe(1);
  });

  test('links, binary and too large files are not indexed; broken UTF-8 is', async () => {
    await using t = await testMemory({ max_file_bytes: 2000 });
    const file = (name: string) => join(t.home.memory, name);
    mkdirSync(join(t.home.root, 'outside'));
    writeFileSync(join(t.home.root, 'outside/secret.md'), 'zebra secret\n');
    symlinkSync(join(t.home.root, 'outside'), file('dir'));
    symlinkSync(join(t.home.root, 'outside/secret.md'), file('link.md'));
    symlinkSync(t.home.memory, file('loop'));
    writeFileSync(file('binary.md'), 'zebra \0\x01\x02');
    writeFileSync(file('large.md'), 'zebra '.repeat(1000));
    writeFileSync(
      file('broken.md'),
      Buffer.concat([Buffer.from('zebra '), Buffer.from([0xff, 0xfe, 0xc3]), Buffer.from(' ok\n')]),
    );
    mkdirSync(file('.obsidian'));
    writeFileSync(file('.obsidian/x.md'), 'zebra\n');
    writeFileSync(file('image.png'), 'zebra\n');
    await t.memory.settled();
    expect(t.memory.search('zebra').map((hit) => hit.path)).toEqual(['broken.md']);
    expect(await t.memory.list()).toEqual(['binary.md', 'broken.md', 'large.md']);
    expect(t.memory.stats()).toEqual({ notes: 3, chunks: 1 });
  });

  test('a file that disappears or turns into a link at the last moment does no harm', async () => {
    await using t = await testMemory();
    const file = join(t.home.memory, 'a.md');
    writeFileSync(file, 'zebra\n');
    await t.memory.settled();
    writeFileSync(join(t.home.root, 'secret.md'), 'zebra secret\n');
    unlinkSync(file);
    symlinkSync(join(t.home.root, 'secret.md'), file);
    await t.memory.settled();
    expect(t.memory.search('zebra')).toEqual([]);
  });

  test('a note that is saved while many others are indexed goes before them', async () => {
    await using t = await testMemory();
    for (let n = 0; n < 60; n++) writeFileSync(join(t.home.memory, `${n}.md`), 'lorem ipsum dolor '.repeat(1200));
    const db = new IndexDb(':memory:');
    const order: string[] = [];
    const indexed = (path: string) => {
      if (order.push(path) > 1) return;
      writeFileSync(join(t.home.memory, 'new.md'), 'zanzibar\n');
      indexer.touch('new.md');
    };
    const root = realpathSync(t.home.memory);
    const indexer = new Indexer({ db, root, maxBytes: () => 1e7, log: createLog({ level: 'error' }), indexed });
    indexer.requestScan();
    await indexer.run();
    db.close();
    expect(order).toHaveLength(61);
    expect(order.indexOf('new.md')).toBeLessThan(60);
  });

  test('the start does not wait for the folder to be watched, nor is a change missed meanwhile', async () => {
    let watched = 0;
    const watch: typeof watchFolder = () => {
      watched++;
      return { nudge: () => {}, close: () => {} };
    };
    await using t = await testMemory({}, { watch });
    t.memory.start();
    expect(watched).toBe(0);
    writeFileSync(join(t.home.memory, 'a.md'), 'zanzibar\n');
    expect(await until(() => t.memory.search('zanzibar').length === 1)).toBe(true);
    t.memory.start();
    expect(watched).toBe(1);
  });

  test.each([
    ['from the start', 0],
    ['after a while', 400],
  ])(
    'where changes are not announced, %s, a saved note is found within a second, as are edits and removals',
    async (_, ms) => {
      // What the system does when it has no watches left, or the file system announces nothing.
      const failed = Promise.withResolvers<void>();
      const watch: typeof watchFolder = (_root, listener) => {
        const fail = () => {
          listener.failed(new Error('ENOSPC: no space left on device, watch'));
          failed.resolve();
        };
        const timer = ms > 0 ? setTimeout(fail, ms) : undefined;
        if (ms === 0) fail();
        return { nudge: () => {}, close: () => clearTimeout(timer) };
      };
      await using t = await testMemory({}, { watch });
      t.memory.start();
      await failed.promise;
      const file = join(t.home.memory, 'a.md');
      const soon = async (holds: () => boolean) => {
        const took = stopwatch();
        expect(await until(holds)).toBe(true);
        expect(took()).toBeLessThan(1000);
      };
      writeFileSync(file, 'zanzibar\n');
      await soon(() => t.memory.search('zanzibar').length === 1);
      writeFileSync(file, 'madagascar\n');
      await soon(() => t.memory.search('madagascar').length === 1 && t.memory.search('zanzibar').length === 0);
      unlinkSync(file);
      await soon(() => t.memory.stats().notes === 0);
    },
  );

  test('a note of just 10 MB is indexed, a larger one is told and left out until the bound is raised', async () => {
    const most = 10_485_760;
    await using t = await testMemory();
    const words = 'Nobody reads all of this note, which holds a line of words again and again.\n';
    const text = words.repeat(Math.ceil(most / words.length)).slice(0, most - 7);
    const [at, above] = ['at.md', 'above.md'].map((name) => join(t.home.memory, name)) as [string, string];
    writeFileSync(at, `${text}\nzebra\n`);
    writeFileSync(above, `${text}\nzebras\n`);
    expect([statSync(at).size, statSync(above).size]).toEqual([most, most + 1]);
    const longest = watchLoop();
    await t.memory.settled();
    expect(longest()).toBeLessThan(400);
    expect(t.memory.search('zebra').map((hit) => hit.path)).toEqual(['at.md']);
    expect(await t.memory.compare()).toEqual({ files: 2, stale: 0, gone: 0, large: ['above.md'] });
    expect(t.memory.get('above.md')).rejects.toMatchObject({
      code: 'too-large',
      hint: expect.stringContaining('max_file_bytes'),
    });
    expect(t.memory.write('at.md', 'more', 'append')).rejects.toMatchObject({ code: 'too-large' });
    expect(statSync(at).size).toBe(most);
    Object.assign(t.settings, { max_file_bytes: most + 1 });
    await t.memory.settled();
    expect(
      t.memory
        .search('zebra')
        .map((hit) => hit.path)
        .sort(),
    ).toEqual(['above.md', 'at.md']);
    expect(await t.memory.compare()).toEqual({ files: 2, stale: 0, gone: 0, large: [] });
  }, 120_000);

  test('a 3 MB note is indexed without stopping other work for long', async () => {
    await using t = await testMemory();
    const lines = Array.from({ length: 40_000 }, (_, n) => `Line ${n} about something or other with words in it.\n\n`);
    writeFileSync(join(t.home.memory, 'big.md'), `${lines.join('')}zebra\n`);
    const longest = watchLoop();
    await t.memory.settled();
    expect(longest()).toBeLessThan(250);
    expect(t.memory.search('zebra').length).toBe(1);
  }, 30_000);

  test('deleting the index loses nothing, and rebuild remakes it', async () => {
    await using t = await testMemory();
    await t.memory.write('a.md', 'zebra', 'replace');
    await t.memory.settled();
    await t.memory.close();
    rmSync(join(t.home.state, 'index.db'));
    let memory = await t.reopen();
    await memory.settled();
    expect(memory.search('zebra').length).toBe(1);
    await memory.close();
    writeFileSync(join(t.home.state, 'index.db'), 'this is no database'.repeat(1000));
    memory = await t.reopen();
    await memory.rebuild();
    expect(memory.search('zebra').length).toBe(1);
    expect(memory.stats()).toEqual({ notes: 1, chunks: 1 });
  });

  test('a growing transcript is indexed from where it grew, with the right lines', async () => {
    await using t = await testMemory();
    const path = 'journal/cli-x/2025-11-22.md';
    for (let n = 0; n < 30; n++) {
      await t.memory.journal.append('cli/x', [said(`word${n} ${'filler '.repeat(60)}`), said(`second${n}`)]);
      if (n % 3 === 0) await t.memory.settled();
    }
    await t.memory.settled();
    const found = () =>
      Array.from({ length: 30 }, (_, n) => t.memory.search(`word${n}`).map((hit) => [hit.path, hit.line]));
    const grown = found();
    const { chunks } = t.memory.stats();
    for (const [n, hits] of grown.entries()) {
      expect(hits.length).toBe(1);
      const line = Number(hits[0]?.[1]);
      const { text } = await t.memory.get(path, line, 40);
      expect(text.split('\n')[0]).toBe('> **note**');
      expect(text).toContain(`word${n} `);
    }
    await t.memory.rebuild();
    expect(found()).toEqual(grown);
    expect(t.memory.stats().chunks).toBe(chunks);
  });

  test('an edited transcript is read anew', async () => {
    await using t = await testMemory();
    await t.memory.journal.append('cli/x', [said('zebra'), said('other')]);
    await t.memory.settled();
    const file = join(t.home.memory, 'journal/cli-x/2025-11-22.md');
    writeFileSync(file, (await Bun.file(file).text()).replace('zebra', 'flamingo'));
    appendFileSync(file, '\nmore\n');
    await t.memory.settled();
    expect(t.memory.search('zebra')).toEqual([]);
    expect(t.memory.search('flamingo').length).toBe(1);
  });

  test('an edit in the middle of a transcript that keeps its length is noticed, also when px has written on since', async () => {
    await using t = await testMemory();
    await t.memory.journal.append('cli/x', [said(`zebra ${'filler '.repeat(300)}`), said('other')]);
    await t.memory.settled();
    const file = join(t.home.memory, 'journal/cli-x/2025-11-22.md');
    writeFileSync(file, (await Bun.file(file).text()).replace('zebra', 'horse'));
    await t.memory.journal.append('cli/x', [said('later')]);
    await t.memory.settled();
    expect(t.memory.search('zebra')).toEqual([]);
    expect(t.memory.search('horse').length).toBe(1);
    expect(t.memory.search('later').length).toBe(1);
  });

  test('an editor that saves in two steps, or through another file, leaves the whole note in the index', async () => {
    await using t = await testMemory();
    t.memory.start();
    await t.memory.settled();
    const file = join(t.home.memory, 'a.md');
    writeFileSync(file, '# Zoo\n\nThe zeb');
    expect(await until(() => t.memory.search('zoo').length === 1)).toBe(true);
    writeFileSync(file, '');
    appendFileSync(file, '# Zoo\n\nThe zebra');
    appendFileSync(file, ' is striped\n');
    expect(await until(() => t.memory.search('striped').length === 1)).toBe(true);
    expect(t.memory.search('zebra').map((hit) => hit.snippet)).toEqual(['The zebra is striped']);
    // As vim does: the new text is written beside, then takes the name of the old.
    for (const name of ['4913', '.a.md.swp', 'a.md~']) writeFileSync(join(t.home.memory, name), 'zebra');
    renameSync(file, `${file}~`);
    writeFileSync(`${file}.tmp`, '# Zoo\n\nThe giraffe\n');
    renameSync(`${file}.tmp`, file);
    expect(await until(() => t.memory.search('giraffe').length === 1)).toBe(true);
    expect(await until(() => t.memory.search('zebra').length === 0)).toBe(true);
    expect(t.memory.stats().notes).toBe(1);
  });

  test('many files at once, and indexing in a process of its own, give the same index', async () => {
    await using t = await testMemory();
    mkdirSync(join(t.home.memory, 'many'));
    for (let n = 0; n < 700; n++) writeFileSync(join(t.home.memory, `many/${n}.md`), `# N${n}\n\nzebra number${n}\n`);
    await t.memory.settled();
    expect(t.memory.stats()).toEqual({ notes: 700, chunks: 700 });
    await t.memory.close();
    rmSync(join(t.home.state, 'index.db'));
    await indexOnce(t.home.root);
    const memory = await t.reopen();
    expect(memory.stats()).toEqual({ notes: 700, chunks: 700 });
    expect(memory.search('number613').map((hit) => hit.path)).toEqual(['many/613.md']);
    // A word that stands in every note adds to the others, and is found by itself.
    for (let n = 0; n < 500; n++) writeFileSync(join(t.home.memory, `many/more${n}.md`), `zebra ${n % 7} tail\n`);
    writeFileSync(join(t.home.memory, 'many/the.md'), '# Zebra\n\ntail number1\n');
    await memory.settled();
    expect(memory.search('zebra').length).toBe(10);
    expect(memory.search('zebra number1')[0]?.path).toBe('many/the.md');
  });
});

test('the log is kept beside the notes and not indexed', async () => {
  await using t = await testMemory();
  mkdirSync(join(t.home.memory, 'log'));
  writeFileSync(join(t.home.memory, 'log/2025-11-22.md'), 'zebra\n');
  await t.memory.settled();
  expect(t.memory.search('zebra')).toEqual([]);
  expect((await t.memory.get('log/2025-11-22.md')).text).toBe('zebra');
});

test('an index that cannot be written stops neither px nor the notes', async () => {
  await using t = await testMemory();
  const { Database } = await import('bun:sqlite');
  await t.memory.write('a.md', 'zebra', 'replace');
  await t.memory.settled();
  const other = new Database(join(t.home.state, 'index.db'));
  other.run('DROP TABLE memory_passage');
  other.close();
  await t.memory.write('b.md', 'flamingo', 'replace');
  await t.memory.settled();
  expect(t.memory.search('zebra')).toEqual([]);
  expect((await t.memory.get('b.md')).text).toBe('flamingo');
});
