/** A small MCP server over stdio for tests; its arguments steer how it misbehaves. */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const [mode = ''] = process.argv.slice(2);
if (mode === 'dies') {
  process.stderr.write('no licence found\n');
  process.exit(3);
}
if (mode === 'silent') await new Promise(() => setInterval(() => {}, 1000));

const server = new Server({ name: 'small', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } });
let more = false;
const tool = (name: string, properties = {}) => ({
  name,
  description: mode === 'floods' ? 'x'.repeat(10_000) : `Does ${name}.`,
  inputSchema: {
    type: 'object' as const,
    properties,
    ...(mode === 'floods' ? { description: 'y'.repeat(20_000) } : {}),
  },
});
server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools:
    mode === 'floods'
      ? Array.from({ length: 200 }, (_, i) => tool(`tool${i}`))
      : [
          ...['say', 'env', 'crash', 'huge', 'fail', 'pid', 'slow', 'grow', 'weird name!'].map((n) => tool(n)),
          ...(more ? [tool('later')] : []),
        ],
}));
server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
  const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });
  switch (params.name) {
    case 'env':
      return text(JSON.stringify(process.env));
    case 'crash':
      return process.exit(7);
    case 'huge':
      return text('x'.repeat(20_000_000));
    case 'fail':
      return { ...text('it did not work'), isError: true };
    case 'pid':
      return text(String(process.pid));
    case 'slow':
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return text('stopped');
    case 'grow':
      more = true;
      await server.notification({ method: 'notifications/tools/list_changed' });
      return text('grown');
    default:
      await Bun.sleep(Number(params.arguments?.['ms'] ?? 0));
      return text(`said ${JSON.stringify(params.arguments)}`);
  }
});
await server.connect(new StdioServerTransport());
