import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';

/** The Model Context Protocol both ways: the servers px uses, and px as a server. */
export const mcpRoutes = [
  route({
    method: 'GET',
    path: '/api/mcp',
    summary: 'MCP servers of px.yaml and their tools, as last listed; starts none.',
    auth: 'token',
    reply: v.object({ servers: v.array(s.mcpServer) }),
    run: ({ app }) => ({ servers: app.mcp.servers() }),
  }),
  route({
    method: 'POST',
    path: '/api/mcp/{name}/test',
    summary: 'Starts an MCP server and lists its tools anew.',
    auth: 'token',
    params: v.object({ name: v.pipe(v.string(), v.minLength(1), v.maxLength(100)) }),
    reply: s.mcpServer,
    errors: [409, 502],
    run: ({ app, params, request, unhurried }) => {
      unhurried();
      return app.mcp.test(params.name, request.signal);
    },
  }),
  route({
    method: 'POST',
    path: '/mcp',
    summary: "px as an MCP server (streamable HTTP, no sessions): px's tools, and its notes as resources.",
    auth: 'token',
    body: v.union([v.record(v.string(), s.json), v.array(v.record(v.string(), s.json))]),
    reply: v.record(v.string(), s.json),
    errors: [406],
    async run({ app, body, request, unhurried }) {
      const accept = request.headers.get('accept') ?? '*/*';
      if (!/application\/(?:json|\*)|\*\/\*/.test(accept))
        throw new PxError('gateway.accept', 'An MCP answer is JSON.', {
          hint: 'Send Accept: application/json, text/event-stream.',
        });
      unhurried();
      const { answerMcp } = await import('../mcp/answer.ts');
      return answerMcp(app, request, body);
    },
  }),
];
