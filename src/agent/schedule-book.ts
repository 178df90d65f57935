import { Cron } from 'croner';
import { PxError } from '../error/error.ts';
import type { ConversationId } from '../wire/wire.ts';
import type { Job, NewJob } from './schedule.ts';

/** Reads and writes the page, and knows the calendar. */
export interface Book {
  /** The jobs of a page; what cannot be read is told and left out. */
  parse(page: string): { jobs: Job[]; problems: string[] };
  /** The page with these jobs; what stands before the first heading stays. */
  format(page: string, jobs: Job[]): string;
  /** When a job is next due, ms since the epoch; undefined when it is over. */
  next(job: Job): number | undefined;
  /** A new job, checked. Throws PxError `usage`, `conflict`. */
  make(wanted: NewJob, now: number, taken: ReadonlySet<string>): Job;
}

const HEAD = `# Schedule

<!-- What px does by itself. Change it with \`px schedule\`, or here: \`when\` is \`cron 0 8 * * 1-5\`, \`at 2026-12-24T18:00\`, \`every 2h\` or
\`heartbeat 30m\` (asks only when HEARTBEAT.md has something open); \`to\` is the conversation that gets the answer. -->
`;

/** Least time between two runs, in ms. */
const LEAST_MS = 60_000;
const units: { [unit: string]: number } = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Opens the book. */
export function openBook(): Book {
  return { parse, format, next, make };
}

/** What is open in a list of things to look after: comments, headings and ticked lines are not. */
export function openPoints(note: string): string {
  return note
    .replace(/<!--[\s\S]*?-->/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*#/.test(line) && !/^\s*[-*]\s*\[[xX]\]/.test(line))
    .filter((line) => !/^\s*[-*](\s*\[ ?\])?\s*$/.test(line))
    .join('\n');
}

function parse(page: string): { jobs: Job[]; problems: string[] } {
  const jobs: Job[] = [];
  const problems: string[] = [];
  for (const section of page
    .replace(/<!--[\s\S]*?-->/g, '')
    .split(/^## /m)
    .slice(1)) {
    const [heading = '', ...lines] = section.split('\n');
    const fields = new Map<string, string>();
    let at = 0;
    for (; at < lines.length; at++) {
      const line = lines[at] ?? '';
      const [, key, value] = /^- (\w+): (.*)$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) fields.set(key, value.trim());
      else if (line.trim() !== '') break;
    }
    try {
      jobs.push(toJob(heading.trim(), fields, lines.slice(at).join('\n').trim()));
    } catch (thrown) {
      problems.push(`${heading.trim()}: ${thrown instanceof PxError ? thrown.message : String(thrown)}`);
    }
  }
  return { jobs, problems };
}

function toJob(id: string, fields: Map<string, string>, text: string): Job {
  const time = (key: string): number | undefined => {
    const at = Date.parse(fields.get(key) ?? '');
    return Number.isNaN(at) ? undefined : at;
  };
  const [last, missed] = [time('last'), time('missed')];
  return {
    id: goodName(id),
    when: goodTime(fields.get('when') ?? '', fields.get('zone') ?? localZone()),
    zone: fields.get('zone') ?? localZone(),
    to: goodTarget(fields.get('to') ?? ''),
    text: goodText(text),
    since: time('since') ?? 0,
    ...(last === undefined ? {} : { last }),
    ...(missed === undefined ? {} : { missed }),
  };
}

function format(page: string, jobs: Job[]): string {
  const first = page.search(/^## /m);
  const head = page.trim() === '' ? HEAD : first < 0 ? page : page.slice(0, first);
  const sections = jobs.map((job) => {
    const lines = [
      `## ${job.id}`,
      '',
      `- when: ${job.when}`,
      `- zone: ${job.zone}`,
      `- to: ${job.to}`,
      `- since: ${new Date(job.since).toISOString()}`,
      ...(job.last === undefined ? [] : [`- last: ${new Date(job.last).toISOString()}`]),
      ...(job.missed === undefined ? [] : [`- missed: ${new Date(job.missed).toISOString()}`]),
      '',
      job.text,
    ];
    return lines.join('\n');
  });
  return `${[head.trimEnd(), ...sections].join('\n\n')}\n`;
}

function next(job: Job): number | undefined {
  const [kind, rest] = split(job.when);
  if (kind === 'at') return job.last === undefined ? atTime(rest, job.zone) : undefined;
  if (kind === 'cron')
    return new Cron(rest, { timezone: job.zone, paused: true }).nextRun(new Date(job.last ?? job.since))?.getTime();
  return Math.max(job.last ?? 0, job.since) + length(rest);
}

function make(wanted: NewJob, now: number, taken: ReadonlySet<string>): Job {
  const zone = wanted.zone ?? localZone();
  const text = goodText(wanted.text);
  let id = wanted.id ?? '';
  if (id === '') {
    const words = text
      .toLowerCase()
      .normalize('NFKD')
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '');
    // A name of whole words, where it can be.
    const base =
      (words.length > 24
        ? words
            .slice(0, 25)
            .replace(/-[^-]*$/, '')
            .slice(0, 24)
        : words) || 'job';
    id = base;
    for (let n = 2; taken.has(id); n++) id = `${base}-${n}`;
  }
  if (taken.has(goodName(id)))
    throw new PxError('conflict', `There is a job ${id} already.`, { hint: `px schedule remove ${id}` });
  return { id, when: goodTime(wanted.when, zone), zone, to: goodTarget(wanted.to), text, since: now };
}

function goodName(id: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(id)) return id;
  throw new PxError('usage', `"${id}" is no name for a job: small letters, digits and dashes.`);
}

