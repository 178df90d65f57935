import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { binary, notBuilt, Px, type Ran, until } from './px.ts';

const root = resolve(import.meta.dir, '../..');
/** Toolchains as `scripts/prepare --languages` may have put them. */
const path = [process.env['PATH'], join(root, 'build/python/bin')].join(delimiter);
const onPath = (name: string) => Bun.which(name, { PATH: path }) !== null;

/** What each language needs besides px, and the folder kept warm between runs. */
const languages: Record<string, { needs?: string; env?: Record<string, string> }> = {
  ts: {},
  js: {},
  c: { needs: ['clang', 'clang-19'].find(onPath) ?? 'clang' },
  rust: { needs: 'cargo', env: { ...rustHomes(), CARGO_TARGET_DIR: join(root, 'build/cargo') } },
  go: { needs: 'go', env: { GOCACHE: join(root, 'build/go') } },
  python: { needs: 'componentize-py' },
};
/** Where Rust itself is: HOME is another one in tests. */
function rustHomes(): Record<string, string> {
  const home = (variable: string, folder: string) => process.env[variable] ?? join(userInfo().homedir, folder);
  return { RUSTUP_HOME: home('RUSTUP_HOME', '.rustup'), CARGO_HOME: home('CARGO_HOME', '.cargo') };
}
/** A Rust that rustup does not manage has no library for WebAssembly. */
const noRust = onPath('rustup') ? undefined : 'rustup is not installed';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'px-author-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs px in a folder, as an author does. */
async function px(cwd: string, args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const process = Bun.spawn([binary, ...args], {
    cwd,
    env: { HOME: globalThis.process.env['HOME'] ?? '', PX_HOME: join(folder, 'home'), PATH: path, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(process.stdout).text(),
    new Response(process.stderr).text(),
    process.exited,
  ]);
  return { code, stdout, stderr };
}

describe.skipIf(notBuilt !== undefined)(`px for authors${notBuilt ? `: ${notBuilt}` : ''}`, () => {
  for (const [lang, { needs, env = {} }] of Object.entries(languages)) {
    const lacking = needs && !onPath(needs) ? `${needs} is not installed` : lang === 'rust' ? noRust : undefined;
    const title = `a plugin in ${lang}${lacking ? `: skipped, ${lacking}` : ''}`;
    test.skipIf(lacking !== undefined)(
      `${title}: begun, built by its toolchain, tested, installed and called`,
      async () => {
        for (const kind of ['tool', 'messaging']) {
          const name = `${lang}-${kind}`;
          const begun = await px(folder, ['plugin', 'new', name, '--lang', lang, '--kind', kind]);
          expect([begun.stderr, begun.code]).toEqual(['', 0]);
          const own = join(folder, name);
          const tested = await px(own, ['plugin', 'test', '--json'], env);
          expect(tested.stderr).toBe('');
          expect(JSON.parse(tested.stdout)).toMatchObject({ passed: 3, failed: 0 });
        }
        const own = join(folder, `${lang}-tool`);
        if (lang === 'ts' || lang === 'js') expect((await px(own, ['plugin', 'build'])).code).toBe(0);
        const [file] = readdirSync(own).filter((f) => f === `${lang}-tool.wasm` || f === `${lang}-tool.js`);
        await using home = new Px();
        // CPython needs more memory than a plugin has without a word.
        const grant = lang === 'python' ? 'limit memory_mb 128' : 'none';
        const added = await home.run('plugin', 'add', join(own, file ?? ''), '--json', '--grant', grant);
        expect(JSON.parse(added.stdout)).toMatchObject({ name: `${lang}-tool`, version: '0.1.0' });
        const info = JSON.parse(added.stdout) as {
          tools: { name: string; description: string }[];
          asks: { rule: string; granted: boolean }[];
        };
        expect(info.asks.map(({ rule, granted }) => [rule, granted])).toEqual([
          ['egress GET https://api.github.com/zen', false],
          ...(lang === 'python' ? [['limit memory_mb 128', true]] : []),
        ]);
        expect(info.tools.map((tool) => tool.name).sort()).toEqual([`${lang}_tool_greet`, `${lang}_tool_zen`]);
        expect(info.tools.find(({ name }) => name.endsWith('greet'))?.description).toBe(
          'Greets somebody by name, and counts how often.',
        );
        const call = ['ts', 'js', 'go'].includes(lang)
          ? ['call-tool', '["greet","{\\"name\\":\\"Zoë\\"}"]']
          : ['greet', '["Zoë"]'];
        const called = await home.run('plugin', 'call', `${lang}-tool`, ...call);
        expect([called.stdout.trim(), called.stderr]).toEqual(['"Hello, Zoë! Greeting number 1."', '']);
      },
      600_000,
    );
  }

  test('a toolchain that is missing is named, with how to install it', async () => {
    const bare = { PATH: '/nowhere' };
    for (const [lang, what] of Object.entries({
      rust: 'Rust is not installed.',
      go: 'Go is not installed.',
      python: 'componentize-py is not installed.',
      c: 'clang is not installed.',
    })) {
      const name = `no-${lang}`;
      await px(folder, ['plugin', 'new', name, '--lang', lang]);
      const { code, stderr, stdout } = await px(folder, ['plugin', 'build', name], bare);
      expect([code, stdout, stderr.split('\n')[0]]).toEqual([1, '', `px: ${what}`]);
      expect(stderr).toContain('Install it: ');
      const asJson = await px(folder, ['plugin', 'build', name, '--json'], bare);
      expect(JSON.parse(asJson.stdout)).toMatchObject({ error: { code: 'plugin.toolchain' } });
    }
  }, 120_000);

  test('a test that fails says what came instead, and ends with 1; nothing is overwritten', async () => {
    await px(folder, ['plugin', 'new', 'failing']);
    const own = join(folder, 'failing');
    writeFileSync(join(own, 'plugin.ts'), readFileSync(join(own, 'plugin.ts'), 'utf8').replace('+ 1;', '+ 2;'));
    const { code, stdout } = await px(own, ['plugin', 'test']);
    expect(stdout).toMatch(/✗ greets by name and counts \d+ ms/);
    expect(stdout).toContain('greet: expected "Hello, Ada! Greeting number 2.", got "Hello, Ada! Greeting number 3."');
    expect(stdout).toContain('kv_after: count:Ada: expected "2", got "3"');
    expect(stdout).toContain('info greeted Ada');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('2 passed, 1 failed');
    expect(code).toBe(1);
    const again = await px(folder, ['plugin', 'new', 'failing']);
    expect([again.code, again.stderr.split('\n')[0]]).toEqual([1, `px: ${own} is there already and not empty.`]);
    expect((await px(folder, ['plugin', 'new', 'Bad_Name'])).code).toBe(2);
  }, 120_000);

  test('px plugin types writes what an editor needs, and leaves a tsconfig.json alone', async () => {
    const own = mkdtempSync(join(folder, 'types-'));
    writeFileSync(join(own, 'tsconfig.json'), '{}');
    const { code, stdout } = await px(own, ['plugin', 'types']);
    expect([code, stdout]).toEqual([0, 'px.d.ts is written.\n']);
    expect(readFileSync(join(own, 'px.d.ts'), 'utf8')).toContain("declare module 'px'");
    expect(readFileSync(join(own, 'tsconfig.json'), 'utf8')).toBe('{}');
  }, 60_000);

  const tsc = join(root, 'node_modules/.bin/tsc');
  test.skipIf(!existsSync(tsc))(
    'the types that come with a new plugin fit it',
    async () => {
      for (const lang of ['ts', 'js'])
        for (const kind of ['tool', 'messaging']) {
          const own = join(folder, `typed-${lang}-${kind}`);
          await px(folder, ['plugin', 'new', `typed-${lang}-${kind}`, '--lang', lang, '--kind', kind]);
          const checked = Bun.spawnSync([tsc, '-p', own], { cwd: own });
          expect(checked.stdout.toString()).toBe('');
        }
    },
    120_000,
  );

  test('px plugin dev loads each change into the running px, shows log and errors, and ends with Ctrl-C', async () => {
    await using home = await new Px().serve();
    await px(folder, ['plugin', 'new', 'worked-on']);
    const own = join(folder, 'worked-on');
    const file = join(own, 'plugin.ts');
    const source = readFileSync(file, 'utf8');
    const dev = Bun.spawn([binary, '--home', home.home, 'plugin', 'dev', own, '--yes'], {
      env: { HOME: home.home, PATH: path },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    });
    let said = '';
    const listen = async (stream: ReadableStream<Uint8Array>) => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) said += decoder.decode(chunk, { stream: true });
    };
    const heard = Promise.all([listen(dev.stdout), listen(dev.stderr)]);
    const loads = () => said.split('worked-on 0.1.0 is loaded from').length - 1;
    const greet = async () =>
      (await home.run('plugin', 'call', 'worked-on', 'call-tool', '["greet","{\\"name\\":\\"Ada\\"}"]')).stdout.trim();
    await until('the plugin to be loaded', () => loads() === 1, 60_000);
    expect(await greet()).toBe('"Hello, Ada! Greeting number 1."');
    await until('its log', () => said.includes('info  greeted Ada') && said.includes('call  call-tool ok'), 60_000);

    writeFileSync(file, source.replace('Hello, ', 'Good day, '));
    await until('the change to be loaded', () => loads() === 2, 60_000);
    expect(await greet()).toBe('"Good day, Ada! Greeting number 2."');

    writeFileSync(file, `${source}\nexport const broken = ;\n`);
    await until('the error', () => said.includes('plugin.ts: line '), 60_000);
    expect(await greet()).toBe('"Good day, Ada! Greeting number 3."');
    writeFileSync(file, source);
    await until('it to be mended', () => loads() === 3, 60_000);
    expect(await greet()).toBe('"Hello, Ada! Greeting number 4."');

    dev.kill('SIGINT');
    expect(await dev.exited).toBe(130);
    await heard;
    expect(said.trimEnd().split('\n').at(-1)).toBe('worked-on stays installed.');
    expect((await home.run('plugin', 'list')).stdout).toContain('worked-on');
  }, 300_000);

  test('px plugin dev says so when no px runs', async () => {
    await px(folder, ['plugin', 'new', 'alone']);
    const { code, stderr } = await px(folder, ['plugin', 'dev', 'alone']);
    expect([code, stderr.split('\n')[0]]).toEqual([1, `px: No px is running for ${join(folder, 'home')}.`]);
  }, 60_000);
});
