import { type Client, connect } from '../client/client.ts';
import type { Home } from '../config/config.ts';
import type { Candidate, Values } from './complete.ts';

type Source = (client: Client, before: string[]) => Promise<Candidate[]>;

const plain = (values: string[]): Candidate[] => values.map((value) => ({ value, summary: '' }));

const plugins: Source = async (client) =>
  (await client.plugins()).map(({ name, state }) => ({ value: name, summary: state }));
const conversations: Source = async (client) =>
  plain((await client.conversations()).map(({ conversation }) => conversation));
const people: Source = async (client, [channel]) =>
  (await client.pairings())
    .filter((one) => one.channel === channel)
    .map(({ sender, name }) => ({ value: sender, summary: name }));

/** What px knows, by the word's name in the help; before it the verb where the name alone does not say it. */
const sources: Record<string, Source> = {
  MODEL: async (client) => (await client.models()).models.map(({ ref, cost }) => ({ value: ref, summary: cost ?? '' })),
  'plugin NAME': plugins,
  'plugin FUNCTION': async (client, [name]) =>
    name === undefined
      ? []
      : (await client.plugin(name)).functions.map((one) => ({ value: one.name, summary: one.docs || one.notCallable })),
  CONVERSATION: conversations,
  'chat NAME': conversations,
  'tui NAME': conversations,
  'secret NAME': async (client) => plain(await client.secretNames()),
  'config KEY': async (client) => plain(keysOf(await client.configSchema())),
  'memory PATH': async (client) => plain(await client.notes()),
  'mcp NAME': async (client) => (await client.mcpServers()).map(({ name, state }) => ({ value: name, summary: state })),
  'schedule ID': async (client) => (await client.schedule()).map(({ id, text }) => ({ value: id, summary: text })),
  'approvals ID': async (client) =>
    (await client.approvals.list()).approvals.map(({ id, tool }) => ({ value: id, summary: tool })),
  'inbox ID': async (client) => (await client.inbox()).map(({ id, text }) => ({ value: `${id}`, summary: text })),
  'outbox ID': async (client) => (await client.outbox()).map(({ id, text }) => ({ value: `${id}`, summary: text })),
  CHANNEL: async (client) => plain([...new Set((await client.pairings()).map(({ channel }) => channel))]),
  SENDER: people,
};

/** Words that name files of the person's; `plugin inspect` takes those, too. */
const files = /^(FILE|PATH|FOLDER|DIR|SOURCE)$|^plugin inspect NAME$/;

/** Values from the px that runs for this home. Where none runs, or it does not answer, there are none: a completion starts nothing. */
export function valuesOf(home: Home): Values {
  return async (verb, word, before) => {
    const [first = ''] = verb.split(' ');
    const source = sources[`${first} ${word}`] ?? sources[word];
    const known = async () => {
      const client = source && (await connect(home));
      return client && source ? source(client, before) : [];
    };
    return {
      candidates: await known().catch(() => []),
      files: first !== 'memory' && (files.test(word) || files.test(`${verb} ${word}`)),
    };
  };
}

/** Dotted keys of a JSON Schema's objects. */
function keysOf(schema: unknown, at = ''): string[] {
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => [
    at + name,
    ...keysOf(inner, `${at + name}.`),
  ]);
}
