import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts';
import { servePortal } from '../../src/portal/portal.ts';
import { type Fake, fakeApp } from '../gateway/fake-app.ts';

let fake: Fake;
let gateway: Gateway;
let cookie: string;
beforeAll(async () => {
  fake = fakeApp();
  gateway = await startGateway({ app: fake.app, port: 0, pages: servePortal });
  const response = await fetch(`${gateway.url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: gateway.url },
    body: JSON.stringify({ code: gateway.createCode().code }),
  });
  cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
});
afterAll(() => gateway.stop());

const page = async (path: string, signedIn = true) => {
  const response = await fetch(gateway.url + path, { headers: signedIn ? { cookie } : {} });
  return { status: response.status, text: await response.text(), headers: response.headers };
};

describe('the portal', () => {
  test('shows a stranger how to sign in, and nothing else', async () => {
    for (const path of ['/', '/status', '/?c=web/secret']) {
      const { status, text } = await page(path, false);
      expect(status).toBe(401);
      expect(text).toContain('px portal');
      expect(text).not.toContain('offline/px');
    }
  });

  test('shows the chat with the model, labelled offline', async () => {
    const { status, text } = await page('/');
    expect(status).toBe(200);
    expect(text).toContain('offline model · offline/px');
    expect(text).toContain('data-conversation="web/me"');
  });

  test('shows what px is doing', async () => {
    const { status, text } = await page('/status');
    expect(status).toBe(200);
    for (const word of ['Model', 'Channels', 'Plugins', 'Sandbox', 'required']) expect(text).toContain(word);
  });

  test('writes what a model, a plugin or an address said as text', async () => {
    const evil = '<script>alert(1)</script><img src=x onerror=alert(1)>';
    fake.app.memory.journal.read = async () => [
      { at: 1, kind: 'assistant', turn: 't', model: 'offline/px', text: evil },
      {
        at: 2,
        kind: 'tool-result',
        turn: 't',
        ms: 1,
        result: {
          type: 'tool-result',
          callId: 'c',
          name: 'x',
          isError: false,
          content: [{ type: 'text', text: evil }],
        },
      },
    ];
    for (const path of [
      '/',
      `/?c=${encodeURIComponent(`web/${evil.replaceAll('/', '')}`)}`,
      `/${encodeURIComponent(evil)}`,
    ]) {
      const { text } = await page(path);
      expect(text).not.toContain('<img');
      expect(text.match(/<script/g)?.length).toBe(1);
    }
  });

  test('holds nothing its own content security policy would stop', async () => {
    fake.app.memory.journal.read = async () => [];
    for (const path of ['/', '/status', '/nothing']) {
      const { text, headers } = await page(path);
      expect(headers.get('content-security-policy')).toContain("script-src 'self'");
      expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:/i);
      for (const [, address = ''] of text.matchAll(/(?:src|href)="([^"]*)"/g)) {
        expect(address).toStartWith('/');
        if (/\.(js|css|svg)$/.test(address)) expect((await page(address, false)).status).toBe(200);
      }
    }
  });

  test('does not know other pages', async () => {
    expect((await page('/nothing')).status).toBe(404);
    expect((await page('/__proto__')).status).toBe(404);
  });
});
