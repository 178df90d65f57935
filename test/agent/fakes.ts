import type { Agent, AgentOptions } from '../../src/agent/agent.ts';
import { createAgent } from '../../src/agent/agent.ts';
import { PxError } from '../../src/error/error.ts';
import { createLog } from '../../src/log/log.ts';
import type { JournalEntry } from '../../src/memory/memory.ts';
import type { ModelEvent, ModelRequest, Models } from '../../src/model/model.ts';
import type { PluginTool } from '../../src/plugin/plugin.ts';
import { labelsOf, type Session, type Sessions } from '../../src/session/session.ts';
import { createTools } from '../../src/tool/tool.ts';
import { createBus, type Inbound, type JsonObject, type Message, type PxEvent } from '../../src/wire/wire.ts';
import { fakeConfig, fakeMemory } from '../tool/fakes.ts';

/** What a scripted model does in one call; a function may wait or look at the request. */
export type Reply =
  | ModelEvent[]
  | ((request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent> | Promise<ModelEvent[]>);

export const say = (text: string): ModelEvent[] => [
  { type: 'text', text },
  { type: 'usage', usage: { input: 10, output: 5, cachedInput: 0 } },
  { type: 'end', reason: 'stop' },
];

let calls = 0;
export const use = (name: string, args: JsonObject = {}): ModelEvent => ({
  type: 'tool-call',
  call: { type: 'tool-call', id: `call-${++calls}`, name, args },
});

export const useTools = (...events: ModelEvent[]): ModelEvent[] => [...events, { type: 'end', reason: 'tool-calls' }];

/** A model that plays a script, the last reply again and again. */
export function scripted(script: Reply[]): Models & { requests: ModelRequest[] } {
  const requests: ModelRequest[] = [];
  return {
    requests,
    default: { ref: 'offline/px', why: 'nothing else is set up' },
    resolve(name) {
      if (!name.includes('/'))
        throw new PxError('model.unknown', `No model "${name}".`, { hint: 'Did you mean "fast"?' });
      return name as `${string}/${string}`;
    },
    async *stream(request, signal) {
      const { onFailover: _, onTool: __, ...plain } = request;
      requests.push(structuredClone(plain));
      const reply = script[Math.min(requests.length, script.length) - 1] ?? [];
      const events = typeof reply === 'function' ? reply(request, signal) : reply;
      for await (const event of Symbol.asyncIterator in events ? events : await events) yield event;
    },
    window: async () => undefined,
    spend: {
      tariff: () => ({ price: undefined, source: 'free: offline', known: true }),
      caps: () => [],
      report: ({ by, since = '' }) => {
        const total = { key: 'total', calls: 0, input: 0, cached: 0, output: 0, usd: 0, notes: [] };
        return { by, since, catalogue: '2026-01-01', caps: [], total, lines: [] };
      },
    },
    list: async () => [
      { ref: 'offline/px', provider: 'offline', offline: true },
      { ref: 'openai/gpt-5', provider: 'openai', offline: false },
    ],
    embed: async () => ({ vectors: [], tokens: 0 }),
    detect: async () => {},
    providers: () => [],
    offered: async () => ({ models: [], usual: '' }),
    close: () => {},
  };
}

/** Sessions over a journal in memory. */
export function fakeSessions(journal: JournalEntry[]): Sessions & { stopped: string[] } {
  const session: { -readonly [K in keyof Session]: Session[K] } = {
    conversation: 'cli/default',
    model: undefined,
    queue: undefined,
    messages: messagesOf(journal),
    labels: labelsOf(journal),
  };
  const stopped: string[] = [];
  return {
    stopped,
    open: async () => session,
    append: async (_conversation, entries) => {
      journal.push(...entries);
      session.messages = messagesOf(journal);
      session.labels = labelsOf(journal);
    },
    setModel: async (_conversation, model) => {
      session.model = model;
    },
    setQueue: async (_conversation, mode) => {
      session.queue = mode;
    },
    queueMode: () => session.queue ?? 'followup',
    reset: async () => {
      session.messages = [];
    },
    enqueue: async (_conversation, work) => work(new AbortController().signal),
    stop: (conversation) => stopped.push(conversation) === 1,
    running: () => [],
    close: async () => {},
  };
}

function messagesOf(journal: JournalEntry[]): Message[] {
  const messages: Message[] = [];
  const assistant = () => {
    const last = messages.at(-1);
    if (last?.role === 'assistant') return last;
    const made: Extract<Message, { role: 'assistant' }> = { role: 'assistant', parts: [] };
    messages.push(made);
    return made;
  };
  for (const entry of journal) {
    if (entry.kind === 'user') messages.push({ role: 'user', parts: [{ type: 'text', text: entry.text }] });
    else if (entry.kind === 'assistant') assistant().parts.push({ type: 'text', text: entry.text });
    else if (entry.kind === 'tool-call') assistant().parts.push(entry.call);
    else if (entry.kind === 'tool-result') {
      const last = messages.at(-1);
      if (last?.role === 'tool') last.parts.push(entry.result);
      else messages.push({ role: 'tool', parts: [entry.result] });
    }
  }
  return messages;
}

export const inbound = (text: string, id = 'm1'): Inbound => ({
  conversation: 'cli/default',
  channel: 'cli',
  chat: 'default',
  id,
  sender: { id: 'owner', name: 'Ada' },
  text,
  at: 1,
});

/** An agent with everything around it faked, and what one looks at afterwards. */
export function agentWith(
  script: Reply[],
  options: {
    yaml?: unknown;
    tools?: PluginTool[];
    journal?: JournalEntry[];
    notes?: { [path: string]: string };
    over?: Partial<AgentOptions>;
  } = {},
) {
  const journal = options.journal ?? [];
  const models = scripted(script);
  const memory = fakeMemory(options.notes ?? {});
  memory.journal.read = async () => journal;
  const config = fakeConfig(options.yaml ?? {});
  const log = createLog();
  const bus = createBus();
  const events: PxEvent[] = [];
  bus.on((event) => events.push(event));
  const plugins = { tools: () => options.tools ?? [] };
  const tools = createTools({ memory, plugins, config, secrets: { scrub: (text) => text }, log });
  const sessions = fakeSessions(journal);
  const agent: Agent = createAgent({ models, tools, sessions, memory, config, log, bus, ...options.over });
  const abort = new AbortController();
  const ask = (text: string, more: { id?: string; leftOver?: boolean; model?: string } = {}) => {
    const { id, ...rest } = more;
    return agent.turn({ inbound: inbound(text, id), ...rest }, abort.signal);
  };
  const kinds = () => journal.map((entry) => entry.kind);
  const streamed = () => events.flatMap((event) => (event.type === 'turn.text' ? [event.text] : [])).join('');
  return { agent, ask, abort, journal, kinds, models, memory, sessions, tools, events, streamed };
}
