import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEnvironment } from '../../src/config/config.ts';
import type { CaseResult } from '../../src/plugin/author/author.ts';
import { testFolders } from '../../src/plugin/author/folders.ts';
import { mismatch } from '../../src/plugin/author/match.ts';
import { loadAuthor } from '../../src/plugin/plugin.ts';
import { dummyComponent } from '../wit/component.ts';

const plugin = `
import { configGet, emitMessage, fileDelete, fileReadText, fileWrite, kvGetText, kvSet, now, secretExists } from 'px';
export const manifest = {
  name: 'under-test', version: '1.0.0', description: 'Is tested.',
  egress: ['GET,POST https://api.example.com/'],
  secrets: { KEY: ['bearer https://api.example.com/'] },
  files: { work: 'write ~/px-under-test', other: 'write /tmp/px-under-test', notes: 'read ~/px-under-test-notes' },
};
export const year = () => new Date(now()).getUTCFullYear();
export const unit = () => configGet('unit') ?? null;
export const has = () => secretExists('KEY');
export const next = () => { const n = Number(kvGetText('n') ?? 0) + 1; kvSet('n', String(n)); return n; };
export const ask = async (path, body) => {
  const answer = await fetch('https://api.example.com' + path, {
    method: body === undefined ? 'GET' : 'POST', body,
    headers: { authorization: 'Bearer {{secret:KEY}}', 'content-type': 'application/json' },
  });
  console.log('status', answer.status);
  return { status: answer.status, text: await answer.text(), server: answer.headers.get('server') };
};
export const push = () => emitMessage({ id: '1', sender: { id: 'ada', displayName: 'Ada' }, text: 'hi' });
export const keep = (path, text) => fileWrite(path, text);
export const kept = (path) => fileReadText(path);
export const drop = (path) => fileDelete(path);
export const spin = () => { for (;;); };
`;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'px-author-'));
  writeFileSync(join(root, 'plugin.js'), plugin);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs tests that stand in YAML. */
async function run(yaml: string, only?: string): Promise<CaseResult[]> {
  const cases = join(root, 'plugin.test.yaml');
  writeFileSync(cases, yaml);
  const { testPlugin } = await loadAuthor();
  return testPlugin(root, { env: loadEnvironment(), mode: 'required', cases, only });
}
const problemsOf = async (yaml: string) => (await run(yaml)).map(({ problems }) => problems);
const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (e: { code: string; message: string; hint?: string }) => `${e.code} ${e.message} ${e.hint ?? ''}`,
  );

