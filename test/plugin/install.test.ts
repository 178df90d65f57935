import { beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultPlugin } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';
import { newKeys, packPlugin, signPlugin } from '../../src/plugin/plugin.ts';
import { component, plain } from './component.ts';
import { codeOf, openHome, type TestHome } from './home.ts';

let bytes: Uint8Array;
let crashes: Uint8Array;
beforeAll(async () => {
  bytes = await component(plain);
  crashes = await component(plain.replace('local.get 0 i32.const 2 i32.mul', 'unreachable'));
});

const usual = defaultPlugin().limits;
const asked = {
  egress: ['GET,POST https://api.example.com/v1/'],
  private_hosts: ['localhost:8123'],
  secrets: { KEY: ['bearer https://api.example.com/'] },
  files: { notes: 'write ~/notes' },
  schedule: { double: '0 8 * * *' },
  limits: { memory_mb: usual.memory_mb + 32, cpu_ms: usual.cpu_ms - 1 },
};
const sums = (version: string, more: object = {}) => packPlugin(bytes, { name: 'sums', version, ...asked, ...more });
const stored = (home: TestHome) => readdirSync(join(home.root, 'plugins/store')).sort();
async function errorOf(work: Promise<unknown>): Promise<PxError> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof PxError) return thrown;
    throw thrown;
  }
  throw new Error('it did not fail');
}

describe('what a plugin asks for', () => {
  test('stands in its one file, is shown in plain words, and is not granted by installing it', async () => {
    await using home = await openHome();
    const info = await home.plugins.add(home.file('x.wasm', await sums('1.0')));
    expect([info.name, info.version]).toEqual(['sums', '1.0']);
    // Less processor time than every plugin has needs nobody's leave.
    expect(info.asks.map(({ text, granted }) => [text, granted])).toEqual([
      ['make GET and POST requests to https://api.example.com below /v1/', false],
      ['reach localhost:8123 on your own network or this machine', false],
      ['send the secret KEY to https://api.example.com, as the bearer token', false],
      ['read, write and delete files in ~/notes and below, which it calls notes', false],
      ['be run by the clock: double at `0 8 * * *`', false],
      [`use up to ${usual.memory_mb + 32} MiB of memory (now ${usual.memory_mb} MiB)`, false],
    ]);
    expect(home.config.current.plugins).toEqual({});
  });

  test('is granted whole or in part, written into px.yaml, and taken back', async () => {
    await using home = await openHome({ plugins: { sums: { grants: { egress: ['GET https://mine.example/'] } } } });
    const file = home.file('x.wasm', await sums('1.0'));
    const info = await home.plugins.add(file, { grant: ['egress GET,POST https://api.example.com/v1/'] });
    expect(info.asks.filter((ask) => ask.granted).map((ask) => ask.kind)).toEqual(['egress']);
    await home.plugins.grant('sums', { grant: 'all' });
    const { grants, limits } = home.config.current.plugins['sums'] ?? {};
    expect(grants).toEqual({
      egress: ['GET https://mine.example/', ...asked.egress],
      private_hosts: asked.private_hosts,
      secrets: asked.secrets,
      files: asked.files,
      schedule: asked.schedule,
    });
    expect(limits?.memory_mb).toBe(usual.memory_mb + 32);
    const lock = readFileSync(join(home.root, 'plugins/plugins.lock'), 'utf8');
    expect(JSON.parse(lock).plugins.sums.granted).toHaveLength(6);
    const back = await home.plugins.grant('sums', { revoke: 'all' });
    expect(back.asks.filter((ask) => ask.granted).map((ask) => ask.rule)).toEqual([]);
    expect(home.config.current.plugins['sums']?.grants.egress).toEqual(['GET https://mine.example/']);
    expect(await codeOf(home.plugins.grant('sums', { grant: ['egress GET https://evil.example/'] }))).toBe('usage');
    // It goes with the plugin: another one of that name has to ask.
    await home.plugins.grant('sums', { grant: 'all' });
    await home.plugins.remove('sums');
    expect((await home.plugins.add(file)).asks.some((ask) => ask.granted)).toBe(false);
    expect(home.config.current.plugins['sums']?.grants.egress).toEqual(['GET https://mine.example/']);
  });

  test('is refused when px.yaml could not grant it in these words', async () => {
    await using home = await openHome();
    for (const [bad, key] of [
      [{ egress: ['GET https://*.com/'] }, 'egress'],
      [{ egress: ['GET https://user@api.example.com/'] }, 'egress'],
      [{ secrets: { KEY: ['anywhere https://api.example.com/'] } }, 'secrets'],
      [{ secrets: { 'a b': ['https://api.example.com/'] } }, 'secrets'],
      [{ files: { notes: 'write ~/../other' } }, 'files'],
      [{ files: { notes: 'own /' } }, 'files'],
      [{ schedule: { double: 'always' } }, 'schedule'],
      [{ limits: { everything: 1 } }, 'limits'],
      [{ limits: { memory_mb: 1e9 } }, 'memory_mb'],
      [{ egress: Array.from({ length: 65 }, () => asked.egress[0]) }, 'egress'],
      [{ secrets: { A: Array(40).fill(asked.egress[0]), B: Array(40).fill(asked.egress[0]) } }, 'at most 64'],
      [{ schedule: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`f${i}`, '0 8 * * *'])) }, 'at most 64'],
    ] as const)
      expect((await errorOf(packPlugin(bytes, { name: 'sums', ...bad }))).message).toContain(key);
    const two = new Uint8Array(Buffer.concat([await sums('1'), (await sums('2')).subarray(bytes.length)]));
    expect(await codeOf(home.plugins.add(home.file('two.wasm', two)))).toBe('plugin.invalid');
  });
});

