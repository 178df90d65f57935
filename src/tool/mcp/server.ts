import type { McpServerConfig } from '../../config/config.ts';
import { PxError, toPxError } from '../../error/error.ts';
import { orAborted } from '../aborted.ts';
import type { Connection } from './connect.ts';
import type { McpAnswer } from './content.ts';
import { boundTools, type ToolList, toolName, writeList } from './list.ts';
import type { McpOptions, McpServerInfo, McpTool } from './mcp.ts';

/** One server: started when used, ended when idle, started again after a while when it fails. */
export interface Server {
  tools(): McpTool[];
  info(): McpServerInfo;
  /** True when its tools were never listed and it may be asked now. */
  unlisted(): boolean;
  /** Starts it and lists its tools; `now` does not wait for the back-off to pass. */
  refresh(signal: AbortSignal, now?: boolean): Promise<void>;
  close(): Promise<void>;
}

/** What a server is made from. */
export interface ServerOptions extends McpOptions {
  name: string;
  spec: McpServerConfig;
  /** Where its list of tools is kept, and under which key. */
  file: string;
  listKey: string;
  list: ToolList | undefined;
  /** The list changed. */
  onList(): void;
}

/** The wait after a failure: one second, doubled each time, a minute at most. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** How long changes of the list are collected. */
const CHANGED_MS = 300;

