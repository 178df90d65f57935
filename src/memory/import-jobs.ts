import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from './history-file.ts';
import { openForeign } from './import-database.ts';

/** A job of another program: what px can run, or why it cannot. */
export interface ForeignJob {
  /** What it is called there. */
  name: string;
  /** What it becomes; undefined when it does not map. `id` is the same at each import. */
  job?: { id: string; when: string; zone?: string; to?: `${string}/${string}`; text: string };
  /** Why it does not map, or what of it does not come along; may be empty. */
  why: string;
}

/** Largest list of jobs that is read, in bytes. */
const LARGEST = 10 * 1024 * 1024;

/**
 * The jobs of an OpenClaw home, those that do not map too: of its database `state/openclaw.sqlite`, or of `cron/jobs.json` before 2026.9. Empty when it has none; a
 * line that says so when they cannot be read. Links are not followed.
 */
export async function openclawJobs(home: string): Promise<ForeignJob[]> {
  const given =
    (await fromDatabase(join(home, 'state/openclaw.sqlite'))) ?? (await fromFile(join(home, 'cron/jobs.json')));
  return typeof given === 'string' ? [{ name: 'the jobs of OpenClaw', why: given }] : given.map(mapped);
}

/** Jobs, or why there are none to read; undefined when no database holds a list of them. */
async function fromDatabase(path: string): Promise<unknown[] | string | undefined> {
  try {
    await using database = await openForeign(path);
    const jobs = database?.jobs();
    return jobs === undefined || jobs.length === 0 ? undefined : jobs;
  } catch {
    return 'state/openclaw.sqlite cannot be read';
  }
}

async function fromFile(path: string): Promise<unknown[] | string> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile() || found.size > LARGEST) return 'cron/jobs.json is no file of at most 10 MB';
    const page: unknown = JSON.parse(await file.readFile('utf8'));
    const jobs = Array.isArray(page) ? page : fields(page)['jobs'];
    return Array.isArray(jobs) ? jobs : 'cron/jobs.json holds no list of jobs';
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT'
      ? []
      : 'cron/jobs.json cannot be read';
  }
}

type Fields = { [key: string]: unknown };

/** One job as px would have it. */
function mapped(given: unknown): ForeignJob {
  const job = fields(given);
  const payload = fields(job['payload']);
  // A reminder is an event of its main session: words said there at that time, as px says them in a conversation.
  const reminds = payload['kind'] === 'systemEvent';
  const words = text(payload[reminds ? 'text' : 'message']);
  const name = (text(job['name']) || words || 'a job without a name').slice(0, 80);
  const not = (why: string): ForeignJob => ({ name, why });
  if (job['enabled'] === false) return not('switched off there');
  if (!reminds && payload['kind'] !== 'agentTurn')
    return not(`OpenClaw runs it itself (${text(payload['kind']) || 'nothing'})`);
  if (words.trim() === '') return not('it asks nothing');
  const delivery = fields(job['delivery']);
  if (delivery['mode'] === 'webhook') return not('its answer goes to a webhook');
  const schedule = fields(job['schedule']);
  const when = whenOf(schedule);
  if (typeof when !== 'string') return not(when.why);
  const zone = text(schedule['tz']);
  const to = targetOf(delivery['to'] === undefined ? payload : delivery);
  return {
    name,
    job: {
      id: idOf(name, text(job['id']) || text(job['jobId']) || `${when}\n${words}`),
      when,
      ...(zone === '' ? {} : { zone }),
      ...(to === undefined ? {} : { to }),
      text: words,
    },
    why: lostOf(job, payload, to === undefined ? delivery : {}),
  };
}

/** `cron`, `every` or `at` as px writes it. */
function whenOf(schedule: Fields): string | { why: string } {
  if (schedule['kind'] === 'cron') {
    const parts = text(schedule['expr']).trim().split(/\s+/);
    // Six fields begin with the second; on the minute is what px does anyway.
    return `cron ${(parts.length === 6 && parts[0] === '0' ? parts.slice(1) : parts).join(' ')}`;
  }
  if (schedule['kind'] === 'every') {
    const ms = schedule['everyMs'];
    if (typeof ms !== 'number' || !(ms >= 60_000)) return { why: 'more often than once a minute' };
    for (const [unit, length] of [
      ['d', 86_400_000],
      ['h', 3_600_000],
      ['m', 60_000],
    ] as const)
      if (ms % length === 0) return `every ${ms / length}${unit}`;
    return `every ${Math.round(ms / 1000)}s`;
  }
  if (schedule['kind'] !== 'at') return { why: 'a time px does not know' };
  const said = schedule['at'] ?? schedule['atMs'];
  // A time without a zone is meant in UTC there.
  const at = typeof said === 'string' ? Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/i.test(said) ? said : `${said}Z`) : said;
  if (typeof at !== 'number' || !(Math.abs(at) < 8.64e15)) return { why: 'a time px does not know' };
  return `at ${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** The chat an answer goes to, where OpenClaw and px name it alike. */
function targetOf(delivery: Fields): `${string}/${string}` | undefined {
  const to = String(delivery['to'] ?? '').replace(/^telegram:(?:group:)?/, '');
  return delivery['channel'] === 'telegram' && /^-?\d{1,20}$/.test(to) ? `telegram/${to}` : undefined;
}

/** What a job has there and not in px. */
function lostOf(job: Fields, payload: Fields, delivery: Fields): string {
  const lost = ['model', 'thinking', 'timeoutSeconds'].filter((key) => payload[key] !== undefined);
  const agent = text(job['agentId']);
  if (agent !== '' && agent !== 'main') lost.push(`agent ${agent}`);
  const channel = text(delivery['channel']);
  const away =
    channel === '' || channel === 'last' ? [] : [`its answer went to ${channel} ${text(delivery['to'])}`.trim()];
  return [...(lost.length === 0 ? [] : [`without its ${lost.join(', ')}`]), ...away].join('; ');
}

/** A name of its own that is the same at each import, however often the job is renamed in the schedule's page. */
function idOf(name: string, key: string): string {
  const words = name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return `${words === '' ? 'job' : words}-${sha256(Buffer.from(key)).slice(0, 6)}`;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
