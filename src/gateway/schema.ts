import * as v from 'valibot';
import { errorCodes } from '../error/error.ts';

/** Any JSON value. */
export const json = v.unknown();
const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const at = v.pipe(v.number(), v.description('Milliseconds since the epoch.'));

export const errorReply = v.object({
  error: v.object({
    code: v.pipe(v.string(), v.description(`One of ${Object.keys(errorCodes).join(', ')}.`)),
    message: text,
    hint: v.optional(text),
    retryable: v.boolean(),
    data: v.optional(json),
  }),
});

export const channelName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]{0,62}$/, 'a channel has small letters, digits and dashes'),
);
export const chatName = v.pipe(
  v.string(),
  v.regex(/^[^\u0000-\u001f\u007f/\\]{1,200}$/, 'a chat has 1 to 200 characters, no slash and no control character'),
);
export const pluginName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]{0,62}$/, 'a plugin has small letters, digits and dashes'),
);
export const modelName = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(200),
  v.description('A reference like `openai/gpt-5`, or an alias.'),
);
export const conversationId = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]{0,62}\/[^\u0000-\u001f\u007f/\\]{1,200}$/, 'a conversation is written channel/chat'),
);

export const ok = v.object({ ok: v.literal(true) });

export const turnReply = v.object({
  answer: text,
  model: text,
  conversation: text,
  turn: text,
  reason: v.picklist(['stop', 'tool-calls', 'length', 'refusal', 'aborted', 'limit', 'error']),
  error: v.optional(errorReply.entries.error),
});

export const statusReply = v.object({
  version: text,
  home: text,
  pid: count,
  uptimeMs: count,
  model: v.object({ ref: text, offline: v.boolean(), note: text }),
  config: v.object({ problem: text }),
  memory: v.object({ rssBytes: count, notes: count, chunks: count }),
  cpuMs: v.pipe(v.number(), v.minValue(0)),
  queue: v.object({ running: count, waiting: count }),
  channels: v.array(
    v.object({ id: text, plugin: text, state: v.picklist(['running', 'waiting', 'failing', 'off']), detail: text }),
  ),
  plugins: v.array(
    v.object({ name: text, state: text, detail: text, pid: v.nullable(count), rssBytes: v.nullable(count) }),
  ),
  sandbox: v.object({ mode: text, layers: v.record(v.string(), text) }),
});

export const searchHit = v.object({ path: text, line: count, heading: text, snippet: text, score: v.number() });
export const noteReply = v.object({ path: text, from: count, text, totalLines: count });

export const noteChange = v.object({
  n: count,
  at,
  path: text,
  kind: v.picklist(['append', 'replace', 'undo']),
  added: count,
  removed: count,
  by: v.optional(v.object({ conversation: text, turn: text })),
  undoes: v.optional(count),
  undoneBy: v.optional(count),
  removedNote: v.optional(v.literal(true)),
});
export const undoReply = v.object({
  n: count,
  undoes: count,
  path: text,
  state: v.picklist(['undone', 'merged', 'nothing']),
});

export const pluginSummary = v.object({
  name: text,
  version: text,
  kind: v.picklist(['messaging', 'tool', 'component', 'script']),
  description: text,
  sha256: text,
  bytes: count,
  source: text,
  state: v.picklist(['idle', 'working', 'disabled', 'quarantined', 'broken']),
  detail: text,
});
const jsonSchema = v.record(v.string(), json);
/** Which asks: all, none, or these by their `rule`. */
export const grantChoice = v.union([
  v.picklist(['all', 'none']),
  v.pipe(v.array(v.pipe(v.string(), v.maxLength(2000))), v.maxLength(512)),
]);
export const pluginInfo = v.object({
  ...pluginSummary.entries,
  functions: v.array(
    v.object({
      name: text,
      params: v.array(v.object({ name: text, schema: jsonSchema })),
      result: v.nullable(jsonSchema),
      docs: text,
      notCallable: text,
    }),
  ),
  imports: v.array(text),
  manifest: v.object({
    name: text,
    version: text,
    description: text,
    egress: v.array(text),
    private_hosts: v.array(text),
    secrets: v.record(v.string(), v.array(text)),
    files: v.record(v.string(), text),
    schedule: v.record(v.string(), text),
    limits: v.record(v.string(), v.number()),
    setup: text,
    sealed: v.boolean(),
  }),
  asks: v.array(
    v.object({
      rule: text,
      kind: v.picklist(['egress', 'private', 'secret', 'folder', 'schedule', 'limit']),
      text,
      granted: v.boolean(),
    }),
  ),
  signedBy: text,
  tools: v.array(v.object({ plugin: text, name: text, description: text, parameters: jsonSchema })),
});
export const logLine = v.object({ at, level: text, message: text });

export const conversationSummary = v.object({ conversation: text, lastAt: at, entries: count });
/** A journal entry: `kind` says which further fields it has (docs/journal.md). */
export const journalEntry = v.looseObject({
  at,
  kind: v.picklist(['user', 'assistant', 'thinking', 'tool-call', 'tool-result', 'turn-end', 'model', 'note']),
});