test('a plugin.yaml that asks for something else is a new version, too; removed, it leaves no empty lines in px.yaml', async () => {
  await using home = await openHome({ plugins: { clock: { enabled: false } } });
  const before = structuredClone(home.config.current.plugins);
  home.file('plugin.js', 'export const f = () => 1;');
  const write = (...egress: string[]) =>
    home.file('plugin.yaml', JSON.stringify({ name: 'sums', egress, limits: { memory_mb: 100 } }));
  write('GET https://a.example/');
  await home.plugins.add(home.root, { grant: 'all' });
  expect((await home.plugins.update('sums')).updated).toBe(false);
  write('GET https://a.example/', 'GET https://b.example/');
  expect(await codeOf(home.plugins.update('sums'))).toBe('plugin.asks');
  expect((await home.plugins.update('sums', { grant: 'all' })).updated).toBe(true);
  expect(await home.plugins.call('sums', 'f', [])).toBe(1);
  // What only a version before asked for goes as well.
  write('GET https://c.example/');
  await home.plugins.update('sums', { grant: 'none' });
  write('GET https://d.example/');
  await home.plugins.update('sums', { grant: 'all' });
  expect(home.config.current.plugins['sums']?.grants.egress).toHaveLength(3);
  await home.plugins.remove('sums');
  expect(home.config.current.plugins).toEqual(before);
});

