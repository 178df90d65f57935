import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nearlyOci, parseOci } from '../../src/plugin/oci.ts';
import { newKeys, packPlugin, signPlugin } from '../../src/plugin/plugin.ts';
import { component, plain } from './component.ts';
import { codeOf, openHome } from './home.ts';

const sha = (bytes: Uint8Array) => `sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}`;
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';
/** Laid out as `wkg oci push` does; what that really wrote lies in `wkg/`. */
const manifestOf = (layer: Uint8Array, config: Uint8Array, annotations = {}) =>
  encode({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: 'application/vnd.wasm.config.v0+json', digest: sha(config), size: config.length },
    layers: [{ mediaType: 'application/wasm', digest: sha(layer), size: layer.length }],
    annotations,
  });
const config = encode({ architecture: 'wasm', os: 'wasip2' });

let wasm: Uint8Array;
beforeAll(async () => {
  wasm = await packPlugin(await component(plain), { name: 'sums', version: '1.0' });
});

test('a place in a registry is told from a path and a name', () => {
  expect(parseOci('ghcr.io/owner/name:1.2')).toEqual({ host: 'ghcr.io', repository: 'owner/name', reference: '1.2' });
  expect(parseOci('127.0.0.1:5000/a/b/c:x')?.host).toBe('127.0.0.1:5000');
  expect(parseOci('oci://ghcr.io/owner/name')?.reference).toBe('latest');
  expect(parseOci(`ghcr.io/o/n:1@${sha(config)}`)?.reference).toBe(sha(config));
  expect(parseOci('docker.io/thing:1')).toMatchObject({ host: 'registry-1.docker.io', repository: 'library/thing' });
  for (const none of [
    'ghcr.io/owner/name',
    'owner/name:1',
    './a/b:1',
    '../x.y/z:1',
    'ghcr.io/../v2:1',
    'ghcr.io/Owner/name:1',
    'ghcr.io/o/n:1@sha256:00',
    'user@ghcr.io/o/n:1',
    'oci://ghcr.io/o/n?x',
    'clock',
  ])
    expect([none, parseOci(none)]).toEqual([none, undefined]);
});

test('what was surely meant as a place in a registry is told how it is written', () => {
  for (const [text, said] of Object.entries({
    'ghcr.io/owner/name': 'px plugin add ghcr.io/owner/name:latest',
    '127.0.0.1:5000/owner/name': 'px plugin add 127.0.0.1:5000/owner/name:latest',
    'ghcr.io/Owner/name:1': 'small letters',
    [`ghcr.io/o/n@${sha(config).toUpperCase()}`]: 'small letters',
    'ghcr.io/o/n:1@sha256:00': '@sha256: and 64 hex digits',
    'me:greet@0.3.0': 'HOST/…/me/greet:0.3.0',
    'wasi:http': 'HOST/…/wasi/http:VERSION',
  }))
    expect([text, nearlyOci(text)]).toEqual([text, expect.stringContaining(said)]);
  for (const other of ['weather', './weather.wasm', 'plugins/weather', '/home/a.b/weather', 'C:\\weather', 'a b'])
    expect([other, nearlyOci(other)]).toEqual([other, undefined]);
});

