import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { BotApi } from './bot-api.ts';
import { binary, notBuilt, Px } from './px.ts';
import { noTmux, Tmux } from './tmux.ts';

const root = resolve(import.meta.dir, '../..');

/** Makes a file look as if it had been left long ago. */
function leave(path: string, text = 'half'): void {
  writeFileSync(path, text);
  const long = new Date(Date.now() - 3_600_000);
  utimesSync(path, long, long);
}

test.skipIf(notBuilt !== undefined)(
  'px doctor waits for a px that has just started to look at its sandbox',
  async () => {
    await using px = await new Px({ config: 'model:\n  default: offline/px\n' }).serve();
    expect((await px.run('doctor', '--offline')).stdout).toMatch(
      /^ok {4}sandbox: required: wasm active, .*seccomp active/m,
    );
  },
);

describe.skipIf(notBuilt !== undefined)('px doctor', () => {
  let px: Px;
  const at = (...parts: string[]) => join(px.home, ...parts);
  const doctor = (...flags: string[]) => px.run('doctor', '--offline', ...flags);

  /** A home in which something was said and a secret is kept, and no px runs. */
  beforeAll(async () => {
    px = await new Px({ config: 'model:\n  default: offline/px\n' }).serve();
    await px.installed();
    await px.pipe('a-value-to-keep', 'secret', 'set', 'KEPT');
    await px.run('chat', 'remember that my boat is called Tove');
    await px.stop();
  }, 60_000);
  afterAll(() => px[Symbol.asyncDispose]());

  /** Breaks, sees the sentence, mends, and sees it well. */
  async function mends(sentence: string, state: 'warn' | 'fail') {
    const seen = await doctor();
    expect(seen.stdout).toMatch(new RegExp(`^${state}  .*${RegExp.escape(sentence)}`, 'm'));
    expect(seen.stdout).toContain('px doctor --fix does it');
    // The log does not say it once more.
    expect(seen.stderr).toBe('');
    expect(seen.code).toBe(state === 'fail' ? 1 : 0);
    const fixed = await doctor('--fix');
    expect([fixed.code, fixed.stdout]).toEqual([0, expect.stringMatching(/^done {2}/m)]);
    const after = await doctor();
    expect([after.code, after.stdout]).toEqual([0, expect.not.stringMatching(/^(warn|fail)/m)]);
  }

  test('finds nothing in a home that is well, and tells what it looked at', async () => {
    const { code, stdout } = await doctor();
    expect(stdout).not.toMatch(/^(warn|fail)/m);
    for (const name of [
      'home',
      'disk',
      'config',
      'databases',
      'secrets',
      'model',
      'sandbox',
      'plugins',
      'plugin start',
      'index',
      'audit',
    ])
      expect(stdout).toMatch(new RegExp(`^ok    ${name}: `, 'm'));
    expect(code).toBe(0);
  }, 60_000);

  test('closes what others could read or change', async () => {
    chmodSync(at('state/master.key'), 0o644);
    chmodSync(at('memory'), 0o777);
    await mends('master.key can be read by others (644)', 'warn');
    expect(statSync(at('state/master.key')).mode & 0o777).toBe(0o600);
    expect(statSync(at('memory')).mode & 0o777).toBe(0o775);
  }, 60_000);

  test('removes what names a px that is gone', async () => {
    writeFileSync(at('state/px.pid'), '4194305\n');
    writeFileSync(at('state/gateway.json'), JSON.stringify({ url: 'http://127.0.0.1:1', token: 'x', pid: 4194305 }), {
      mode: 0o600,
    });
    await mends('names a px that is not there any more', 'warn');
    expect(existsSync(at('state/gateway.json'))).toBe(false);
  }, 60_000);

  test('removes what px did not finish writing, and no file of a person', async () => {
    leave(at('memory/.px-0123456789ab.tmp'));
    leave(at('plugins/plugins.lock.123.tmp'));
    leave(at('memory/notes.1.tmp'), 'mine');
    leave(at('px.yaml.bak'), 'mine');
    await mends('and 1 more were never finished', 'warn');
    expect(existsSync(at('plugins/plugins.lock.123.tmp'))).toBe(false);
    for (const mine of ['memory/notes.1.tmp', 'px.yaml.bak']) expect(readFileSync(at(mine), 'utf8')).toBe('mine');
  }, 60_000);

  test('makes a damaged index again, and what was in it is found', async () => {
    writeFileSync(at('state/index.db'), 'no database at all, but long enough to be looked at'.repeat(100));
    for (const end of ['-wal', '-shm']) rmSync(at(`state/index.db${end}`), { force: true });
    await mends('index.db is damaged', 'fail');
    expect((await px.run('memory', 'search', 'boat')).stdout).toContain('Tove');
  }, 60_000);

  test('installs a plugin again whose file is another', async () => {
    const lock: { plugins: Record<string, { file: string }> } = JSON.parse(
      readFileSync(at('plugins/plugins.lock'), 'utf8'),
    );
    appendFileSync(at('plugins', lock.plugins['clock']?.file ?? ''), '\n// more');
    expect((await doctor()).stdout.match(/^fail/gm)).toHaveLength(1);
    await mends('plugin clock', 'fail');
  }, 60_000);

  test('says what a plugin asks for and may not, and grants nothing by itself', async () => {
    expect((await px.run('plugin', 'add', join(root, 'plugins/weather'), '--grant', 'none')).code).toBe(0);
    const { code, stdout } = await doctor('--fix');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^warn {2}grants: weather asks to make GET requests to .*, and 1 more, and may not/m),
    ]);
    expect(stdout).not.toMatch(/^done/m);
    await px.run('plugin', 'remove', 'weather');
  }, 20_000);

  test('lets a plugin run again that was stopped', async () => {
    const lock: { plugins: Record<string, object> } = JSON.parse(readFileSync(at('plugins/plugins.lock'), 'utf8'));
    lock.plugins['clock'] = { ...lock.plugins['clock'], quarantine: 'stopped after 3 faults' };
    writeFileSync(at('plugins/plugins.lock'), JSON.stringify(lock));
    await mends('it is stopped: stopped after 3 faults', 'warn');
  }, 60_000);

  test('names the place where a journal is not what px wrote, and mends nothing there', async () => {
    const [file = ''] = readdirSync(at('memory/journal'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.md'),
    );
    const path = at('memory/journal', file);
    const was = readFileSync(path, 'utf8');
    writeFileSync(path, was.replace('Tove', 'Olga'));
    const { code, stdout } = await doctor('--fix');
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/^fail {2}audit: memory\/journal\/.*:\d+ is not what px wrote: altered/m),
    ]);
    expect(readFileSync(path, 'utf8')).toContain('Olga');
    writeFileSync(path, was);
    expect((await doctor()).code).toBe(0);
  }, 60_000);

  test('says where px.yaml is wrong, and leaves it', async () => {
    const was = readFileSync(at('px.yaml'), 'utf8');
    writeFileSync(at('px.yaml'), 'model:\n  defualt: offline/px\n');
    const { code, stdout } = await doctor('--fix');
    expect([code, stdout]).toEqual([1, expect.stringContaining('px.yaml:2:3')]);
    expect(readFileSync(at('px.yaml'), 'utf8')).toContain('defualt');
    writeFileSync(at('px.yaml'), was);
  }, 60_000);

  test('does not touch a database that cannot be made again', async () => {
    const was = readFileSync(at('state/px.db'));
    const broken = 'no database'.repeat(1000);
    writeFileSync(at('state/px.db'), broken);
    for (const end of ['-wal', '-shm']) rmSync(at(`state/px.db${end}`), { force: true });
    const { code, stdout } = await doctor('--fix');
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^fail {2}databases: .*px\.db is damaged/m)]);
    expect(stdout).toContain('put ');
    expect(readFileSync(at('state/px.db'), 'utf8')).toBe(broken);
    const page = Buffer.from(was);
    page.fill(7, 4096 + 100, 8192);
    writeFileSync(at('state/px.db'), page);
    expect((await doctor()).stdout).toMatch(/^fail {2}databases: .*px\.db is damaged: [^*\n]+\n {6}Nothing is mended/m);
    writeFileSync(at('state/px.db'), was);
    expect((await doctor()).code).toBe(0);
  }, 60_000);

  test('prints JSON, what could be mended and what was', async () => {
    chmodSync(at('memory'), 0o777);
    const seen: { ok: boolean; checks: { name: string; fix?: string }[] } = JSON.parse((await doctor('--json')).stdout);
    expect(seen.checks.find((check) => check.name === 'rights')?.fix).toContain('/memory');
    const fixed: { ok: boolean; mended: string[] } = JSON.parse((await doctor('--json', '--fix')).stdout);
    expect([fixed.ok, fixed.mended]).toEqual([true, [expect.stringContaining('/memory')]]);
  }, 60_000);

  test.skipIf(noTmux !== undefined)(
    'at a terminal it says what it would do, and does it after a yes',
    async () => {
      chmodSync(at('memory'), 0o777);
      await using tmux = await new Tmux().open({ columns: 100, rows: 50, env: { HOME: px.home, PS1: '$ ' } });
      const run = async (answer: string) => {
        await tmux.type(`clear; ${binary} --home ${px.home} doctor --offline --fix; echo "ended $?"`);
        await tmux.keys('Enter');
        await tmux.saw('Shall I?');
        await tmux.type(answer);
        await tmux.keys('Enter');
        await tmux.saw(/^ended 0/m);
      };
      await run('n');
      expect(statSync(at('memory')).mode & 0o777).toBe(0o777);
      await run('y');
      expect(statSync(at('memory')).mode & 0o777).toBe(0o775);
    },
    60_000,
  );
});