describe('a plugin from elsewhere with the name of an installed one', () => {
  test('is another plugin: it has nothing that was granted to that one', async () => {
    await using home = await openHome({ plugins: { sums: { grants: { egress: ['GET https://mine.example/'] } } } });
    await home.plugins.add(home.file('x.wasm', await sums('1.0')), { grant: 'all' });
    const granted = () => home.config.current.plugins['sums']?.grants;
    const before = granted();
    // It asks for what is granted already, so that nobody would be asked.
    const taker = home.file('y.wasm', await sums('9.0', { private_hosts: [], files: {}, schedule: {} }));
    expect(await errorOf(home.plugins.add(taker))).toMatchObject({
      code: 'conflict',
      message: `a plugin sums is installed already, from ${join(home.root, 'x.wasm')}`,
    });
    const error = await errorOf(home.plugins.add(taker, { replace: true }));
    expect([error.code, error.message]).toEqual(['plugin.asks', expect.stringContaining('is not from')]);
    expect((error.data as { asks: unknown[] }).asks).toHaveLength(3);
    expect([home.plugins.list()[0]?.version, granted()]).toEqual(['1.0', before]);
    expect(await codeOf(home.plugins.add(taker, { replace: true, grant: ['egress GET https://evil.example/'] }))).toBe(
      'usage',
    );
    expect(granted()).toEqual(before);
    const info = await home.plugins.add(taker, {
      replace: true,
      grant: ['egress GET,POST https://api.example.com/v1/'],
    });
    expect(info.asks.map((ask) => ask.granted)).toEqual([true, false, false]);
    // What a person wrote for this name stands.
    expect(granted()).toMatchObject({
      egress: ['GET https://mine.example/', 'GET,POST https://api.example.com/v1/'],
      private_hosts: [],
      secrets: {},
      files: {},
      schedule: {},
    });
    // Nor does one that asks for nothing and would find it there.
    await home.plugins.add(home.file('z.wasm', bytes), { name: 'sums', replace: true });
    expect(granted()).toMatchObject({ egress: ['GET https://mine.example/'], secrets: {} });
  });
});

describe('a new version', () => {
  test('that asks for more than is granted waits until a person agrees; the old one runs meanwhile', async () => {
    await using home = await openHome();
    const file = home.file('x.wasm', await sums('1.0'));
    await home.plugins.add(file, { grant: 'all' });
    home.file('x.wasm', await sums('1.1', { egress: [...asked.egress, 'POST https://evil.example/'] }));
    const error = await errorOf(home.plugins.update('sums'));
    expect([error.code, error.message]).toEqual([
      'plugin.asks',
      'sums 1.1 asks for more than 1.0: make POST requests to https://evil.example',
    ]);
    const { sha256 } = error.data as { sha256: string };
    expect(home.plugins.list()[0]?.version).toBe('1.0');
    expect(await home.plugins.call('sums', 'double', [4])).toBe(8);
    // What is installed is what was shown.
    home.file('x.wasm', await sums('1.2', { egress: ['* https://*/'] }));
    expect(await codeOf(home.plugins.update('sums', { grant: 'all', sha256 }))).toBe('conflict');
    home.file('x.wasm', await sums('1.1', { egress: [...asked.egress, 'POST https://evil.example/'] }));
    const done = await home.plugins.update('sums', { grant: 'none', sha256 });
    expect([done.updated, done.plugin.version, done.plugin.asks[1]?.granted]).toEqual([true, '1.1', false]);
    // Asked before and not granted: nothing new to decide.
    home.file('x.wasm', await sums('1.3', { egress: [...asked.egress, 'POST https://evil.example/'] }));
    expect((await home.plugins.update('sums')).plugin.version).toBe('1.3');
    expect((await home.plugins.update('sums')).updated).toBe(false);
  });

  test('takes over between calls: one under way ends on the old version', async () => {
    await using home = await openHome();
    const script = (version: string) => `
      export const manifest = { name: 'who', version: '${version}' };
      export function slow() { const end = Date.now() + 700; while (Date.now() < end); return '${version}'; }`;
    const file = home.file('who.js', script('1'));
    await home.plugins.add(file);
    expect(await home.plugins.call('who', 'slow', [])).toBe('1');
    const old = home.plugins.call('who', 'slow', []);
    home.file('who.js', script('2'));
    await home.plugins.update('who');
    const fresh = home.plugins.call('who', 'slow', []);
    expect(await Promise.all([old, fresh])).toEqual(['1', '2']);
    expect(stored(home)).toHaveLength(1);
  });

  test('that fails before it has answered once gives way to the old one, and says so', async () => {
    await using home = await openHome();
    const pack = (code: Uint8Array, version: string) => packPlugin(code, { name: 'sums', version });
    const file = home.file('x.wasm', await pack(bytes, '1.0'));
    await home.plugins.add(file);
    expect(await home.plugins.call('sums', 'double', [4])).toBe(8);
    home.file('x.wasm', await pack(crashes, '2.0'));
    expect((await home.plugins.update('sums')).plugin.version).toBe('2.0');
    expect(stored(home)).toHaveLength(2);
    // Over a restart too.
    await home.reopen();
    expect(await codeOf(home.plugins.call('sums', 'double', [4]))).toBe('plugin.crashed');
    expect(await home.plugins.call('sums', 'double', [4])).toBe(8);
    const [shown] = home.plugins.list();
    expect(shown?.version).toBe('1.0');
    expect(shown?.detail).toMatch(/^2\.0 failed at its first call \(it trapped: .*\); 1\.0 runs instead$/);
    expect(stored(home)).toHaveLength(1);
  });

  test('that cannot be loaded is not installed', async () => {
    await using home = await openHome();
    const file = home.file('x.wasm', await sums('1.0'));
    await home.plugins.add(file);
    home.file('x.wasm', (await sums('1.1')).slice(0, 200));
    const error = await errorOf(home.plugins.update('sums'));
    expect([error.code, error.message.startsWith('1.0 of sums stays: ')]).toEqual(['plugin.invalid', true]);
    expect(await home.plugins.call('sums', 'double', [4])).toBe(8);
  });
});

