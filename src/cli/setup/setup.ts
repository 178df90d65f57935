import type { Client } from '../../client/client.ts';
import { PxError, toPxError } from '../../error/error.ts';
import { broken, type Io } from '../io.ts';
import type { Prompt } from '../prompt.ts';
import type { Context } from '../verb.ts';

/** What was said on the command line; what is left out is asked for, or left as it is when nobody can be asked. */
export interface Answers {
  provider?: string;
  model?: string;
  /** Of a server that speaks as OpenAI's does. */
  baseUrl?: string;
  key?: string;
  /** False: no Telegram. */
  telegram: boolean;
  telegramToken?: string;
  /** Another Bot API server than Telegram's. */
  telegramServer?: string;
  /** The person's id on Telegram. */
  owner?: string;
  service?: boolean;
}

/** A provider of models, as px describes it. */
export type Provider = Awaited<ReturnType<Client['providers']>>[number];

/** What became of one step. */
export interface Outcome {
  step: 'model' | 'telegram' | 'owner' | 'service' | 'greeting';
  /** `left`: nothing is wrong, but a person has to do something; `skipped`: it is not wanted. */
  state: 'done' | 'left' | 'skipped' | 'failed';
  text: string;
  hint?: string;
  /** True when this run has done it. */
  fresh?: boolean;
}

/** What each step works with. */
export interface Setup {
  client: Client;
  answers: Answers;
  /** Undefined when nobody can be asked. */
  ask: Prompt | undefined;
  context: Context;
  /** A line for the person who watches. */
  say(text: string): void;
  /** Waits for something, unless the person stops: then it throws PxError `interrupted`. */
  wait<T>(work: Promise<T>): Promise<T>;
}

/** The end of a setup that a person stopped. */
export function interrupted(): PxError {
  return new PxError('interrupted', 'Stopped. What is done is kept.', { hint: '`px setup` goes on from there.' });
}

/** Aborts at the first signal to end; a second one ends at once. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(130);
      stop.abort();
    });
  return stop.signal;
}

/** Waits for work until the signal comes. Throws PxError `interrupted`. */
export async function unlessStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  if (stop.aborted) throw interrupted();
  const { promise, reject } = Promise.withResolvers<never>();
  const end = () => reject(interrupted());
  stop.addEventListener('abort', end);
  try {
    return await Promise.race([work, promise]);
  } finally {
    stop.removeEventListener('abort', end);
  }
}

/** A step's outcome as the person sees it. */
export function show(io: Io, { state, text, hint }: Outcome): void {
  const mark = { done: 'ok  ', left: 'todo', skipped: '-   ', failed: 'fail' }[state];
  io.line(broken(`${mark}  ${text}`, io.columns, 6));
  if (hint && state !== 'done') io.line(io.dim(broken(`      ${hint}`, io.columns, 6)));
}

/** An error in a sentence or two, as it is told within a step. */
export function sentence(thrown: unknown): string {
  const { message, hint } = toPxError(thrown);
  // What a plugin puts before its words is meant for px.
  const text = message.replace(/^(unauthorized|refused|conflict|unknown|network|denied): /, '');
  return `${/[.!?…]$/.test(text) ? text : `${text}.`}${hint ? ` ${hint}` : ''}`;
}

/** What the environment or px's own store has under a name. */
export async function kept(setup: Setup, name: string): Promise<'stored' | 'environment' | undefined> {
  if ((await setup.client.secretNames()).includes(name)) return 'stored';
  return setup.context.env.get(name) ? 'environment' : undefined;
}
