import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import type { App } from '../../src/app/app.ts';
import { ConfigSchema } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';
import { createLog } from '../../src/log/log.ts';
import type { ModelEvent, ModelRequest } from '../../src/model/model.ts';
import { openApprovals } from '../../src/policy/policy.ts';
import { createBus, type EventBody, type Inbound, type ModelRef } from '../../src/wire/wire.ts';

/** What a test sees and steers of the fake. */
export interface Fake {
  app: App;
  submitted: Inbound[];
  stopped: string[];
  requests: ModelRequest[];
  signals: AbortSignal[];
  /** The course of the next turns, between start and end. */
  turn: (inbound: Inbound, emit: (event: EventBody) => void) => Promise<void> | void;
  /** What the next direct model stream gives. */
  events: ModelEvent[];
}

/** An app of fakes: the gateway's contract with the services, without the services. */
export function fakeApp(config: object = {}): Fake {
  const root = mkdtempSync(join(tmpdir(), 'px-gateway-'));
  const bus = createBus();
  const model: ModelRef = 'offline/px';
  let turns = 0;
  const fake: Omit<Fake, 'app'> = {
    submitted: [],
    stopped: [],
    requests: [],
    signals: [],
    turn: (inbound, emit) =>
      emit({ type: 'turn.text', conversation: inbound.conversation, turn: 'unset', text: `you said ${inbound.text}` }),
    events: [
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
      { type: 'usage', usage: { input: 3, output: 2, cachedInput: 0 } },
      { type: 'end', reason: 'stop' },
    ],
  };
  const run = async (inbound: Inbound) => {
    const turn = `t${++turns}`;
    const { conversation } = inbound;
    let text = '';
    bus.emit({ type: 'turn.start', conversation, turn, model, messageId: inbound.id });
    await fake.turn(inbound, (event) => {
      if (event.type === 'turn.text') text += event.text;
      bus.emit(event.type.startsWith('turn.') ? ({ ...event, turn } as EventBody) : event);
    });
    bus.emit({ type: 'turn.end', conversation, turn, model, reason: 'stop', text });
  };
  const parts = {
    version: '9.9.9',
    home: { root, config: join(root, 'px.yaml'), memory: root, plugins: root, state: join(root, 'state') },
    config: { current: v.parse(ConfigSchema, config), set: async () => {} },
    secrets: {
      get: () => undefined,
      scrub: (text: string) => text,
      names: () => ['A_KEY'],
      set: () => {},
      remove: () => true,
    },
    memory: {
      search: (q: string) => [{ path: 'a.md', line: 3, heading: 'A', snippet: q, score: 1 }],
      stats: () => ({ notes: 1, chunks: 1 }),
      list: async () => ['a.md'],
      get: async (path: string, from: number) => {
        if (path.includes('..')) throw new PxError('memory.path', 'outside memory/');
        return { path, from, text: 'hello', totalLines: 1 };
      },
      write: async (path: string) => ({ path, line: 1 }),
      rebuild: async () => {},
      fresh: async () => {},
      settled: async () => {},
      journal: { conversations: async () => [], read: async () => [] },
    },
    models: {
      default: { ref: model, why: 'no key' },
      resolve: (name: string) => {
        if (name === 'nope') throw new PxError('model.unknown', 'There is no model "nope".', { hint: 'px model list' });
        return name.includes('/') ? name : model;
      },
      list: async () => [{ ref: model, provider: 'offline', offline: true }],
      detect: async () => {},
      embed: async () => ({ vectors: [], tokens: 0 }),
      async *stream(request: ModelRequest, signal: AbortSignal) {
        fake.requests.push(request);
        fake.signals.push(signal);
        yield* fake.events;
      },
    },
    plugins: {
      list: () => [],
      call: async (name: string, fn: string, args: unknown[]) => {
        if (name !== 'sum') throw new PxError('plugin.unknown', `There is no plugin "${name}".`);
        if (fn === 'fail') throw new PxError('plugin.guest', 'it said no', { data: { reason: 'no' } });
        return args;
      },
      get: (name: string) => {
        throw new PxError('plugin.unknown', `There is no plugin "${name}".`);
      },
      remove: async () => {},
      resume: () => {},
      logs: () => [],
    },
    channels: {
      pairing: {
        list: () => [],
        revoke: () => false,
        restore: () => 0,
        approve: () => {
          throw new PxError('pairing.unknown', 'no such code');
        },
      },
    },
    approvals: openApprovals({ bus }),
    sessions: {
      open: async (conversation: string) => ({ conversation, model: undefined, messages: [] }),
      stop: (conversation: string) => fake.stopped.push(conversation) > 0,
      running: () => [],
    },
    bus,
    log: createLog(),
    ready() {},
    status: () => ({
      version: '9.9.9',
      home: root,
      pid: 1,
      uptimeMs: 1,
      model: { ref: model, offline: true, note: 'no key' },
      memory: { rssBytes: 1, notes: 1, chunks: 1 },
      cpuMs: 1,
      queue: { running: 0, waiting: 0 },
      channels: [],
      plugins: [],
      config: { problem: '' },
      sandbox: { mode: 'required', layers: {} },
    }),
    submit: (inbound: Inbound) => {
      fake.submitted.push(inbound);
      bus.emit({ type: 'message.in', inbound });
      queueMicrotask(() => void run(inbound));
      return true;
    },
    setModel: async () => {},
    settled: async () => {},
    touch: () => {},
    close: async () => {},
  };
  // Only what the gateway calls is here; a test that reaches further fails loudly.
  return Object.assign(fake, { app: parts as unknown as App });
}