describe('the store', () => {
  test('holds each file once, by its digest, as long as a plugin is made of it', async () => {
    await using home = await openHome();
    const file = home.file('x.wasm', bytes);
    const one = await home.plugins.add(file, { name: 'one' });
    await home.plugins.add(file, { name: 'two' });
    expect(stored(home)).toEqual([`${one.sha256}.wasm`]);
    const digest = new Bun.CryptoHasher('sha256').update(bytes).digest('hex');
    expect(one.sha256).toBe(digest);
    await home.plugins.remove('one');
    expect(await home.plugins.call('two', 'double', [2])).toBe(4);
    await home.plugins.remove('two');
    expect(stored(home)).toEqual([]);
  });

  test('takes over a home of the first layout, where files had the names of their plugins', async () => {
    await using home = await openHome();
    const info = await home.plugins.add(home.file('sums.wasm', bytes));
    const folder = join(home.root, 'plugins');
    renameSync(join(folder, `store/${info.sha256}.wasm`), join(folder, 'sums.wasm'));
    const lock = JSON.parse(readFileSync(join(folder, 'plugins.lock'), 'utf8'));
    const { name, version, description, egress, secrets } = lock.plugins.sums.manifest;
    lock.plugins.sums.file = 'sums.wasm';
    lock.plugins.sums.manifest = { name, version, description, egress, secrets };
    writeFileSync(join(folder, 'plugins.lock'), JSON.stringify(lock));
    await home.reopen();
    expect(await home.plugins.call('sums', 'double', [2])).toBe(4);
    expect((await home.plugins.inspect('sums')).asks).toEqual([]);
    expect([existsSync(join(folder, 'sums.wasm')), stored(home)]).toEqual([false, [`${info.sha256}.wasm`]]);
  });

  test('a file changed behind the back of px is not run, also not from what was made of it before', async () => {
    await using home = await openHome();
    const info = await home.plugins.add(home.file('sums.wasm', bytes));
    expect(await home.plugins.call('sums', 'double', [2])).toBe(4);
    home.plugins.rest('sums');
    writeFileSync(join(home.root, `plugins/store/${info.sha256}.wasm`), crashes);
    expect(await codeOf(home.plugins.call('sums', 'double', [2]))).toBe('plugin.invalid');
    expect(home.plugins.list()[0]).toMatchObject({ state: 'broken' });
    expect(home.plugins.list()[0]?.detail).toContain('is not the one that was installed');
  });

  test('a lock that names a file elsewhere is not read', async () => {
    await using home = await openHome();
    await home.plugins.add(home.file('sums.wasm', bytes));
    const path = join(home.root, 'plugins/plugins.lock');
    const lock = JSON.parse(readFileSync(path, 'utf8'));
    for (const file of ['../x.wasm', 'store/../../x.wasm', '/etc/passwd', 'store/x.wasm']) {
      lock.plugins.sums.file = file;
      writeFileSync(path, JSON.stringify(lock));
      expect([file, await codeOf(home.reopen())]).toEqual([file, 'store.corrupt']);
    }
  });
});

