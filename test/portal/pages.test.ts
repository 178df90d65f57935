import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { whenOf } from '../../src/portal/page/schedule.tsx';
import { Portal } from './open.ts';

let portal: Portal;
beforeAll(async () => {
  portal = await Portal.open();
});
afterAll(() => portal[Symbol.asyncDispose]());

const yaml = () => readFileSync(join(portal.root, 'px.yaml'), 'utf8');
const api = (path: string, init: RequestInit = {}) =>
  fetch(portal.gateway.url + path, {
    ...init,
    headers: { authorization: `Bearer ${portal.gateway.token}`, 'content-type': 'application/json' },
  });

describe('settings', () => {
  test('show each key with what it does and what it usually is', async () => {
    const { text } = await portal.get('/settings/agent');
    expect(text).toContain('Most model calls in one turn.');
    expect(text).toMatch(/name="agent\.max_steps"[^>]*type="number"[^>]*min="1"[^>]*max="200"|type="number"[^>]*/);
    expect(text).toContain('Usually <code>24</code>');
  });

  test('have a form for every section, and saving one as it is changes nothing', async () => {
    const before = yaml();
    const { text } = await portal.get('/settings');
    const sections = [...text.matchAll(/href="\/settings\/(\w+)"/g)]
      .map(([, name = '']) => name)
      .filter((n) => n !== 'file');
    expect(sections).toEqual(expect.arrayContaining(Object.keys(portal.app.config.current)));
    for (const section of sections) {
      const page = await portal.get(`/settings/${section}`);
      expect([section, page.status]).toEqual([section, 200]);
      const fields: Record<string, string> = { do: 'save' };
      for (const [, name = '', value = ''] of page.text.matchAll(
        /<input (?=[^>]*name="([\w.]+)")(?=[^>]*value="([^"]*)")[^>]*>/g,
      ))
        if (name.includes('.')) fields[name] = value.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
      for (const [, name = '', options = ''] of page.text.matchAll(
        /<select [^>]*name="([\w.]+)"[^>]*>([\s\S]*?)<\/select>/g,
      ))
        fields[name] = /value="([^"]*)" selected/.exec(options)?.[1] ?? /value="([^"]*)"/.exec(options)?.[1] ?? '';
      expect([section, (await portal.send(`/settings/${section}`, fields)).status]).toEqual([section, 303]);
    }
    expect(yaml()).toBe(before);
  });

  test('write what was changed, and nothing else, keeping comments', async () => {
    const before = yaml();
    const { to } = await portal.send('/settings/agent', {
      do: 'save',
      'agent.max_steps': '12',
      'agent.max_seconds': '600',
      'agent.profile': 'full',
    });
    expect(to).toBe('/settings/agent?saved');
    expect(yaml()).toContain('max_steps: 12');
    expect(yaml()).not.toContain('max_seconds:');
    expect(yaml()).toContain(before.split('\n')[0] ?? '');
    expect(portal.app.config.current.agent.max_steps).toBe(12);
    await portal.send('/settings/agent', { do: 'save', 'agent.max_steps': '24' });
    expect(yaml()).not.toContain('max_steps: 12');
    expect(portal.app.config.current.agent.max_steps).toBe(24);
  });

  test('take lists, named values and new entries', async () => {
    await portal.send('/settings/agent', { do: 'save', 'agent.tools.deny': 'web_*\n\n  clock_now \n' });
    expect(portal.app.config.current.agent.tools.deny).toEqual(['web_*', 'clock_now']);
    await portal.send('/settings/model', { do: 'save', 'model.aliases': 'fast: openai/gpt-5-mini' });
    expect(portal.app.config.current.model.aliases).toEqual({ fast: 'openai/gpt-5-mini' });
    await portal.send('/settings/channels', { do: 'save', 'channels+': 'matrix' });
    expect(Object.keys(portal.app.config.current.channels)).toContain('matrix');
    await portal.send('/settings/channels', { do: 'save', 'channels.matrix-': 'yes' });
    expect(Object.keys(portal.app.config.current.channels)).not.toContain('matrix');
  });

  test('say what is wrong, keep what was typed, and change nothing', async () => {
    const before = yaml();
    for (const [section, fields, word] of [
      ['agent', { 'agent.max_steps': '9000' }, 'max_steps'],
      ['agent', { 'agent.max_steps': 'many' }, 'many'],
      ['gateway', { 'gateway.origins': 'not an origin' }, 'origin'],
      ['model', { 'model.aliases': 'fast: [' }, 'YAML'],
    ] as const) {
      const { status, text } = await portal.send(`/settings/${section}`, { do: 'save', ...fields });
      expect([section, status]).toEqual([section, 422]);
      expect(/role="alert">([\s\S]*?)<\/div>/.exec(text)?.[1]).toContain(word);
      for (const value of Object.values(fields)) expect(text).toContain(value);
    }
    expect(yaml()).toBe(before);
  });

  test('refuse a text of px.yaml that is not valid, by its line, and one that somebody else has changed', async () => {
    const was = yaml();
    const bad = await portal.send('/settings/file', { do: 'save', text: `${was}\ngatewy: {}\n`, was });
    expect(bad.text).toContain('did you mean &quot;gateway&quot;?');
    expect(yaml()).toBe(was);
    writeFileSync(join(portal.root, 'px.yaml'), `${was}# by hand\n`);
    const late = await portal.send('/settings/file', { do: 'save', text: `${was}# mine\n`, was });
    expect(late.text).toContain('was changed meanwhile');
    expect(yaml()).toBe(`${was}# by hand\n`);
    const good = await portal.send('/settings/file', {
      do: 'save',
      text: `${yaml()}# mine\n`.replaceAll('\n', '\r\n'),
      was: yaml(),
    });
    expect(good.to).toBe('/settings/file?saved');
    expect(yaml()).toBe(`${was}# by hand\n# mine\n`);
  });

  test('never show a secret that stands in px.yaml by mistake', async () => {
    portal.app.secrets.set('LEAK', 'sesame-open-42');
    writeFileSync(join(portal.root, 'px.yaml'), `${yaml()}# sesame-open-42\n`);
    expect((await portal.get('/settings/file')).text).not.toContain('sesame-open-42');
  });
});

