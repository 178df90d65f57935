/**
 * Measures what px promises, against an empty compiled Bun program in the same run, and prints a table. Takes about six minutes; leave the
 * machine alone meanwhile. Exit code 1 when a bound does not hold.
 * usage: bun scripts/bench/bench.ts [--wait SECONDS] [--notes N] [--binary FILE] [--write]
 *   --wait    how long px rests before its memory is measured (60)     --notes  notes in its memory (10,000)
 *   --binary  what is measured (dist/px)                               --write  also write the table to docs/bench.md
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Px, until, binary as usual } from '../../test/e2e/px.ts';
import { median, type Row, runMs, table, treeRssMiB, verdict } from './measure.ts';
import { report } from './report.ts';
import { startWorld, type World } from './world.ts';

const { values } = parseArgs({
  options: {
    wait: { type: 'string', default: '60' },
    notes: { type: 'string', default: '10000' },
    binary: { type: 'string', default: usual },
    write: { type: 'boolean', default: false },
  },
});
const wait = Number(values.wait) * 1000;
const binary = resolve(values.binary);
/** A plugin's process and the memory of px are both gone after this, so that a first call pays for all it needs, in ms. */
const coldAfter = 6_500;
/** Calls of a turn whose warm calls are measured. */
const inTurn = 10;
const guests = [
  { name: 'AssemblyScript', add: '', tool: 'clock_now', args: '{"zone_offset_minutes":#}', bound: 40, warmBound: 1 },
  {
    name: 'Rust',
    add: 'build/plugins/example-rust.wasm',
    tool: 'example_rust_add',
    args: '{"a":#,"b":2}',
    bound: 25,
    warmBound: 0.5,
  },
  {
    name: 'C',
    add: 'build/plugins/example-c.wasm',
    tool: 'example_c_add',
    args: '{"a":#,"b":2}',
    bound: 25,
    warmBound: 1,
  },
  {
    name: 'TypeScript',
    add: 'plugins/example-ts',
    tool: 'example_ts_roll',
    args: '{"dice":"2d6+#"}',
    bound: 60,
    warmBound: 1,
  },
];
const root = resolve(import.meta.dir, '../..');
const rows: Row[] = [];

/** An empty program compiled as px is: the floor under every figure. */
async function empty(name: string, source: string): Promise<string> {
  const folder = join(root, 'build/bench');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.ts`), source);
  const flags = [
    '--compile',
    '--minify',
    '--splitting',
    '--bytecode',
    '--format=esm',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
  ];
  await Bun.$`bun build ${flags} ${join(folder, `${name}.ts`)} --outfile ${join(folder, name)}`.quiet();
  return join(folder, name);
}

function homeConfig(world: World): object {
  const host = new URL(world.url).host;
  return {
    model: { default: 'openai/bench' },
    providers: { openai: { base_url: `${world.url}/v1`, api_key: '${BENCH_KEY}' } },
    channels: { telegram: { access: 'allow-list', owners: ['1'] } },
    plugins: {
      // Only the guests whose first calls are measured go early; a connector keeps what px gives it.
      ...Object.fromEntries(
        ['clock', 'example-rust', 'example-c', 'example-ts'].map((name) => [name, { limits: { idle_ms: 1000 } }]),
      ),
      telegram: {
        settings: { token: 'secret:BENCH_TOKEN', api: world.url },
        grants: {
          egress: [`GET,POST ${world.url}/`],
          private_hosts: [host],
          secrets: { BENCH_TOKEN: [`${world.url}/`] },
        },
      },
    },
  };
}

async function version(): Promise<void> {
  const quick = await empty('quick', "console.log('0.0.0')\n");
  await runMs([quick]);
  await runMs([binary, '--version']);
  const pairs = await Array.fromAsync({ length: 21 }, async () => ({
    base: await runMs([quick]),
    px: await runMs([binary, '--version']),
  }));
  const base = median(pairs.map((p) => p.base));
  const px = median(pairs.map((p) => p.px));
  rows.push({ what: 'empty program, start to exit, p50 of 21', value: base, unit: 'ms', bound: undefined });
  rows.push({ what: '`px --version`, p50 of 21', value: px, unit: 'ms', bound: undefined });
  rows.push({ what: '`px --version` against the empty program', value: px / base, unit: 'x', bound: 1.5 });
}

async function ready(): Promise<void> {
  const times: number[] = [];
  await using px = new Px({ command: [binary], config: { model: { default: 'offline/px' } } });
  await px.serve();
  await px.installed();
  await px.stop();
  for (let i = 0; i < 11; i++) {
    const probe = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
    const port = probe.port ?? 0;
    await probe.stop(true);
    const start = performance.now();
    const daemon = Bun.spawn([binary, '--home', px.home, 'serve', '--port', String(port)], {
      stdout: 'ignore',
      stderr: 'ignore',
      env: {},
    });
    for (;;) {
      const ok = await fetch(`http://127.0.0.1:${port}/readyz`).then(
        (r) => r.ok,
        () => false,
      );
      if (ok) break;
      await Bun.sleep(1);
    }
    times.push(performance.now() - start);
    daemon.kill('SIGTERM');
    await daemon.exited;
  }
  rows.push({ what: 'start to `/readyz`, p50 of 11', value: median(times), unit: 'ms', bound: 100 });
}