test('a plugin that failed too often stays stopped over a restart, until someone resumes it', async () => {
  await using home = await openHome();
  await home.plugins.add(home.file('sums.wasm', bytes));
  for (let i = 0; i < 5; i++) await codeOf(home.plugins.call('sums', 'crash', []));
  expect(home.plugins.list()[0]?.state).toBe('quarantined');
  await home.reopen();
  expect(home.plugins.list()[0]).toMatchObject({ state: 'quarantined' });
  expect(home.plugins.list()[0]?.detail).toMatch(
    /^stopped after 5 faults in 10 minutes; the last: it trapped: RuntimeError: [^()]*$/,
  );
  expect(await codeOf(home.plugins.call('sums', 'double', [1]))).toBe('plugin.quarantined');
  home.plugins.resume('sums');
  expect(await home.plugins.call('sums', 'double', [1])).toBe(2);
  await home.reopen();
  expect(home.plugins.list()[0]?.state).toBe('idle');
});

test('each plugin has its own limit of calls', async () => {
  await using home = await openHome({ plugins: { one: { limits: { calls_per_minute: 2 } } } });
  const file = home.file('x.wasm', bytes);
  for (const name of ['one', 'two']) await home.plugins.add(file, { name });
  for (let i = 0; i < 2; i++) await home.plugins.call('one', 'double', [i]);
  expect(await codeOf(home.plugins.call('one', 'double', [1]))).toBe('plugin.rate');
  for (let i = 0; i < 5; i++) await home.plugins.call('two', 'double', [i]);
});