describe('memory', () => {
  test('makes a note, changes it, and takes the change back', async () => {
    expect((await portal.send('/memory', { do: 'make', path: 'garden', text: 'Roses.' })).to).toBe(
      '/memory/note?path=garden.md',
    );
    expect((await portal.send('/memory', { do: 'make', path: 'garden.md', text: 'Other.' })).status).toBe(422);
    const edit = '/memory/edit?path=garden.md';
    const was = (await portal.app.memory.get('garden.md')).text;
    expect((await portal.send(edit, { do: 'save', text: 'Roses and tulips.', was })).status).toBe(303);
    const late = await portal.send(edit, { do: 'save', text: 'Only mine.', was });
    expect(late.text).toContain('was changed since you opened it');
    expect(late.text).toContain('Only mine.');
    const [change] = await portal.app.memory.history.log({ path: 'garden.md' });
    expect((await portal.get(`/memory/change/${change?.n}`)).text).toContain(
      '<span class="in">+Roses and tulips.</span>',
    );
    expect((await portal.send(`/memory/change/${change?.n}`, { do: 'undo' })).to).toBe('/memory/note?path=garden.md');
    expect((await portal.app.memory.get('garden.md')).text).toContain('Roses.');
  });

  test('shows both sides where a change cannot be taken back', async () => {
    const first = await portal.app.memory.write('clash.md', 'one\n', 'replace');
    await portal.app.memory.write('clash.md', 'two\n', 'replace');
    await portal.app.memory.write('clash.md', 'three\n', 'replace');
    expect(first.path).toBe('clash.md');
    const [, second] = await portal.app.memory.history.log({ path: 'clash.md' });
    const { status, text } = await portal.send(`/memory/change/${second?.n}`, { do: 'undo' });
    expect(status).toBe(422);
    expect(text).toContain('nothing was written');
    for (const line of ['<<<<<<< as it is now', 'three', '>>>>>>> with the change undone'])
      expect(text).toContain(Bun.escapeHTML(line));
    expect((await portal.app.memory.get('clash.md')).text).toContain('three');
  });

  test('lets nobody write in what px writes itself', async () => {
    await portal.app.memory.journal.append('web/x', [{ at: 0, kind: 'note', text: 'hello' }]);
    const [path] = (await portal.app.memory.list('journal')).concat('people.md');
    for (const own of [path ?? 'people.md', 'people.md'])
      expect(
        (await portal.send(`/memory/edit?path=${own}`, { do: 'save', text: 'x', was: '' })).status,
      ).toBeGreaterThanOrEqual(400);
  });
});

