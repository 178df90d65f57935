import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Environment, homeAt, openConfig } from '../../config/config.ts';
import { PxError, toPxError } from '../../error/error.ts';
import { createLog, type LogEntry } from '../../log/log.ts';
import { openSecrets } from '../../secret/secret.ts';
import { openStore } from '../../store/store.ts';
import { createBus, type Json } from '../../wire/wire.ts';
import { openKv } from '../kv.ts';
import { openPlugins, type PluginInfo } from '../plugin.ts';
import { toolName } from '../tools.ts';
import type { Lock } from './build.ts';
import { type Call, type Case, readCases } from './case.ts';
import { testFolders } from './folders.ts';
import { mismatch } from './match.ts';
import { scriptWorld } from './scripted.ts';

/** What came of one test. */
export interface CaseResult {
  name: string;
  ok: boolean;
  ms: number;
  /** What is not as expected. */
  problems: string[];
  /** The plugin's log lines, level first. */
  log: string[];
}

/** How tests are run. */
export interface TestOptions extends Lock {
  /** The test file. */
  cases: string;
  /** Runs only tests whose name has this text in it. */
  only?: string | undefined;
  /** Called after each test. */
  onResult?(result: CaseResult): void;
}

/** A store that no test fills. */
const quota = 64 * 1024 * 1024;

/**
 * Runs a plugin's tests: it is installed into a home of its own and runs in the locked process, behind the broker and under its grants, as
 * always; only the network, the clock and what is stored and stands in its folders before are scripted. Throws PxError for a test file or a plugin that cannot be used.
 */
export async function testPlugin(source: string, options: TestOptions): Promise<CaseResult[]> {
  const all = readCases(options.cases);
  const chosen = all.filter(({ name }) => options.only === undefined || name.includes(options.only));
  if (chosen.length === 0)
    throw new PxError('usage', `No test has ${JSON.stringify(options.only ?? '')} in its name.`, {
      hint: `There are: ${all.map(({ name }) => name).join('; ')}`,
    });
  await using home = await openTestHome(source, options);
  const results: CaseResult[] = [];
  for (const test of chosen) {
    const result = await home.run(test);
    results.push(result);
    options.onResult?.(result);
  }
  return results;
}

