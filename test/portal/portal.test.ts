import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { docs } from '../../src/portal/page/docs-text.ts';
import { Portal } from './open.ts';

const paths = [
  '/',
  '/conversations',
  '/conversations/web/me',
  '/conversations?q=hello',
  '/memory',
  '/memory?q=hello',
  '/memory?in=log',
  '/memory?in=nothing',
  '/memory?changes=1',
  '/memory/note?path=MEMORY.md',
  '/memory/note?path=MEMORY.md&raw',
  '/memory/edit?path=MEMORY.md',
  '/plugins',
  '/models',
  '/channels',
  '/schedule',
  '/approvals',
  '/audit',
  '/audit?all=1',
  '/settings',
  '/settings/file',
  '/settings/gateway',
  '/settings/model',
  '/settings/channels',
  '/settings/plugins',
  '/settings/mcp',
  '/status',
  '/docs',
  '/docs/security',
  '/docs/reference/config',
  '/docs/http',
];

let portal: Portal;
beforeAll(async () => {
  portal = await Portal.open();
});
afterAll(() => portal[Symbol.asyncDispose]());

describe('the portal', () => {
  test('shows a stranger how to sign in, and nothing else', async () => {
    for (const path of [...paths, '/nothing', '/?c=web/secret']) {
      const { status, text } = await portal.get(path, {});
      expect([path, status]).toEqual([path, 401]);
      expect(text).toContain('px portal');
      expect(text).not.toContain('offline/px');
    }
  });

  for (const path of paths)
    test(`${path} has the menu, a title, and nothing its own content security policy would stop`, async () => {
      const { status, text, headers } = await portal.get(path);
      expect(status).toBe(200);
      expect(text).toContain('aria-label="Pages"');
      expect(text.match(/<h1/g)).toHaveLength(1);
      expect(headers.get('content-security-policy')).toContain("script-src 'self'");
      expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:|<img|<iframe/i);
      for (const [, address = ''] of text.matchAll(/\ssrc="([^"]*)"/g)) expect(address).toMatch(/^\/[^/]/);
      for (const [link, address = ''] of text.matchAll(/<(?:a|link) [^>]*?href="([^"]*)"[^>]*>/g))
        if (!/^[/#?]/.test(address))
          expect(link).toMatch(/rel="noopener noreferrer" target="_blank"|target="_blank" rel=/);
    });

  test('sends what a first look needs in less than 100 KB', async () => {
    const { text } = await portal.get('/');
    const files = [...text.matchAll(/(?:src|href)="(\/[\w.]+\.(?:js|css|svg))"/g)].map(([, file = '']) => file);
    expect(files.length).toBeGreaterThan(3);
    let bytes = 0;
    for (const file of ['/', ...files, '/markdown.browser.js']) {
      const response = await fetch(portal.gateway.url + file, {
        headers: { cookie: portal.cookie, 'accept-encoding': 'gzip' },
        decompress: false,
      });
      expect(response.status).toBe(200);
      bytes += (await response.arrayBuffer()).byteLength;
    }
    expect(bytes).toBeLessThan(100_000);
  });

  test('does not send a file again that the browser has', async () => {
    const { headers } = await portal.get('/portal.css', {});
    expect((await portal.get('/portal.css', { 'if-none-match': headers.get('etag') ?? '' })).status).toBe(304);
  });

  test('does not know other pages', async () => {
    for (const path of [
      '/nothing',
      '/__proto__',
      '/constructor',
      '/settings/nothing',
      '/docs/nothing',
      '/plugins/nothing',
      '/%E0%A4%A',
    ])
      expect([path, (await portal.get(path)).status]).toEqual([path, 404]);
  });

  test('leads from one page of the documentation to the next, and never to one that is not there', async () => {
    const seen = new Set<string>();
    const todo = ['/docs'];
    for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const { status, text } = await portal.get(path);
      expect([path, status]).toEqual([path, 200]);
      for (const [, next = ''] of text.matchAll(/href="(\/docs\/[^"#]*)/g)) todo.push(next);
    }
    expect([...seen]).toContain('/docs/plugins');
    expect([...seen]).toContain('/docs/reference/wit');
  });
});

test('the documentation it carries is what docs/README.md names', async () => {
  const index = readFileSync(join(import.meta.dir, '../../docs/README.md'), 'utf8');
  const named = [...index.matchAll(/\]\(((?:reference\/)?[\w-]+\.md)\)/g)].map(([, path = '']) => path).sort();
  const carried = docs.flatMap(([, some]) => some.map(({ path }) => path)).filter((path) => path.startsWith('docs/'));
  expect(carried.map((path) => path.slice(5)).sort()).toEqual(named);
});
