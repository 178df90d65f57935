import { expect, test } from 'bun:test';
import * as v from 'valibot';
import { ConfigSchema } from '../../src/config/config.ts';
import { createLog } from '../../src/log/log.ts';
import { createBroker } from '../../src/plugin/broker.ts';
import type { AnswerHost } from '../../src/plugin/guest.ts';
import { createGuestLog } from '../../src/plugin/guest-log.ts';
import { openKv } from '../../src/plugin/kv.ts';
import { createBus, type Json } from '../../src/wire/wire.ts';
import { forced } from './forced.ts';
import { codeOf, openHome, type TestHome } from './home.ts';

/** The broker as the daemon makes it for a plugin with nothing but one granted page. */
function doorOf(home: TestHome, name: string, egress: string[]): AnswerHost {
  const plugins = { [name]: { grants: { egress, private_hosts: ['127.0.0.1:1'] } } };
  const config = v.parse(ConfigSchema, { plugins }).plugins[name];
  if (!config) throw new Error('no config');
  return createBroker({
    name,
    connector: () => false,
    sealed: () => false,
    folders: { home: '/nowhere', userHome: '/nowhere' },
    config: () => config,
    kv: openKv(home.store, home.secrets),
    secrets: home.secrets,
    log: createGuestLog(createLog({ sinks: [] }), home.secrets.scrub),
    bus: createBus(),
    resolve: async () => ['127.0.0.1'],
    ca: undefined,
    emit: () => true,
  }).answer;
}

/** Sends frames of its own making from inside a broken-out process, and gives the daemon's answers. */
async function forge(host: AnswerHost, frames: object[]): Promise<{ ok?: Json; err?: Json }[]> {
  const guest = await forced(
    `const fs = process.getBuiltinModule('fs');
     const send = (frame) => {
       const json = Buffer.from(JSON.stringify(frame));
       const head = Buffer.alloc(4);
       head.writeUInt32LE(json.length);
       fs.writeSync(1, Buffer.concat([head, json]));
     };
     const receive = (count) => { const b = Buffer.alloc(count); for (let at = 0; at < count;) at += fs.readSync(0, b, at, count - at, null); return b; };
     const out = [];
     for (const frame of ${JSON.stringify(frames)}) { send(frame); out.push(JSON.parse(receive(receive(4).readUInt32LE(0)))); }
     return JSON.stringify(out);`,
    {},
    host,
  );
  try {
    return JSON.parse(String(await guest.call('run', []))) as { ok?: Json; err?: Json }[];
  } finally {
    await guest.end();
  }
}

test('frames forged by a process that broke out get it what its own plugin was granted, and nothing of another', async () => {
  await using home = await openHome();
  home.secrets.set('TOKEN', 'a-very-secret-token');
  await doorOf(home, 'victim', [])('kv-set', ['private', 'dmljdGlt'], () => AbortSignal.timeout(5000));
  const host = doorOf(home, 'thief', ['GET http://127.0.0.1:1/mine']);
  const get = (url: string): Json => ({ method: 'GET', url, headers: [['authorization', '{{secret:TOKEN}}']] });
  const frame = (n: number, fn: string, ...args: Json[]) => ({ t: 'host', n, fn, args });
  const answers = await forge(host, [
    frame(1, 'kv-get', 'private'),
    { ...frame(2, 'kv-get', 'private'), plugin: 'victim', name: 'victim', id: 'victim' },
    frame(3, 'kv-get', 'victim/private'),
    frame(4, 'kv-get', '../victim/private'),
    frame(5, 'kv-get', 'victim\u0000private'),
    frame(6, 'kv-get', 'private', 'victim'),
    frame(7, 'kv-list', ''),
    frame(8, 'kv-list', '%'),
    frame(9, 'config-get', 'token'),
    frame(10, 'secret-exists', 'TOKEN'),
    frame(11, 'secret-get', 'TOKEN'),
    frame(12, '__proto__'),
    frame(13, 'http-request', get('http://127.0.0.1:1/theirs')),
    frame(14, 'http-request', get('http://127.0.0.1:1/mine/../theirs')),
    frame(15, 'http-request', get('file:///etc/passwd')),
    frame(16, 'http-request', { ...(get('http://127.0.0.1:1/theirs') as object), grants: ['*'], redirect: 'follow' }),
    frame(17, 'http-request', get('http://127.0.0.1:1/mine')),
  ]);
  const shown = JSON.stringify(answers);
  expect(shown).not.toContain('dmljdGlt');
  expect(shown).not.toContain('a-very-secret-token');
  const ok = answers.flatMap((answer, i) => ('ok' in answer ? [[i + 1, answer.ok]] : []));
  expect(ok).toEqual([
    [7, []],
    [8, []],
    [9, null],
    [10, false],
  ]);
  // What is granted is still refused with a secret that is not.
  for (const n of [13, 14, 15, 16, 17]) expect(JSON.stringify(answers[n - 1])).toContain('denied');
});

test('a process that broke out cannot answer in the name of another call, or go on after its own', async () => {
  await using home = await openHome();
  const guest = await forced(`const fs = process.getBuiltinModule('fs');
    const json = Buffer.from('{"t":"done","id":7,"ok":"forged"}');
    const head = Buffer.alloc(4);
    head.writeUInt32LE(json.length);
    fs.writeSync(1, Buffer.concat([head, json]));
    return 'late';`);
  expect(await codeOf(guest.call('run', []))).toBe('plugin.output');
  expect(guest.alive).toBe(false);
  expect(home.plugins.list()).toEqual([]);
});
