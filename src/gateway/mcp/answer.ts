import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { App } from '../../app/app.ts';
import { PxError, toPxError } from '../../error/error.ts';
import type { JsonObject } from '../../wire/wire.ts';
import { ownerMessage } from '../turn.ts';
import { listNotes, noteTemplate, readNote } from './notes.ts';

const instructions =
  "px is its owner's personal agent. memory_search finds what it knows, with citations file#line; resources are its notes.";

/**
 * Answers one MCP request. Nothing is kept between requests: each gets a server of its own, so that an idle px holds nothing and a
 * restart loses nothing. This file loads the SDK.
 */
export async function answerMcp(app: App, request: Request, body: unknown): Promise<Response> {
  const server = mcpServer(app);
  // Without a generator there are no sessions; left out entirely it means the same and fits the SDK's exact types.
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  const done = () => void server.close().catch(() => {});
  try {
    // The class has optional fields where the interface has exact ones; it is the SDK's own implementation of it.
    await server.connect(transport as Parameters<Server['connect']>[0]);
    request.signal.addEventListener('abort', done, { once: true });
    // The answer is one JSON document whatever the client would take beside; the SDK wants both named.
    const headers = new Headers(request.headers);
    headers.set('accept', 'application/json, text/event-stream');
    const asked = new Request(request.url, { method: request.method, headers, signal: request.signal });
    const answer = await transport.handleRequest(asked, { parsedBody: body });
    return answer.ok ? answer : refusal(answer);
  } finally {
    request.signal.removeEventListener('abort', done);
    done();
  }
}

/** A request that the SDK refuses as HTTP, in the shape of all of px's errors. Throws PxError `gateway.bad-request`. */
async function refusal(answer: Response): Promise<never> {
  const said: unknown = await answer.json().catch(() => undefined);
  const error: unknown = typeof said === 'object' && said !== null ? Reflect.get(said, 'error') : undefined;
  const message: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : undefined;
  throw new PxError('gateway.bad-request', typeof message === 'string' ? message : 'This is no MCP request.');
}

/** px as the SDK's server: its tools under the same policy as the agent's, its notes to read. */
function mcpServer(app: App): Server {
  const server = new Server(
    { name: 'px', version: app.version },
    { capabilities: { tools: {}, resources: {} }, instructions },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: app.tools.specs().map(({ name, description, parameters }) => ({
      name,
      description,
      inputSchema: { ...parameters, type: 'object' as const },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    const id = crypto.randomUUID();
    // What the SDK let through came as JSON, so it holds JSON values and nothing else.
    const args = (params.arguments ?? {}) as JsonObject;
    const call = { type: 'tool-call' as const, id, name: params.name, args };
    if (!app.tools.list().some((tool) => tool.name === params.name))
      throw new McpError(ErrorCode.InvalidParams, `There is no tool "${params.name.slice(0, 100)}".`);
    const conversation = 'api/mcp' as const;
    const scrubbed: JsonObject = JSON.parse(app.secrets.scrub(JSON.stringify(args)));
    await app.memory.journal.append(conversation, [
      { at: 0, kind: 'tool-call', turn: id, call: { ...call, args: scrubbed } },
    ]);
    const inbound = ownerMessage({ conversation, text: '' });
    const run = await app.tools.run(call, app.agent.callContext(inbound, id, call, signal));
    const { result } = run;
    await app.memory.journal.append(conversation, [{ at: 0, kind: 'tool-result', turn: id, ...run }]);
    return {
      isError: result.isError,
      content: result.content.map((part) =>
        part.type === 'text'
          ? { type: 'text' as const, text: part.text }
          : { type: 'image' as const, mimeType: part.mime, data: part.data },
      ),
    };
  });
  server.setRequestHandler(ListResourcesRequestSchema, ({ params }) => asked(() => listNotes(app, params?.cursor)));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: [noteTemplate] }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => asked(() => readNote(app, params.uri)));
  return server;
}

/** An error of px as one of the protocol. */
async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof McpError) throw thrown;
    const error = toPxError(thrown);
    const missing = error.code === 'not-found' || error.code === 'memory.path';
    // -32002: what the protocol's specification gives for a resource that is not there.
    throw new McpError(missing ? -32_002 : ErrorCode.InternalError, error.message);
  }
}