describe.skipIf(notBuilt !== undefined)('px doctor and the network', () => {
  /** A provider that takes one key and has a clock of its own. */
  function provider(off = 0) {
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request) => {
        const headers = { date: new Date(Date.now() + off).toUTCString() };
        return request.headers.get('authorization') === 'Bearer sk-good-1234567890'
          ? Response.json({ object: 'list', data: [{ id: 'gpt-4o', object: 'model' }] }, { headers })
          : Response.json({ error: { message: 'Incorrect API key provided' } }, { status: 401, headers });
      },
    });
    return { url: `http://127.0.0.1:${server.port}/v1`, [Symbol.dispose]: () => void server.stop(true) };
  }

  test('asks the provider whether it takes the key, and tells its words when it does not', async () => {
    using server = provider();
    await using px = new Px({ env: { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-good-1234567890' } });
    const well = await px.run('doctor');
    expect(well.stdout).toContain('ok    provider openai: OpenAI answers and takes the key: 1 models');
    expect(well.stdout).toContain('ok    clock: it agrees with 127.0.0.1:');
    await using wrong = new Px({ env: { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-wrong-1234567890' } });
    const bad = await wrong.run('doctor');
    expect([bad.code, bad.stdout]).toEqual([
      1,
      expect.stringMatching(/^fail {2}provider openai: .*Incorrect API key/m),
    ]);
    const left = await wrong.run('doctor', '--offline');
    expect([left.code, left.stdout]).toEqual([0, expect.not.stringContaining('provider openai:')]);
    await using none = new Px({ config: { model: { default: 'openai/gpt-5' } } });
    expect((await none.run('doctor', '--offline')).stdout).toMatch(
      /^warn {2}provider keys: OPENAI_API_KEY is not set/m,
    );
  }, 60_000);

  test('notices a clock that is wrong, and names that cannot be resolved', async () => {
    using server = provider(7_200_000);
    await using px = new Px({
      config: { providers: { compatible: { away: { base_url: 'http://nowhere.invalid/v1' } } } },
      env: { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-good-1234567890', AWAY_API_KEY: 'sk-away' },
    });
    const { code, stdout } = await px.run('doctor');
    expect(stdout).toMatch(/^fail {2}clock: it is \d+ seconds behind that of 127\.0\.0\.1/m);
    expect(stdout).toMatch(/^fail {2}names: no address is found for nowhere\.invalid/m);
    expect(code).toBe(1);
  }, 60_000);

  test('asks Telegram who the bot is, also while no px runs', async () => {
    await using telegram = new BotApi();
    await using px = new Px({ config: telegram.config(), env: { TELEGRAM_TOKEN: telegram.token } });
    await px.run('plugin', 'add', 'telegram');
    expect((await px.run('doctor')).stdout).toContain('ok    channel telegram: the token is right: px is @px_test_bot');
    telegram.revoked = true;
    const { code, stdout } = await px.run('doctor');
    expect([code, stdout]).toEqual([
      1,
      expect.stringContaining('fail  channel telegram: Telegram does not know this bot token'),
    ]);
  }, 60_000);
});