describe('px plugin test', () => {
  test('scripts clock, settings, secrets, store and web; each test begins anew', async () => {
    const results = await run(`
settings: { unit: metric }
secrets: { KEY: s3cret-value }
tests:
  - name: around it
    clock: 2001-02-03T04:05:06Z
    settings: { unit: imperial }
    calls:
      - { call: year, result: 2001 }
      - { call: unit, result: imperial }
      - { call: has, result: true }
  - name: its store
    kv: { n: 41 }
    calls: [{ call: next, result: 42 }, { call: next, result: 43 }]
    kv_after: { n: 43, other: null }
  - name: nothing is left of that
    calls: [{ call: next, result: 1 }, { call: unit, result: metric }]
  - name: the web
    http:
      - request: POST https://api.example.com/v1?a=1
        headers: { authorization: Bearer s3cret-value }
        json: { q: [1] }
        answer: { status: 201, headers: { server: test }, json: { a: [1, 2] } }
      - { request: GET https://api.example.com/, answer: hello }
    calls:
      - { call: ask, args: ["/v1?a=1", '{"q":[1],"more":2}'], result: { status: 201, text: '{"a":[1,2]}', server: test } }
      - { call: ask, args: ["/"], contains: hello }
    log: [status 201, status 200]
  - name: messages
    calls: [{ call: push }]
    messages: [{ id: "1", sender_id: ada, text: hi }]
`);
    expect(results.map(({ name, problems }) => [name, problems])).toEqual([
      ['around it', []],
      ['its store', []],
      ['nothing is left of that', []],
      ['the web', []],
      ['messages', []],
    ]);
  });

  test('everything up to the network is the real thing: grants, secrets and limits hold', async () => {
    const results = await run(`
tests:
  - name: nothing granted
    grants: none
    http: [{ request: GET https://api.example.com/ }]
    calls: [{ call: ask, args: ["/"], error: denied }]
  - name: no secret set
    calls: [{ call: ask, args: ["/"], error: "the secret KEY is not set" }]
  - name: what comes back is scrubbed
    secrets: { KEY: s3cret-value }
    http: [{ request: GET https://api.example.com/, answer: "you are s3cret-value" }]
    calls: [{ call: ask, args: ["/"], result: { text: "you are [redacted:KEY]" } }]
  - name: it is asked elsewhere
    secrets: { KEY: s3cret-value }
    http: [{ request: GET https://api.example.com/, answer: { status: 302, headers: { location: "https://evil.example/" } } }]
    calls: [{ call: ask, args: ["/"], error: evil.example }]
  - name: no answer
    secrets: { KEY: s3cret-value }
    http: [{ request: GET https://api.example.com/, answer: { fail: timeout } }]
    calls: [{ call: ask, args: ["/"], error: timeout }]
`);
    const [first, ...others] = results.map(({ problems }) => problems);
    expect(first).toEqual(['never asked: GET https://api.example.com/']);
    expect(others).toEqual([[], [], [], []]);
  });

  test('folders it asks for are its own of the test: nothing of the author is read or written', async () => {
    const names = ['work', 'other'];
    const problems = await problemsOf(`tests:
  - name: writes
    calls: [${names.map((name) => `{ call: keep, args: [${name}/a, x] }, { call: kept, args: [${name}/a], result: x }`).join(', ')}]
  - name: nothing is left of that
    calls: [${names.map((name) => `{ call: kept, args: [${name}/a], error: "not-found" }`).join(', ')}]
`);
    expect(problems).toEqual([[], []]);
    expect(existsSync('/tmp/px-under-test')).toBe(false);
    expect(existsSync(join(homedir(), 'px-under-test'))).toBe(false);
  });

  test('files stand in its folders before the first call, and are looked at after the last', async () => {
    const results = await run(`
files: { notes/shared.md: for all }
tests:
  - name: files
    files:
      work/deep/plan.md: buy milk
      work/old: gone soon
      notes/shared.md: for this one
      notes/picture.png: { base64: iVBORw0= }
    calls:
      - { call: kept, args: [work/deep/plan.md], result: buy milk }
      - { call: kept, args: [notes/shared.md], result: for this one }
      - { call: keep, args: [notes/shared.md, x], error: may be read and not changed }
      - { call: keep, args: [work/deep/plan.md, feed the bees] }
      - { call: keep, args: [work/new, fresh] }
      - { call: drop, args: [work/old] }
    files_after:
      work/deep/plan.md: feed the bees
      work/new: { base64: ZnJlc2g= }
      work/old: null
      notes/picture.png: { base64: iVBORw0= }
  - name: nothing is left of that, and none is reached that is not granted
    grants: ["folder notes read ~/px-under-test-notes"]
    files: { work/a: hidden }
    calls:
      - { call: kept, args: [notes/picture.png], error: not-found }
      - { call: kept, args: [notes/shared.md], result: for all }
      - { call: kept, args: [work/a], error: denied }
  - name: other than expected
    files: { work/a/b: x, work/c: "y" }
    calls: [{ call: next }]
    files_after: { work/a: x, work/c: z, work/d: { base64: AA== }, work/a/b: null }
`);
    expect(results.map(({ problems }) => problems)).toEqual([
      [],
      [],
      [
        'files_after: work/a: it is a folder',
        'files_after: work/c: expected "z", got "y"',
        'files_after: work/d: expected {"base64":"AA=="}, got null',
        'files_after: work/a/b: expected null, got "x"',
      ],
    ]);
    const using = (files: string) => failure(run(`tests: [{ name: a, ${files}, calls: [{ call: next }] }]`));
    expect(await using('files: { elsewhere/a: x }')).toBe(
      'plugin.test files: elsewhere/a: the plugin asks for no folder "elsewhere" A path begins with one of the folders it asks for: work, other, notes',
    );
    const folders = testFolders({ work: 'write ~/work' }, join(root, 'folders'), root);
    for (const path of ['work/../../a', '/etc/a', 'work/.env', 'work', 'constructor/a'])
      expect(() => folders.begin({ [path]: 'x' })).toThrow(`files: ${path}: `);
    expect(() => folders.begin({ 'work/a': 'x', 'work/a/b': 'x' })).toThrow('it cannot stand beside the others');
    expect(await using('files: { work/a: { base64: "?" } }')).toContain('expected base64');
    expect(await using('files_after: { work/a: 7 }')).toContain('expected a text, or base64: BYTES');
  }, 60_000);

  test('a plugin that px carries is tested in its folder', async () => {
    const { openProject, testPlugin } = await loadAuthor();
    const folder = join(import.meta.dir, '../../plugins/files');
    expect((await openProject(folder)).script).toBe(join(folder, 'files.ts'));
    const options = { env: loadEnvironment(), mode: 'required' as const, cases: join(folder, 'plugin.test.yaml') };
    expect((await testPlugin(folder, options)).map(({ name, problems }) => [name, problems])).toEqual([
      ['changes a file in its place, and shows it with line numbers', []],
      ['makes and deletes files, and leaves the others alone', []],
      ['has no folder until one is granted', []],
    ]);
  }, 60_000);

  test('says what is not as expected', async () => {
    const problems = await problemsOf(`
secrets: { KEY: s3cret-value }
tests:
  - { name: result, calls: [{ call: next, result: 2 }] }
  - { name: error, calls: [{ call: next, error: wrong }] }
  - { name: failed, calls: [{ call: nothing }] }
  - { name: store, calls: [{ call: next }], kv_after: { n: 7 } }
  - { name: log, calls: [{ call: next }], log: [said] }
  - name: body
    http: [{ request: POST https://api.example.com/, body: one, headers: { accept: x } }]
    calls: [{ call: ask, args: ["/", two] }]
  - { name: unscripted, calls: [{ call: ask, args: ["/secretly"] }] }
`);
    expect(problems.map((of) => of.join('\n'))).toEqual([
      'next: expected 2, got 1',
      'next: expected an error with "wrong", got 1',
      expect.stringContaining('nothing: it failed: plugin.function: under-test has no function "nothing"'),
      'kv_after: n: expected "7", got "1"',
      'log: no line has "said"',
      expect.stringContaining('header accept: expected x, sent none'),
      expect.stringContaining('no answer is scripted for GET https://api.example.com/secretly'),
    ]);
  });

  test('a key nobody knows is named, with the one that was meant', async () => {
    expect(await failure(run('tests: [{ name: a, cals: [{ call: next }] }]'))).toMatch(
      /^plugin\.test plugin\.test\.yaml: tests\.0\.(cals|calls): /,
    );
    expect(await failure(run('tests: [{ name: a, calls: [{ call: next, resutl: 1 }] }]'))).toBe(
      'plugin.test plugin.test.yaml: tests.0.calls.0.resutl: nobody knows this key Did you mean result?',
    );
    expect(await failure(run('tests: [{ name: a, calls: [{ call: next, tool: x }] }]'))).toContain(
      'calls.0: expected call: FUNCTION or tool: NAME',
    );
    expect(await failure(run('tests: ['))).toContain('plugin.test.yaml is not YAML');
    expect(await failure(run('tests: [{ name: a, calls: [{ call: next }] }]', 'b'))).toContain('There are: a');
  });
});

