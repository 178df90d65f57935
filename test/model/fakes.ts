import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Config, ConfigSchema, type ConfigStore } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';
import { createLog } from '../../src/log/log.ts';
import { type ModelEvent, type ModelRequest, type Models, openModels } from '../../src/model/model.ts';
import type { Secrets } from '../../src/secret/secret.ts';
import { createBus, type PxEvent, type SearchHit } from '../../src/wire/wire.ts';
import { createAnswer } from './answer.ts';

const homes = join(tmpdir(), `px-models-${process.pid}`);
process.on('exit', () => rmSync(homes, { recursive: true, force: true }));

function tempHome() {
  const root = join(homes, crypto.randomUUID());
  const below = (name: string) => join(root, name);
  return {
    root,
    config: below('px.yaml'),
    memory: below('memory'),
    plugins: below('plugins'),
    state: below('state'),
  };
}

/** A px.yaml in memory; `edit` is what a person does to the file. */
export function fakeConfig(yaml: unknown, env: Record<string, string> = {}) {
  const listeners = new Set<(config: Config, changed: string[]) => void>();
  const parse = (from: unknown) => v.parse(ConfigSchema, from);
  let current = parse(yaml);
  const store: ConfigStore = {
    home: tempHome(),
    env: { home: undefined, userHome: '/', get: (name) => env[name] },
    get current() {
      return current;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    problem: '',
    onReject: () => () => {},
    reload: async () => {},
    watch: () => {},
    set: async () => {},
    text: async () => '',
    replace: async () => {},
    close: () => {},
  };
  const edit = (next: unknown, changed: string[]) => {
    current = parse(next);
    for (const listener of listeners) listener(current, changed);
  };
  return { store, edit, listeners };
}

/** Secrets in memory, falling back to the environment as the real ones do. */
export function fakeSecrets(values: Record<string, string> = {}, env: Record<string, string> = {}): Secrets {
  const get = (name: string) => values[name] ?? env[name];
  return {
    get,
    has: (name) => get(name) !== undefined,
    set: (name, value) => {
      values[name] = value;
    },
    remove: (name) => delete values[name],
    names: () => Object.keys(values).sort(),
    resolve(value) {
      const name = /^secret:(.+)$/.exec(value)?.[1] ?? /^\$\{(.+)\}$/.exec(value)?.[1];
      if (name === undefined) return value;
      const found = get(name);
      if (found === undefined) throw new PxError('secret.missing', `The secret ${name} is not set.`);
      return found;
    },
    seal: (_, plain) => plain,
    unseal: (_, sealed) => sealed,
    scrub: (text) => text,
    scrubBytes: (bytes) => bytes,
  };
}

export interface Opened {
  models: Models;
  events: PxEvent[];
  edit: (yaml: unknown, changed: string[]) => void;
  secrets: Secrets;
  listeners: Set<unknown>;
}

/** A switcher over fakes. Ollama is looked for on a closed port unless `yaml` or `env` say otherwise. */
export async function open(
  options: {
    yaml?: Record<string, unknown>;
    env?: Record<string, string>;
    secrets?: Record<string, string>;
    hits?: SearchHit[];
    retryMs?: number;
    coolMs?: number;
    /** Whether a connection can be made, instead of trying. */
    isReachable?: (baseUrl: string) => Promise<boolean>;
  } = {},
): Promise<Opened> {
  const env = { OLLAMA_HOST: 'http://127.0.0.1:9', ...options.env };
  const { store, edit, listeners } = fakeConfig(options.yaml ?? {}, env);
  const secrets = fakeSecrets(options.secrets, env);
  const bus = createBus();
  const events: PxEvent[] = [];
  bus.on((event) => events.push(event));
  const models = await openModels(
    { config: store, secrets, memory: { search: () => options.hits ?? [] }, log: createLog(), bus },
    {
      retryMs: options.retryMs ?? 1,
      ...(options.coolMs === undefined ? {} : { coolMs: options.coolMs }),
      ...(options.isReachable === undefined ? {} : { isReachable: options.isReachable }),
    },
  );
  return { models, events, edit, secrets, listeners };
}

/** A request with everything a test does not care about. */
export function ask(model: ModelRequest['model'], text: string, more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model,
    system: 'You are px.',
    messages: [{ role: 'user', parts: [{ type: 'text', text }] }],
    tools: [],
    maxOutputTokens: 256,
    ...more,
  };
}

/** Reads a stream to its end and checks the one rule all streams keep: `end` once and last. */
export async function read(stream: AsyncIterable<ModelEvent>, model: ModelRequest['model'] = 'openai/x') {
  const events: ModelEvent[] = [];
  const answer = createAnswer(model);
  for await (const event of stream) {
    events.push(event);
    answer.add(event);
  }
  const ends = events.filter((e) => e.type === 'end');
  if (ends.length !== 1 || events.at(-1)?.type !== 'end')
    throw new Error(`end ${ends.length} times: ${JSON.stringify(events)}`);
  if (events.filter((e) => e.type === 'usage').length > 1) throw new Error('usage more than once');
  const thinking = events.flatMap((e) => (e.type === 'thinking' ? [e.text] : [])).join('');
  return {
    events,
    text: answer.text,
    calls: answer.calls,
    usage: answer.usage,
    end: answer.end,
    message: answer.message(),
    thinking,
  };
}

/** A signal that never fires. */
export const never = new AbortController().signal;

/** What is listed when every server has answered, however slow this machine is. */
export async function listed(models: Models): Promise<Awaited<ReturnType<Models['list']>>> {
  for (;;) {
    const found = await models.list(never);
    if (models.providers().every((one) => one.problem !== 'no answer yet')) return found;
    await Bun.sleep(20);
  }
}
