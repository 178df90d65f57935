import type { PxEvent, Status, ToolResultPart } from '../wire/wire.ts';
import { type ChatItem, type PluginView, push, type State, type TurnView } from './state.ts';

const most = { chat: 500, turns: 100, plugins: 300, log: 1000, samples: 240 };
/** The most of one text that is kept, in characters. */
const maxText = 100_000;

/** What became of a question. */
const said = {
  once: 'allowed once',
  session: 'allowed until /new',
  time: 'allowed for a time',
  deny: 'not allowed',
  expired: 'not answered in time',
} as const;

/** Takes one event into the state. */
export function takeEvent(state: State, event: PxEvent): undefined {
  switch (event.type) {
    case 'message.in': {
      if (event.inbound.conversation !== state.conversation) return;
      const { sender, text } = event.inbound;
      return say(state, { at: event.at, kind: 'person', name: sender.name || sender.id, text });
    }
    case 'message.out': {
      if (event.state !== 'failed') return;
      const text = `not delivered to ${event.channel}: ${event.error?.message ?? 'unknown why'}`;
      if (event.conversation === state.conversation) say(state, { at: event.at, kind: 'note', text, bad: true });
      return;
    }
    case 'model.changed':
      // Another model stood in for one answer: what the conversation is set to is the same.
      if (event.by === 'failover') return;
      if (event.conversation === state.conversation) state.model = event.model;
      else if (event.conversation === undefined && state.status) state.status.model.ref = event.model;
      return;
    case 'plugin.started': {
      const plugin = pluginOf(state, event.plugin);
      plugin.pid = event.pid;
      plugin.state = 'working';
      return happened(state, event.plugin, event.at, {
        what: 'started',
        ms: event.ms,
        state: 'note',
        detail: `pid ${event.pid}`,
      });
    }
    case 'plugin.stopped': {
      const plugin = pluginOf(state, event.plugin);
      delete plugin.pid;
      delete plugin.rssBytes;
      plugin.state = event.reason === 'fault' ? 'fault' : 'idle';
      const bad = event.reason === 'fault';
      return happened(state, event.plugin, event.at, {
        what: 'stopped',
        state: bad ? 'failed' : 'note',
        detail: event.reason,
      });
    }
    case 'plugin.call': {
      const plugin = pluginOf(state, event.plugin);
      plugin.calls++;
      plugin.ms += event.ms;
      if (!event.ok) plugin.failed++;
      const detail = event.error ? `${event.error.code} ${event.error.message}` : '';
      return happened(state, event.plugin, event.at, {
        what: event.function,
        ms: event.ms,
        state: event.ok ? 'ok' : 'failed',
        detail,
      });
    }
    case 'plugin.denied':
      pluginOf(state, event.plugin).denied++;
      return happened(state, event.plugin, event.at, { what: event.capability, state: 'denied', detail: event.detail });
    case 'plugin.changed':
      if (event.change === 'removed') state.plugins.delete(event.plugin);
      return happened(state, event.plugin, event.at, { what: event.change, state: 'note', detail: '' });
    case 'approval.asked': {
      const { type: _, ...approval } = event;
      state.approvals = [...state.approvals.filter((one) => one.id !== event.id), approval].slice(-20);
      const text = `May I use ${event.tool} with ${event.arguments}? I ask because ${event.reason}.`;
      if (event.conversation === state.conversation) say(state, { at: event.at, kind: 'note', text, bad: false });
      return;
    }
    case 'approval.decided': {
      state.approvals = state.approvals.filter((one) => one.id !== event.id);
      const { overlay } = state.view;
      if (overlay?.kind === 'ask' && overlay.approval.id === event.id) state.view.overlay = undefined;
      const text = `${said[event.decision]}: ${event.tool}, by ${event.by}`;
      if (event.conversation === state.conversation) say(state, { at: event.at, kind: 'note', text, bad: false });
      return;
    }
    case 'pairing.requested':
      state.pairings = [...state.pairings.filter((one) => one.code !== event.code), event].slice(-20);
      return;
    case 'pairing.approved':
      state.pairings = state.pairings.filter((one) => one.channel !== event.channel || one.sender !== event.sender);
      return;
    case 'config.rejected':
      return note(state, event.at, 'warn', `px.yaml was not taken: ${event.error.message}`);
    case 'log':
      return push(state.log, event.entry, most.log);
    default:
      if (event.type.startsWith('turn.')) takeTurn(state, event as Extract<PxEvent, { turn: string }>);
  }
}

