import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scheduleBook } from '../../agent/agent.ts';
import { PxError } from '../../error/error.ts';
import type { ForeignJob } from '../../memory/memory.ts';
import { openBackend } from '../backend.ts';
import type { Context } from '../verb.ts';
import { when } from './outbox.ts';

/** What becomes of one job of another program. */
export interface JobStep {
  /** What it is called there. */
  name: string;
  /** `new` can be added, `added` was; `same`: it is on the schedule already; `left out` with why. */
  what: 'new' | 'added' | 'same' | 'left out';
  /** Why it is left out, or what of it does not come along; may be empty. */
  why: string;
  /** The job px would run or runs; undefined when it does not map. */
  job?: { id: string; when: string; zone: string; to: string; text: string; next: number };
}

/** What each job would become, judged as `px schedule add` judges. Reads the schedule's page and changes nothing. */
export async function planJobs(memory: string, jobs: ForeignJob[], to: string | undefined): Promise<JobStep[]> {
  const book = await scheduleBook();
  const page = await readFile(join(memory, 'schedule.md'), 'utf8').catch(() => '');
  const taken = new Set(book.parse(page).jobs.map(({ id }) => id));
  return jobs.map(({ name, job, why }): JobStep => {
    if (!job) return { name, what: 'left out', why };
    if (taken.has(job.id)) return { name, what: 'same', why: '' };
    try {
      const target = (to ?? job.to ?? 'cli/default') as `${string}/${string}`;
      const made = book.make({ ...job, to: target }, Date.now(), taken);
      const next = book.next(made);
      if (next === undefined || next < Date.now()) return { name, what: 'left out', why: 'its time is over' };
      taken.add(made.id);
      // What is sent is what stands there: the page's own escapes are put in where it is written.
      return { name, what: 'new', why, job: { ...made, text: job.text, next } };
    } catch (thrown) {
      return { name, what: 'left out', why: thrown instanceof PxError ? thrown.message : String(thrown) };
    }
  });
}

/** Puts the new ones on the schedule, of the px that runs or of the home opened here. */
export async function addJobs(context: Context, steps: JobStep[]): Promise<JobStep[]> {
  if (!steps.some((one) => one.what === 'new')) return steps;
  await using backend = await openBackend(context);
  const done: JobStep[] = [];
  for (const step of steps) {
    if (step.what !== 'new' || !step.job) {
      done.push(step);
      continue;
    }
    const { id, when, zone, to, text } = step.job;
    try {
      await backend.client.addJob({ id, when, zone, to, text });
      done.push({ ...step, what: 'added' });
    } catch (thrown) {
      if (!(thrown instanceof PxError)) throw thrown;
      done.push({ ...step, what: thrown.code === 'conflict' ? 'same' : 'left out', why: thrown.message });
    }
  }
  return done;
}

/** A job in a line that a person can judge. */
export function jobLine({ name, what, why, job }: JobStep): string {
  const words = job
    ? ` → ${inWords(job)}, answer to ${job.to}: “${job.text.slice(0, 200).replace(/\s+/g, ' ').trim().slice(0, 60)}”`
    : '';
  return `${what.padEnd(8)}  job ${name.replace(/\s+/g, ' ')}${words}${why === '' ? '' : `  (${why})`}`;
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** A time as a person says it; a cron line that is no plain time of day stays as it is. */
function inWords({ when: time, zone, next }: NonNullable<JobStep['job']>): string {
  if (time.startsWith('at ')) return `once, ${time.slice(3).replace('T', ' ').replace(/Z$/, ' UTC')}`;
  if (!time.startsWith('cron ')) return `${time}, next ${when(next)}`;
  const [, minute = '', hour = '', weekday = ''] =
    /^cron (\d{1,2}) (\d{1,2}) \* \* (\*|[0-7](?:[-,][0-7])*)$/.exec(time) ?? [];
  const names = weekday.replace(/\d/g, (day) => days[Number(day)] ?? day);
  const on = weekday === '*' ? 'every day' : names.replaceAll('-', ' to ').replaceAll(',', ', ');
  const said = weekday === '' ? time : `${on} at ${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  return `${said} (${zone}), next ${when(next)}`;
}
