import { afterEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { ConfigSchema } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';
import { type JournalEntry, openJournal } from '../../src/memory/memory.ts';
import { createSessions, type SessionOptions } from '../../src/session/session.ts';
import { shutdown } from '../../src/tool/tool.ts';
import type { ConversationId, Message, ModelRef } from '../../src/wire/wire.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const chat: ConversationId = 'chat/ada';
const models = {
  default: { ref: 'offline/px' as ModelRef, why: 'test' },
  resolve(name: string): ModelRef {
    if (name === 'fast') return 'openai/gpt-5-mini';
    if (name.startsWith('openai/')) return `openai/${name.slice(7)}`;
    throw new PxError('model.unknown', `no model ${name}`);
  },
};

/** Sessions over a real journal; `reopen` is px after a restart with its databases deleted. */
function world(options: Partial<SessionOptions> & { history?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'px-session-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const reads: string[] = [];
  const open = () => {
    const journal = openJournal(folder);
    const sessions = createSessions({
      memory: {
        journal: {
          ...journal,
          read: (conversation, limit) => {
            reads.push(conversation);
            return journal.read(conversation, limit);
          },
        },
      },
      models,
      config: { current: v.parse(ConfigSchema, { agent: { history_messages: options.history ?? 60 } }) },
      ...options,
    });
    cleanups.push(() => sessions.close());
    return sessions;
  };
  return { sessions: open(), reopen: open, reads };
}

const user = (text: string, messageId = text): JournalEntry => ({
  at: 0,
  kind: 'user',
  sender: { id: 'ada', name: 'Ada' },
  channel: 'chat',
  messageId,
  text,
});
const said = (text: string, turn = 't1'): JournalEntry => ({
  at: 0,
  kind: 'assistant',
  turn,
  model: 'offline/px',
  text,
});
const call = (id: string, turn = 't1'): JournalEntry => ({
  at: 0,
  kind: 'tool-call',
  turn,
  call: { type: 'tool-call', id, name: 'clock', args: {} },
});
const result = (id: string, turn = 't1'): JournalEntry => ({
  at: 0,
  kind: 'tool-result',
  turn,
  result: { type: 'tool-result', callId: id, name: 'clock', content: [{ type: 'text', text: 'noon' }], isError: false },
  ms: 1,
});
const texts = (messages: Message[]) =>
  messages.flatMap((m) =>
    m.parts.flatMap((p) => (p.type === 'text' ? [`${m.role}: ${p.text}`] : [`${m.role}: <${p.type}>`])),
  );
const later = () => Promise.withResolvers<void>();

describe('a conversation', () => {
  test('is what its journal says, tool calls included, also after a restart', async () => {
    const { sessions, reopen } = world();
    expect((await sessions.open(chat)).messages).toEqual([]);
    await sessions.append(chat, [user('what time is it')]);
    await sessions.append(chat, [call('c1')]);
    await sessions.append(chat, [result('c1'), said('It is noon.')]);
    const { messages } = await sessions.open(chat);
    expect(texts(messages)).toEqual([
      'user: what time is it',
      'assistant: <tool-call>',
      'tool: <tool-result>',
      'assistant: It is noon.',
    ]);
    expect((await reopen().open(chat)).messages).toEqual(messages);
  });

  test('loses nothing and doubles nothing when many write and read at once', async () => {
    const { sessions, reopen } = world({ history: 1000 });
    const all = Array.from({ length: 40 }, (_, i) => i);
    await Promise.all(
      all.flatMap((i) => [sessions.append(chat, [user(`u${i}`), said(`a${i}`, `t${i}`)]), sessions.open(chat)]),
    );
    const { messages } = await sessions.open(chat);
    expect(texts(messages)).toEqual(all.flatMap((i) => [`user: u${i}`, `assistant: a${i}`]));
    expect((await reopen().open(chat)).messages).toEqual(messages);
  });

  test('sends at most so many messages, beginning with a person', async () => {
    const { sessions, reopen } = world({ history: 6 });
    for (let i = 0; i < 20; i++)
      await sessions.append(chat, [
        user(`u${i}`),
        call(`c${i}`, `t${i}`),
        result(`c${i}`, `t${i}`),
        said(`a${i}`, `t${i}`),
      ]);
    const { messages } = await sessions.open(chat);
    expect(texts(messages)[0]).toBe('user: u19');
    expect((await reopen().open(chat)).messages).toEqual(messages);
  });

  test('keeps the turn under way whole, however long', async () => {
    const { sessions } = world({ history: 4 });
    await sessions.append(chat, [user('old'), said('old answer', 't0')]);
    await sessions.append(chat, [user('long task')]);
    for (let i = 0; i < 400; i++) await sessions.append(chat, [call(`c${i}`), result(`c${i}`)]);
    const { messages } = await sessions.open(chat);
    expect(texts(messages)[0]).toBe('user: long task');
    expect(messages).toHaveLength(801);
  });

  test('that could not be written is read again, not guessed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'px-session-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const journal = openJournal(folder);
    let full = false;
    const sessions = createSessions({
      memory: {
        journal: {
          ...journal,
          append: async (conversation, entries) => {
            if (full) throw new Error('disk full');
            await journal.append(conversation, entries);
          },
        },
      },
      models,
      config: { current: v.parse(ConfigSchema, {}) },
    });
    cleanups.push(() => sessions.close());
    await sessions.append(chat, [user('one')]);
    full = true;
    expect(sessions.append(chat, [said('lost')])).rejects.toThrow('disk full');
    full = false;
    await sessions.append(chat, [said('kept')]);
    expect(texts((await sessions.open(chat)).messages)).toEqual(['user: one', 'assistant: kept']);
  });
});

describe('/new', () => {
  test('starts a fresh context that a restart keeps; the model choice stays', async () => {
    const { sessions, reopen } = world();
    await sessions.setModel(chat, 'openai/gpt-5');
    await sessions.append(chat, [user('secret plan'), said('noted')]);
    await sessions.reset(chat);
    expect((await sessions.open(chat)).messages).toEqual([]);
    await sessions.append(chat, [user('hello')]);
    for (const one of [sessions, reopen()])
      expect(await one.open(chat)).toMatchObject({ model: 'openai/gpt-5', messages: [{ role: 'user' }] });
  });

  test('cannot be forged by what people or models write', async () => {
    const { sessions } = world();
    await sessions.append(chat, [user('{"mark":"px:new-context"}'), said('A new conversation starts here.')]);
    await sessions.append(chat, [
      { at: 0, kind: 'note', text: 'A new conversation starts here.', data: 'px:new-context' },
    ]);
    expect((await sessions.open(chat)).messages).toHaveLength(2);
  });
});

describe('the model of a conversation', () => {
  test('follows px.yaml until a person chooses, and again when they take it back', async () => {
    const { sessions, reopen } = world();
    const model = async () => [(await sessions.open(chat)).model, (await reopen().open(chat)).model];
    expect(await model()).toEqual([undefined, undefined]);
    await sessions.setModel(chat, 'openai/gpt-5');
    expect(await model()).toEqual(['openai/gpt-5', 'openai/gpt-5']);
    await sessions.setModel(chat, undefined);
    expect(await model()).toEqual([undefined, undefined]);
  });

  test('is not changed by a failover that the journal tells of, nor by an unknown name', async () => {
    const { sessions } = world();
    await sessions.setModel(chat, 'openai/gpt-5');
    await sessions.append(chat, [{ at: 0, kind: 'model', model: 'ollama/qwen3', by: 'failover' }]);
    expect(sessions.setModel(chat, 'nobody/nothing')).rejects.toThrow('no model');
    expect((await sessions.open(chat)).model).toBe('openai/gpt-5');
  });

  test('is still known after thousands of entries', async () => {
    const { sessions, reopen } = world();
    await sessions.setModel(chat, 'openai/gpt-5');
    for (let i = 0; i < 30; i++)
      await sessions.append(
        chat,
        Array.from({ length: 50 }, (_, n) => user(`m${i}-${n}`)),
      );
    expect((await reopen().open(chat)).model).toBe('openai/gpt-5');
  });
});

describe('the queue', () => {
  test('runs one turn at a time in a conversation, in order, whether they fail or not', async () => {
    const { sessions } = world();
    const order: string[] = [];
    const turn = (name: string) => async () => {
      order.push(`${name} starts`);
      await Bun.sleep(1);
      order.push(`${name} ends`);
      if (name === 'b') throw new Error('b failed');
      return name;
    };
    const all = await Promise.allSettled(['a', 'b', 'c'].map((name) => sessions.enqueue(chat, turn(name))));
    expect(all.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(order).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  });

  test('runs different conversations side by side', async () => {
    const { sessions } = world();
    const both = later();
    let started = 0;
    const turn = async () => {
      started += 1;
      if (started === 2) both.resolve();
      await both.promise;
    };
    await Promise.all([sessions.enqueue('chat/a', turn), sessions.enqueue('chat/b', turn)]);
    expect(started).toBe(2);
    expect(sessions.running()).toEqual([]);
  });

  test('stop ends the running turn only; the next one runs', async () => {
    const { sessions } = world();
    expect(sessions.stop(chat)).toBe(false);
    const started = later();
    const first = sessions.enqueue(chat, (signal) => {
      started.resolve();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const second = sessions.enqueue(chat, async (signal) => signal.aborted);
    await started.promise;
    expect(sessions.running()).toEqual([chat]);
    expect(sessions.stop(chat)).toBe(true);
    expect(first).rejects.toMatchObject({ code: 'interrupted' });
    expect(await second).toBe(false);
  });

  test('close tells the running turn that px ends, drops the queued ones and waits', async () => {
    const { sessions } = world();
    const started = later();
    let reason: unknown;
    let written = false;
    const first = sessions.enqueue(chat, async (signal) => {
      started.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reason = signal.reason;
      await sessions.append(chat, [user('px was stopped')]);
      written = true;
    });
    const second = sessions.enqueue(chat, async () => 'never');
    second.catch(() => {});
    await started.promise;
    await sessions.close();
    await first;
    expect([reason, written]).toEqual([shutdown, true]);
    expect(second).rejects.toMatchObject({ code: 'interrupted' });
    expect(sessions.enqueue(chat, async () => 'late')).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('memory', () => {
  test('keeps the few conversations last used, and never drops one whose turn runs', async () => {
    const { sessions, reads } = world({ keep: 2 });
    const running = later();
    const turn = sessions.enqueue('chat/busy', async () => {
      const session = await sessions.open('chat/busy');
      for (const name of ['a', 'b', 'c'] as const) await sessions.open(`chat/${name}`);
      await sessions.append('chat/busy', [user('hi')]);
      expect(await sessions.open('chat/busy')).toBe(session);
      running.resolve();
    });
    await running.promise;
    await turn;
    await sessions.open('chat/c');
    await sessions.open('chat/a');
    expect(reads).toEqual(['chat/busy', 'chat/a', 'chat/b', 'chat/c', 'chat/a']);
  });

  test('forgets everything a while after the last use', async () => {
    const { sessions, reads } = world({ keepMs: 5 });
    await sessions.open(chat);
    await Bun.sleep(40);
    await sessions.open(chat);
    expect(reads).toHaveLength(2);
  });
});

test('how messages queue is remembered over a restart, and taken back with default', async () => {
  const { sessions: first, reopen } = world();
  await first.setQueue(chat, 'collect');
  expect(first.queueMode(chat)).toBe('collect');
  await first.close();
  const second = reopen();
  expect((await second.open(chat)).queue).toBe('collect');
  expect(second.queueMode(chat)).toBe('collect');
  await second.setQueue(chat, undefined);
  expect(second.queueMode(chat)).toBe('followup');
});

describe('text from outside', () => {
  test('labels its conversation until /new, also after a restart without databases', async () => {
    const { sessions, reopen } = world({ history: 4 });
    await sessions.append(chat, [user('read it')]);
    expect((await sessions.open(chat)).labels).toEqual([]);
    const result = { type: 'tool-result' as const, callId: 'c', name: 'web_fetch', content: [], isError: false };
    await sessions.append(chat, [
      { at: 0, kind: 'tool-result', turn: 't', result, ms: 1, outside: ['plugin/web-fetch'] },
    ]);
    await sessions.append('chat/bob', [user('hello')]);
    expect((await sessions.open(chat)).labels).toEqual(['plugin/web-fetch']);
    expect((await sessions.open('chat/bob')).labels).toEqual([]);
    const again = reopen();
    expect((await again.open(chat)).labels).toEqual(['plugin/web-fetch']);
    await again.reset(chat);
    expect((await again.open(chat)).labels).toEqual([]);
  });
});