describe('what a script becomes', () => {
  test('one file with the manifest of plugin.yaml inside', async () => {
    const { buildPlugin, openProject } = await loadAuthor();
    const folder = mkdtempSync(join(root, 'one-'));
    writeFileSync(
      join(folder, 'index.ts'),
      "import { twice } from './twice.ts';\nexport const four = () => twice(2);\n",
    );
    writeFileSync(join(folder, 'twice.ts'), 'export const twice = (n: number) => 2 * n;\n');
    writeFileSync(join(folder, 'plugin.yaml'), 'name: one\nversion: 2.0.0\ndescription: One file.\n');
    const lock = { env: loadEnvironment(), mode: 'required' as const };
    const built = await buildPlugin(await openProject(folder), lock);
    expect(built.file).toBe(join(folder, 'one.js'));
    expect(readFileSync(built.file, 'utf8')).toContain('export const manifest = {"name":"one","version":"2.0.0"');
    writeFileSync(join(folder, 'one.test.yaml'), 'tests: [{ name: it, calls: [{ call: four, result: 4 }] }]');
    const { testPlugin } = await loadAuthor();
    expect(await testPlugin(built.file, { ...lock, cases: join(folder, 'one.test.yaml') })).toMatchObject([
      { ok: true },
    ]);
  });

  test('which file of a folder is the plugin is no guess', async () => {
    const { openProject } = await loadAuthor();
    const folder = mkdtempSync(join(root, 'several-'));
    const script = async () => (await openProject(folder)).script?.slice(folder.length + 1);
    for (const file of ['codes.ts', 'weather.js']) writeFileSync(join(folder, file), '');
    expect(await failure(openProject(folder))).toMatch(/2 files that may be the plugin .*file: codes\.ts/);
    writeFileSync(join(folder, 'plugin.yaml'), 'name: weather');
    expect(await script()).toBe('weather.js');
    writeFileSync(join(folder, 'weather.ts'), '');
    expect(await script()).toBe('weather.ts');
    writeFileSync(join(folder, 'plugin.yaml'), 'name: weather\nfile: codes.ts');
    expect(await script()).toBe('codes.ts');
  });

  test('a folder that holds no plugin is named', async () => {
    const { openProject } = await loadAuthor();
    const empty = mkdtempSync(join(root, 'empty-'));
    expect(await failure(openProject(empty))).toContain('holds no plugin px knows how to build');
    writeFileSync(join(empty, 'Cargo.toml'), '');
    expect(await failure(openProject(empty))).toContain('plugin.yaml is missing, or gives no name');
  });
});