function goodTarget(to: string): ConversationId {
  const [, channel, chat] = /^([a-z][a-z0-9-]{0,62})\/([^\u0000-\u001f\u007f/\\]{1,200})$/.exec(to) ?? [];
  if (channel !== undefined && chat !== undefined) return `${channel}/${chat}`;
  throw new PxError('usage', `"${to}" is no conversation.`, { hint: 'Write channel/chat: telegram/4711.' });
}

function goodText(text: string): string {
  // A heading would begin another job when the page is read again, and a field would be taken for one of this.
  const clean = text
    .trim()
    .replace(/^#/gm, '\\#')
    .replace(/<!--/g, '<\\!--')
    .replace(/^- (\w+: )/, '* $1');
  if (clean === '') throw new PxError('usage', 'A job needs words: what px is to do.');
  if (clean.length > 10_000) throw new PxError('usage', 'That is too long for a job: 10,000 characters at most.');
  return clean;
}

/** Checks a time; the same text comes back. */
function goodTime(when: string, zone: string): string {
  const bad = (why: string) =>
    new PxError('usage', `"${when}" is no time px knows: ${why}`, {
      hint: 'Write cron 0 8 * * 1-5, at 2026-12-24T18:00, every 2h or heartbeat 30m.',
    });
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    throw new PxError('usage', `"${zone}" is no time zone.`, { hint: 'Write it as Europe/Zurich.' });
  }
  const [kind, rest] = split(when);
  if (kind === 'cron') {
    // Seconds would let a job run sixty times a minute.
    if (rest.trim().split(/\s+/).length !== 5) throw bad('cron has five fields: minute, hour, day, month, weekday');
    try {
      new Cron(rest, { timezone: zone, paused: true });
    } catch (thrown) {
      throw bad(thrown instanceof Error ? thrown.message : 'it cannot be read');
    }
    return when.trim();
  }
  if (kind === 'at') {
    if (atTime(rest, zone) === undefined) throw bad('at takes a date and a time');
    return when.trim();
  }
  if (kind !== 'every' && kind !== 'heartbeat') throw bad('it begins with cron, at, every or heartbeat');
  if (!(length(rest) >= LEAST_MS)) throw bad('write a number with m, h or d, at least 1m');
  return when.trim();
}

/** The moment of a date and time in a zone; `Z` or an offset wins over the zone. */
function atTime(text: string, zone: string): number | undefined {
  const [, date, time, offset] =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?$/.exec(text.trim()) ?? [];
  if (date === undefined || time === undefined) return undefined;
  const full = `${date}T${time.length === 5 ? `${time}:00` : time}`;
  if (Number.isNaN(Date.parse(`${full}Z`))) return undefined;
  if (offset !== undefined) return Date.parse(full + offset);
  return new Cron(full, { timezone: zone, paused: true }).nextRun(new Date(0))?.getTime();
}

function length(text: string): number {
  const [, count, unit] = /^(\d{1,6})\s*([smhd])$/.exec(text.trim()) ?? [];
  return count === undefined || unit === undefined ? Number.NaN : Number(count) * (units[unit] ?? Number.NaN);
}

function split(when: string): [kind: string, rest: string] {
  const [, kind = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(when.trim()) ?? [];
  return [kind, rest];
}

const localZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
