import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolResultSchema,
  ListToolsResultSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { McpServerConfig } from '../../config/config.ts';
import { PxError } from '../../error/error.ts';
import type { JsonObject } from '../../wire/wire.ts';
import { type McpAnswer, resultImages, resultText } from './content.ts';
import { boundedFetch } from './http.ts';
import { stdioTransport } from './stdio.ts';

/** A server that answers. */
export interface Connection {
  /** What it calls itself. */
  readonly title: string;
  readonly pid: number | null;
  list(signal: AbortSignal): Promise<{ name: string; description?: string | undefined; inputSchema: unknown }[]>;
  /** `gone`: the server does not know this session any more. */
  call(tool: string, args: JsonObject, signal: AbortSignal): Promise<(McpAnswer & { isError: boolean }) | 'gone'>;
  close(): Promise<void>;
}

/** What a connection is made from. */
export interface ConnectOptions {
  name: string;
  version: string;
  spec: McpServerConfig;
  /** Fills references in. Throws PxError `secret.missing`. */
  resolve(value: string): string;
  /** `PATH` of a program. */
  path: string;
  /** A line the program wrote to its stderr. */
  say(line: string): void;
  /** The server says that its tools are others now. */
  onChanged(): void;
  /** It ended without being told to. */
  onClosed(why: string): void;
}

/** Most pages of tools that are read. */
const MOST_PAGES = 20;

/** Connects and says hello. Throws what went wrong; nothing is left running then. This file loads the SDK. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { spec, name, version } = options;
  const timeout = spec.timeout_seconds * 1000;
  const filled = (values: Record<string, string>) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, options.resolve(value)]));
  const program =
    spec.command === undefined
      ? undefined
      : stdioTransport({
          command: [spec.command, ...spec.args],
          env: { PATH: options.path, ...filled(spec.env) },
          cwd: spec.cwd ?? '/',
          say: options.say,
        });
  const transport: Transport = program ?? httpTransport(options.resolve(spec.url ?? ''), filled(spec.headers));
  // No capability is offered: a server may neither ask the model, nor the person, nor for folders.
  const client = new Client({ name: 'px', version }, { capabilities: {} });
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => options.onChanged());
  let closing = false;
  client.onclose = () => closing || options.onClosed(program?.ending() ?? 'the connection was closed');
  try {
    await client.connect(transport, { timeout });
  } catch (thrown) {
    await client.close().catch(() => {});
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PxError('mcp.unavailable', program ? `${why} (${program.ending()})` : why, { cause: thrown });
  }
  const told = client.getServerVersion();
  return {
    title: told ? `${told.name} ${told.version}`.slice(0, 100) : name,
    pid: program?.pid() ?? null,
    // `client.listTools` would compile the server's schemas to code; px reads them as data.
    async list(signal) {
      if (!client.getServerCapabilities()?.tools) return [];
      const tools: Awaited<ReturnType<Connection['list']>> = [];
      let cursor: string | undefined;
      for (let page = 0; page < MOST_PAGES; page++) {
        const params = cursor === undefined ? {} : { cursor };
        const got = await client.request({ method: 'tools/list', params }, ListToolsResultSchema, { signal, timeout });
        tools.push(...got.tools);
        cursor = got.nextCursor;
        if (cursor === undefined) break;
      }
      return tools;
    },
    async call(tool, args, signal) {
      try {
        const request = { method: 'tools/call' as const, params: { name: tool, arguments: args } };
        const answer = await client.request(request, CallToolResultSchema, {
          signal,
          timeout,
          maxTotalTimeout: timeout,
        });
        return { text: resultText(answer), images: resultImages(answer), isError: answer.isError === true };
      } catch (thrown) {
        if (signal.aborted) throw new PxError('interrupted', 'The call was stopped.', { cause: thrown });
        const code: unknown = Reflect.get(Object(thrown), 'code');
        if (!program && code === 404) return 'gone';
        const why = thrown instanceof Error ? thrown.message : String(thrown);
        // -32001 is the SDK's timeout, -32000 a closed connection, other negative codes are the server's own refusal.
        if (typeof code === 'number' && code < -32_001)
          throw new PxError('tool.failed', `${tool}: ${why}`, { cause: thrown });
        throw new PxError('mcp.unavailable', `The MCP server ${name} did not answer ${tool}: ${why}`, {
          retryable: true,
          cause: thrown,
        });
      }
    },
    async close() {
      closing = true;
      if (transport instanceof StreamableHTTPClientTransport)
        await Promise.race([transport.terminateSession().catch(() => {}), Bun.sleep(1_000)]);
      await client.close();
    },
  };
}

function httpTransport(url: string, headers: Record<string, string>): Transport {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new PxError('mcp.unavailable', `${url} is not an address.`, { hint: 'Write it as https://host/mcp.' });
  // The class has optional fields where the interface has exact ones; it is the SDK's own implementation of it.
  return new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers },
    fetch: boundedFetch,
  }) as Transport;
}
