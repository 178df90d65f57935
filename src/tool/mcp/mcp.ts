import { join } from 'node:path';
import type { ConfigStore, McpServerConfig } from '../../config/config.ts';
import { nearest } from '../../config/config.ts';
import { PxError } from '../../error/error.ts';
import type { Log } from '../../log/log.ts';
import type { Secrets } from '../../secret/secret.ts';
import type { JsonObject, JsonSchema } from '../../wire/wire.ts';
import type { McpAnswer } from './content.ts';
import { readList } from './list.ts';
import { openServer, type Server } from './server.ts';

/** A tool of an MCP server, under the name models know it by. */
export interface McpTool {
  server: string;
  /** `<server>_<tool>`, `[a-zA-Z0-9_-]{1,64}`. */
  name: string;
  description: string;
  parameters: JsonSchema;
  /** Text and pictures for the model. Throws PxError `mcp.unavailable`, `tool.failed`, `secret.missing`. */
  call(args: JsonObject, signal: AbortSignal): Promise<McpAnswer>;
}

/** What `px mcp list` shows of one server. */
export interface McpServerInfo {
  name: string;
  transport: 'stdio' | 'http';
  /** The command line, or the address; references are not filled in. */
  target: string;
  state: 'disabled' | 'off' | 'starting' | 'running' | 'failing';
  /** Why it fails, or what it calls itself. */
  detail: string;
  pid: number | null;
  tools: { name: string; description: string }[];
  /** When its tools were last listed, in ms since the epoch; null when never. */
  listedAt: number | null;
}

/** The MCP servers of px.yaml. */
export interface Mcp {
  /** Tools as last listed, from disk: no server runs for this. The same array until something changes. */
  tools(): McpTool[];
  servers(): McpServerInfo[];
  /** Starts a server and lists its tools anew. Throws PxError `mcp.unknown`, `mcp.unavailable`, `secret.missing`. */
  test(name: string, signal: AbortSignal): Promise<McpServerInfo>;
  /** Lists the tools of servers that were never asked, for a while at most. Never throws. */
  prepare(): Promise<void>;
  /** Ends every server. */
  close(): Promise<void>;
}

/** What {@link openMcp} is made from. */
export interface McpOptions {
  config: Pick<ConfigStore, 'current' | 'env' | 'home' | 'onChange'>;
  secrets: Pick<Secrets, 'resolve' | 'scrub'>;
  log: Log;
  version: string;
}

/** Longest wait for servers that were never asked, in ms: a turn must not hang on one that does not answer. */
const PREPARE_MS = 10_000;
const none: McpTool[] = [];

/** Opens them without starting any; the SDK is loaded when the first is used. */
export function openMcp(options: McpOptions): Mcp {
  const { config } = options;
  const running = new Map<string, { key: string; server: Server }>();
  let made: McpTool[] | undefined;
  let closed = false;

  const keyOf = (spec: McpServerConfig) => new Bun.CryptoHasher('sha256').update(JSON.stringify(spec)).digest('hex');
  const folder = join(config.home.state, 'mcp');

  /** The server of a name as px.yaml has it now; a changed one is a new one. */
  const serverOf = (name: string, spec: McpServerConfig): Server => {
    const key = keyOf(spec);
    const known = running.get(name);
    if (known?.key === key) return known.server;
    if (known) void known.server.close();
    const file = join(folder, `${name}.json`);
    const onList = () => {
      made = undefined;
    };
    const server = openServer({ ...options, name, spec, file, list: readList(file, key), listKey: key, onList });
    running.set(name, { key, server });
    return server;
  };
  const all = (): Server[] => Object.entries(config.current.mcp.servers).map(([name, spec]) => serverOf(name, spec));

  const off = config.onChange((current, changed) => {
    if (!changed.some((key) => /^mcp(\.|$)/.test(key))) return;
    made = undefined;
    for (const [name, { key, server }] of running) {
      const spec = current.mcp.servers[name];
      if (spec && keyOf(spec) === key) continue;
      running.delete(name);
      void server.close();
    }
  });

  return {
    tools() {
      if (made) return made;
      made = Object.keys(config.current.mcp.servers).length === 0 ? none : all().flatMap((server) => server.tools());
      return made;
    },
    servers: () => all().map((server) => server.info()),
    async test(name, signal) {
      const { servers } = config.current.mcp;
      const spec = Object.hasOwn(servers, name) ? servers[name] : undefined;
      if (!spec) {
        const near = nearest(name, Object.keys(servers));
        throw new PxError('mcp.unknown', `There is no MCP server "${name}" in px.yaml.`, {
          hint: near
            ? `Did you mean "${near}"?`
            : 'px mcp list shows those there are; mcp.servers in px.yaml has them.',
        });
      }
      const server = serverOf(name, spec);
      await server.refresh(signal, true);
      return server.info();
    },
    async prepare() {
      if (closed || Object.keys(config.current.mcp.servers).length === 0) return;
      const unknown = all().filter((server) => server.unlisted());
      if (unknown.length === 0) return;
      const signal = AbortSignal.timeout(PREPARE_MS);
      await Promise.allSettled(unknown.map((server) => server.refresh(signal)));
    },
    async close() {
      closed = true;
      off();
      await Promise.all([...running.values()].map(({ server }) => server.close()));
      running.clear();
    },
  };
}
