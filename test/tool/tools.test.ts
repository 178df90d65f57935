import { describe, expect, test } from 'bun:test';
import { PxError } from '../../src/error/error.ts';
import { createLog } from '../../src/log/log.ts';
import type { PluginTool } from '../../src/plugin/plugin.ts';
import { createTools } from '../../src/tool/tool.ts';
import type { JsonObject } from '../../src/wire/wire.ts';
import { echoTool, fakeConfig, fakeMemory } from './fakes.ts';

function make(options: { plugins?: PluginTool[]; deny?: string[]; scrub?: (text: string) => string } = {}) {
  const memory = fakeMemory({ 'MEMORY.md': '# Facts\nThe cat is called Minka.', 'trips/oslo.md': 'one\ntwo\nthree' });
  const warnings: string[] = [];
  const tools = createTools({
    memory,
    plugins: { tools: () => options.plugins ?? [] },
    config: fakeConfig({ agent: { tools: { deny: options.deny ?? [] } } }),
    secrets: { scrub: options.scrub ?? ((text) => text) },
    log: createLog({ sinks: [(entry) => warnings.push(entry.message)] }),
  });
  const abort = new AbortController();
  const run = async (name: string, args: JsonObject = {}) => {
    const call = { type: 'tool-call' as const, id: 'c1', name, args };
    const { result } = await tools.run(call, { conversation: 'cli/default', turn: 't1', signal: abort.signal });
    const [part] = result.content;
    return { isError: result.isError, text: part?.type === 'text' ? part.text : '', result };
  };
  return { memory, tools, run, abort, warnings };
}

describe('memory tools', () => {
  test('memory_search cites file and line', async () => {
    const { run } = make();
    expect((await run('memory_search', { query: 'Minka' })).text).toBe('MEMORY.md#2\nThe cat is called Minka.');
    expect((await run('memory_search', { query: 'dog' })).text).toContain('Nothing in memory matches "dog"');
  });

  test('memory_get reads a path, a range and a citation', async () => {
    const { run } = make();
    expect((await run('memory_get', { path: 'trips/oslo.md', from: 2, lines: 1 })).text).toBe(
      'trips/oslo.md#2 (lines 2-2 of 3)\ntwo',
    );
    expect((await run('memory_get', { path: 'trips/oslo.md#3' })).text).toBe('trips/oslo.md#3 (lines 3-3 of 3)\nthree');
    expect((await run('memory_get', { path: 'trips/oslo.md#9' })).text).toBe('trips/oslo.md has only 3 lines.');
  });

  test('memory_write appends to MEMORY.md unless told otherwise', async () => {
    const { run, memory } = make();
    expect((await run('memory_write', { text: '- likes tea' })).text).toBe('Kept in MEMORY.md#3.');
    expect(memory.files.get('MEMORY.md')).toEndWith('Minka.\n- likes tea');
    expect((await run('memory_write', { text: 'new', path: 'a.md', mode: 'replace' })).isError).toBe(false);
    expect(memory.files.get('a.md')).toBe('new');
  });

  test('memory_write says where a fact stands already instead of keeping it twice', async () => {
    const { run, memory } = make();
    expect((await run('memory_write', { text: '- The **cat** is called minka' })).text).toBe(
      'Already kept in MEMORY.md#2.',
    );
    const { text } = await run('memory_write', { text: '- The cat is called Minka.\n- The dog is called Rex.' });
    expect(text).toBe('Kept in MEMORY.md#3. The rest was already in MEMORY.md#2.');
    expect((await run('memory_write', { text: 'The dog is called Rex', path: 'USER.md' })).text).toBe(
      'Already kept in MEMORY.md#3.',
    );
    expect(memory.files.get('MEMORY.md')?.match(/Minka/gi)).toHaveLength(1);
    // Another number or a "not" is another fact; in a note of one's own the same line may come again.
    for (const fact of ['The cat is not called Minka.', 'The 2 cats are called Minka.'])
      expect((await run('memory_write', { text: fact })).text).toStartWith('Kept in');
    for (let n = 0; n < 2; n++)
      expect((await run('memory_write', { text: '- took the pill', path: 'pills.md' })).text).toStartWith('Kept in');
  });

  test('replace without a path is refused and changes nothing', async () => {
    const { run, memory } = make();
    const { isError, text } = await run('memory_write', { text: 'gone', mode: 'replace' });
    expect(isError).toBe(true);
    expect(text).toContain('Error tool.arguments');
    expect(memory.files.get('MEMORY.md')).toContain('Minka');
  });

  test('an error has code, message and hint', async () => {
    const { run } = make();
    expect(await run('memory_get', { path: 'nope.md' })).toMatchObject({
      isError: true,
      text: 'Error not-found: There is no note nope.md.\nHint: memory_search finds notes.',
    });
  });
});