describe('models', () => {
  test('keep a key and never show it', async () => {
    await portal.send('/models', { do: 'key', secret: 'OPENAI_API_KEY', key: 'sk-very-secret-key' });
    expect(portal.app.secrets.names()).toContain('OPENAI_API_KEY');
    const { text } = await portal.get('/models');
    expect(text).toContain('kept, encrypted');
    expect(text).not.toContain('sk-very-secret-key');
    await portal.send('/models', { do: 'forget', secret: 'OPENAI_API_KEY' });
    expect(portal.app.secrets.names()).not.toContain('OPENAI_API_KEY');
    expect((await portal.send('/models', { do: 'key', secret: 'TELEGRAM_TOKEN', key: 'x' })).status).toBe(422);
    expect((await portal.send('/models', { do: 'forget', secret: 'LEAK' })).status).toBe(422);
  });

  test('show a test that worked, and why one did not', async () => {
    const good = await portal.send('/models', { do: 'test', model: 'offline/px' });
    expect(good.text).toContain('offline/px works.');
    const bad = await portal.send('/models', { do: 'test', model: 'anthropic/claude-sonnet-4-5' });
    expect(bad.text).toMatch(/role="alert"><strong>anthropic\/claude-sonnet-4-5: /);
    expect((await portal.send('/models', { do: 'test', model: 'nothing' })).status).toBe(422);
  });

  test('switch, with fallbacks', async () => {
    await portal.send('/models', { do: 'switch', model: 'offline/px', fallbacks: 'ollama/qwen3:4b\noffline/px' });
    expect(portal.app.config.current.model).toMatchObject({
      default: 'offline/px',
      fallbacks: ['ollama/qwen3:4b', 'offline/px'],
    });
    await portal.send('/models', { do: 'switch', model: 'auto', fallbacks: '' });
    expect(portal.app.config.current.model).toMatchObject({ default: 'auto', fallbacks: [] });
  });
});

describe('the schedule', () => {
  test('takes a time as people say it', () => {
    expect(whenOf('daily', '08:05')).toBe('cron 5 8 * * *');
    expect(whenOf('weekdays', '17:30')).toBe('cron 30 17 * * 1-5');
    expect(whenOf('at', '2026-12-24 18:00')).toBe('at 2026-12-24T18:00');
    expect(whenOf('every', '2h')).toBe('every 2h');
    expect(whenOf('cron', '0 8 1 * *')).toBe('cron 0 8 1 * *');
    for (const wrong of ['8', '25:00', '08:60', 'noon'])
      expect(() => whenOf('daily', wrong)).toThrow('is no time of day');
  });
});

describe('the audit', () => {
  test('tells what is not as px wrote it', async () => {
    await portal.app.memory.journal.append('web/audit', [{ at: 0, kind: 'note', text: 'a thing' }]);
    expect((await portal.send('/audit', { do: 'verify' })).text).toContain('All well.');
    const [file = ''] = [...new Bun.Glob('journal/web-audit/*.md').scanSync(portal.app.home.memory)];
    const path = join(portal.app.home.memory, file);
    writeFileSync(path, readFileSync(path, 'utf8').replace('a thing', 'another'));
    const { text } = await portal.send('/audit', { do: 'verify' });
    expect(text).toContain('not as px wrote it');
    expect(text).toContain(`${file}, line`);
  });

  test('names a day it does not know', async () => {
    const response = await api('/api/audit?day=someday');
    expect([response.status, ((await response.json()) as { error: { message: string } }).error.message]).toEqual([
      400,
      '“someday” is no day px knows.',
    ]);
    expect((await portal.get('/audit?day=someday')).text).toContain('no day px knows');
  });
});

test('a page that cannot be made says why, in px’s words', async () => {
  expect((await portal.get('/memory/note?path=nothing.md')).status).toBe(404);
  expect((await portal.get('/memory/change/999')).status).toBe(404);
  expect((await portal.get('/memory/change/x')).status).toBe(404);
});

test('a new version of a plugin is looked at under its own name, and what was declined before is not ticked again', async () => {
  const file = join(portal.root, 'asker.js');
  const write = (version: string, ...hosts: string[]) => {
    const egress = hosts.map((host) => `GET https://${host}.example/`);
    writeFileSync(file, `export const manifest = ${JSON.stringify({ name: 'asker', version, egress })};`);
  };
  write('1.0', 'has', 'declined');
  await portal.app.plugins.add(file, { name: 'renamed', grant: ['egress GET https://has.example/'] });
  write('2.0', 'has', 'declined', 'fresh');
  const { text, to } = await portal.send('/plugins/renamed', { do: 'update' });
  expect([to, text.includes('Add renamed?')]).toEqual([null, true]);
  const boxes = [...text.matchAll(/<input (?=[^>]*type="checkbox")[^>]*value="egress GET https:\/\/(\w+)[^>]*>/g)];
  expect(boxes.map(([box, host]) => [host, / checked/.test(box), / disabled/.test(box)])).toEqual([
    ['has', true, true],
    ['declined', false, false],
    ['fresh', true, false],
  ]);
  const hidden = Object.fromEntries(
    [...text.matchAll(/<input type="hidden" name="(source|sha256|name|replace)" value="([^"]*)"/g)].map((m) =>
      m.slice(1),
    ),
  );
  await portal.send('/plugins', { do: 'add', ...hidden, grant: 'egress GET https://fresh.example/' });
  const { version, asks } = await portal.app.plugins.inspect('renamed');
  expect([version, asks.map((ask) => ask.granted)]).toEqual(['2.0', [true, false, true]]);
  await portal.app.plugins.remove('renamed');
});
