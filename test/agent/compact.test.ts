import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAgent } from '../../src/agent/agent.ts';
import { createLog } from '../../src/log/log.ts';
import { openJournal } from '../../src/memory/memory.ts';
import type { ModelEvent, ModelRequest } from '../../src/model/model.ts';
import { createSessions } from '../../src/session/session.ts';
import { createTools } from '../../src/tool/tool.ts';
import { createBus, type PxEvent } from '../../src/wire/wire.ts';
import { echoTool, fakeConfig, fakeMemory } from '../tool/fakes.ts';
import { inbound, type Reply, say, scripted, use, useTools } from './fakes.ts';

const MODEL = 'openai/mock';

/** An agent over a real journal and real sessions; only the model is a script. */
function world(script: Reply[], options: { agent?: object; window?: number } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'px-compact-'));
  const journal = openJournal(root);
  const memory = { ...fakeMemory(), journal };
  const config = fakeConfig({ agent: options.agent ?? {} });
  const models = { ...scripted(script), window: async () => options.window };
  const log = createLog();
  const bus = createBus();
  const events: PxEvent[] = [];
  bus.on((event) => events.push(event));
  const plugins = { tools: () => [echoTool('echo')] };
  const tools = createTools({ memory, plugins, config, secrets: { scrub: (text) => text }, log });
  const make = () => {
    const sessions = createSessions({ memory, models, config });
    return { sessions, agent: createAgent({ models, tools, sessions, memory, config, log, bus }) };
  };
  let made = make();
  let n = 0;
  return {
    models,
    events,
    journal,
    memory,
    ask: (text: string) =>
      made.agent.turn({ inbound: inbound(text, `m${++n}`), model: MODEL }, new AbortController().signal),
    restart: async () => {
      await made.sessions.close();
      made = make();
    },
    [Symbol.asyncDispose]: async () => {
      await made.sessions.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

const textOf = (request: ModelRequest) => JSON.stringify(request.messages);
const isSummary = (request: ModelRequest) => request.system.includes('# Summary');

/** A model that knows only what it is sent: it sums up by repeating the codes it sees, and answers with them when asked. */
async function forgetful(request: ModelRequest): Promise<ModelEvent[]> {
  const codes = [...new Set(textOf(request).match(/code-[a-z]+/g) ?? [])].join(' ');
  if (isSummary(request)) return say(`# Remember\n- MEMORY: codes: ${codes}\n\n# Summary\nThe person named ${codes}.`);
  const last = request.messages.findLast((message) => message.role === 'user');
  return say(JSON.stringify(last).includes('which code') ? `It was ${codes}.` : 'Noted.');
}

test('a fact of the first turn is answered after 200 turns and a restart', async () => {
  await using px = world([forgetful]);
  await px.ask('Mind this: code-hummingbird.');
  for (let turn = 0; turn < 200; turn++) {
    await px.ask(`Small talk number ${turn}.`);
    if (turn === 120) await px.restart();
  }
  expect((await px.ask('Now, which code did I tell you?')).text).toBe('It was code-hummingbird.');
  // It came through summaries, not because everything was sent.
  const last = px.models.requests.at(-1);
  expect(last?.messages.length).toBeLessThan(60);
  expect(px.models.requests.filter(isSummary).length).toBeGreaterThan(3);
}, 30_000);

test('it is journalled, flushed to memory first, and told on the bus', async () => {
  await using px = world([forgetful], { agent: { history_messages: 12 } });
  for (let turn = 0; turn < 8; turn++) await px.ask(`This is code-robin, turn ${turn}.`);
  const notes = (await px.journal.read('cli/default', 500)).flatMap((e) => (e.kind === 'note' ? [e.text] : []));
  expect(notes.some((text) => text.includes('The person named code-robin'))).toBe(true);
  expect(notes.some((text) => /\d+ older messages were summarised; 1 fact kept in MEMORY\.md#/.test(text))).toBe(true);
  expect(px.memory.files.get('MEMORY.md')).toBe('# Memory\n\n- codes: code-robin\n');
  expect(px.events.some((event) => event.type === 'turn.note')).toBe(true);
});

test('before the window is full older turns are summarised; tool calls keep their results, ids to the letter stay', async () => {
  const id = '3f2b1c9a-0d4e-4f6a-9b7c-112233445566';
  const script: Reply = async (request) => {
    if (isSummary(request)) return say('# Remember\n\n# Summary\nThings were looked up.');
    const asked = request.messages.at(-1);
    return asked?.role === 'user' ? useTools(use('echo', { text: `${'x'.repeat(3000)} ${id}` })) : say('Done.');
  };
  await using px = world([script], { window: 8000 });
  for (let turn = 0; turn < 8; turn++) await px.ask(`Look at /srv/data/report-${turn}.csv`);
  const real = px.models.requests.filter((request) => !isSummary(request));
  expect(px.models.requests.length).toBeGreaterThan(real.length);
  for (const { messages } of real) {
    expect(textOf({ messages } as ModelRequest).length / 4.5).toBeLessThan(8000);
    const calls = messages.flatMap((m) =>
      m.role === 'assistant' ? m.parts.filter((p) => p.type === 'tool-call') : [],
    );
    const results = messages.flatMap((m) => (m.role === 'tool' ? m.parts : []));
    expect(results.map((r) => r.callId)).toEqual(calls.map((c) => (c.type === 'tool-call' ? c.id : '')));
  }
  const last = JSON.stringify(real.at(-1)?.messages);
  expect(last).toContain(id);
  expect(last).toContain('/srv/data/report-0.csv');
  // What was summed up came from a plugin: the summary says so, and so does the conversation after a restart.
  const entries = await px.journal.read('cli/default', 1000);
  const summary = entries.findLast(
    (entry) => entry.kind === 'note' && JSON.stringify(entry.data).includes('px:summary'),
  );
  expect(summary).toMatchObject({ data: { outside: ['plugin/demo'] } });
});

test('an overflow the provider reports is compacted and asked again', async () => {
  const overflow: ModelEvent[] = [
    { type: 'end', reason: 'error', error: { code: 'model.overflow', message: 'too long', retryable: false } },
  ];
  const script: Reply = async (request) => {
    if (isSummary(request)) return say('# Summary\nThe person told of code-wren.');
    return textOf(request).length > 6000 ? overflow : forgetful(request);
  };
  await using px = world([script]);
  await px.ask(`code-wren ${'a'.repeat(2500)}`);
  await px.ask(`more ${'b'.repeat(2500)}`);
  const result = await px.ask(`${'c'.repeat(2500)} which code?`);
  expect(result).toMatchObject({ reason: 'stop', text: 'It was code-wren.' });
});

test('one message that is too large alone is cut rather than lost', async () => {
  const overflow: ModelEvent[] = [
    { type: 'end', reason: 'error', error: { code: 'model.overflow', message: 'too long', retryable: false } },
  ];
  await using px = world([async (request) => (textOf(request).length > 30_000 ? overflow : say('Read.'))]);
  expect((await px.ask('z'.repeat(80_000))).text).toBe('Read.');
});

test('when no model can sum up, what the person said is kept in their words', async () => {
  const failing: ModelEvent[] = [
    { type: 'end', reason: 'error', error: { code: 'model.overloaded', message: 'busy', retryable: true } },
  ];
  await using px = world([async (request) => (isSummary(request) ? failing : forgetful(request))], {
    agent: { history_messages: 12 },
  });
  await px.ask('Mind this: code-kestrel.');
  for (let turn = 0; turn < 40; turn++) await px.ask(`Small talk number ${turn}.`);
  expect((await px.ask('which code?')).text).toContain('code-kestrel');
});

test('/new forgets the summary too', async () => {
  await using px = world([forgetful], { agent: { history_messages: 12 } });
  await px.ask('Mind this: code-finch.');
  for (let turn = 0; turn < 20; turn++) await px.ask(`Small talk number ${turn}.`);
  await px.ask('/new');
  for (let turn = 0; turn < 60; turn++) await px.ask(`Other talk number ${turn}.`);
  expect((await px.ask('which code?')).text).not.toContain('finch');
});
