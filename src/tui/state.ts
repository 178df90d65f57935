import type { Client } from '../client/client.ts';
import type { LogEntry, LogLevel } from '../log/log.ts';
import type { Approval, ConversationId, Status } from '../wire/wire.ts';
import type { ChangesOverlay } from './changes.ts';
import type { Input } from './input.ts';

/** The panes, in the order of their numbers. */
export const panes = ['chat', 'turns', 'plugins', 'log', 'models', 'health'] as const;
export type Pane = (typeof panes)[number];

/** Log levels, least to most severe. */
export const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** One thing in the conversation that is shown. Texts are as they came: they are made safe when they are drawn. */
export type ChatItem = { at: number } & (
  | { kind: 'person'; name: string; text: string }
  | { kind: 'agent'; turn: string; text: string; model: string }
  | { kind: 'thought'; turn: string; text: string }
  | {
      kind: 'tool';
      turn: string;
      id: string;
      name: string;
      args: string;
      done?: { text: string; ok: boolean; ms: number };
    }
  | { kind: 'note'; text: string; bad: boolean }
);

/** A turn of any conversation. */
export interface TurnView {
  turn: string;
  conversation: string;
  model: string;
  at: number;
  endedAt?: number;
  reason?: string;
  characters: number;
  thinking: boolean;
  tools: { id: string; name: string; at: number; ms?: number; ok?: boolean }[];
  input: number;
  output: number;
}

/** One execution in a plugin, or something it was refused. */
export interface PluginEvent {
  at: number;
  plugin: string;
  what: string;
  ms?: number;
  state: 'ok' | 'failed' | 'denied' | 'note';
  detail: string;
}

/** What is known of a plugin. */
export interface PluginView {
  calls: number;
  failed: number;
  denied: number;
  ms: number;
  pid?: number;
  rssBytes?: number;
  state: string;
  /** Why it does not run; empty when it does. */
  detail: string;
}

/** What a model was used for since this program looks. */
interface ModelUse {
  calls: number;
  input: number;
  output: number;
  cached: number;
}

/** A list to choose from, or a search, over the panes. */
export type Overlay =
  | { kind: 'help' }
  | ChangesOverlay
  /** A question of px, whole: nobody should allow what they have not read. */
  | { kind: 'ask'; approval: Approval }
  | { kind: 'pick'; what: 'model' | 'conversation'; query: string; choices: string[]; at: number }
  | {
      kind: 'search';
      query: string;
      asked: string;
      hits: Awaited<ReturnType<Client['search']>>;
      at: number;
      busy: boolean;
    };

/** Everything the screen shows. */
export interface State {
  link: 'connecting' | 'live' | 'lost';
  url: string;
  version: string;
  conversation: ConversationId;
  /** The model of the conversation, when one was chosen for it. */
  model: string | undefined;
  chat: ChatItem[];
  turns: TurnView[];
  plugins: Map<string, PluginView>;
  pluginEvents: PluginEvent[];
  log: LogEntry[];
  models: Map<string, ModelUse>;
  /** Tool calls that wait for a word, oldest first. */
  approvals: Approval[];
  /** People who ask to be let in. */
  pairings: { channel: string; sender: string; code: string }[];
  status: Status | undefined;
  /** Samples of the daemon, oldest first: bytes; per cent of one processor. */
  rss: number[];
  cpu: number[];
  /** Processor time at the last sample. */
  cpuAt: { at: number; ms: number } | undefined;
  view: {
    pane: Pane;
    /** True while what is typed goes into the message. */
    typing: boolean;
    input: Input;
    /** What was said before, for the arrow keys; `at` is its length when none of it is shown. */
    history: { said: string[]; at: number };
    /** Rows scrolled away from where a pane rests: its newest line, or its first. */
    scroll: Record<Pane, number>;
    /** Rows a pane had when it was last drawn: one who has scrolled up stays at what is being read. */
    rows: Record<Pane, number>;
    level: LogLevel;
    overlay: Overlay | undefined;
    /** One line above the keys, until `until`. */
    toast: { text: string; bad: boolean; until: number } | undefined;
  };
}

/** The state before anything is known. */
export function emptyState(conversation: ConversationId): State {
  return {
    link: 'connecting',
    url: '',
    version: '',
    conversation,
    model: undefined,
    chat: [],
    turns: [],
    plugins: new Map(),
    pluginEvents: [],
    log: [],
    models: new Map(),
    approvals: [],
    pairings: [],
    status: undefined,
    rss: [],
    cpu: [],
    cpuAt: undefined,
    view: {
      pane: 'chat',
      typing: true,
      input: { text: '', caret: 0 },
      history: { said: [], at: 0 },
      scroll: { chat: 0, turns: 0, plugins: 0, log: 0, models: 0, health: 0 },
      rows: { chat: 0, turns: 0, plugins: 0, log: 0, models: 0, health: 0 },
      level: 'info',
      overlay: undefined,
      toast: undefined,
    },
  };
}

/** Appends and keeps the newest `most`: this program may run for weeks on a small machine. */
export function push<T>(list: T[], item: T, most: number): undefined {
  list.push(item);
  if (list.length > most) list.splice(0, list.length - most);
}

/** Shows one line for a while. */
export function toast(state: State, text: string, bad = false, now = Date.now()): undefined {
  state.view.toast = { text, bad, until: now + 6000 };
}

/** The turns that run now, oldest first. */
export function running(state: State): TurnView[] {
  return state.turns.filter((turn) => turn.endedAt === undefined);
}
