import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type App, startApp } from '../../src/app/app.ts';
import { createClient } from '../../src/client/client.ts';
import { homeAt } from '../../src/config/config.ts';
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts';

/** One px serves, another uses it as a server over streamable HTTP: both ends of px, and the SDK's own client beside them. */
const roots = [mkdtempSync(join(tmpdir(), 'px-mcp-a-')), mkdtempSync(join(tmpdir(), 'px-mcp-b-'))] as const;
const opened: { app: App; gateway: Gateway }[] = [];
const start = async (root: string, yaml: string, variables: Record<string, string> = {}) => {
  const home = homeAt(root);
  writeFileSync(home.config, `model: { default: offline/px }\n${yaml}`);
  const env = { home: undefined, userHome: root, get: (name: string) => variables[name] };
  const app = await startApp({ home, env, version: '1.2.3', quiet: true, log: () => {} });
  const gateway = await startGateway({ app, port: 0 });
  opened.push({ app, gateway });
  return { app, gateway };
};
let server: { app: App; gateway: Gateway };
let user: { app: App; gateway: Gateway };
let client: Client;

beforeAll(async () => {
  server = await start(roots[0], 'agent: { tools: { deny: [memory_get] } }\n');
  const url = `${server.gateway.url}/mcp`;
  user = await start(
    roots[1],
    `mcp: { servers: { other: { url: "${url}", headers: { Authorization: "Bearer \${OTHER}" } }, wrong: { url: "${url}" } } }\n`,
    {
      OTHER: server.gateway.token,
    },
  );
  await server.app.settled();
  await server.app.memory.write('a folder/ö.md', 'Gudrun is a bicycle.', 'replace');
  client = new Client({ name: 'test', version: '1' });
  const headers = { authorization: `Bearer ${server.gateway.token}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }) as Parameters<Client['connect']>[0],
  );
}, 30_000);
afterAll(async () => {
  await client.close();
  for (const { app, gateway } of opened.reverse()) {
    await gateway.stop();
    await app.close();
  }
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

describe("px as an MCP server, asked by the SDK's own client", () => {
  test('names itself and offers tools and resources', () => {
    expect(client.getServerVersion()).toMatchObject({ name: 'px', version: '1.2.3' });
    expect(client.getServerCapabilities()).toMatchObject({ tools: {}, resources: {} });
  });

  test('lists the tools policy allows, and runs them', async () => {
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toContain('memory_search');
    expect(tools.map((tool) => tool.name)).not.toContain('memory_get');
    await server.app.memory.settled();
    const found = await client.callTool({ name: 'memory_search', arguments: { query: 'Gudrun' } });
    expect(JSON.stringify(found.content)).toContain('ö.md');
    const kept = await server.app.memory.journal.read('api/mcp', 10);
    expect(kept.map((entry) => entry.kind)).toEqual(['tool-call', 'tool-result']);
    expect(await client.callTool({ name: 'memory_get', arguments: { path: 'MEMORY.md' } })).toMatchObject({
      isError: true,
    });
    expect(await client.callTool({ name: 'memory_search', arguments: {} })).toMatchObject({ isError: true });
    expect(client.callTool({ name: 'nothing' })).rejects.toMatchObject({ code: -32602 });
  });

  test('gives its notes as resources, and nothing outside memory/', async () => {
    const { resources } = await client.listResources();
    const note = resources.find((one) => one.name === 'a folder/ö.md');
    expect(note?.uri).toBe('memory:///a%20folder/%C3%B6.md');
    expect((await client.readResource({ uri: note?.uri ?? '' })).contents[0]).toMatchObject({
      text: expect.stringContaining('Gudrun'),
    });
    expect((await client.listResourceTemplates()).resourceTemplates[0]?.uriTemplate).toBe('memory:///{+path}');
    for (const uri of [
      'memory:///../px.yaml',
      'memory:///..%2f..%2fetc/passwd',
      'memory:////etc/passwd',
      'memory:///%00',
    ])
      expect(client.readResource({ uri })).rejects.toMatchObject({ code: -32002 });
    for (const uri of ['file:///etc/passwd', 'memory:///%E0%A4%A'])
      expect(client.readResource({ uri })).rejects.toMatchObject({ code: -32602 });
  });

  test('refuses a stranger, another method, another site, and what is no message', async () => {
    const url = `${server.gateway.url}/mcp`;
    let said: unknown;
    const ask = (init: RequestInit, headers: Record<string, string> = {}) =>
      fetch(url, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${server.gateway.token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
        ...init,
      }).then(async (response) => {
        said = await response.json();
        return response.status;
      });
    const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
    expect(await ask({ body: ping })).toBe(200);
    expect(await ask({ body: ping }, { authorization: 'Bearer wrong' })).toBe(401);
    expect(await ask({ body: ping }, { origin: 'http://evil.example' })).toBe(403);
    expect(await ask({ body: ping }, { host: 'evil.example' })).toBe(403);
    expect(await ask({ body: ping }, { accept: 'application/json' })).toBe(200);
    for (const [status, init, headers] of [
      [406, { body: ping }, { accept: 'text/html' }],
      [400, { body: '{"id":1}' }, {}],
    ] as const) {
      expect(await ask(init, headers)).toBe(status);
      expect(said).toMatchObject({ error: { code: expect.any(String), retryable: false } });
    }
    expect(await ask({ body: '7' })).toBe(400);
    expect(await ask({ method: 'GET' })).toBe(405);
    expect(await ask({ method: 'DELETE' })).toBe(405);
  });
});

describe('px as an MCP client over streamable HTTP', () => {
  test('uses the tools of another px with a token from a reference', async () => {
    const api = createClient(user.gateway);
    const info = await api.testMcp('other');
    expect(info).toMatchObject({ state: 'running', transport: 'http', detail: 'px 1.2.3', pid: null });
    expect((await api.mcpServers()).map((one) => one.name)).toEqual(['other', 'wrong']);
    expect(user.app.tools.specs().map((tool) => tool.name)).toContain('other_memory_search');
    const call = { type: 'tool-call' as const, id: 'c', name: 'other_memory_search', args: { query: 'Gudrun' } };
    const { result } = await user.app.tools.run(call, {
      conversation: 'cli/x',
      turn: 't',
      signal: new AbortController().signal,
    });
    expect(result).toMatchObject({ isError: false, content: [{ text: expect.stringContaining('ö.md') }] });
  });

  test('says that the other side refused it', async () => {
    expect(createClient(user.gateway).testMcp('wrong')).rejects.toMatchObject({ code: 'mcp.unavailable' });
    await user.app.mcp.prepare();
    expect(user.app.mcp.servers()[1]).toMatchObject({ state: 'failing' });
  });

  test('follows no redirect, for its headers hold a token', async () => {
    let reached = 0;
    const trap = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(String(reached++)) });
    const door = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () => Response.redirect(`http://127.0.0.1:${trap.port}/`, 307),
    });
    await user.app.config.set('mcp.servers.door', {
      url: `http://127.0.0.1:${door.port}/mcp`,
      headers: { Authorization: 'Bearer ${OTHER}' },
    });
    await user.app.config.reload();
    expect(await user.app.mcp.test('door', new AbortController().signal).catch((e: unknown) => e)).toMatchObject({
      code: 'mcp.unavailable',
    });
    expect(reached).toBe(0);
    await Promise.all([trap.stop(true), door.stop(true)]);
  });

  test('refuses a token written out in px.yaml, and a server that is neither program nor address', async () => {
    const { config } = user.app;
    expect(
      config.set('mcp.servers.bad', { url: 'http://127.0.0.1:9/', headers: { Authorization: 'Bearer abc' } }),
    ).rejects.toMatchObject({ code: 'config.invalid' });
    expect(config.set('mcp.servers.bad', { args: ['x'] })).rejects.toMatchObject({ code: 'config.invalid' });
    expect(config.set('mcp.servers.bad', { command: 'x', url: 'http://127.0.0.1:9/' })).rejects.toMatchObject({
      code: 'config.invalid',
    });
  });
});