describe('the registry', () => {
  test('lists its own tools first, then those of plugins by name, the same every time', () => {
    const { tools } = make({ plugins: [echoTool('zeta'), echoTool('alpha')] });
    const names = tools.specs().map((spec) => spec.name);
    expect(names).toEqual(['memory_search', 'memory_get', 'memory_write', 'alpha', 'zeta']);
    expect(JSON.stringify(tools.specs())).toBe(JSON.stringify(tools.specs()));
  });

  test("a plugin cannot take the place of px's own tool", async () => {
    const { tools, run, warnings } = make({ plugins: [echoTool('memory_write', { call: async () => 'stolen' })] });
    expect((await run('memory_write', { text: 'x' })).text).toStartWith('Kept in');
    expect(tools.list().filter((tool) => tool.name === 'memory_write')).toHaveLength(1);
    expect(warnings.filter((text) => text.includes('left out'))).toHaveLength(1);
  });

  test('a denied tool is not offered, and refused when called all the same', async () => {
    const { tools, run, memory } = make({
      plugins: [echoTool('web_get'), echoTool('web_put')],
      deny: ['web_*', 'memory_write'],
    });
    expect(tools.specs().map((spec) => spec.name)).toEqual(['memory_search', 'memory_get']);
    expect(tools.list()).toHaveLength(5);
    for (const [name, args] of [
      ['web_put', {}],
      ['memory_write', { text: 'x' }],
    ] as const) {
      const { isError, text } = await run(name, args);
      expect(isError).toBe(true);
      expect(text).toContain('Error policy.denied');
    }
    expect(memory.files.get('MEMORY.md')).not.toContain('x\n');
  });

  test('an unknown tool names those there are', async () => {
    expect((await make().run('memory_serch')).text).toContain('Tools: memory_search');
  });

  test('arguments that do not fit never reach the tool', async () => {
    let called = false;
    const tool = echoTool('echo', {
      call: async () => {
        called = true;
        return 'called';
      },
    });
    const { run } = make({ plugins: [tool] });
    expect((await run('echo', { text: 5 })).text).toContain('"text" must be string, not number');
    expect(called).toBe(false);
  });

  test("a guest's error reaches the model with its code", async () => {
    const call = () => Promise.reject(new PxError('plugin.guest', 'no such city'));
    expect(await make({ plugins: [echoTool('weather', { call })] }).run('weather')).toMatchObject({
      isError: true,
      text: 'Error plugin.guest: no such city',
    });
  });

  test('a tool that throws anything at all is an error result, not a crash', async () => {
    const call = () => {
      throw new TypeError('boom');
    };
    expect((await make({ plugins: [echoTool('bad', { call })] }).run('bad')).text).toBe('Error tool.failed: boom');
  });

  test('a long result is cut in the middle to 24 KB and says so', async () => {
    const call = async () => `begin ${'ü'.repeat(40_000)} end`;
    const { text } = await make({ plugins: [echoTool('long', { call })] }).run('long');
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(24 * 1024);
    expect(text).toStartWith('begin ');
    expect(text).toEndWith(' end');
    expect(text).toMatch(/\[… \d+ of 80010 bytes left out …\]/);
    expect(text).not.toContain('\ufffd');
  });

  test('a secret in a result or an error does not reach the model, also across the cut', async () => {
    const secret = 's3cr3t-'.repeat(8);
    const scrub = (text: string) => text.replaceAll(secret, '[redacted:KEY]');
    const at = Math.floor((24 * 1024 - 80) * 0.7) - 20;
    const calls = [
      async () => `${'x'.repeat(at)}${secret}${'y'.repeat(30_000)}`,
      () => Promise.reject(new PxError('plugin.guest', `bad key ${secret}`)),
    ];
    for (const call of calls) {
      const { text } = await make({ plugins: [echoTool('leak', { call })], scrub }).run('leak');
      expect(text).toContain('[redacted:KEY]');
      expect(text).not.toContain('s3cr3t');
    }
  });

  test('a tool that does not listen is left behind when the turn is stopped', async () => {
    const { run, abort } = make({ plugins: [echoTool('deaf', { call: () => new Promise(() => {}) })] });
    const running = run('deaf');
    abort.abort();
    expect((await running).text).toBe('Error interrupted: The turn was stopped.');
  });

  test('calls run at the same time', async () => {
    let open = () => {};
    const both = new Promise<void>((resolve) => (open = resolve));
    let waiting = 0;
    const call = async () => {
      if (++waiting === 2) open();
      await both;
      return 'met';
    };
    const { run } = make({ plugins: [echoTool('meet', { call })] });
    const results = await Promise.all([run('meet'), run('meet')]);
    expect(results.map((one) => one.text)).toEqual(['met', 'met']);
  });
});
