import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { guestRequest } from '../../src/plugin/http/request.ts';
import { openHome, type TestHome } from './home.ts';

let home: TestHome;
let server: Bun.Server<undefined>;
let last: { url: string; headers: Record<string, string>; body: string } | undefined;
const value = 'ab"c/&=d:efgh1234';

beforeAll(async () => {
  home = await openHome();
  home.secrets.set('KEY', value);
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      last = { url: request.url, headers: Object.fromEntries(request.headers), body: await request.text() };
      return new Response('ok');
    },
  });
});
afterAll(async () => {
  await server.stop(true);
  await home[Symbol.asyncDispose]();
});

const base = () => `http://api.test:${server.port}/`;
const json: [string, string] = ['content-type', 'application/json'];
const form: [string, string] = ['content-type', 'application/x-www-form-urlencoded'];
/** One way to put the secret into a request. */
interface Put {
  path?: string;
  headers?: [string, string][];
  body?: string;
}
const puts: Record<string, Put> = {
  bearer: { headers: [['Authorization', 'Bearer {{secret:KEY}}']] },
  'basic in clear': { headers: [['authorization', 'Basic me:{{secret:KEY}}']] },
  'basic in base64': { headers: [['authorization', `basic ${btoa('me:{{secret:KEY}}')}`]] },
  header: { headers: [['X-Key', '{{secret:KEY}}']] },
  'other header': { headers: [['x-other', '{{secret:KEY}}']] },
  'own scheme': { headers: [['authorization', 'token {{secret:KEY}}']] },
  query: { path: '?key={{secret:KEY}}' },
  'escaped query': { path: '?key=%7B%7Bsecret%3AKEY%7D%7D' },
  'other query': { path: '?q={{secret:KEY}}' },
  'name of a query': { path: '?{{secret:KEY}}=1' },
  path: { path: 'x/{{secret:KEY}}/y' },
  'json field': { headers: [json], body: '{"auth":{"key":"{{secret:KEY}}"}}' },
  'other json field': { headers: [json], body: '{"other":"{{secret:KEY}}"}' },
  'json field twice': { headers: [json], body: '{"auth":{"key":"{{secret:KEY}}","key":"x"}}' },
  'json key': { headers: [json], body: '{"{{secret:KEY}}":1}' },
  'form field': { headers: [form], body: 'a=1&auth.key={{secret:KEY}}' },
  'escaped form field': { headers: [form], body: 'auth.key=%7B%7Bsecret%3AKEY%7D%7D' },
  'plain body': { body: 'key: {{secret:KEY}}' },
  'broken json': { headers: [json], body: '{"auth":{"key":"{{secret:KEY}}"' },
};

async function goes(put: Put, grant: string): Promise<boolean> {
  last = undefined;
  const answer = await guestRequest(
    {
      method: put.body === undefined ? 'GET' : 'POST',
      url: `${base()}${put.path ?? ''}`,
      headers: put.headers ?? [],
      body: put.body === undefined ? undefined : new TextEncoder().encode(put.body),
      timeoutMs: 5000,
    },
    {
      grants: {
        egress: [`GET,POST ${base()}`],
        private_hosts: [`api.test:${server.port}`],
        secrets: { KEY: [`${grant}${base()}`] },
        files: {},
        schedule: {},
      },
      secrets: home.secrets,
      maxBytes: 10_000,
      resolve: async () => ['127.0.0.1'],
    },
    AbortSignal.timeout(10_000),
  );
  return 'ok' in answer;
}

describe('a secret goes', () => {
  const allowed: Record<string, string[]> = {
    'bearer ': ['bearer'],
    'basic ': ['basic in clear', 'basic in base64'],
    'header:X-KEY ': ['header'],
    'header:authorization ': ['bearer', 'basic in clear', 'basic in base64', 'own scheme'],
    'header ': ['bearer', 'basic in clear', 'basic in base64', 'header', 'other header', 'own scheme'],
    'query:key ': ['query', 'escaped query'],
    'query ': ['query', 'escaped query', 'other query'],
    'path ': ['path'],
    'body:auth.key ': ['json field', 'form field', 'escaped form field'],
    'body ': [
      'json field',
      'other json field',
      'json field twice',
      'json key',
      'form field',
      'escaped form field',
      'plain body',
      'broken json',
    ],
    '': Object.keys(puts),
  };
  for (const [grant, only] of Object.entries(allowed))
    test(`${grant === '' ? 'anywhere when no place is named' : `as granted with ${grant.trim()} and in no other place`}`, async () => {
      for (const [name, put] of Object.entries(puts)) {
        expect([name, await goes(put, grant)]).toEqual([name, only.includes(name)]);
        if (!only.includes(name)) expect(last).toBeUndefined();
      }
    });

  test('written as a value is written there', async () => {
    const sent = async (name: string) => {
      await goes(puts[name] ?? {}, '');
      return last;
    };
    expect((await sent('bearer'))?.headers['authorization']).toBe(`Bearer ${value}`);
    for (const name of ['basic in clear', 'basic in base64'])
      expect((await sent(name))?.headers['authorization']).toBe(`Basic ${btoa(`me:${value}`)}`);
    expect(JSON.parse((await sent('json field'))?.body ?? '')).toEqual({ auth: { key: value } });
    for (const name of ['form field', 'escaped form field'])
      expect(new URLSearchParams((await sent(name))?.body).get('auth.key')).toBe(value);
    for (const name of ['query', 'escaped query'])
      expect(new URL((await sent(name))?.url ?? '').searchParams.get('key')).toBe(value);
    expect(decodeURIComponent(new URL((await sent('path'))?.url ?? '').pathname)).toBe(`/x/${value}/y`);
  });
});
