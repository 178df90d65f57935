import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Px, until } from '../../test/e2e/px.ts';
import { median, type Row, treeRssMiB } from './measure.ts';
import { startWorld } from './world.ts';

/** How many turns are measured in each state. */
const turns = 60;

const pause = 100;

/** What a large memory costs a running px: its first index beside turns, a restart, and what it holds at rest. `write` puts so many notes into a folder. */
export async function daemonReach(
  binary: string,
  count: number,
  write: (folder: string, count: number) => void,
  waitMs: number,
): Promise<Row[]> {
  if (!existsSync(binary)) return [];
  const world = startWorld();
  const config = {
    model: { default: 'openai/bench' },
    providers: { openai: { base_url: `${world.url}/v1`, api_key: '${BENCH_KEY}' } },
  };
  const env = { BENCH_KEY: 'sk-bench-0123456789' };
  const turn = async (px: Px, text: string): Promise<number> => {
    const started = performance.now();
    const reply = await px.fetch(`/api/conversations/web/bench-${Math.floor(started / 10_000)}/messages`, {
      method: 'POST',
      body: JSON.stringify({ text }),
      headers: { accept: 'text/event-stream' },
    });
    await reply.text();
    return performance.now() - started;
  };
  const latencies = async (px: Px) => {
    const times: number[] = [];
    for (let n = 0; n < turns; n++) {
      times.push(await turn(px, `message ${n}`));
      await Bun.sleep(pause);
    }
    return times;
  };
  const notes = async (px: Px) =>
    (JSON.parse((await px.run('status', '--json')).stdout) as { memory: { notes: number } }).memory.notes;
  const atRest = async (px: Px) => {
    await px.stop();
    await px.serve();
    await Bun.sleep(waitMs);
    return treeRssMiB(px.pid);
  };
  const ready = async (px: Px) => {
    const started = performance.now();
    await px.serve();
    await until('readiness', async () => (await fetch(`${px.url}/readyz`)).ok, 60_000);
    return performance.now() - started;
  };
  const rows: Row[] = [];
  await using few = new Px({ command: [binary], config, env });
  write(join(few.home, 'memory'), 10);
  await few.serve();
  await few.installed();
  await few.stop();
  const readyFew = await ready(few);
  const small = await atRest(few);
  await few.stop();

  await using px = new Px({ command: [binary], config, env });
  await px.serve();
  await px.installed();
  await turn(px, 'hello');
  await px.stop();
  write(join(px.home, 'memory'), count);
  rmSync(join(px.home, 'state/index.db'));
  await px.serve();
  await turn(px, 'the first one loads what a turn needs');
  await until('the beginning of the index', async () => (await notes(px)) > 100, 60_000);
  const during = await latencies(px);
  const still = (await notes(px)) < count;
  await until('the index', async () => (await notes(px)) >= count, 600_000);
  await Bun.sleep(5000);
  const idle = await latencies(px);
  rows.push({ what: 'turn beside nothing, p50', value: median(idle), unit: 'ms', bound: undefined });
  rows.push({
    what: `turn beside the first index${still ? '' : ' (which ended before the turns did)'}, p50 against that`,
    value: median(during) / median(idle),
    unit: 'x',
    bound: 1.2,
  });
  await px.stop();
  rows.push({ what: 'restart to `/readyz`, 10 notes', value: readyFew, unit: 'ms', bound: undefined });
  rows.push({
    what: `restart to \`/readyz\`, ${count} notes`,
    value: await ready(px),
    unit: 'ms',
    bound: readyFew + 50,
  });
  const large = await atRest(px);
  rows.push({ what: 'RSS at rest, 10 notes', value: small, unit: 'MiB', bound: undefined });
  rows.push({ what: `RSS at rest, ${count} notes`, value: large, unit: 'MiB', bound: small + 3 });
  await px.stop();
  await world.stop();
  return rows;
}