/** A home that is made for the tests and goes with them, the plugin in it. */
async function openTestHome(source: string, { env, mode }: TestOptions) {
  const root = mkdtempSync(join(tmpdir(), 'px-test-'));
  const home = homeAt(root);
  mkdirSync(home.state);
  writeFileSync(home.config, `sandbox:\n  mode: ${mode}\n`);
  // Nothing of the author's own environment is a secret of the plugin.
  const own: Environment = {
    ...env,
    home: root,
    userHome: root,
    get: (name) => (name === 'PX_EXEC_PREFIX' ? env.get(name) : undefined),
  };
  const lines: LogEntry[] = [];
  const messages: Json[] = [];
  const world = scriptWorld();
  // What its manifest says of folders must not lead to those of the author.
  const files = mkdtempSync(join(tmpdir(), 'px-test-files-'));
  const config = await openConfig(home, own);
  const store = openStore(join(home.state, 'px.db'));
  const secrets = openSecrets(store, home, own);
  const log = createLog({ level: 'debug', scrub: secrets.scrub, sinks: [(entry) => lines.push(entry)] });
  const emit = (_: string, message: Json) => messages.push(message) > 0;
  const plugins = await openPlugins({
    config,
    store,
    secrets,
    log,
    bus: createBus(),
    emit,
    resolve: world.resolve,
    outside: { ...world, files },
  });
  const kv = openKv(store, secrets);
  const close = async () => {
    await plugins.close();
    config.close();
    store.close();
    for (const folder of [root, files]) rmSync(folder, { recursive: true, force: true });
  };
  const info = await plugins.add(source, { grant: 'all' }).catch(async (thrown: unknown) => {
    await close();
    throw thrown;
  });
  const { name } = info;
  const folders = testFolders(info.manifest.files, files, root);

  /** Makes everything as it is to be before the first call: a fresh process, too. */
  async function begin(test: Case): Promise<void> {
    plugins.rest(name);
    plugins.resume(name);
    await plugins.grant(name, { revoke: 'all' });
    await plugins.grant(name, { grant: test.grants ?? 'all' });
    const { settings = {} } = test;
    await config.set(`plugins.${name}.settings`, Object.keys(settings).length > 0 ? settings : undefined);
    for (const old of secrets.names()) secrets.remove(old);
    for (const [secret, value] of Object.entries(test.secrets ?? {})) secrets.set(secret, value);
    // Key by key: the host keeps what tells this plugin's keys from another's.
    for (const key of await kv.list(name, '')) kv.delete(name, key);
    for (const [key, value] of Object.entries(test.kv ?? {}))
      kv.set(name, key, new TextEncoder().encode(`${value}`), quota);
    world.begin(test.http ?? [], test.clock);
    folders.begin(test.files ?? {});
    lines.length = 0;
    messages.length = 0;
  }

  function after(test: Case): string[] {
    const wrong: string[] = [];
    for (const [key, expected] of Object.entries(test.kv_after ?? {})) {
      const bytes = kv.get(name, key);
      const got = bytes ? new TextDecoder().decode(bytes) : null;
      const wanted = expected === null ? null : `${expected}`;
      if (got !== wanted) wrong.push(`kv_after: ${mismatch(wanted, got, key)}`);
    }
    wrong.push(...folders.problems(test.files_after ?? {}));
    for (const line of test.log ?? [])
      if (!lines.some(({ message }) => message.includes(line))) wrong.push(`log: no line has ${JSON.stringify(line)}`);
    const different = test.messages && mismatch(test.messages, messages, 'messages');
    return different ? [...wrong, different] : wrong;
  }

  return {
    async run(test: Case): Promise<CaseResult> {
      await begin(test);
      const begun = performance.now();
      const problems: string[] = [];
      for (const call of test.calls) {
        const wrong = await check(call, () => run(call));
        if (wrong) problems.push(`${call.tool ?? call.call}: ${wrong}`);
      }
      problems.push(...world.problems(), ...after(test));
      const log = lines.map(({ level, message }) => `${level} ${message}`);
      return { name: test.name, ok: problems.length === 0, ms: Math.round(performance.now() - begun), problems, log };
    },
    [Symbol.asyncDispose]: close,
  };

  async function run(call: Call): Promise<Json> {
    if (call.call !== undefined) return plugins.call(name, call.call, (call.args ?? []) as Json[]);
    const tool = toolNamed(info, call.tool ?? '');
    return tool.call((call.args ?? {}) as { [key: string]: Json }, new AbortController().signal);
  }
}

function toolNamed(info: PluginInfo, wanted: string): PluginInfo['tools'][number] {
  const found = info.tools.find(({ name }) => name === wanted || name === toolName(info.name, wanted));
  if (found) return found;
  throw new PxError(
    'plugin.function',
    `${info.name} has no tool ${wanted}; it has ${info.tools.map((t) => t.name).join(', ') || 'none'}`,
  );
}

/** Runs one call; what is not as expected of it. */
async function check(call: Call, run: () => Promise<Json>): Promise<string | undefined> {
  let got: Json;
  try {
    got = await run();
  } catch (thrown) {
    const { code, message } = toPxError(thrown);
    const said = code === 'plugin.guest' ? message : `${code}: ${message}`;
    if (call.error === undefined) return `it failed: ${said}`;
    return said.includes(call.error) ? undefined : `expected an error with ${JSON.stringify(call.error)}, got ${said}`;
  }
  const text = typeof got === 'string' ? got : JSON.stringify(got);
  if (call.error !== undefined) return `expected an error with ${JSON.stringify(call.error)}, got ${text}`;
  if (call.contains !== undefined && !text.includes(call.contains))
    return `expected something with ${JSON.stringify(call.contains)}, got ${text}`;
  if (call.result === undefined) return undefined;
  return mismatch(call.result, call.tool !== undefined && typeof call.result !== 'string' ? parsed(got) : got);
}

/** A tool answers with text: what was expected as an object is in it as JSON. */
function parsed(got: Json): Json {
  try {
    return typeof got === 'string' ? (JSON.parse(got) as Json) : got;
  } catch {
    return got;
  }
}
