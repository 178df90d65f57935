import { openBackend } from '../backend.ts';
import { some } from '../count.ts';
import { table } from '../io.ts';
import { group, verb } from '../verb.ts';

const list = verb({
  name: 'list',
  summary: 'List the MCP servers of px.yaml and their tools, as last seen. Starts none.',
  args: {},
  examples: ['px mcp list'],
  async run({ io, json, ...context }) {
    await using backend = await openBackend({ io, json, ...context });
    const servers = await backend.client.mcpServers();
    if (json) {
      io.data(servers);
      return 0;
    }
    if (servers.length === 0) {
      io.line('No MCP servers. Add one under mcp.servers in px.yaml: px config explain mcp.servers');
      return 0;
    }
    io.line(
      table(
        servers.map((s) => [
          io.bold(s.name),
          s.state,
          s.transport === 'stdio' ? 'program, full trust' : 'http',
          s.listedAt === null ? 'never asked' : some(s.tools.length, 'tool'),
          s.target,
          s.detail,
        ]),
      ),
    );
    if (servers.some((s) => s.transport === 'stdio'))
      io.line(io.dim('A program runs with all your rights: px gives it a clean environment, but no sandbox.'));
    return 0;
  },
});

const test = verb({
  name: 'test',
  summary: 'Start an MCP server now and list its tools anew.',
  args: { name: { type: 'positional', required: true, description: 'A server of mcp.servers in px.yaml.' } },
  examples: ['px mcp test github'],
  async run({ args, ...context }) {
    await using backend = await openBackend(context);
    const begun = performance.now();
    const server = await backend.client.testMcp(args.name);
    const { io } = context;
    if (context.json) {
      io.data(server);
      return 0;
    }
    io.line(`${io.bold(server.name)} answers as ${server.detail}, after ${Math.round(performance.now() - begun)} ms.`);
    io.line(table(server.tools.map((tool) => [`  ${tool.name}`, tool.description.split('\n')[0] ?? ''])));
    return 0;
  },
});

/** `px mcp …`. */
export const mcp = group({
  name: 'mcp',
  summary: 'List and try the MCP servers whose tools px uses.',
  examples: ['px mcp list', 'px mcp test github'],
  verbs: { list: async () => list, test: async () => test },
});
