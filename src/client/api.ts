import * as v from 'valibot';
import { type ErrorShape, fromErrorShape, PxError } from '../error/error.ts';
import { replies } from '../gateway/gateway.ts';
import type { GrantChoice } from '../plugin/plugin.ts';
import type { ConversationId, Json, SendMessage, TurnEvent } from '../wire/wire.ts';
import { readSse } from './sse.ts';

/** What may come with a message: a model for it alone, pictures and documents. */
type Say = Omit<SendMessage, 'text'>;

/** How requests travel: `fetch` itself, or a function that answers in this process. */
export type Fetch = (request: Request) => Promise<Response>;

/** The typed client of a gateway. Every method throws PxError: the server's own, or `gateway.unreachable`. */
export type Client = ReturnType<typeof createClient>;

const unreachableHint = 'Start it with `px serve`.';

/** Makes a client. Without `fetch` it talks to `url` over HTTP. */
export function createClient(options: { url: string; token: string; fetch?: Fetch }) {
  const { url, token } = options;
  const send: Fetch = options.fetch ?? ((request) => fetch(request, { timeout: false }));

  const request = async (method: string, path: string, body?: unknown, extra: RequestInit = {}): Promise<Response> => {
    const headers = new Headers({ authorization: `Bearer ${token}`, accept: 'application/json' });
    if (body !== undefined) headers.set('content-type', 'application/json');
    for (const [name, value] of new Headers(extra.headers)) headers.set(name, value);
    const init: RequestInit = {
      ...extra,
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    let response: Response;
    try {
      response = await send(new Request(new URL(path, url).href, init));
    } catch (cause) {
      if (extra.signal?.aborted) throw new PxError('interrupted', 'The request was stopped.', { cause });
      throw new PxError('gateway.unreachable', `px cannot be reached at ${url}.`, {
        hint: unreachableHint,
        retryable: true,
        cause,
      });
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  };

  const call = async <S extends v.GenericSchema>(
    schema: S,
    method: string,
    path: string,
    body?: unknown,
    extra?: RequestInit,
  ): Promise<v.InferOutput<S>> => {
    const result = v.safeParse(schema, await (await request(method, path, body, extra)).json());
    if (result.success) return result.output;
    throw new PxError('gateway.bad-request', `px answered ${method} ${path} with something unexpected.`, {
      hint: 'The px that runs may be of another version: restart it with `px serve`.',
      cause: result.issues,
    });
  };

  const enc = encodeURIComponent;
  const at = (conversation: ConversationId) => {
    const slash = conversation.indexOf('/');
    return `/api/conversations/${enc(conversation.slice(0, slash))}/${enc(conversation.slice(slash + 1))}`;
  };
  const query = (values: Record<string, string | number | undefined>) => {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(values)) if (value !== undefined) search.set(name, String(value));
    return search.size === 0 ? '' : `?${search}`;
  };

  return {
    url,
    token,
    /** True when a px answers there. Never throws. */
    alive: async (): Promise<boolean> => {
      try {
        return (await send(new Request(new URL('/healthz', url).href, { signal: AbortSignal.timeout(2000) }))).ok;
      } catch {
        return false;
      }
    },
    /** The API as it describes itself: what of it a person reads. */
    openApi: () => call(openApi, 'GET', '/openapi.json'),
    status: () => call(replies.statusReply, 'GET', '/api/status'),
    /** A one-time sign-in code for a browser. */
    createCode: () => call(v.object({ code: v.string(), expiresAt: v.number() }), 'POST', '/api/links'),

    conversations: async () =>
      (await call(v.object({ conversations: v.array(replies.conversationSummary) }), 'GET', '/api/conversations'))
        .conversations,
    /** The latest entries; `pictures`: with the bytes of the latest pictures. */
    conversation: (id: ConversationId, limit?: number, pictures?: 'yes') =>
      call(
        v.object({ conversation: v.string(), model: v.nullable(v.string()), entries: v.array(replies.journalEntry) }),
        'GET',
        at(id) + query({ limit, pictures }),
      ),
    /** Says something and waits for the whole answer. */
    ask: (id: ConversationId, text: string, { signal, ...more }: Say & { signal?: AbortSignal } = {}) =>
      call(replies.turnReply, 'POST', `${at(id)}/messages`, { text, ...more }, signalOf(signal)),
    /** Says something and follows the turn; `turn.end` is last. */
    async *follow(
      id: ConversationId,
      text: string,
      { signal, ...more }: Say & { signal?: AbortSignal } = {},
    ): AsyncGenerator<TurnEvent> {
      const body = { text, ...more };
      const response = await request('POST', `${at(id)}/messages`, body, {
        headers: { accept: 'text/event-stream' },
        ...signalOf(signal),
      });
      // The stream is this program's own vocabulary, written by the gateway from the same type.
      for await (const data of readSse(response)) yield JSON.parse(data) as TurnEvent;
    },
    /** What was said in a chat: as the platform tells it, or the journal. */
    history: (channel: string, chat: string, limit?: number) =>
      call(
        v.object({
          source: v.string(),
          messages: v.array(v.object({ id: v.string(), name: v.string(), text: v.string() })),
        }),
        'GET',
        `/api/channels/${enc(channel)}/${enc(chat)}/history${query({ limit })}`,
      ),
    /** Sends a text to a chat as it is, without the agent; `outbox` lists it until it has arrived. */
    sendText: (channel: string, chat: string, text: string) =>
      call(replies.ok, 'POST', `/api/channels/${enc(channel)}/${enc(chat)}/messages`, { text }),
    stop: async (id: ConversationId) =>
      (await call(v.object({ stopped: v.boolean() }), 'POST', `${at(id)}/stop`)).stopped,
    setModel: (id: ConversationId, model: string) =>
      call(v.object({ conversation: v.string(), model: v.string() }), 'POST', `${at(id)}/model`, { model }),

    approvals: {
      /** Calls that wait for a person's word, and what is allowed without asking again. */
      list: () =>
        call(
          v.object({ approvals: v.array(replies.approval), standing: v.array(replies.standing) }),
          'GET',
          '/api/approvals',
        ),
      /** `minutes` is for `time`. */
      decide: (id: string, decision: 'once' | 'session' | 'time' | 'deny', minutes?: number) =>
        call(replies.approval, 'POST', `/api/approvals/${enc(id)}`, {
          decision,
          ...(minutes === undefined ? {} : { minutes }),
        }),
      /** Takes back what was allowed for longer. */
      revoke: (id: string) => call(replies.ok, 'DELETE', `/api/approvals/${enc(id)}`),
    },

    /** Messages without an answer. */
    inbox: async () => (await call(v.object({ messages: v.array(replies.openMessage) }), 'GET', '/api/inbox')).messages,
    answerOld: (id: string) => call(replies.ok, 'POST', `/api/inbox/${enc(id)}/answer`),
    dropMessage: (id: string) => call(replies.ok, 'DELETE', `/api/inbox/${enc(id)}`),
    /** What px does by itself. */
    schedule: async () => (await call(v.object({ jobs: v.array(replies.job) }), 'GET', '/api/schedule')).jobs,
    addJob: (job: { id?: string; when: string; zone?: string; to?: string; text: string }) =>
      call(replies.job, 'POST', '/api/schedule', job),
    removeJob: (id: string) => call(replies.ok, 'DELETE', `/api/schedule/${enc(id)}`),
    runJob: (id: string) => call(replies.ok, 'POST', `/api/schedule/${enc(id)}/run`),
    /** Texts that have not arrived. */
    outbox: async () => (await call(v.object({ parts: v.array(replies.openPart) }), 'GET', '/api/outbox')).parts,
    retryPart: (id: string) => call(replies.ok, 'POST', `/api/outbox/${enc(id)}/retry`),
    dropPart: (id: string) => call(replies.ok, 'DELETE', `/api/outbox/${enc(id)}`),

    plugins: async () =>
      (await call(v.object({ plugins: v.array(replies.pluginSummary) }), 'GET', '/api/plugins')).plugins,
    /** Without `grant` a new plugin is granted nothing; `sha256` is of the file as `inspectPlugin` showed it. */
    addPlugin: (
      source: string,
      options: { name?: string; replace?: boolean; grant?: GrantChoice; sha256?: string } = {},
    ) => call(replies.pluginInfo, 'POST', '/api/plugins', { source, ...options }),
    /** Throws `plugin.asks` when the new version asks for more than is granted and `grant` is left out. */
    updatePlugin: (name: string, options: { grant?: GrantChoice; sha256?: string } = {}) =>
      call(
        v.object({ updated: v.boolean(), plugin: replies.pluginInfo }),
        'POST',
        `/api/plugins/${enc(name)}/update`,
        options,
      ),
    /** Which of a plugin's asks px.yaml grants: by their `rule`, or all of them. */
    grantPlugin: (name: string, choice: { grant?: GrantChoice; revoke?: GrantChoice }) =>
      call(replies.pluginInfo, 'POST', `/api/plugins/${enc(name)}/grant`, choice),
    plugin: (name: string) => call(replies.pluginInfo, 'GET', `/api/plugins/${enc(name)}`),
    /** A file or URL that is not installed. */
    inspectPlugin: (source: string, name?: string) =>
      call(replies.pluginInfo, 'POST', '/api/plugin-inspection', { source, ...(name === undefined ? {} : { name }) }),
    removePlugin: (name: string) => call(replies.ok, 'DELETE', `/api/plugins/${enc(name)}`),
    callPlugin: async (name: string, fn: string, args: Json[]): Promise<unknown> =>
      (await call(v.object({ result: v.unknown() }), 'POST', `/api/plugins/${enc(name)}/call/${enc(fn)}`, { args }))
        .result,
    /** Throws `plugin.invalid` when its file is not the one that was installed. */
    checkPlugin: (name: string) => call(replies.ok, 'POST', `/api/plugins/${enc(name)}/check`),
    resumePlugin: (name: string) => call(replies.ok, 'POST', `/api/plugins/${enc(name)}/resume`),
    pluginLogs: async (name: string) =>
      (await call(v.object({ lines: v.array(replies.logLine) }), 'GET', `/api/plugins/${enc(name)}/logs`)).lines,

    /** Keeps a file on the machine of px; `path` is what `addPlugin` takes. */
    upload: async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
      const response = await request('POST', `/api/uploads/${enc(name)}`, undefined, {
        body: bytes,
        headers: { 'content-type': 'application/octet-stream' },
      });
      return v.parse(v.object({ path: v.string(), bytes: v.number() }), await response.json());
    },

    /** What px did. */
    audit: (
      query_: { day?: string; tool?: string; conversation?: string; by?: string; all?: 'yes'; limit?: number } = {},
    ) => call(v.object({ lines: v.array(replies.auditLine), more: v.boolean() }), 'GET', `/api/audit${query(query_)}`),
    verifyAudit: () => call(replies.auditVerdict, 'POST', '/api/audit/verify'),

    mcpServers: async () => (await call(v.object({ servers: v.array(replies.mcpServer) }), 'GET', '/api/mcp')).servers,
    /** Starts an MCP server and lists its tools anew. */
    testMcp: (name: string) => call(replies.mcpServer, 'POST', `/api/mcp/${enc(name)}/test`),

    /** Full-text search. Of a long question the first 1,000 characters are asked for: more does not fit into an address. */
    search: async (
      q: string,
      options: { limit?: number; under?: string; when?: string; speaker?: string; tag?: string } = {},
    ) =>
      (
        await call(
          v.object({ hits: v.array(replies.searchHit) }),
          'GET',
          `/api/memory/search${query({ q: q.slice(0, 1_000), ...options })}`,
        )
      ).hits,
    notes: async (under?: string) =>
      (await call(v.object({ notes: v.array(v.string()) }), 'GET', `/api/memory/notes${query({ under })}`)).notes,
    note: (path: string, from?: number, lines?: number) =>
      call(replies.noteReply, 'GET', `/api/memory/note${query({ path, from, lines })}`),
    writeNote: (path: string, text: string, mode: 'append' | 'replace') =>
      call(v.object({ path: v.string(), line: v.number() }), 'PUT', '/api/memory/note', { path, text, mode }),
    /** Changes px made to notes, latest first. */
    changes: async (options: { path?: string; conversation?: string; limit?: number } = {}) =>
      (await call(v.object({ changes: v.array(replies.noteChange) }), 'GET', `/api/memory/changes${query(options)}`))
        .changes,
    diff: (change: number) =>
      call(v.object({ n: v.number(), path: v.string(), diff: v.string() }), 'GET', `/api/memory/changes/${change}`),
    undo: (change: number) => call(replies.undoReply, 'POST', '/api/memory/undo', { change }),
    /** How well the index fits the files. */
    compareMemory: () =>
      call(
        v.object({ files: v.number(), stale: v.number(), gone: v.number(), large: v.array(v.string()) }),
        'GET',
        '/api/memory/index',
      ),
    rebuildMemory: () =>
      call(v.object({ notes: v.number(), chunks: v.number(), people: v.number() }), 'POST', '/api/memory/rebuild'),

    config: () => call(v.record(v.string(), v.unknown()), 'GET', '/api/config'),
    setConfig: (key: string, value: unknown) => call(replies.ok, 'PUT', `/api/config/${enc(key)}`, { value }),
    configSchema: () => call(v.record(v.string(), v.unknown()), 'GET', '/api/config/schema'),
    /** px.yaml as it is written. */
    configFile: () =>
      call(v.object({ text: v.string(), problem: v.string(), path: v.string() }), 'GET', '/api/config-file'),
    /** `was`: the text that was edited; another one in its place by now is a conflict. */
    writeConfigFile: (text: string, was?: string) =>
      call(replies.ok, 'PUT', '/api/config-file', { text, ...(was === undefined ? {} : { was }) }),
    unsetConfig: (key: string) => call(replies.ok, 'DELETE', `/api/config/${enc(key)}`),
    models: () =>
      call(
        v.object({ default: v.object({ ref: v.string(), why: v.string() }), models: v.array(replies.modelInfo) }),
        'GET',
        '/api/models',
      ),
    /** Nothing is asked of the providers. */
    providers: async () =>
      (await call(v.object({ providers: v.array(replies.providerInfo) }), 'GET', '/api/providers')).providers,
    /** Asks the provider; throws what it says. */
    offered: (provider: string) =>
      call(
        v.object({ models: v.array(v.string()), usual: v.string() }),
        'GET',
        `/api/providers/${enc(provider)}/models`,
      ),
    /** A real call, for a word. */
    testModel: (model: string) => call(replies.modelTest, 'POST', '/api/model-test', { model }),
    /** What the next request of a conversation is made of. */
    context: (id: ConversationId) => call(replies.contextReport, 'GET', `${at(id)}/context`),
    /** What model calls cost. */
    usage: (options: { by?: string; since?: string; conversation?: string } = {}) =>
      call(replies.usageReport, 'GET', `/api/usage${query(options)}`),
    secretNames: async () => (await call(v.object({ names: v.array(v.string()) }), 'GET', '/api/secrets')).names,
    setSecret: (name: string, value: string) => call(replies.ok, 'PUT', `/api/secrets/${enc(name)}`, { value }),
    removeSecret: async (name: string) =>
      (await call(v.object({ removed: v.boolean() }), 'DELETE', `/api/secrets/${enc(name)}`)).removed,
    pairings: async () =>
      (await call(v.object({ pairings: v.array(replies.pairingEntry) }), 'GET', '/api/pairing')).pairings,
    /** Without a role the first is the owner, all others are guests. */
    approvePairing: (code: string, role?: 'owner' | 'guest') =>
      call(
        v.object({ channel: v.string(), sender: v.string(), name: v.string(), role: replies.role }),
        'POST',
        '/api/pairing/approve',
        { code, ...(role === undefined ? {} : { role }) },
      ),
    setRole: (channel: string, sender: string, role: 'owner' | 'guest') =>
      call(replies.ok, 'PUT', `/api/pairing/${enc(channel)}/${enc(sender)}`, { role }),
    revokePairing: async (channel: string, sender: string) =>
      (await call(v.object({ revoked: v.boolean() }), 'DELETE', `/api/pairing/${enc(channel)}/${enc(sender)}`)).revoked,
  };
}

const parameter = v.object({
  name: v.string(),
  required: v.optional(v.boolean(), false),
  description: v.optional(v.string(), ''),
});
const openApi = v.object({
  paths: v.record(
    v.string(),
    v.record(v.string(), v.object({ summary: v.string(), parameters: v.optional(v.array(parameter), []) })),
  ),
});

function signalOf(signal: AbortSignal | undefined): RequestInit {
  return signal === undefined ? {} : { signal };
}

async function errorOf(response: Response): Promise<PxError> {
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = v.safeParse(replies.errorReply, body);
  // The code is checked against the known ones by fromErrorShape.
  if (parsed.success) return fromErrorShape(parsed.output.error as ErrorShape);
  return new PxError('gateway.bad-request', `px answered HTTP ${response.status}.`, { hint: unreachableHint });
}
