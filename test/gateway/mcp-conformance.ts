/**
 * Both ends of px for the official conformance suite (docs/mcp.md tells how it is run and what it finds).
 * usage: bun test/gateway/mcp-conformance.ts serve        a px at /mcp, behind a door that adds its token; prints the address
 *        bun test/gateway/mcp-conformance.ts client URL   px's client against the suite's own server
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../../src/app/app.ts';
import { homeAt } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import { toolResult } from '../../src/tool/tool.ts';
import type { ImagePart, JsonSchema } from '../../src/wire/wire.ts';

const [what, url = ''] = process.argv.slice(2);
const home = homeAt(mkdtempSync(join(tmpdir(), 'px-conformance-')));
const servers = what === 'client' ? `mcp: { servers: { suite: { url: "${url}" } } }\n` : '';
writeFileSync(join(home.root, 'px.yaml'), `model: { default: offline/px }\n${servers}`);
const env = { home: undefined, userHome: home.root, get: () => undefined };
const app = await startApp({ home, env, version: '0.1.0', quiet: true, log: () => {} });
const signal = new AbortController().signal;
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

if (what === 'client') {
  const info = await app.mcp.test('suite', signal);
  for (const { name } of info.tools) {
    const args = name === 'suite_add_numbers' ? { a: 5, b: 3 } : {};
    const call = { type: 'tool-call' as const, id: 'c1', name, args };
    console.log(name, JSON.stringify((await app.tools.run(call, { conversation: 'cli/x', turn: 't', signal })).result));
  }
  await app.close();
} else {
  // The tools the suite asks for by name, behind px's own server.
  const extra = new Map<string, () => string | ImagePart>([
    ['test_image_content', () => ({ type: 'image', mime: 'image/png', data: pixel })],
    ['test_simple_text', () => 'This is a simple text response for testing.'],
    [
      'test_error_handling',
      () => {
        throw new PxError('tool.failed', 'This tool intentionally returns an error for testing');
      },
    ],
  ]);
  const parameters: JsonSchema = { type: 'object', properties: {} };
  const tools = [...extra.keys()].map((name) => ({ name, description: 'For the conformance suite.', parameters }));
  const { specs, list, run } = app.tools;
  Object.assign(app.tools, {
    specs: () => [...specs(), ...tools],
    list: () => [...list(), ...tools],
    run: async (...[call, context]: Parameters<typeof run>) => {
      const own = extra.get(call.name);
      if (!own) return run(call, context);
      try {
        const made = own();
        const result = toolResult(call, typeof made === 'string' ? made : '');
        return { result: typeof made === 'string' ? result : { ...result, content: [made] }, ms: 0 };
      } catch (thrown) {
        return { result: toolResult(call, String(thrown), true), ms: 0 };
      }
    },
  });
  const gateway = await startGateway({ app, port: 0 });
  const door = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch(request) {
      const headers = new Headers(request.headers);
      headers.set('authorization', `Bearer ${gateway.token}`);
      const { pathname } = new URL(request.url);
      return fetch(gateway.url + pathname, { method: request.method, headers, body: request.body });
    },
  });
  console.log(`http://127.0.0.1:${door.port}/mcp`);
}
