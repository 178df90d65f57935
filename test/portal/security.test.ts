import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Portal } from './open.ts';

let portal: Portal;
beforeAll(async () => {
  portal = await Portal.open();
});
afterAll(() => portal[Symbol.asyncDispose]());

const job = { do: 'add', text: 'water the plants', kind: 'daily', time: '08:00', to: 'web/me' };
const jobs = () => portal.app.schedule.list();

describe('a form', () => {
  test('does what it says when px made it', async () => {
    const { status, to } = await portal.send('/schedule', job);
    expect([status, to]).toEqual([303, '/schedule']);
    const [first] = await jobs();
    expect(first).toMatchObject({ when: 'cron 0 8 * * *', to: 'web/me', text: 'water the plants' });
    await portal.send('/schedule', { do: 'remove', id: first?.id ?? '' });
    expect(await jobs()).toEqual([]);
  });

  test('does nothing without the secret of its session', async () => {
    const other = await portal.token(await portal.signIn());
    expect(other).not.toBe(await portal.token());
    for (const form of ['', 'x', other, `${await portal.token()}x`, portal.cookie.split('=')[1] ?? '']) {
      const { status } = await portal.send('/schedule', { ...job, form });
      expect(status).toBe(403);
    }
    expect(await jobs()).toEqual([]);
  });

  test('does nothing when another page sends it, or one that hides where it stands', async () => {
    expect((await portal.send('/schedule', job, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await portal.send('/schedule', job, { origin: 'null' })).status).toBe(403);
    expect((await portal.send('/schedule', job, { host: 'evil.example', origin: 'http://evil.example' })).status).toBe(
      403,
    );
    const silent = await fetch(`${portal.gateway.url}/schedule`, {
      method: 'POST',
      headers: { cookie: portal.cookie },
      body: new URLSearchParams({ form: await portal.token(), ...job }),
      redirect: 'manual',
    });
    expect(silent.status).toBe(401);
    expect(await jobs()).toEqual([]);
  });

  test('of a stranger does nothing, also with a forged cookie', async () => {
    for (const cookie of ['', 'px_session=1', `${portal.cookie}x`, 'px_session=99999999999999.abc.def'])
      expect((await portal.send('/schedule', job, { cookie })).status).toBe(401);
    expect(await jobs()).toEqual([]);
  });

  test('is no way to another method, type or button', async () => {
    expect((await portal.send('/schedule', { ...job, do: '__proto__' })).status).toBe(422);
    expect((await portal.send('/schedule', { ...job, do: 'toString' })).status).toBe(422);
    expect((await portal.send('/schedule', job, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await portal.send('/nothing', job)).status).toBe(404);
    expect(await jobs()).toEqual([]);
  });

  test('sends nobody to another site', async () => {
    for (const back of [
      '//evil.example',
      'https://evil.example',
      '/\\evil.example',
      '/?c=x//evil',
      'javascript:alert(1)',
    ]) {
      const { to } = await portal.send('/approvals', { do: 'revoke', id: 'NONE', back });
      expect(to ?? '/approvals').toBe('/approvals');
    }
  });
});

describe('signing in', () => {
  test('by hand spends a code once and sets a cookie no script and no other site can use', async () => {
    const link = `${portal.gateway.url}/#${portal.gateway.createCode().code}`;
    const send = () =>
      fetch(`${portal.gateway.url}/sign-in`, {
        method: 'POST',
        redirect: 'manual',
        headers: { origin: portal.gateway.url },
        body: new URLSearchParams({ code: link }),
      });
    const first = await send();
    expect(first.status).toBe(303);
    expect(first.headers.get('set-cookie')).toMatch(/^px_session=\S+; Path=\/; HttpOnly; SameSite=Strict/);
    const again = await send();
    expect([again.status, again.headers.get('set-cookie')]).toEqual([401, null]);
  });

  test('is no way to guess: after ten wrong codes a right one is all that helps', async () => {
    await using other = await Portal.open();
    const send = (code: string) =>
      fetch(`${other.gateway.url}/sign-in`, {
        method: 'POST',
        redirect: 'manual',
        headers: { origin: other.gateway.url },
        body: new URLSearchParams({ code }),
      });
    for (let i = 0; i < 12; i++) expect((await send(`wrong${i}`)).status).toBe(401);
    expect((await send(other.gateway.createCode().code)).status).toBe(303);
  });
});

const evil = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '![pixel](https://evil.example/p.png?q=secret)',
  '[click](javascript:alert(1))',
  '[data](data:text/html,<script>alert(1)</script>)',
  '<a href="https://evil.example" onclick="alert(1)">x</a>',
  '</li></ol></main><form action="https://evil.example"><input name=x></form>',
  '<svg/onload=alert(1)><style>*{display:none}</style><base href="https://evil.example">',
  '\u001b[31mred\u001b[0m \u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007 \u001b]0;title\u0007 \u202egnp.exe',
  '"><script>alert(2)</script>',
  '<!-- --><iframe src="https://evil.example"></iframe>',
  '| a |\n|---|\n| <img src=x> |',
  '```html\n<script>alert(3)</script>\n```',
].join('\n\n');

function harmless(page: string): void {
  // What stands in a field is quoted; the rest of the page is looked at without it.
  const text = page.replaceAll(/<textarea[\s\S]*?<\/textarea>|<input[^>]*>/g, '');
  expect(page.match(/<script/g)?.length).toBeLessThan(3);
  expect(text).not.toMatch(/<(?:img|iframe|svg\/|base|style|object|embed|video|audio)\b/i);
  for (const script of text.match(/<script[^>]*>/g) ?? [])
    expect(script).toMatch(/^<script src="\/[\w.]+" type="module">$/);
  for (const [, action = ''] of text.matchAll(/<form[^>]*?action="([^"]*)"/g)) expect(action).toMatch(/^\/(?!\/)/);
  expect(text).not.toMatch(/<[^>]+\son(?:error|load|click)\s*=/i);
  expect(text).not.toMatch(/href="(?:javascript|data|vbscript):/i);
  expect(text).not.toMatch(/[\u0000-\u0008\u000e-\u001f\u007f\u202a-\u202e]/);
}

describe('what a model, a plugin, a stranger or an address said', () => {
  test('is text in a conversation, wherever it is shown', async () => {
    await portal.app.memory.journal.append('web/evil', [
      { at: 0, kind: 'user', sender: { id: '1', name: evil }, channel: 'web', messageId: 'm', text: evil },
      { at: 0, kind: 'thinking', turn: 't', text: evil },
      { at: 0, kind: 'tool-call', turn: 't', call: { type: 'tool-call', id: 'c', name: 'x', args: { evil } } },
      {
        at: 0,
        kind: 'tool-result',
        turn: 't',
        ms: 1,
        result: { type: 'tool-result', callId: 'c', name: 'x', isError: true, content: [{ type: 'text', text: evil }] },
      },
      { at: 0, kind: 'assistant', turn: 't', model: 'offline/px', text: evil },
      { at: 0, kind: 'note', text: evil },
      {
        at: 0,
        kind: 'turn-end',
        turn: 't',
        messageId: 'm',
        reason: 'error',
        usage: { input: 0, output: 0, cachedInput: 0 },
        error: { code: 'internal', message: evil, retryable: false },
      },
    ]);
    await portal.app.memory.fresh();
    for (const path of [
      '/?c=web/evil',
      '/conversations/web/evil',
      '/conversations?q=alert',
      '/memory?q=alert',
      '/audit?all=1',
      '/audit?conversation=web/evil',
      '/status',
    ]) {
      const { status, text } = await portal.get(path);
      expect([path, status]).toEqual([path, 200]);
      harmless(text);
    }
    const { text } = await portal.get('/conversations/web/evil');
    expect(text).toContain('&#60;script&#62;alert(1)');
    expect(text).toContain('picture: ');
    expect(text).toContain('red');
  });

  test('is text in a note, as it reads and as it is written', async () => {
    await portal.app.memory.write('evil.md', `# ${evil}\n\n${evil}\n`, 'replace');
    for (const path of ['/memory/note?path=evil.md', '/memory/note?path=evil.md&raw', '/memory/edit?path=evil.md'])
      harmless((await portal.get(path)).text);
    const [change] = await portal.app.memory.history.log({ path: 'evil.md' });
    harmless((await portal.get(`/memory/change/${change?.n}`)).text);
    const edit = (await portal.get('/memory/edit?path=evil.md')).text;
    expect(edit.match(/<script/g)).toHaveLength(1);
    expect(edit).not.toContain('<img');
  });

  test('is text in an address', async () => {
    for (const path of [
      `/?c=${encodeURIComponent('web/<script>alert(1)<')}`,
      `/conversations?q=${encodeURIComponent(evil)}`,
      `/conversations/web/${encodeURIComponent('<img src=x onerror=alert(1)>')}`,
      `/memory?q=${encodeURIComponent('"><script>alert(1)</script>')}`,
      `/memory/note?path=${encodeURIComponent('<script>alert(1)</script>.md')}`,
      `/${encodeURIComponent('<script>alert(1)</script>')}`,
      `/audit?tool=${encodeURIComponent('"><img src=x onerror=alert(1)>')}`,
    ])
      harmless((await portal.get(path)).text);
  });

  test('is text when it is sent back after a mistake', async () => {
    const { status, text } = await portal.send('/schedule', { ...job, time: evil, text: evil, to: evil });
    expect(status).toBe(422);
    harmless(text);
    expect(text.match(/<script/g)).toHaveLength(1);
  });
});

describe('the portal leads to no file beside the notes', () => {
  test('by a path that climbs, by a link, by another root', async () => {
    writeFileSync(join(portal.root, 'secret.md'), 'sesame');
    for (const path of [
      '../secret.md',
      '/etc/passwd',
      'a/../../secret.md',
      '..%2fsecret.md',
      '../state/token',
      '../px.yaml',
    ])
      for (const page of ['note', 'edit']) {
        const { status, text } = await portal.get(`/memory/${page}?path=${encodeURIComponent(path)}`);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(text).not.toContain('sesame');
      }
    const { status } = await portal.send('/memory', { do: 'make', path: '../x.md', text: 'x' });
    expect(status).toBe(422);
  });

  test('by the name of a file that is uploaded', async () => {
    for (const name of ['../../px.ts', '/etc/cron.d/x.js', '..\\x.ts', 'x.sh', '.ts']) {
      const response = await fetch(`${portal.gateway.url}/api/uploads/${encodeURIComponent(name)}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${portal.gateway.token}` },
        body: 'export const x = 1',
      });
      expect([name, response.status]).toEqual([name, 400]);
    }
  });
});
