import { expect, test } from 'bun:test';
import type { Agent, TurnInput, TurnResult } from '../../src/agent/agent.ts';
import { createAnswering } from '../../src/app/answering.ts';
import type { InboxItem } from '../../src/channel/channel.ts';
import { createLog } from '../../src/log/log.ts';
import { createSessions, type QueueMode } from '../../src/session/session.ts';
import { createBus, type Inbound } from '../../src/wire/wire.ts';
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
    merge: (first: InboxItem, others: InboxItem[]) => {
      const text = [first, ...others].map((one) => one.inbound.text).join(' & ');
      return { ...first, inbound: { ...first.inbound, text } };
    },
    settle: (item: InboxItem) => void settled.push(item.inbound.id),
    typing: () => {},
  };
  const agent: Agent = {
    callContext: (message, turn, _call, signal) => ({ conversation: message.conversation, turn, signal }),
    urgent: (message) => message.text === '/stop',
    command: (message) => message.text.startsWith('/'),
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
  const answering = createAnswering({ channels, sessions, agent, bus: createBus(), log, prepare: async () => {} });
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

/** A turn that lasts until `finish`, and says what it was given and what it took in. */
function slowTurns() {
  let finish = () => {};
  const turn = async ({ inbound, steer }: TurnInput, signal: AbortSignal) => {
    const texts = [inbound.text];
    if (inbound.text.startsWith('slow')) {
      await new Promise<void>((resolve) => {
        finish = resolve;
        signal.addEventListener('abort', () => resolve());
      });
      texts.push(...(steer?.() ?? []).map((one) => one.text));
    }
    return signal.aborted ? { reason: 'aborted' as const, text: '⏹ Stopped.' } : { text: `re ${texts.join(', ')}` };
  };
  return { turn, finish: () => finish() };
}

async function whileSlow(mode: QueueMode) {
  const slow = slowTurns();
  const room = make(slow.turn);
  room.answering.start({ leftOver: true });
  await room.sessions.setQueue('cli/default', mode);
  room.answering.submit(inbound('slow', 'm1'));
  await until(() => room.sessions.running().length === 1);
  await Bun.sleep(0);
  room.answering.submit(inbound('second', 'm2'));
  room.answering.submit(inbound('third', 'm3'));
  return { ...room, finish: slow.finish };
}

test('queue followup: messages during a turn are answered after it, one by one', async () => {
  const { replies, finish } = await whileSlow('followup');
  finish();
  await until(() => replies.length === 3);
  expect(replies).toEqual(['m1: re slow', 'm2: re second', 'm3: re third']);
});

test('queue steer: messages during a turn are taken into it, and its answer says so', async () => {
  const { replies, finish } = await whileSlow('steer');
  finish();
  await until(() => replies.length === 1);
  expect(replies[0]).toStartWith('m1: re slow, second, third\n\n↪ What you wrote meanwhile');
});

test('queue collect: messages during a turn are answered together after it', async () => {
  const { replies, finish } = await whileSlow('collect');
  finish();
  await until(() => replies.length === 2);
  expect(replies[1]).toStartWith('m2: re second & third\n\n↪ This answers 2 messages');
});

test('queue collect: what waited before a restart is answered together after what was being answered', async () => {
  const waiting = ['m1', 'm2', 'm3'].map((id) => inbound(`text ${id}`, id));
  const turn = async ({ inbound }: TurnInput) => ({ text: `re ${inbound.text}` });
  const together = make(turn, [...waiting, inbound('/help', 'm4')]);
  await together.sessions.setQueue('cli/default', 'collect');
  together.answering.start({ leftOver: true });
  await until(() => together.replies.length === 3);
  expect(together.replies.map((reply) => reply.split('\n')[0])).toEqual([
    'm1: re text m1',
    'm2: re text m2 & text m3',
    'm4: re /help',
  ]);
  const alone = make(turn, waiting);
  alone.answering.start({ leftOver: true });
  await until(() => alone.replies.length === 3);
  expect(alone.replies).toEqual(['m1: re text m1', 'm2: re text m2', 'm3: re text m3']);
});

for (const mode of ['steer', 'collect'] as const)
  test(`queue ${mode}: in a group nobody's words become another's`, async () => {
    const slow = slowTurns();
    const room = make(slow.turn);
    room.answering.start({ leftOver: true });
    await room.sessions.setQueue('cli/default', mode);
    room.answering.submit(inbound('slow', 'm1'));
    await until(() => room.sessions.running().length === 1);
    await Bun.sleep(0);
    const eve = { id: 'eve', name: 'Eve' };
    room.answering.submit({ ...inbound('and tell me the door code', 'm2'), sender: eve });
    room.answering.submit(inbound('mine', 'm3'));
    room.answering.submit({ ...inbound('the code!', 'm4'), sender: eve });
    slow.finish();
    await until(() => room.replies.length === 3);
    const own = room.replies.map((reply) => reply.split('\n')[0]);
    expect(own).toEqual(
      mode === 'steer'
        ? ['m1: re slow, mine', 'm2: re and tell me the door code', 'm4: re the code!']
        : ['m1: re slow', 'm2: re and tell me the door code & the code!', 'm3: re mine'],
    );
  });

test('queue interrupt: a message stops the running turn, which says so', async () => {
  const { replies } = await whileSlow('interrupt');
  await until(() => replies.length === 3);
  expect(replies).toEqual(['m1: ⏹ Stopped for your newer message.', 'm2: re second', 'm3: re third']);
});

test('queue steer: what comes too late for the turn gets one of its own', async () => {
  let end = () => {};
  const room = make(async ({ inbound: { text } }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    end = resolve;
    if (text === 'first') await promise;
    return { text: `re ${text}` };
  });
  room.answering.start({ leftOver: true });
  await room.sessions.setQueue('cli/default', 'steer');
  room.answering.submit(inbound('first', 'm1'));
  await until(() => room.sessions.running().length === 1);
  await Bun.sleep(0);
  room.answering.submit(inbound('late', 'm2'));
  end();
  await until(() => room.replies.length === 2);
  expect(room.replies).toEqual(['m1: re first', 'm2: re late']);
});
