import { describe, expect, test } from 'bun:test';
import type { ToolSpec } from '../../src/model/model.ts';
import type { Message, SearchHit, ToolCallPart, ToolResultPart } from '../../src/wire/wire.ts';
import { ask, never, open, read } from './fakes.ts';

const object = (properties: object) => ({ type: 'object', properties }) as ToolSpec['parameters'];
const clock: ToolSpec = { name: 'clock_now', description: 'The current time.', parameters: object({}) };
const search: ToolSpec = {
  name: 'memory_search',
  description: 'Search notes.',
  parameters: object({ query: { type: 'string' }, limit: { type: 'integer' } }),
};
const write: ToolSpec = {
  name: 'memory_write',
  description: 'Keep a fact.',
  parameters: object({ path: {}, text: {}, mode: {} }),
};
const all = [clock, search, write];

const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] });
const result = (call: ToolCallPart, text: string, isError = false): ToolResultPart => ({
  type: 'tool-result',
  callId: call.id,
  name: call.name,
  content: [{ type: 'text', text }],
  isError,
});

async function say(text: string, tools: ToolSpec[] = all, options: { hits?: SearchHit[]; before?: Message[] } = {}) {
  const { models } = await open(options.hits ? { hits: options.hits } : {});
  return read(
    models.stream(ask('offline/px', '', { messages: [...(options.before ?? []), user(text)], tools }), never),
    'offline/px',
  );
}

/** Asks, answers its calls with `answers`, and reads what it makes of them. */
async function loop(text: string, answers: string[], isError = false) {
  const asked = await say(text);
  const { models } = await open();
  const messages: Message[] = [
    user(text),
    asked.message,
    { role: 'tool', parts: asked.calls.map((c, at) => result(c, answers[at] ?? '', isError)) },
  ];
  const answered = await read(models.stream(ask('offline/px', '', { messages, tools: all }), never), 'offline/px');
  return { ...answered, calls: asked.calls.map(({ name, args }) => ({ name, args })), asked };
}

describe('plain words', () => {
  test.each(['what time is it?', 'What time is it', "what's the time", 'what day is today?', 'tell me the time'])(
    '%s → the clock',
    async (text) => {
      const { calls, asked, ...answer } = await loop(text, ['"2026-11-22T20:36:45Z"']);
      expect(calls).toEqual([{ name: 'clock_now', args: {} }]);
      expect(asked.end?.reason).toBe('tool-calls');
      expect(answer.text).toStartWith('It is 2026-11-22T20:36:45Z.');
      expect(answer.end?.reason).toBe('stop');
    },
  );

  test('the clock is asked for the zone of this machine, or of the place that was named', async () => {
    const zoned: ToolSpec = { ...clock, parameters: object({ 'zone-offset-minutes': { type: 'integer' } }) };
    const asked = async (text: string) => (await say(text, [zoned])).calls[0]?.args;
    expect(await asked('what time is it?')).toEqual({ 'zone-offset-minutes': -new Date().getTimezoneOffset() });
    expect(await asked('What time is it in Tokyo?')).toEqual({ 'zone-offset-minutes': 540 });
    expect((await loop('what time is it in tokyo now?', ['{"text":"noon"}'])).text).toStartWith('It is noon in Tokyo.');
    expect((await loop('what time is it in Atlantis?', ['{"text":"noon"}'])).text).toContain(
      'It is noon here; I do not know the time in atlantis.',
    );
  });

  test('a page is fetched when asked for, a reminder is refused honestly', async () => {
    const fetch: ToolSpec = { name: 'web_fetch', description: '', parameters: object({ url: {} }) };
    expect((await say('read https://example.com/a?b=1', [fetch])).calls[0]).toMatchObject({
      name: 'web_fetch',
      args: { url: 'https://example.com/a?b=1' },
    });
    expect((await say('remind me to call mom')).text).toContain('cannot remind you');
  });

  test('a clock that gives milliseconds is read as a date', async () => {
    expect((await loop('what time is it?', ['1795379805000'])).text).toContain('2026');
  });

  test.each([
    ['remember that my bike is blue', 'my bike is blue'],
    ['Please remember: the code is 4711!', 'the code is 4711!'],
    ["don't forget the milk", 'the milk'],
  ])('%s → a line in MEMORY.md', async (text, fact) => {
    const { calls, text: answer } = await loop(text, ['Kept in MEMORY.md#12.']);
    expect(calls).toEqual([{ name: 'memory_write', args: { path: 'MEMORY.md', text: `- ${fact}`, mode: 'append' } }]);
    expect(answer).toContain('MEMORY.md#12');
  });

  test.each([
    ['what did I say about my bike?', 'bike'],
    ['search for blue bikes', 'blue bikes'],
    ['Where is the key to the shed?', 'key shed'],
    ['do you remember what I told you about Anna', 'Anna'],
  ])('%s → a search', async (text, query) => {
    expect((await say(text)).calls.map(({ name, args }) => ({ name, args }))).toEqual([
      { name: 'memory_search', args: { query, limit: 10 } },
    ]);
  });

  test('answers from what the search found, with file and line, and not from the question itself', async () => {
    const hits = [
      'journal/cli-default/2026-11-22.md#9 (10:15 You)',
      'what did I say about my bike?',
      '',
      'journal/cli-default/2026-11-22.md#14 (10:15 px · offline/px)',
      'From your memory: an old answer about a bike',
      '',
      'MEMORY.md#3 (Facts)',
      '- my bike is blue',
      '',
      'journal/cli-default/2026-11-20.md#5 (09:00 You)',
      'The bike was stolen and came back.',
      '<!-- px {"at":1} -->',
    ].join('\n');
    const { text } = await loop('what did I say about my bike?', [hits]);
    expect(text).toContain('- my bike is blue (MEMORY.md#3)');
    expect(text).toContain('- The bike was stolen and came back. (journal/cli-default/2026-11-20.md#5)');
    expect(text).not.toContain('what did I say');
    expect(text).not.toContain('old answer');
    expect(text).not.toContain('<!--');
  });

  test('says so when memory has nothing', async () => {
    expect((await loop('what did I say about zebras?', ['Nothing in memory matches "zebras".'])).text).toStartWith(
      'I find nothing about “zebras”',
    );
  });

  test('without a search tool it looks in memory itself', async () => {
    const { text, calls } = await say('what colour is my bike?', [], {
      hits: [{ path: 'MEMORY.md', line: 3, heading: '', snippet: 'my bike is blue', score: 1 }],
    });
    expect(calls).toEqual([]);
    expect(text).toContain('my bike is blue (MEMORY.md#3)');
  });

  test('without a clock tool it reads the clock of the machine and says so', async () => {
    expect((await say('what time is it?', [])).text).toMatch(
      /It is \w+day,? \d+ \w+ \d{4} at \d\d:\d\d by the clock of this machine\./,
    );
  });

  test('tells a failed tool as failed', async () => {
    expect((await loop('what time is it?', ['plugin.wall: too slow'], true)).text).toContain(
      '`clock_now` failed: plugin.wall: too slow',
    );
  });
});

