import { describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { current, daily, graz } from '../engine/open-meteo.ts';
import { notBuilt, Px, until } from './px.ts';

/** Loopback servers that answer as open-meteo, SearXNG and Brave do. */
function services() {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname, searchParams: query } = new URL(request.url);
      if (pathname === '/v1/search')
        return Response.json({
          ...(query.get('name') === 'Graz' ? { results: [graz] } : {}),
          generationtime_ms: 0.4,
        });
      if (pathname === '/v1/forecast')
        return Response.json({
          latitude: 47.06,
          longitude: 15.44,
          timezone: 'Europe/Vienna',
          current,
          daily,
        });
      if (pathname === '/search' && query.get('format') === 'json')
        return Response.json({
          query: query.get('q'),
          number_of_results: 0,
          results: [
            {
              url: 'https://a.test/',
              title: `About ${query.get('q')}`,
              content: 'From SearXNG.',
              engine: 'x',
              score: 1,
            },
          ],
          answers: [],
          suggestions: [],
          unresponsive_engines: [],
        });
      if (pathname === '/res/v1/web/search') {
        if (request.headers.get('x-subscription-token') !== 'brave-key-4711')
          return Response.json(
            { type: 'ErrorResponse', error: { code: 'SUBSCRIPTION_TOKEN_INVALID' } },
            { status: 422 },
          );
        return Response.json({
          type: 'search',
          web: {
            type: 'search',
            results: [{ title: 'By <strong>Brave</strong>', url: 'https://b.test/', description: 'brave-key-4711' }],
          },
        });
      }
      return new Response('not found', { status: 404 });
    },
  });
  return { host: `127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) };
}

const model = { default: 'offline/px' };
const use = (px: Px, tool: string, args: object) => px.run('chat', `/tool ${tool} ${JSON.stringify(args)}`);

describe.skipIf(notBuilt !== undefined)('plugins that px carries and does not install by itself', () => {
  test('weather: added by its name, asks open-meteo only once that is granted, and answers the agent', async () => {
    using servers = services();
    const base = `http://${servers.host}/v1`;
    const settings = { geocoding_url: `${base}/search`, forecast_url: `${base}/forecast` };
    const grants = { egress: [`GET ${base}/`], private_hosts: [servers.host] };
    await using px = await new Px({ config: { model, plugins: { weather: { settings, grants } } } }).serve();
    await px.installed();
    expect((await px.run('plugin', 'list')).stdout).not.toContain('weather');
    const added = await px.run('plugin', 'add', 'weather');
    expect(added.stdout).toContain('Tools for the agent: weather');
    expect(added.stdout).toContain('make GET requests to https://api.open-meteo.com below /v1/forecast');
    const said = await use(px, 'weather', { place: 'Graz' });
    expect(said.stdout).toContain('Graz, Styria, Austria');
    expect(said.stdout).toContain('Now: overcast, 4 °C, feels like 0 °C');
    expect((await use(px, 'weather', { place: 'Nowhere' })).stdout).toContain('no place called');
    expect((await px.run('config', 'set', 'plugins.weather.grants.egress', '[]')).code).toBe(0);
    expect((await use(px, 'weather', { place: 'Graz' })).stdout).toContain('px plugin grant weather --all');
  }, 60_000);

  test('files: works in the folder that is granted and leaves nothing beyond it reached', async () => {
    const work = mkdtempSync(join(tmpdir(), 'px-work-'));
    writeFileSync(join(work, 'plan.md'), 'buy milk\nfeed the bees\n');
    symlinkSync('/etc/passwd', join(work, 'link'));
    const rules = [{ tool: 'files_*', do: 'allow', outside: true }];
    await using px = await new Px({ config: { model, policy: { rules } } }).serve();
    const added = await px.run('plugin', 'add', 'files');
    expect(added.stdout).toContain('read, write and delete files in ~/px-files and below, which it calls workspace');
    expect((await use(px, 'files_list', {})).stdout).toContain('No folder is granted');
    expect((await px.run('config', 'set', 'plugins.files.grants.files.workspace', `write ${work}`)).code).toBe(0);
    expect((await px.run('plugin', 'inspect', 'files')).stdout).toContain('granted      read, write');
    expect((await use(px, 'files_list', { path: 'workspace' })).stdout).toMatch(
      /link \(a link[\s\S]*plan\.md {2}23 bytes/,
    );
    expect((await use(px, 'files_read', { path: 'workspace/plan.md' })).stdout).toMatch(
      /1\s+buy milk\s+2\s+feed the bees/,
    );
    const change = { path: 'workspace/plan.md', old: 'milk', new: 'honey' };
    expect((await use(px, 'files_edit', change)).stdout).toContain('Changed workspace/plan.md, line 1');
    expect((await use(px, 'files_write', { path: 'workspace/a/b.txt', content: 'new' })).stdout).toContain('3 bytes');
    expect(readFileSync(join(work, 'plan.md'), 'utf8')).toBe('buy honey\nfeed the bees\n');
    for (const path of ['workspace/link', 'workspace/../x', '/etc/passwd', 'workspace/.ssh/key'])
      expect((await use(px, 'files_read', { path })).stdout).toMatch(/denied:|invalid:/);
    expect((await use(px, 'files_delete', { path: 'workspace/a/b.txt' })).stdout).toContain('Deleted');
    expect((await px.run('config', 'set', 'plugins.files.grants.files.workspace', `write ${px.home}/state`)).code).toBe(
      0,
    );
    expect((await use(px, 'files_list', { path: 'workspace' })).stdout).toContain("px's own home");
    expect(px.journal()).toContain('"outside":["plugin/files"]');
    rmSync(work, { recursive: true });
  }, 90_000);

  test('js-run: what the model writes is run, and a loop harms nobody', async () => {
    const limits = { cpu_ms: 500 };
    await using px = await new Px({ config: { model, plugins: { 'js-run': { limits } } } }).serve();
    expect((await px.run('plugin', 'add', 'js-run')).stdout).toContain('It is sealed');
    expect((await use(px, 'js_run', { code: 'console.log(0.1 + 0.2); 2n ** 100n' })).stdout).toMatch(
      /0\.30000000000000004\s+=> 1267650600228229401496703205376n/,
    );
    for (let i = 0; i < 6; i++)
      expect((await use(px, 'js_run', { code: 'for (;;);' })).stdout).toContain('processor time');
    expect((await use(px, 'js_run', { code: '"still here"' })).stdout).toContain('=> still here');
    await until('no process of it', () => px.children().length === 0);
    // What it says is its own words about what it was given: nothing from outside.
    expect(px.journal()).not.toContain('"outside"');
  }, 60_000);

  test('web-search: what it prints when it is added is what sets it up, with SearXNG and with Brave', async () => {
    using servers = services();
    await using px = await new Px({ config: { model } }).serve();
    const { stdout } = await px.run('plugin', 'add', 'web-search');
    const typed = stdout
      .split('\n')
      .filter((line) => /^\s+px (config|secret|plugin) /.test(line))
      .map((line) =>
        line
          .trim()
          .replaceAll('https://searx.example.org', `http://${servers.host}`)
          .replace('192.168.1.5:8888', servers.host),
      );
    const type = async (line: string) => {
      const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '').slice(1);
      return words[0] === 'secret' ? px.pipe('brave-key-4711', ...words) : px.run(...words);
    };
    for (const line of typed.filter((line) => line.startsWith('px config')))
      expect(await type(line)).toMatchObject({ code: 0 });
    expect((await use(px, 'web_search', { query: 'bees' })).stdout).toContain('About bees');

    for (const line of typed.filter((line) => !line.startsWith('px config')))
      expect(await type(line)).toMatchObject({ code: 0 });
    const target = `http://${servers.host}/res/v1/web/search`;
    const own = {
      settings: { engine: 'brave', url: target },
      grants: {
        egress: [`GET ${target}`],
        private_hosts: [servers.host],
        secrets: { BRAVE_KEY: [`header:X-Subscription-Token ${target}`] },
      },
    };
    px.writeConfig({ model, plugins: { 'web-search': own } });
    await until('the new settings', async () =>
      (await px.run('config', 'get', 'plugins.web-search.settings.engine')).stdout.includes('brave'),
    );
    const found = (await use(px, 'web_search', { query: 'bees' })).stdout;
    expect(found).toContain('By Brave');
    expect(found).not.toContain('brave-key-4711');
    expect(px.journal()).toContain('"outside":["plugin/web-search"]');
  }, 60_000);
});