/** A reply of `GET /api/status`, at the time it came. */
export function takeStatus(state: State, status: Status, now = Date.now()): undefined {
  const before = state.cpuAt;
  if (before && now > before.at && state.status?.pid === status.pid)
    push(state.cpu, Math.max(0, ((status.cpuMs - before.ms) / (now - before.at)) * 100), most.samples);
  state.cpuAt = { at: now, ms: status.cpuMs };
  push(state.rss, status.memory.rssBytes, most.samples);
  state.status = status;
  for (const one of status.plugins) {
    const { pid: _pid, rssBytes: _rss, ...known } = pluginOf(state, one.name);
    const memory = one.rssBytes === null ? {} : { rssBytes: one.rssBytes };
    state.plugins.set(one.name, {
      ...known,
      state: one.state,
      detail: one.detail,
      ...(one.pid === null ? {} : { pid: one.pid }),
      ...memory,
    });
  }
}

function takeTurn(state: State, event: Extract<PxEvent, { turn: string }>): undefined {
  const shown = event.conversation === state.conversation;
  if (event.type === 'turn.start')
    push(state.turns, newTurn(event.turn, event.conversation, event.model, event.at), most.turns);
  let turn = state.turns.findLast((one) => one.turn === event.turn);
  if (!turn) {
    turn = newTurn(event.turn, event.conversation, '', event.at);
    push(state.turns, turn, most.turns);
  }
  switch (event.type) {
    case 'turn.text':
      turn.characters += event.text.length;
      turn.thinking = false;
      if (shown) grow(state, { at: event.at, kind: 'agent', turn: event.turn, model: turn.model, text: event.text });
      return;
    case 'turn.thinking':
      turn.thinking = true;
      if (shown) grow(state, { at: event.at, kind: 'thought', turn: event.turn, text: event.text });
      return;
    case 'turn.note':
      if (shown) say(state, { at: event.at, kind: 'note', text: event.text, bad: false });
      return;
    case 'turn.tool': {
      turn.tools.push({ id: event.call.id, name: event.call.name, at: event.at });
      const args = JSON.stringify(event.call.args);
      if (shown)
        say(state, { at: event.at, kind: 'tool', turn: event.turn, id: event.call.id, name: event.call.name, args });
      return;
    }
    case 'turn.tool-result': {
      const { result, ms } = event;
      const call = turn.tools.findLast((one) => one.id === result.callId);
      if (call) Object.assign(call, { ms, ok: !result.isError });
      if (shown) finishTool(state.chat, event.turn, result, ms);
      return;
    }
    case 'turn.usage': {
      const { input, output, cachedInput } = event.usage;
      turn.input += input;
      turn.output += output;
      const use = state.models.get(event.model) ?? { calls: 0, input: 0, output: 0, cached: 0 };
      state.models.set(event.model, {
        calls: use.calls + 1,
        input: use.input + input,
        output: use.output + output,
        cached: use.cached + cachedInput,
      });
      return;
    }
    case 'turn.end':
      turn.endedAt = event.at;
      turn.reason = event.reason;
      turn.model = event.model;
      turn.thinking = false;
      if (shown && event.reason === 'aborted') say(state, { at: event.at, kind: 'note', text: 'stopped', bad: false });
  }
}

/** The result of a tool, put to its call. */
export function finishTool(chat: ChatItem[], turn: string, result: ToolResultPart, ms: number): void {
  const call = chat.findLast((one) => one.kind === 'tool' && one.id === result.callId && one.turn === turn);
  if (call?.kind !== 'tool') return;
  const text = result.content.map((part) => (part.type === 'text' ? part.text : `(${part.mime})`)).join('\n');
  call.done = { text: text.slice(0, maxText), ok: !result.isError, ms };
}

function newTurn(turn: string, conversation: string, model: string, at: number): TurnView {
  return { turn, conversation, model, at, characters: 0, thinking: false, tools: [], input: 0, output: 0 };
}

/** Text that goes on where the last item of the same kind and turn stopped. */
function grow(state: State, item: Extract<ChatItem, { kind: 'agent' | 'thought' }>): undefined {
  const last = state.chat.at(-1);
  if (last?.kind !== item.kind || last.turn !== item.turn) say(state, { ...item, text: item.text.replace(/^\n+/, '') });
  else if (last.text.length < maxText) last.text += item.text;
}

/** Adds to the conversation that is shown; one who has scrolled up stays with what is being read (the pane counts rows from the end). */
function say(state: State, item: ChatItem): undefined {
  push(state.chat, 'text' in item ? { ...item, text: item.text.slice(0, maxText) } : item, most.chat);
}

function note(state: State, at: number, level: 'warn', message: string): undefined {
  push(state.log, { at, level, scope: 'config', message }, most.log);
}

function pluginOf(state: State, name: string): PluginView {
  const known = state.plugins.get(name);
  if (known) return known;
  const made: PluginView = { calls: 0, failed: 0, denied: 0, ms: 0, state: 'idle', detail: '' };
  state.plugins.set(name, made);
  return made;
}

function happened(
  state: State,
  plugin: string,
  at: number,
  what: Omit<State['pluginEvents'][number], 'plugin' | 'at'>,
): undefined {
  push(state.pluginEvents, { at, plugin, ...what }, most.plugins);
}
