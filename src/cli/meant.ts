import { nearest } from '../config/config.ts';
import type { Verb } from './verb.ts';

/** More verbs than this are no help to choose from. */
const mostMeant = 3;

/**
 * What people type for a verb that has another name, and the verbs they may mean, likeliest first. A verb of one word is looked for where
 * they are: in the group, or at the top; one of two words at the top only.
 */
export const otherNames: readonly (readonly [words: string, verbs: readonly string[]])[] = [
  ['show info view describe details about get read cat print', ['inspect', 'show', 'get', 'status']],
  ['ls all', ['list', 'get', 'status']],
  ['install', ['add', 'plugin add', 'service install']],
  ['create init begin', ['new', 'add', 'setup']],
  ['add store', ['set', 'plugin add']],
  ['delete del rm uninstall erase', ['remove', 'unset', 'revoke', 'drop', 'plugin remove', 'service uninstall']],
  ['remove', ['revoke', 'unset', 'drop', 'plugin remove']],
  ['upgrade', ['update']],
  ['change edit', ['set', 'config set']],
  ['select switch choose', ['use', 'model use']],
  ['set', ['use', 'config set', 'secret set']],
  ['find grep lookup', ['search', 'memory search']],
  ['history changes', ['log', 'memory log', 'audit show']],
  ['revert rollback', ['undo', 'memory undo']],
  ['reindex index', ['rebuild', 'memory rebuild']],
  ['run exec invoke', ['call', 'serve', 'chat']],
  ['execute trigger', ['call', 'run']],
  ['start up daemon gateway', ['serve', 'service start']],
  ['enable unblock', ['resume', 'grant', 'config set']],
  ['watch', ['dev', 'tui']],
  ['monitor top', ['tui', 'status']],
  ['accept allow yes confirm', ['approve', 'grant', 'approvals approve', 'pairing approve']],
  ['reject refuse no', ['deny', 'approvals deny']],
  ['pair', ['pairing approve']],
  ['ask say talk send message prompt', ['chat']],
  ['onboard configure', ['setup']],
  ['web ui dashboard open login', ['portal']],
  ['health verify diagnose', ['doctor', 'audit verify']],
  ['notes', ['memory list']],
  ['cost spend budget tokens', ['usage', 'context']],
  ['cron jobs remind', ['schedule']],
  ['keys tokens credentials', ['secret']],
  ['version', ['--version']],
];

/**
 * The verbs that may have been meant by one that does not exist: those of another name for the same; at the top also one of a group
 * (`px logs`); else what looks alike.
 */
export async function meantBy(word: string, verbs: NonNullable<Verb['verbs']>, top: boolean): Promise<string[]> {
  const inside = top ? await inGroups(word, verbs) : [];
  const typed = word.toLowerCase();
  const named = otherNames.flatMap(([words, others]) => (words.split(' ').includes(typed) ? others : []));
  const there = await Promise.all(named.map(async (name) => ((await isVerb(name, verbs, top)) ? [name] : [])));
  const meant = [...new Set([...inside, ...there.flat()])].slice(0, mostMeant);
  if (meant.length > 0) return meant;
  const near = nearest(word, Object.keys(verbs));
  return near ? [near] : [];
}

/** `service restart` for `restart`; none when too many groups have it. */
async function inGroups(word: string, verbs: NonNullable<Verb['verbs']>): Promise<string[]> {
  const groups = await Promise.all(Object.entries(verbs).map(async ([name, load]) => ({ name, verb: await load() })));
  const inside = groups.filter(({ verb }) => verb.verbs && Object.hasOwn(verb.verbs, word));
  return inside.length <= mostMeant ? inside.map(({ name }) => `${name} ${word}`) : [];
}

async function isVerb(name: string, verbs: NonNullable<Verb['verbs']>, top: boolean): Promise<boolean> {
  if (name.startsWith('--')) return top;
  const [first = '', second] = name.split(' ');
  const load = Object.hasOwn(verbs, first) ? verbs[first] : undefined;
  if (second === undefined) return load !== undefined;
  return top && load !== undefined && Object.hasOwn((await load()).verbs ?? {}, second);
}