describe('a registry', () => {
  /** What it serves, by path below `/v2/`. */
  let serves: Record<string, { bytes: Uint8Array | string; type?: string; status?: number; location?: string }> = {};
  let asked: { path: string; auth: string | null }[] = [];
  /** How it asks who one is, and whom it gives a token: anybody when undefined. */
  let asks: 'token' | 'basic' = 'token';
  let ada: string | undefined;
  let registry: Bun.Server<undefined>;
  let tokens: Bun.Server<undefined>;
  beforeAll(() => {
    tokens = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch(request) {
        const { searchParams, pathname } = new URL(request.url);
        asked.push({ path: pathname, auth: request.headers.get('authorization') });
        if (pathname === '/cdn') return new Response(wasm);
        if (searchParams.get('service') !== 'here' || searchParams.get('scope') !== 'repository:o/sums:pull')
          return new Response(null, { status: 400 });
        if (ada !== undefined && request.headers.get('authorization') !== ada)
          return new Response(null, { status: 401 });
        return Response.json({ token: 'anyone' });
      },
    });
    registry = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch(request) {
        const path = new URL(request.url).pathname.replace(/^\/v2\//, '');
        const auth = request.headers.get('authorization');
        asked.push({ path, auth });
        if (asks === 'basic' && auth !== ada)
          return new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic realm="here"' } });
        if (asks === 'token' && auth !== 'Bearer anyone') {
          const realm = `Bearer realm="http://127.0.0.1:${tokens.port}/token",service="here",scope="repository:o/sums:pull"`;
          return new Response(null, { status: 401, headers: { 'www-authenticate': realm } });
        }
        const found = serves[path];
        if (!found) return new Response(null, { status: 404 });
        return new Response(found.bytes, {
          status: found.status ?? 200,
          headers: {
            ...(found.type ? { 'content-type': found.type } : {}),
            ...(found.location ? { location: found.location } : {}),
          },
        });
      },
    });
  });
  afterAll(async () => {
    await registry.stop(true);
    await tokens.stop(true);
  });
  const at = (tag = '1') => `127.0.0.1:${registry.port}/o/sums:${tag}`;
  const publish = (annotations = {}) => {
    asked = [];
    asks = 'token';
    ada = undefined;
    const manifest = manifestOf(wasm, config, annotations);
    serves = {
      'o/sums/manifests/1': { bytes: manifest, type: manifestType },
      [`o/sums/blobs/${sha(wasm)}`]: { bytes: wasm },
    };
    return manifest;
  };

  test('gives a component to anybody with a token that anybody gets; an update asks it again', async () => {
    publish();
    await using home = await openHome();
    const info = await home.plugins.add(at());
    expect([info.name, info.version, info.source]).toEqual(['sums', '1.0', `oci://${at()}`]);
    expect(await home.plugins.call('sums', 'double', [4])).toBe(8);
    expect((await home.plugins.update('sums')).updated).toBe(false);
    const newer = await packPlugin(wasm, { name: 'sums', version: '1.1' });
    serves['o/sums/manifests/1'] = { bytes: manifestOf(newer, config), type: manifestType };
    serves[`o/sums/blobs/${sha(newer)}`] = { bytes: newer };
    expect((await home.plugins.update('sums')).plugin.version).toBe('1.1');
  });

  test('that sends on to another server does not have the token sent there', async () => {
    publish();
    serves[`o/sums/blobs/${sha(wasm)}`] = { bytes: '', status: 307, location: `http://127.0.0.1:${tokens.port}/cdn` };
    await using home = await openHome();
    await home.plugins.add(at());
    expect(asked.at(-1)).toEqual({ path: '/cdn', auth: null });
    serves[`o/sums/blobs/${sha(wasm)}`] = { bytes: '', status: 307, location: 'http://192.0.2.1/cdn' };
    expect(await codeOf(home.plugins.add(at(), { replace: true }))).toBe('plugin.invalid');
  });

  test('that gives it to some only is told who px is, where it asks, and nobody else is', async () => {
    publish();
    serves[`o/sums/blobs/${sha(wasm)}`] = { bytes: '', status: 307, location: `http://127.0.0.1:${tokens.port}/cdn` };
    const host = `127.0.0.1:${registry.port}`;
    await using home = await openHome();
    for (const way of ['token', 'basic'] as const) {
      asks = way;
      ada = `Basic ${btoa('ada:pass:word')}`;
      home.configure({});
      const refused = await home.plugins.add(at()).catch((thrown: unknown) => thrown);
      expect(refused).toMatchObject({ code: 'plugin.invalid', hint: expect.stringContaining(`registries."${host}"`) });
      home.configure({ registries: { [host]: { user: 'ada', password: 'secret:REGISTRY' } } });
      home.secrets.remove('REGISTRY');
      expect(await codeOf(home.plugins.add(at()))).toBe('secret.missing');
      home.secrets.set('REGISTRY', 'wrong');
      expect(await codeOf(home.plugins.add(at()))).toBe('plugin.invalid');
      home.secrets.set('REGISTRY', 'pass:word');
      asked = [];
      await home.plugins.add(at(), { replace: true });
      expect(asked.map(({ path, auth }) => [path, auth === ada])).toContainEqual([
        way === 'token' ? '/token' : 'o/sums/manifests/1',
        true,
      ]);
      expect(asked.at(-1)).toEqual({ path: '/cdn', auth: null });
    }
  });

  test('with an index of several, and one asked by digest', async () => {
    const manifest = publish();
    serves[`o/sums/manifests/${sha(manifest)}`] = { bytes: manifest };
    const index = { manifests: [{ digest: sha(manifest), size: 1, platform: { architecture: 'wasm', os: 'wasip2' } }] };
    serves['o/sums/manifests/1'] = { bytes: encode(index), type: indexType };
    await using home = await openHome();
    await home.plugins.add(at());
    await home.plugins.add(`oci://127.0.0.1:${registry.port}/o/sums@${sha(manifest)}`, { name: 'again' });
    // An index of indices has no end.
    const loop = encode({ manifests: [{ digest: sha(encode(index)) }] });
    serves['o/sums/manifests/1'] = { bytes: loop };
    serves[`o/sums/manifests/${sha(encode(index))}`] = { bytes: encode(index) };
    expect(await codeOf(home.plugins.add(at(), { replace: true }))).toBe('plugin.invalid');
  });

  test('holds what wkg 0.16.1 wrote: a component of `wkg oci push`, and a WIT package of `wkg publish`, which has no code', async () => {
    publish();
    const wkg = (name: string) => new Uint8Array(readFileSync(join(import.meta.dir, 'wkg', name)));
    for (const [name, tag] of [
      ['component', '2.1.0'],
      ['package', '0.3.0'],
    ]) {
      const manifest = wkg(`${name}.manifest`);
      for (const reference of [tag, sha(manifest)])
        serves[`o/sums/manifests/${reference}`] = { bytes: manifest, type: manifestType };
      for (const part of ['wasm', 'config']) {
        const blob = wkg(`${name}.${part}`);
        serves[`o/sums/blobs/${sha(blob)}`] = { bytes: blob };
      }
    }
    await using home = await openHome();
    const added = await home.plugins.add(at('2.1.0'));
    expect([added.version, added.manifest.description]).toEqual(['2.1.0', 'Adds up.']);
    // The digest that `wkg oci push` printed.
    const digest = 'sha256:1b6b87636991b879597a7be8a58b40a1d483e275328a0f5103ce464a8a3a1b21';
    expect((await home.plugins.add(`${at('2.1.0')}@${digest}`, { replace: true })).sha256).toBe(added.sha256);
    expect(await home.plugins.call('sums', 'double', [21])).toBe(42);
    await expect(home.plugins.add(at('0.3.0'), { replace: true })).rejects.toThrow('WIT package');
    expect(await home.plugins.call('sums', 'double', [4])).toBe(8);
  });

  test('says in its annotations what a component says nothing of, and never of one that says it or is signed', async () => {
    const { publicKey, privateKey } = await newKeys();
    const annotations = {
      'org.opencontainers.image.version': '9.9',
      'org.opencontainers.image.description': 'From beside.',
    };
    await using home = await openHome({ trust: { keys: [`${publicKey} Ada`], require: false } });
    publish(annotations);
    const own = await home.plugins.add(at());
    expect([own.version, own.manifest.description]).toEqual(['1.0', 'From beside.']);
    publish({ ...annotations, 'px.plugin.signature': await signPlugin(wasm, privateKey) });
    const signed = await home.plugins.add(at(), { replace: true });
    expect([signed.signedBy, signed.version, signed.manifest.description]).toEqual(['Ada', '1.0', '']);
  });

  test('holds a script, too', async () => {
    publish();
    const script = new TextEncoder().encode(
      `export const manifest = { name: 'sums', version: '3' }; export const double = (n) => 2 * n;`,
    );
    const layers = [{ mediaType: 'text/javascript', digest: sha(script), size: script.length }];
    const said = { 'org.opencontainers.image.version': '9.9' };
    serves['o/sums/manifests/1'] = { bytes: encode({ layers, annotations: said }), type: manifestType };
    serves[`o/sums/blobs/${sha(script)}`] = { bytes: script };
    await using home = await openHome();
    const added = await home.plugins.add(at());
    expect([added.kind, added.version]).toEqual(['script', '3']);
    expect(await home.plugins.call('sums', 'double', [21])).toBe(42);
  });

  test('that lies is not believed', async () => {
    await using home = await openHome();
    const tries: Record<string, () => void> = {
      'another file than announced': () => {
        serves[`o/sums/blobs/${sha(wasm)}`] = { bytes: 'other' };
      },
      'another manifest than asked for': () => {
        serves['o/sums/manifests/1'] = { bytes: encode({ manifests: [{ digest: sha(config) }] }) };
        serves[`o/sums/manifests/${sha(config)}`] = { bytes: manifestOf(wasm, config) };
      },
      'no JSON': () => {
        serves['o/sums/manifests/1'] = { bytes: '<html>' };
      },
      'a digest that is a path': () => {
        const layers = [{ mediaType: 'application/wasm', digest: 'sha256:../../x', size: 1 }];
        serves['o/sums/manifests/1'] = { bytes: encode({ layers }) };
      },
      'no component': () => {
        serves['o/sums/manifests/1'] = { bytes: encode({ layers: [] }) };
      },
      'a server that fails': () => {
        serves['o/sums/manifests/1'] = { bytes: '', status: 500 };
      },
    };
    for (const [what, lie] of Object.entries(tries)) {
      publish();
      lie();
      expect([what, await codeOf(home.plugins.add(at()))]).toEqual([what, 'plugin.invalid']);
    }
    publish();
    expect(await codeOf(home.plugins.add(at('2')))).toBe('not-found');
    serves['o/sums/manifests/1'] = { bytes: new Uint8Array(5_000_000) };
    expect(await codeOf(home.plugins.add(at()))).toBe('too-large');
    expect(home.plugins.list()).toEqual([]);
  });

  test('carries the signature as an annotation', async () => {
    const { publicKey, privateKey } = await newKeys();
    await using home = await openHome({ trust: { keys: [`${publicKey} Ada`], require: true } });
    publish();
    expect(await codeOf(home.plugins.add(at()))).toBe('plugin.signature');
    publish({ 'px.plugin.signature': await signPlugin(wasm, privateKey) });
    expect((await home.plugins.add(at())).signedBy).toBe('Ada');
  });
});