export const openMessage = v.object({
  seq: count,
  id: text,
  channel: text,
  chat: text,
  sender: text,
  name: text,
  text,
  at,
  state: v.picklist(['waiting', 'old']),
});
export const job = v.object({
  id: text,
  when: text,
  zone: text,
  to: text,
  text,
  since: at,
  last: v.optional(at),
  missed: v.optional(at),
  next: v.optional(at),
});
export const openPart = v.object({
  id: count,
  channel: text,
  chat: text,
  text,
  state: v.picklist(['queued', 'sending', 'failed', 'unknown']),
  attempts: count,
  error: text,
  at,
  nextAt: v.pipe(v.number(), v.description('When it is tried next; 0: as soon as possible.')),
});

export const modelInfo = v.object({
  ref: text,
  provider: text,
  offline: v.boolean(),
  aliases: v.optional(v.array(text)),
  contextWindow: v.optional(count),
  cost: v.optional(v.pipe(text, v.description('What it costs, in words; dollars are for a million tokens.'))),
});
/** A networked provider, and how it stands. */
export const providerInfo = v.object({
  name: text,
  label: text,
  secret: v.pipe(text, v.description('The secret its key is kept under.')),
  keyUrl: v.pipe(text, v.description('Where a person gets a key; empty where none is needed.')),
  keyNeeded: v.boolean(),
  key: v.pipe(text, v.description('Where its key comes from, in words; empty without one.')),
  url: v.pipe(text, v.description('Where its requests go.')),
  defaultModel: text,
  problem: v.pipe(text, v.description('Why it is not among the models px last listed, in words; empty when it is.')),
});
export const providerName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]{0,62}$/, 'a provider has small letters, digits and dashes'),
);
const usageLine = v.object({
  key: text,
  calls: count,
  input: count,
  cached: count,
  output: count,
  usd: v.number(),
  notes: v.array(text),
});
export const contextReport = v.object({
  conversation: text,
  model: text,
  profile: text,
  window: v.nullable(count),
  added: count,
  total: count,
  parts: v.array(v.object({ name: text, tokens: count, stable: v.boolean() })),
});
export const usageReport = v.object({
  by: text,
  since: text,
  catalogue: text,
  caps: v.array(
    v.object({
      cap: v.picklist(['day', 'month', 'conversation', 'plugin']),
      limit: v.number(),
      spent: v.number(),
      reserved: v.number(),
    }),
  ),
  total: usageLine,
  lines: v.array(usageLine),
});
export const role = v.picklist(['owner', 'guest']);
export const pairingEntry = v.object({
  channel: text,
  sender: text,
  name: text,
  state: v.picklist(['pending', 'approved']),
  code: text,
  at,
  expiresAt: at,
  role,
  person: v.pipe(text, v.description('`channel/id` of the identity it is the same person as; else empty.')),
});

/** A tool call that waits for a person's word. */
export const approval = v.object({
  id: text,
  conversation: text,
  turn: text,
  call: text,
  tool: text,
  origin: v.pipe(text, v.description('`px`, `plugin/<name>` or `mcp/<server>`.')),
  arguments: v.pipe(
    text,
    v.description('JSON on one line, secrets taken out; of a long one the first and the last 1,000 characters.'),
  ),
  reason: text,
  labels: v.pipe(v.array(text), v.description('Where text from outside came from that was read before the call.')),
  asked: text,
  at,
  expires: v.pipe(v.number(), v.description('When it counts as denied, ms since the epoch.')),
});
/** A yes that goes on. */
export const standing = v.object({
  id: text,
  tool: text,
  conversation: text,
  outside: v.boolean(),
  by: text,
  at,
  until: v.pipe(v.number(), v.description('When it ends, ms since the epoch; 0: with the conversation.')),
});

/** One MCP server, as `px mcp list` shows it. */
export const mcpServer = v.object({
  name: v.string(),
  transport: v.picklist(['stdio', 'http']),
  target: v.string(),
  state: v.picklist(['disabled', 'off', 'starting', 'running', 'failing']),
  detail: v.string(),
  pid: v.nullable(v.number()),
  tools: v.array(v.object({ name: v.string(), description: v.string() })),
  listedAt: v.nullable(v.number()),
});

/** One thing px did. */
export const auditLine = v.object({
  at,
  conversation: text,
  path: text,
  line: count,
  kind: text,
  what: v.pipe(text, v.description("A tool call's name, or what happened in a word.")),
  detail: text,
  asked: text,
  ok: v.optional(v.boolean()),
  ms: v.optional(v.number()),
  approval: v.optional(v.object({ decision: text, by: text })),
});
/** Whether the journals are as px wrote them. */
export const auditVerdict = v.object({
  conversations: count,
  files: count,
  entries: count,
  problems: v.array(v.object({ path: text, line: count, reason: text })),
});
/** How a test call of a model went. */
export const modelTest = v.object({
  ok: v.boolean(),
  model: text,
  ms: v.number(),
  firstMs: v.pipe(v.nullable(v.number()), v.description('Until the first word, in ms.')),
  text,
  error: v.optional(errorReply.entries.error),
});

/** What became of a script's message. */
export const hookReply = v.object({
  accepted: v.literal(true),
  id: text,
  conversation: text,
  state: v.picklist(['waiting', 'answered']),
  answer: v.optional(text),
});