describe('explicit calls', () => {
  test.each(['/tool add {"a": 1, "b": [2]}', '!add {"a": 1, "b": [2]}', '!add {\n "a": 1,\n "b": [2]\n}'])(
    '%s',
    async (text) => {
      const add: ToolSpec = { name: 'add', description: '', parameters: object({}) };
      expect((await say(text, [add])).calls.map(({ name, args }) => ({ name, args }))).toEqual([
        { name: 'add', args: { a: 1, b: [2] } },
      ]);
    },
  );

  test('several lines are parallel calls, and each result is told', async () => {
    const { calls, text } = await loop('!clock_now\n!memory_search {"query":"x"}', ['noon', 'a.md#1\nfound']);
    expect(calls.map((c) => c.name)).toEqual(['clock_now', 'memory_search']);
    expect(text).toContain('noon');
    expect(text).toContain('found');
  });

  test('an unknown tool and broken JSON are explained, and nothing is called', async () => {
    const unknown = await say('!nope {}');
    expect(unknown.calls).toEqual([]);
    expect(unknown.text).toContain('no tool named `nope`');
    expect(unknown.text).toContain('`clock_now`');
    const broken = await say('!clock_now {"a": }');
    expect(broken.calls).toEqual([]);
    expect(broken.text).toContain('not a JSON object');
  });
});

describe('honesty', () => {
  test('the first answer of a conversation is labelled, later ones are not', async () => {
    const first = await say('hello');
    expect(first.text).toContain('\n\n— offline model;');
    expect(first.text).toContain('px setup');
    const second = await say('hello', all, { before: [user('hello'), first.message] });
    expect(second.text).not.toContain('— offline model;');
  });

  test('what it does not understand it says, with the way to a real model', async () => {
    const { text } = await say('write me a poem about the sea', [], {
      before: [user('hi'), { role: 'assistant', parts: [{ type: 'text', text: 'Hello!' }] }],
    });
    expect(text).toContain('only the offline model');
    expect(text).toContain('`px setup`');
  });

  test('help documents the syntax and lists the tools', async () => {
    const { text } = await say('help');
    for (const part of ['/tool NAME', '!NAME', 'remember that', '`memory_search`']) expect(text).toContain(part);
  });
});

test('streams word by word, tells usage, and stops on request', async () => {
  const { events, text } = await say('hello');
  expect(events.filter((e) => e.type === 'text').length).toBeGreaterThan(10);
  expect(events.flatMap((e) => (e.type === 'text' ? [e.text] : [])).join('')).toBe(text);
  expect(events.at(-2)?.type).toBe('usage');

  const controller = new AbortController();
  const { models } = await open();
  const seen: string[] = [];
  for await (const event of models.stream(ask('offline/px', 'help'), controller.signal)) {
    seen.push(event.type === 'end' ? event.reason : event.type);
    controller.abort();
  }
  expect(seen).toEqual(['text', 'aborted']);
});

test('toolChoice none is obeyed', async () => {
  const { models } = await open();
  const { calls } = await read(
    models.stream(ask('offline/px', '!clock_now', { tools: all, toolChoice: 'none' }), never),
  );
  expect(calls).toEqual([]);
});

test('an empty message and a hostile one do not break it', async () => {
  for (const text of [
    '',
    '   ',
    '!',
    '/tool',
    '?'.repeat(50_000),
    'remember '.repeat(20_000),
    '!a\n'.repeat(5_000),
    '😀\u202e\u0000',
  ])
    expect((await say(text)).end?.reason).not.toBe('error');
});
