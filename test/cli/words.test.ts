import { describe, expect, test } from 'bun:test';
import { Glob } from 'bun';
import { describe as describeVerb, renderHelp } from '../../src/cli/help.ts';
import { otherNames } from '../../src/cli/meant.ts';
import { checkWords, findVerb } from '../../src/cli/parse.ts';
import { root } from '../../src/cli/tree.ts';
import type { Verb } from '../../src/cli/verb.ts';

/** The hint for a command line whose verb does not exist. */
const hint = (line: string) =>
  findVerb(root, line.split(' ')).then(
    () => 'there is such a verb',
    (thrown) => thrown.hint,
  );

async function everyVerb(verb: Verb = root, path: string[] = []): Promise<{ path: string[]; verb: Verb }[]> {
  const below = Object.entries(verb.verbs ?? {}).map(async ([name, load]) => everyVerb(await load(), [...path, name]));
  return [{ path, verb }, ...(await Promise.all(below)).flat()];
}

describe('another word for a verb', () => {
  test.each([
    ['plugin info clock', 'px plugin inspect'],
    ['plugin install x', 'px plugin add'],
    ['plugin uninstall x', 'px plugin remove'],
    ['plugin create x', 'px plugin new'],
    ['memory cat MEMORY.md', 'px memory show'],
    ['memory grep tea', 'px memory search'],
    ['memory ls', 'px memory list'],
    ['config show', 'px config get'],
    ['secret add X', 'px secret set'],
    ['secret delete X', 'px secret remove'],
    ['pairing accept X', 'px pairing approve'],
    ['pairing remove telegram 1', 'px pairing revoke'],
    ['schedule trigger x', 'px schedule run'],
    ['model set x', 'px model use'],
    ['start', 'px serve'],
    ['run', 'px serve'],
    ['ask hello', 'px chat'],
    ['web', 'px portal'],
    ['upgrade', 'px update'],
    ['find tea', 'px memory search'],
    ['plugins', 'px plugin'],
  ])('px %s leads to %s', async (line, meant) => {
    expect(await hint(line)).toContain(`\`${meant}\``);
  });

  test('that means nothing here leads to the list', async () => {
    expect(await hint('plugin zzzz')).toBe('`px plugin --help` lists what there is.');
    expect(await hint('constructor')).toBe('`px --help` lists what there is.');
  });

  test('names only verbs that exist', async () => {
    const paths = new Set((await everyVerb()).map(({ path }) => path.join(' ')));
    const last = new Set([...paths].map((path) => path.split(' ').at(-1)));
    for (const name of otherNames.flatMap(([, verbs]) => verbs))
      expect(name.startsWith('--') || paths.has(name) || last.has(name) ? name : `no verb ${name}`).toBe(name);
  });
});

/** The words of `px` in a line as a person types it into a shell, up to a comment or what the shell does with it. */
function wordsOf(line: string): string[] {
  const typed = /(?:^|[\s(/])px (.*)/s.exec(line)?.[1] ?? '';
  const words: string[] = [];
  for (const [, double, single, bare] of typed.matchAll(/"((?:\\.|[^"])*)"|'([^']*)'|([^\s"'|<>;&)]+)|[|<>;&)]/g)) {
    const word = double ?? single ?? bare;
    if (word === undefined || bare?.startsWith('#')) break;
    words.push(word);
  }
  return words;
}

/** Command lines of px in a page: those in its blocks of code, and those within a sentence. */
function commandsIn(page: string): string[] {
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) => block.split('\n'));
  const indented = [...page.matchAll(/^ {4}(.+)$/gm)].map(([, line = '']) => line);
  const inline = [...page.matchAll(/`((?:sudo )?(?:\.\/)?px [^`\n]+)`/g)].map(([, line = '']) => line);
  return [...blocks, ...indented, ...inline].filter((line) => /^(?:sudo )?(?:\.\/)?px /.test(line));
}

test('every verb has examples, and each is a command line that px takes', async () => {
  for (const { path, verb } of await everyVerb()) {
    expect([path, verb.examples.length > 0]).toEqual([path, true]);
    for (const line of verb.examples) {
      const found = await findVerb(root, wordsOf(line));
      expect([line, found.path.slice(0, path.length)]).toEqual([line, path]);
      expect([line, found.help || found.verb.verbs]).toEqual([line, undefined]);
      checkWords(found);
    }
  }
});

test('help fits the terminal: sentences are broken between words, below where they began; command lines are left whole', async () => {
  const { verb } = await findVerb(root, ['plugin', 'update']);
  const usage = await describeVerb(verb, ['plugin', 'update']);
  const lines = renderHelp(usage, 60).split('\n');
  expect(lines).toContain('  --grant ASKS  Grant `all`, `none`, or these of its asks,');
  expect(lines).toContain('                with `;` between them.');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  expect(renderHelp({ ...usage, examples: ['x'.repeat(99)] }, 60)).toContain('x'.repeat(99));
  expect(renderHelp(usage)).toContain(usage.details);
});

test('every command line in the documentation is one px takes', async () => {
  const pages = [
    'README.md',
    ...new Glob('docs/*.md').scanSync(),
    ...new Glob('plugins/{README.md,*/README.md}').scanSync(),
  ];
  const lines = await Promise.all(
    pages.map(async (page) => commandsIn((await Bun.file(page).text()).replace(/\\\n\s*/g, ''))),
  );
  expect(lines.flat().length).toBeGreaterThan(150);
  for (const line of new Set(lines.flat())) {
    const found = await findVerb(root, wordsOf(line)).catch((thrown) =>
      Promise.reject(new Error(`${line}: ${thrown.message}`)),
    );
    if (!found.help && !found.verb.verbs) expect(() => checkWords(found), line).not.toThrow();
  }
});