let conversation = '';

/** Milliseconds of each tool call in turns asked over SSE, as the agent's own events say. */
async function toolCalls(px: Px, text: string, count: number, pause = 0): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    // A conversation px has to shorten would be measured with its call.
    if (i % (text.endsWith(' times') ? 1 : 50) === 0) conversation = `web/bench-${crypto.randomUUID()}`;
    if (pause) await Bun.sleep(pause);
    const reply = await px.fetch(`/api/conversations/${conversation}/messages`, {
      method: 'POST',
      body: JSON.stringify({ text }),
      headers: { accept: 'text/event-stream' },
    });
    const found = [...(await reply.text()).matchAll(/^data: (\{.*"turn\.tool-result".*\})$/gm)].map(
      ([, data]): { ms: number; result: { isError: boolean; content: unknown } } => JSON.parse(data ?? ''),
    );
    const failed = found.find(({ result }) => result.isError);
    if (found.length === 0 || failed) throw new Error(`${text}: ${JSON.stringify(failed?.result.content)}`);
    times.push(...found.map(({ ms }) => ms));
  }
  return times;
}

async function daemon(): Promise<void> {
  const world = startWorld();
  await using px = new Px({
    command: [binary],
    config: homeConfig(world),
    env: { BENCH_KEY: 'sk-bench-0123456789', BENCH_TOKEN: '1:bench-token-0123456789' },
  });
  const notes = join(px.home, 'memory/notes');
  mkdirSync(notes, { recursive: true });
  for (let i = 0; i < Number(values.notes); i++) {
    writeFileSync(
      join(notes, `note-${i}.md`),
      `# Note ${i}\n\nAbout topic ${i % 97} and person ${i % 13}, written on day ${i % 365}. The river was ${i % 7} metres deep.\n`,
    );
  }
  await px.serve();
  await px.installed();
  await until(
    'the index',
    async () =>
      (JSON.parse((await px.run('status', '--json')).stdout) as { memory: { notes: number } }).memory.notes >=
      Number(values.notes),
    600_000,
  );
  const idle = await empty('idle', 'setInterval(() => {}, 1e6)\n');
  const floor = Bun.spawn([idle], { stdout: 'ignore', stderr: 'ignore', env: {} });
  await px.stop();
  await px.serve();
  await Bun.sleep(wait);
  const base = treeRssMiB(floor.pid);
  const rest = treeRssMiB(px.pid);
  rows.push({ what: 'RSS of an empty program', value: base, unit: 'MiB', bound: undefined });
  rows.push({ what: 'RSS of `px serve` at rest, whole tree', value: rest, unit: 'MiB', bound: 42 });
  rows.push({ what: 'RSS at rest against the empty program', value: rest / base, unit: 'x', bound: 1.8 });
  floor.kill();

  const first = await world.say('a first message');
  rows.push({ what: 'first model request', value: first.requestBytes / 1024, unit: 'KB', bound: 6 });
  await world.answered(1);
  const toModel: number[] = [];
  for (let i = 0; i < 40; i++) {
    toModel.push((await world.say(`message ${i}`)).toModelMs);
    await world.answered(i + 2);
  }
  rows.push({ what: 'inbound message to model request, p50 of 40', value: median(toModel), unit: 'ms', bound: 15 });

  await toolCalls(px, 'use clock_now {}', 100);
  await Bun.sleep(wait);
  rows.push({ what: 'RSS after 100 turns with tools', value: treeRssMiB(px.pid), unit: 'MiB', bound: 50 });
  for (const { name, add, tool, args, bound, warmBound } of guests) {
    if (add !== '') {
      const { code, stderr } = await px.run('plugin', 'add', join(root, add));
      if (code !== 0) throw new Error(`${add} (scripts/build-plugins.ts --examples builds it): ${stderr}`);
    }
    const cold = await toolCalls(px, `use ${tool} ${args}`, 7, coldAfter);
    rows.push({ what: `first call, child started: ${name}, p50 of 7`, value: median(cold), unit: 'ms', bound });
    const warm = await toolCalls(px, `use ${tool} ${args} ${inTurn} times`, 20);
    const what = `warm call from the agent loop: ${name}, p50 of ${warm.length}`;
    rows.push({ what, value: median(warm), unit: 'ms', bound: warmBound });
    const opening = median(warm.filter((_, i) => i % inTurn === 0));
    rows.push({
      what: `${what.replace(/, p50.*/, '')}, only those that open a turn`,
      value: opening,
      unit: 'ms',
      bound: undefined,
    });
  }
  await world.stop();
}

await version();
await ready();
await daemon();
rows.push({ what: 'size of dist/px', value: Bun.file(binary).size / 1048576, unit: 'MiB', bound: undefined });
console.log(`${table(rows)}\n\n${verdict(rows)}`);
if (values.write) writeFileSync(join(root, 'docs/bench.md'), report(rows));
process.exit(rows.some((r) => r.bound !== undefined && r.value > r.bound) ? 1 : 0);
