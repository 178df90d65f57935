import { describe, expect, test } from 'bun:test';
import { complete, type Values } from '../../src/cli/complete.ts';
import { manual } from '../../src/cli/man.ts';
import { root } from '../../src/cli/tree.ts';

const known: Values = async (verb, word, before) => ({
  candidates: [{ value: `${verb}:${word}:${before.length}`, summary: '' }],
  files: word === 'SOURCE',
});
const offered = async (...words: string[]) =>
  (await complete(root, words, known)).candidates.map((candidate) => candidate.value);

describe('a word that is being typed', () => {
  test('is a verb, and the verbs below it', async () => {
    expect(await offered('pl')).toEqual(['plugin']);
    expect(await offered('memory', 're')).toEqual(['rebuild']);
    expect(await offered('--home', '/tmp', 'memory', 're')).toEqual(['rebuild']);
  });

  test('is a flag of its verb once a dash is there, and not behind --', async () => {
    expect(await offered('chat', '--mo')).toEqual(['--model']);
    expect(await offered('chat', '--', '--mo')).not.toContain('--model');
    expect(await offered('service', 'install', '--no')).toEqual(['--no-start']);
  });

  test('is a value of the flag before it, in either spelling', async () => {
    expect(await offered('chat', '--model', 'ch')).toEqual(['chat:MODEL:0']);
    expect(await offered('chat', '--model=ch')).toEqual(['--model=chat:MODEL:0']);
    expect(await offered('service', 'logs', '-n', 'se')).toEqual(['service logs:N:0']);
    expect(await offered('plugin', 'grant', '--json', 'x', 'plu')).toEqual(['plugin grant:ASKS:1']);
  });

  test('is what stands at its place', async () => {
    expect(await offered('plugin', 'call', 'plug')).toEqual(['plugin call:NAME:0']);
    expect(await offered('plugin', 'call', 'clock', 'plug')).toEqual(['plugin call:FUNCTION:1']);
    expect((await complete(root, ['plugin', 'add', './w'], known)).files).toBe(true);
  });

  test('is nothing below a verb that is not there', async () => {
    expect(await complete(root, ['plugni', ''], known)).toEqual({ candidates: [], files: false });
  });
});

describe('the manual page', () => {
  test('tells every verb with its examples, and holds to the rules of man(7)', async () => {
    const page = await manual(root, '1.2.3');
    expect(page).toContain('.SS "px memory search TEXT');
    expect(page).toContain('px plugin add ./weather.wasm'.replaceAll('-', '\\-'));
    if (!Bun.which('mandoc')) return;
    const lint = Bun.spawn(['mandoc', '-T', 'lint', '-W', 'error'], { stdin: new Blob([page]), stdout: 'pipe' });
    expect(await new Response(lint.stdout).text()).toBe('');
    expect(await lint.exited).toBe(0);
  });
});
