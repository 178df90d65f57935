import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { until } from '../px.ts';

const python = resolve(import.meta.dir, '../../../build/synapse/bin/python');
/** Why there is no Matrix server to test with, or undefined. */
export const noSynapse = existsSync(join(python, '../../.px-wanted'))
  ? undefined
  : 'Synapse is not installed: scripts/prepare --synapse';

type Json = { [key: string]: unknown };

/** Somebody with an account: plain calls of the client-server API. */
export interface Account {
  id: string;
  token: string;
  password: string;
  /** Calls `/_matrix/…`; the JSON of the answer. Throws its error. */
  call(method: string, path: string, body?: Json, signal?: AbortSignal): Promise<Json>;
  /** Uploads a file; its `mxc:` address. */
  upload(name: string, mime: string, bytes: Uint8Array): Promise<string>;
  /** What is at an `mxc:` address. */
  file(address: string): Promise<Uint8Array>;
}

/** A Synapse of its own on loopback, with SQLite, without federation and rate limits. */
export interface Synapse extends AsyncDisposable {
  url: string;
  /** Makes an account. */
  register(name: string, displayName: string): Promise<Account>;
}

/** Starts it: some five seconds. */
export async function startSynapse(): Promise<Synapse> {
  const home = mkdtempSync(join(tmpdir(), 'px-synapse-'));
  const probe = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
  const port = probe.port ?? 0;
  await probe.stop(true);
  const url = `http://127.0.0.1:${port}`;
  const secret = crypto.randomUUID();
  const seed = Buffer.from(crypto.getRandomValues(new Uint8Array(32)))
    .toString('base64')
    .replace(/=+$/, '');
  writeFileSync(join(home, 'key'), `ed25519 a_test ${seed}\n`);
  writeFileSync(join(home, 'hs.yaml'), config(home, port, secret));
  const server = Bun.spawn([python, '-m', 'synapse.app.homeserver', '-c', join(home, 'hs.yaml')], {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, PYTHONDONTWRITEBYTECODE: '1' },
    stdin: 'ignore',
    stdout: Bun.file(join(home, 'out')),
    stderr: Bun.file(join(home, 'err')),
  });
  const stop = async () => {
    server.kill('SIGKILL');
    await server.exited;
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await until(
      'Synapse to answer',
      async () => {
        if (server.exitCode !== null) throw new Error(`Synapse ended: ${await Bun.file(join(home, 'err')).text()}`);
        return (await fetch(`${url}/health`).catch(() => undefined))?.ok;
      },
      60_000,
    );
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return {
    url,
    async register(name, displayName) {
      const where = `${url}/_synapse/admin/v1/register`;
      const { nonce } = (await (await fetch(where)).json()) as { nonce: string };
      const password = crypto.randomUUID();
      const mac = createHmac('sha1', secret).update([nonce, name, password, 'notadmin'].join('\0')).digest('hex');
      const body = JSON.stringify({ nonce, username: name, displayname: displayName, password, admin: false, mac });
      const made = (await (await fetch(where, { method: 'POST', body })).json()) as Json;
      return account(url, String(made['user_id']), String(made['access_token']), password);
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** An account by its token. */
function account(url: string, id: string, token: string, password: string): Account {
  const headers = { authorization: `Bearer ${token}` };
  const ask = async (method: string, path: string, more: RequestInit = {}, type = 'application/json') => {
    const typed = more.body === undefined ? headers : { ...headers, 'content-type': type };
    const response = await fetch(`${url}/_matrix/${path}`, { method, headers: typed, ...more });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    id,
    token,
    password,
    async call(method, path, body, signal) {
      const more = { ...(body ? { body: JSON.stringify(body) } : {}), ...(signal ? { signal } : {}) };
      return (await (await ask(method, path, more)).json()) as Json;
    },
    async upload(name, mime, bytes) {
      const path = `media/v3/upload?filename=${encodeURIComponent(name)}`;
      const said = (await (await ask('POST', path, { body: Buffer.from(bytes) }, mime)).json()) as Json;
      return String(said['content_uri']);
    },
    file: async (address) => (await ask('GET', `client/v1/media/download/${address.replace('mxc://', '')}`)).bytes(),
  };
}

/** Nobody is slowed down in a test. */
const free = '{ per_second: 1000, burst_count: 1000 }';
const config = (home: string, port: number, secret: string) => `
server_name: px.test
pid_file: ${home}/pid
listeners:
  - { port: ${port}, type: http, bind_addresses: ['127.0.0.1'], resources: [{ names: [client] }] }
database: { name: sqlite3, args: { database: '${home}/hs.db' } }
media_store_path: ${home}/media
signing_key_path: ${home}/key
registration_shared_secret: ${secret}
report_stats: false
trusted_key_servers: []
suppress_key_server_warning: true
presence: { enabled: false }
bcrypt_rounds: 4
federation_domain_whitelist: []
rc_message: ${free}
rc_joins_per_room: ${free}
rc_login: { address: ${free}, account: ${free} }
rc_joins: { local: ${free}, remote: ${free} }
rc_invites: { per_room: ${free}, per_user: ${free}, per_issuer: ${free} }
`;