describe('a signature', () => {
  const pairs = Promise.all([newKeys(), newKeys()]);

  test('by a trusted key names the signer; a wrong one, or a file changed after it, is refused', async () => {
    const [{ privateKey, publicKey }, other] = await pairs;
    await using home = await openHome({ trust: { keys: [`${publicKey} Ada`] } });
    const file = home.file('sums.wasm', bytes);
    home.file('sums.wasm.sig', await signPlugin(bytes, privateKey));
    expect((await home.plugins.add(file)).signedBy).toBe('Ada');
    home.file('sums.wasm', crashes);
    expect(await codeOf(home.plugins.update('sums'))).toBe('plugin.signature');
    // Somebody's signature that nobody here knows is as good as none: and the version before had one.
    home.file('sums.wasm.sig', await signPlugin(crashes, other.privateKey));
    expect(await codeOf(home.plugins.update('sums', { grant: 'all' }))).toBe('plugin.signature');
    expect((await home.plugins.add(file, { name: 'new' })).signedBy).toBe('');
    // A known key's name over another's signature.
    const forged = (await signPlugin(crashes, other.privateKey)).replace(other.publicKey, publicKey);
    home.file('sums.wasm.sig', forged);
    home.file('copy.wasm', crashes);
    home.file('copy.wasm.sig', forged);
    expect(await codeOf(home.plugins.add(join(home.root, 'copy.wasm')))).toBe('plugin.signature');
  });

  test('of a script is of that file only: what it imports from beside it, anybody may have changed', async () => {
    const [{ privateKey, publicKey }] = await pairs;
    await using home = await openHome({ trust: { keys: [publicKey], require: true } });
    const script = "import { answer } from './lib.ts'; export const go = () => answer;";
    const file = home.file('plugin.ts', script);
    home.file('lib.ts', 'export const answer = 42;');
    home.file('plugin.ts.sig', await signPlugin(new TextEncoder().encode(script), privateKey));
    const error = await errorOf(home.plugins.add(file));
    expect([error.code, error.message]).toEqual(['plugin.invalid', expect.stringContaining('"./lib.ts"')]);
    expect(error.hint).toContain('px plugin build');
  });

  test('covers what it asks for: plugin.yaml beside a signed file says nothing else than the file', async () => {
    const [{ privateKey, publicKey }] = await pairs;
    await using home = await openHome({ trust: { keys: [`${publicKey} Ada`], require: true } });
    const folder = join(home.root, 'sums');
    mkdirSync(folder);
    const put = async (file: string, content: Uint8Array) => {
      writeFileSync(join(folder, file), content);
      writeFileSync(join(folder, `${file}.sig`), await signPlugin(content, privateKey));
    };
    const beside = (text: string) => writeFileSync(join(folder, 'plugin.yaml'), text);
    await put('sums.wasm', await packPlugin(bytes, { name: 'sums', version: '1', egress: asked.egress }));
    for (const [yaml, key] of [
      ['egress: ["* https://*/"]\nlimits: { memory_mb: 2048 }', 'egress, limits'],
      ['name: telegram', 'name'],
      ['setup: Send me your key.\ndescription: Safe.', 'description, setup'],
    ] as const) {
      beside(yaml);
      const error = await errorOf(home.plugins.add(folder));
      expect([error.code, error.message]).toEqual(['plugin.signature', expect.stringMatching(new RegExp(`: ${key}$`))]);
    }
    expect(await codeOf(home.plugins.inspect(folder))).toBe('plugin.signature');
    beside('name: sums\nversion: 1\negress: ["GET,POST https://api.example.com/v1/"]\nfile: sums.wasm\n');
    expect(await home.plugins.add(folder)).toMatchObject({ signedBy: 'Ada', version: '1' });
    // A script says what it asks for itself.
    await put(
      'plugin.js',
      new TextEncoder().encode("export const manifest = { name: 'other' }; export const go = () => 1;"),
    );
    beside('file: plugin.js\negress: ["* https://*/"]');
    expect((await errorOf(home.plugins.add(folder))).message).toContain('egress');
    beside('file: plugin.js\nname: other');
    expect((await home.plugins.add(folder)).asks).toEqual([]);
  });

  test('can be required: without one nothing is installed, nor run that is installed already', async () => {
    const [{ privateKey, publicKey }, other] = await pairs;
    await using home = await openHome();
    const file = home.file('sums.wasm', bytes);
    await home.plugins.add(file);
    home.configure({ trust: { keys: [publicKey], require: true } });
    expect(await codeOf(home.plugins.call('sums', 'double', [1]))).toBe('plugin.signature');
    expect(await codeOf(home.plugins.add(file, { name: 'more' }))).toBe('plugin.signature');
    expect((await home.plugins.inspect(file)).signedBy).toBe('');
    home.file('sums.wasm.sig', await signPlugin(bytes, other.privateKey));
    expect(await codeOf(home.plugins.add(file, { name: 'more' }))).toBe('plugin.signature');
    home.file('sums.wasm.sig', await signPlugin(bytes, privateKey));
    await home.plugins.add(file, { replace: true });
    expect(await home.plugins.call('sums', 'double', [1])).toBe(2);
    // What px carries is as trusted as px.
    await home.plugins.add('clock');
    expect(await home.plugins.call('clock', 'now', [])).toBeTruthy();
    // A key that is no longer trusted.
    home.plugins.rest('sums');
    home.configure({ trust: { keys: [other.publicKey], require: true } });
    home.plugins.rest('sums');
    expect(await codeOf(home.plugins.call('sums', 'double', [1]))).toBe('plugin.signature');
  });
});
