import { expect, test } from 'bun:test';
import type { Agent, TurnInput, TurnResult } from '../../src/agent/agent.ts';
import { createAnswering } from '../../src/app/answering.ts';
import type { InboxItem } from '../../src/channel/channel.ts';
import { createLog } from '../../src/log/log.ts';
import { createSessions } from '../../src/session/session.ts';
import type { Inbound } from '../../src/wire/wire.ts';
import { inbound, scripted } from '../agent/fakes.ts';
import { fakeConfig, fakeMemory } from '../tool/fakes.ts';

function make(turn: (input: TurnInput, signal: AbortSignal) => Promise<Partial<TurnResult>>, waiting: Inbound[] = []) {
  let listener = (_item: InboxItem) => {};
  const seen = new Set<string>();
  const replies: string[] = [];
  const settled: string[] = [];
  const logged: string[] = [];
  let seq = 0;
  const channels = {
    accept(message: Inbound) {
      if (seen.has(message.id)) return false;
      seen.add(message.id);
      listener({ seq: ++seq, inbound: message });
      return true;
    },
    onPending(given: (item: InboxItem) => void) {
      listener = given;
      for (const message of waiting) given({ seq: ++seq, inbound: message });
    },
    reply: (item: InboxItem, text: string) => void replies.push(`${item.inbound.id}: ${text}`),
    settle: (item: InboxItem) => void settled.push(item.inbound.id),
    typing: () => {},
  };
  const agent: Agent = {
    urgent: (message) => message.text === '/stop',
    turn: async (input, signal) => {
      const base = {
        turn: 't',
        conversation: input.inbound.conversation,
        model: 'offline/px',
        reason: 'stop',
      } as const;
      return { ...base, text: '', usage: { input: 0, output: 0, cachedInput: 0 }, ...(await turn(input, signal)) };
    },
  };
  const sessions = createSessions({ memory: fakeMemory(), models: scripted([]), config: fakeConfig() });
  const log = createLog({ sinks: [(entry) => logged.push(entry.message)] });
  const answering = createAnswering({ channels, sessions, agent, log, prepare: async () => {} });
  return { answering, channels, sessions, replies, settled, logged };
}

const until = async (done: () => boolean) => {
  for (let i = 0; i < 2000 && !done(); i++) await Bun.sleep(1);
  expect(done()).toBe(true);
};

test('a message is answered once, the second copy of it is not taken', async () => {
  const { answering, replies } = make(async ({ inbound }) => ({ text: `you said ${inbound.text}` }));
  answering.start({ leftOver: true });
  expect([answering.submit(inbound('hi')), answering.submit(inbound('hi'))]).toEqual([true, false]);
  await until(() => replies.length > 0);
  expect(replies).toEqual(['m1: you said hi']);
});

test('messages of one conversation are answered in order, one at a time', async () => {
  let running = 0;
  const { answering, replies } = make(async ({ inbound }) => {
    expect(++running).toBe(1);
    await Bun.sleep(5);
    running--;
    return { text: inbound.text };
  });
  answering.start({ leftOver: true });
  for (const id of ['a', 'b', 'c']) answering.submit(inbound(id, id));
  await until(() => replies.length === 3);
  expect(replies).toEqual(['a: a', 'b: b', 'c: c']);
});

test('/stop does not wait behind the turn it is to stop', async () => {
  const { answering, sessions, replies, settled } = make(async ({ inbound }, signal) => {
    if (inbound.text === '/stop') return { text: String(sessions.stop(inbound.conversation)) };
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return { reason: 'aborted', text: '⏹ Stopped.' };
  });
  answering.start({ leftOver: true });
  answering.submit(inbound('long', 'm1'));
  await until(() => sessions.running().length === 1);
  answering.submit(inbound('/stop', 'm2'));
  await until(() => settled.length === 1);
  expect(replies).toEqual(['m2: true']);
  expect(settled).toEqual(['m1']);
});

test('what waits from before a restart is marked as such, what comes later is not', async () => {
  const left: [string, boolean | undefined][] = [];
  const turn = async ({ inbound, leftOver }: TurnInput) => {
    left.push([inbound.id, leftOver]);
    return { text: 'ok' };
  };
  const { answering, replies } = make(turn, [inbound('before', 'old')]);
  answering.start({ leftOver: true });
  answering.submit(inbound('after', 'new'));
  await until(() => replies.length === 2);
  expect(left).toEqual([
    ['old', true],
    ['new', false],
  ]);
});

test("a model is chosen by px's own surfaces, never by a connector's metadata", async () => {
  const models: (string | undefined)[] = [];
  const { answering, channels, replies } = make(async ({ model }) => {
    models.push(model);
    return { text: 'ok' };
  });
  answering.start({ leftOver: true });
  answering.submit({ ...inbound('a', 'a'), metadata: { model: 'fast' } });
  channels.accept({ ...inbound('b', 'b'), metadata: { model: 'openai/most-expensive' } });
  await until(() => replies.length === 2);
  expect(models).toEqual(['fast', undefined]);
});

test('a turn that fails beyond words leaves the message in the inbox and px running', async () => {
  const { answering, replies, settled, logged } = make(async ({ inbound }) => {
    if (inbound.text === 'bad') throw new Error('bug');
    return { text: 'ok' };
  });
  answering.start({ leftOver: true });
  answering.submit(inbound('bad', 'a'));
  answering.submit(inbound('good', 'b'));
  await until(() => replies.length === 1);
  expect(settled).toEqual([]);
  expect(logged).toEqual(['a message was not answered: bug']);
});

test('closing lets a running turn end and begins no other', async () => {
  let finish = () => {};
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { answering, sessions, replies } = make(async ({ inbound }) => {
    await held;
    return { text: inbound.id };
  });
  answering.start({ leftOver: true });
  answering.submit(inbound('one', 'a'));
  answering.submit(inbound('two', 'b'));
  await until(() => sessions.running().length === 1);
  const closing = answering.close();
  answering.submit(inbound('three', 'c'));
  finish();
  await closing;
  expect(replies).toEqual(['a: a']);
});

test('closing does not wait for ever: what is postponed is neither answered nor settled', async () => {
  const { answering, sessions, replies, settled } = make(async (_input, signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return { reason: 'aborted', text: 'half', postponed: true };
  });
  answering.start({ leftOver: true });
  answering.submit(inbound('one', 'a'));
  await until(() => sessions.running().length === 1);
  await answering.close(20);
  await sessions.close();
  expect([replies, settled]).toEqual([[], []]);
});

test('without old messages, they stay in the inbox and new ones are answered', async () => {
  const { answering, replies, settled } = make(
    async ({ inbound }) => ({ text: inbound.id }),
    [inbound('before', 'old')],
  );
  answering.start({ leftOver: false });
  answering.submit(inbound('now', 'new'));
  await until(() => replies.length === 1);
  expect([replies, settled]).toEqual([['new: new'], []]);
});