test('values match when lists are the same and objects hold what was expected', () => {
  expect(mismatch({ a: [1, { b: null }] }, { a: [1, { b: null, c: 1 }], d: 2 })).toBeUndefined();
  expect(mismatch({ a: [1, 2] }, { a: [1] })).toBe('a: expected [1,2], got [1]');
  expect(mismatch({ a: { b: 'x' } }, { a: { b: 'y' } })).toBe('a.b: expected "x", got "y"');
  expect(mismatch('7', 7)).toBe('expected "7", got 7');
});

test('px plugin new takes names that mean something in WIT and YAML, and none that WIT cannot write', async () => {
  const { newPlugin } = await loadAuthor();
  for (const name of ['type', 'list', 'map', 'true', 'null', 'no', 'weather-2', 'e1']) {
    const folder = join(root, 'new', name);
    await newPlugin(folder, name, 'rust', 'tool');
    expect(Bun.YAML.parse(readFileSync(join(folder, 'plugin.yaml'), 'utf8'))).toMatchObject({ name });
    const line = /^package .*;$/m.exec(readFileSync(join(folder, 'wit/world.wit'), 'utf8'))?.[0];
    expect(line).toMatch(new RegExp(`^package me:%?${name};$`));
    expect((await dummyComponent(`${line} world w { export f: func(); }`, 'w')).length).toBeGreaterThan(0);
  }
  for (const name of ['x-', 'my--plugin', 'My', '1st', 'plugin'])
    expect(await failure(newPlugin(join(root, 'new', 'bad'), name, 'c', 'tool'))).toContain('no plugin name');
});