const distribution = '/usr/bin/docker-registry';
test.skipIf(!existsSync(distribution))('the registry most people run gives what was pushed to it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'px-registry-'));
  const reserved = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
  const host = `127.0.0.1:${reserved.port}`;
  await reserved.stop(true);
  const settings = { version: 0.1, storage: { filesystem: { rootdirectory: folder } }, http: { addr: host } };
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(settings));
  const registry = Bun.spawn([distribution, 'serve', join(folder, 'config.yml')], {
    stdout: 'ignore',
    stderr: 'ignore',
  });
  try {
    const base = `http://${host}/v2/owner/sums`;
    for (let i = 0; i < 100 && !(await fetch(`http://${host}/v2/`).catch(() => undefined)); i++) await Bun.sleep(50);
    for (const blob of [wasm, config]) {
      const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
      const to = new URL(begun.headers.get('location') ?? '', base);
      to.searchParams.set('digest', sha(blob));
      expect((await fetch(to, { method: 'PUT', body: new Uint8Array(blob) })).status).toBe(201);
    }
    const put = { method: 'PUT', body: manifestOf(wasm, config), headers: { 'content-type': manifestType } };
    expect((await fetch(`${base}/manifests/v1`, put)).status).toBe(201);
    await using home = await openHome();
    expect((await home.plugins.add(`${host}/owner/sums:v1`)).version).toBe('1.0');
    expect(await home.plugins.call('sums', 'double', [21])).toBe(42);
  } finally {
    registry.kill();
    await registry.exited;
    rmSync(folder, { recursive: true, force: true });
  }
});
