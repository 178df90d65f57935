import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from '../config/config.ts';
import { PxError, toPxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import { type Memory, replaceFile } from '../memory/memory.ts';
import type { Bus, ConversationId, Inbound } from '../wire/wire.ts';
import type { Book } from './schedule-book.ts';

/** The page that holds the schedule, below `memory/`. */
const SCHEDULE_NOTE = 'schedule.md';

/** One thing px does by itself. */
export interface Job {
  /** Its heading in the page: small letters, digits and dashes. */
  id: string;
  /** `cron 0 8 * * 1-5`, `at 2026-12-24T18:00`, `every 2h`, `heartbeat 30m`. */
  when: string;
  /** IANA time zone that cron and at are meant in. */
  zone: string;
  /** The conversation that is asked and gets the answer. */
  to: ConversationId;
  /** What px is asked. */
  text: string;
  /** Since when it stands, ms since the epoch. */
  since: number;
  /** The due time of the last run, ms since the epoch. */
  last?: number;
  /** The due time of the last run that was left out because px was off too long. */
  missed?: number;
}

/** A job and when it is next due; undefined when it is over. */
type Planned = Job & { next?: number };

/** What a new job is made from. */
export interface NewJob {
  id?: string;
  when: string;
  zone?: string;
  to: ConversationId;
  text: string;
}

/** What px does by itself, kept in `memory/schedule.md`. */
export interface Schedule {
  list(): Promise<Planned[]>;
  /** Throws PxError `usage` (what is wrong with the time), `conflict` (the name is taken). */
  add(job: NewJob): Promise<Planned>;
  remove(id: string): Promise<boolean>;
  /** Runs a job now, beside its times; false when there is none of this name. */
  run(id: string): Promise<boolean>;
  /** Begins to run what is due. Reads nothing when there is no page. */
  start(): Promise<void>;
  close(): void;
}

/** What a schedule works with. */
export interface ScheduleOptions {
  home: Pick<Home, 'memory'>;
  memory: Pick<Memory, 'get'>;
  /** Takes a message in, durably and once by its id. */
  submit(inbound: Inbound): boolean;
  bus: Bus;
  log: Log;
  now?: () => number;
  /** How often it looks at the clock, in ms; each minute when left out. */
  lookMs?: number;
}

/** How often the clock is looked at while something is planned, in ms: a machine that slept was no time at all for a timer, and clocks are set. */
const LOOK_MS = 60_000;
/** A run missed while px was off is caught up when it was due at most so long ago, in ms. */
const CATCH_UP_MS = 24 * 3_600_000;

/** Makes the schedule. The page, its reader and the calendar are loaded when there is something in it. */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { memory, bus, log, now = Date.now, lookMs = LOOK_MS } = options;
  const path = join(options.home.memory, SCHEDULE_NOTE);
  let book: Promise<Book> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lane: Promise<unknown> = Promise.resolve();
  let written = '';
  let closed = false;
  let off = () => {};

  const open = () => (book ??= import('./schedule-book.ts').then((module) => module.openBook()));
  /** One at a time, so that no change is lost. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = lane.then(work, work);
    lane = mine.catch(() => {});
    return mine;
  };
  const read = async (): Promise<{ book: Book; jobs: Job[]; text: string }> => {
    const text = existsSync(path) ? await Bun.file(path).text() : '';
    const loaded = await open();
    const { jobs, problems } = loaded.parse(text);
    for (const problem of problems) log.warn(`${SCHEDULE_NOTE}: ${problem}`);
    return { book: loaded, jobs, text };
  };
  const write = async (loaded: Book, text: string, jobs: Job[]) => {
    written = loaded.format(text, jobs);
    await replaceFile(path, written);
  };

  const ask = (job: Job, id: string, text: string): boolean => {
    const slash = job.to.indexOf('/');
    return options.submit({
      conversation: job.to,
      channel: job.to.slice(0, slash),
      chat: job.to.slice(slash + 1),
      id,
      sender: { id: 'schedule', name: `schedule: ${job.id}` },
      text,
      at: now(),
      ...(job.when.startsWith('heartbeat') ? { metadata: { quiet: true } } : {}),
    });
  };

  /** What the job asks now; undefined for a heartbeat that has nothing to do, which costs no model call. */
  const words = async (job: Job): Promise<string | undefined> => {
    if (!job.when.startsWith('heartbeat')) return `[scheduled: ${job.id}] ${job.text}`;
    const note = await memory.get('HEARTBEAT.md', 1, 400).catch(() => undefined);
    const open = (await import('./schedule-book.ts')).openPoints(note?.text ?? '');
    if (open === '') return undefined;
    return `[heartbeat: ${job.id}] ${job.text}\n\nOpen in HEARTBEAT.md:\n${open}\n\nIf nothing needs doing or telling now, answer only NOTHING.`;
  };

  const runDue = async (): Promise<void> => {
    const { book: loaded, jobs, text } = await read();
    let changed = false;
    for (const job of jobs) {
      const due = loaded.next({ ...job, ...lastOf(job) });
      if (due === undefined || due > now()) continue;
      const heartbeat = job.when.startsWith('heartbeat');
      if (!heartbeat && now() - due > CATCH_UP_MS) {
        job.missed = due;
        job.last = now();
        changed = true;
        log.warn(`${job.id} was not run: px was off when it was due`, { due: new Date(due) });
        continue;
      }
      const said = await words(job);
      // Its due time names the run: a crash before it is written down cannot run it twice.
      try {
        if (said !== undefined) ask(job, `schedule:${job.id}:${due}`, said);
      } catch (thrown) {
        log.error(`${job.id} could not be run: ${toPxError(thrown).message}`, { to: job.to });
      }
      job.last = now();
      if (said !== undefined || !heartbeat) changed = true;
      else beats.set(job.id, job.last);
    }
    if (changed) await write(loaded, text, jobs);
    plan(loaded, jobs);
  };
  /** Heartbeats that had nothing to do are remembered here only: they write nothing. */
  const beats = new Map<string, number>();

  const plan = (loaded: Book, jobs: Job[]) => {
    clearTimeout(timer);
    if (closed) return;
    const times = jobs.flatMap((job) => loaded.next({ ...job, ...lastOf(job) }) ?? []);
    if (times.length === 0) return;
    sleepUntil(Math.min(...times));
  };
  const sleepUntil = (due: number) => {
    const wake = () => (now() < due ? sleepUntil(due) : void alone(beat));
    timer = setTimeout(wake, Math.max(0, Math.min(due - now(), lookMs)));
  };
  const lastOf = (job: Job) => {
    const last = Math.max(job.last ?? 0, beats.get(job.id) ?? 0);
    return last === 0 ? {} : { last };
  };
  const beat = async () => {
    try {
      await runDue();
    } catch (thrown) {
      log.error(`the schedule could not be run: ${toPxError(thrown).message}`);
      if (!closed) timer = setTimeout(() => void alone(beat), 60_000);
    }
  };

  const planned = (loaded: Book, job: Job): Planned => {
    const next = loaded.next({ ...job, ...lastOf(job) });
    return { ...job, ...lastOf(job), ...(next === undefined ? {} : { next }) };
  };
  let running = false;

  return {
    list: () =>
      alone(async () => {
        const { book: loaded, jobs } = await read();
        return jobs.map((job) => planned(loaded, job));
      }),
    add: (wanted) =>
      alone(async () => {
        const { book: loaded, jobs, text } = await read();
        const job = loaded.make(wanted, now(), new Set(jobs.map((one) => one.id)));
        if (loaded.next(job) === undefined)
          throw new PxError('usage', `"${job.when}" is over or never comes.`, { hint: 'Name a time to come.' });
        await write(loaded, text, [...jobs, job]);
        if (running) plan(loaded, [...jobs, job]);
        return planned(loaded, job);
      }),
    remove: (id) =>
      alone(async () => {
        const { book: loaded, jobs, text } = await read();
        const rest = jobs.filter((job) => job.id !== id);
        if (rest.length === jobs.length) return false;
        await write(loaded, text, rest);
        if (running) plan(loaded, rest);
        return true;
      }),
    run: (id) =>
      alone(async () => {
        const { jobs } = await read();
        const job = jobs.find((one) => one.id === id);
        if (!job) return false;
        ask(
          job,
          `schedule:${job.id}:now-${crypto.randomUUID()}`,
          (await words(job)) ?? `[heartbeat: ${job.id}] ${job.text}`,
        );
        return true;
      }),
    async start() {
      running = true;
      off = bus.on((event) => {
        if (event.type !== 'memory.indexed' || event.path !== SCHEDULE_NOTE) return;
        void alone(async () => {
          if (existsSync(path) && (await Bun.file(path).text()) !== written) await beat();
        });
      });
      if (existsSync(path)) await alone(beat);
    },
    close() {
      closed = true;
      off();
      clearTimeout(timer);
    },
  };
}