/** Makes it; nothing is started. */
export function openServer(options: ServerOptions): Server {
  const { name, spec, config, secrets, version } = options;
  const log = options.log.scope(`mcp/${name}`);
  let list = options.list;
  let connection: Connection | undefined;
  let connecting: Promise<Connection> | undefined;
  let failures = 0;
  let retryAt = 0;
  let lastError = '';
  let busy = 0;
  let idle: ReturnType<typeof setTimeout> | undefined;
  let soon: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  const inTime = () => AbortSignal.timeout(spec.timeout_seconds * 1000);
  const failed = (why: string) => {
    failures++;
    retryAt = Date.now() + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
    lastError = secrets.scrub(why);
    log.warn(`failed: ${lastError}`, { failures });
  };
  const unavailable = (why: string, cause?: unknown) =>
    new PxError('mcp.unavailable', `The MCP server ${name} ${why}`, {
      hint: `px mcp test ${name} tells more.`,
      retryable: true,
      cause,
    });

  const drop = async (): Promise<void> => {
    clearTimeout(idle);
    clearTimeout(soon);
    soon = undefined;
    const gone = connection;
    connection = undefined;
    await gone?.close();
  };

  const start = async (): Promise<Connection> => {
    const { connect } = await import('./connect.ts');
    let mine: Connection | undefined;
    try {
      mine = await connect({
        name,
        version,
        spec,
        resolve: secrets.resolve,
        path: config.env.get('PATH') ?? '/usr/local/bin:/usr/bin:/bin',
        say: (line) => log.debug(line),
        onChanged: () => mine && listSoon(mine),
        onClosed: (why) => {
          if (mine === undefined || connection !== mine) return;
          connection = undefined;
          clearTimeout(idle);
          if (!closed) failed(why);
        },
      });
    } catch (thrown) {
      if (thrown instanceof PxError && thrown.code === 'secret.missing') throw thrown;
      failed(toPxError(thrown).message);
      throw unavailable(`cannot be used: ${lastError}`, thrown);
    }
    if (closed) {
      await mine.close();
      throw unavailable('was switched off.');
    }
    connection = mine;
    log.info(`connected to ${mine.title}`, mine.pid === null ? {} : { pid: mine.pid });
    return mine;
  };

  const connected = (now = false): Promise<Connection> => {
    if (closed) return Promise.reject(unavailable('was switched off.'));
    if (!spec.enabled)
      return Promise.reject(
        new PxError('mcp.unavailable', `The MCP server ${name} is switched off in px.yaml.`, {
          hint: `px config set mcp.servers.${name}.enabled true`,
        }),
      );
    if (connection) return Promise.resolve(connection);
    const wait = retryAt - Date.now();
    if (!connecting && wait > 0 && !now)
      return Promise.reject(unavailable(`failed and is tried again in ${Math.ceil(wait / 1000)} s: ${lastError}`));
    connecting ??= start().finally(() => {
      connecting = undefined;
    });
    return connecting;
  };

  /** Counts what is going on, so that a server is idle only when nothing is. */
  const using = async <T>(work: () => Promise<T>): Promise<T> => {
    busy++;
    clearTimeout(idle);
    try {
      return await work();
    } finally {
      busy--;
      if (busy === 0 && connection && !closed) {
        idle = setTimeout(() => void drop(), spec.idle_seconds * 1000);
        idle.unref();
      }
    }
  };

  const relist = async (to: Connection, signal: AbortSignal): Promise<void> => {
    const tools = boundTools(await to.list(signal));
    const same = list !== undefined && Bun.deepEquals(list.tools, tools, true);
    list = { at: Date.now(), tools };
    if (!same) options.onList();
    if (!closed) writeList(options.file, options.listKey, list);
  };

  /** A server that says again and again that its tools changed is asked a few times a second at most. */
  const listSoon = (to: Connection): void => {
    soon ??= setTimeout(() => {
      soon = undefined;
      if (connection === to) void relist(to, inTime()).catch(() => {});
    }, CHANGED_MS);
  };

  const refresh = (signal: AbortSignal, now?: boolean) =>
    using(async () => {
      try {
        await relist(await orAborted(connected(now), signal), signal);
        failures = 0;
        lastError = '';
      } catch (thrown) {
        if (thrown instanceof PxError && thrown.code !== 'interrupted') throw thrown;
        failed(signal.aborted ? 'it did not answer in time' : toPxError(thrown).message);
        await drop();
        throw unavailable(`did not list its tools: ${lastError}`, thrown);
      }
    });

  const call = (tool: string, args: Parameters<McpTool['call']>[0], signal: AbortSignal): Promise<McpAnswer> =>
    using(async () => {
      const fresh = connection === undefined;
      let to = await orAborted(connected(), signal);
      // The list is refreshed on use, beside the call: what is new counts from the next prompt on.
      if (fresh) void relist(to, inTime()).catch(() => {});
      let answer = await to.call(tool, args, signal);
      if (answer === 'gone') {
        // The server forgot the session (it was restarted): once more with a new one.
        await drop();
        to = await orAborted(connected(), signal);
        answer = await to.call(tool, args, signal);
      }
      if (answer === 'gone') throw unavailable('does not keep a session.');
      failures = 0;
      lastError = '';
      if (answer.isError) throw new PxError('tool.failed', answer.text || `${tool} failed and said nothing.`);
      return answer;
    });

  return {
    unlisted: () => spec.enabled && list === undefined && !closed && Date.now() >= retryAt,
    tools() {
      if (!spec.enabled) return [];
      return (list?.tools ?? []).map((tool) => ({
        server: name,
        name: toolName(name, tool.name),
        description: tool.description,
        parameters: tool.parameters,
        call: (args, signal) => call(tool.name, args, signal),
      }));
    },
    info: () => ({
      name,
      transport: spec.url === undefined ? 'stdio' : 'http',
      target: secrets.scrub(spec.url ?? [spec.command, ...spec.args].join(' ')),
      state: !spec.enabled
        ? 'disabled'
        : connection
          ? 'running'
          : connecting
            ? 'starting'
            : lastError
              ? 'failing'
              : 'off',
      detail: lastError || (connection?.title ?? ''),
      pid: connection?.pid ?? null,
      tools: (list?.tools ?? []).map((tool) => ({ name: toolName(name, tool.name), description: tool.description })),
      listedAt: list?.at ?? null,
    }),
    refresh,
    async close() {
      closed = true;
      await connecting?.catch(() => {});
      await drop();
    },
  };
}
