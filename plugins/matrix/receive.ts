import { emitMessage, type Json, kvDelete, kvGetText, kvSet, log, type Message } from 'px';
import { call, type JsonObject, listOf, me, objectOf, Refusal, request, textOf, v3 } from './api.ts';
import { tellEncrypted } from './encrypted.ts';
import { type Event, toMessage } from './message.ts';
import { dropNotes, invited, keepRooms, noteRoom, type Room, roomOf, updated } from './room.ts';

/** Messages of one room that a sync brings; what is between them and the last one px had is asked for. */
const timelineLimit = 30;
/** Most events of one room that are asked for after a pause. */
const mostMissed = 2_000;
/** Characters of messages that are returned at once; those before go into the inbox one by one. */
const mostReturned = 400_000;

const eventTypes = ['m.room.message', 'm.room.encrypted', 'm.room.encryption', 'm.room.member', 'm.room.name'];
const none = { not_types: ['*'] };
const members = { lazy_load_members: true, include_redundant_members: true };

/** What of all that happens px is told. */
const filter = (limit: number): JsonObject => ({
  presence: none,
  account_data: none,
  room: {
    account_data: none,
    ephemeral: none,
    state: { types: ['m.room.encryption', 'm.room.member', 'm.room.name'], ...members },
    timeline: { limit, types: [...eventTypes, 'm.reaction', 'm.sticker'], ...members },
  },
});

/**
 * The server tells again what came after a token until it is asked with a later one, so the token moves only when px has stored what came:
 * px asks `next-wait` again after that. Until then it is kept here and nowhere else: if the process ends first, the same events come
 * again, and px answers a message it has seen only once.
 */
let taken: string | undefined;

/** The request for what has happened since; acknowledges what was handed over before. `seconds` to wait for something. */
export function syncRequest(seconds: number) {
  if (taken !== undefined) {
    kvSet('since', taken);
    keepRooms();
    taken = undefined;
  }
  dropNotes();
  const since = kvGetText('since');
  const query: JsonObject = {
    timeout: since === undefined ? 0 : seconds * 1000,
    filter: JSON.stringify(filter(limit())),
  };
  return {
    ...request('GET', v3('sync'), undefined, since === undefined ? query : { ...query, since }),
    timeoutMs: (seconds + 8) * 1000,
  };
}

/** Fewer at once where an answer was too large for the plugin's bounds. */
const limit = () => Number(kvGetText('limit') ?? timelineLimit);

/** The answer was too large: less is asked for next. */
export function askForLess(): void {
  kvSet('limit', `${Math.max(1, Math.floor(limit() / 2))}`);
}

/** The server does not know the token px asks from (its database is another one): px begins anew. */
export function forgetSince(): void {
  log('warn', 'the server has forgotten what px had read: what was written meanwhile is not answered');
  kvDelete('since');
  taken = undefined;
}

/** The messages in the result of a sync. */
export function messagesIn(sync: JsonObject): Message[] {
  const next = textOf(sync['next_batch']);
  if (next === undefined) throw new Error('the server answered a sync without next_batch');
  const since = kvGetText('since');
  const rooms = objectOf(sync['rooms']) ?? {};
  const asked = objectOf(rooms['invite']) ?? {};
  if (Object.keys(asked).length > 0) invited(asked, me().id);
  for (const id of Object.keys(objectOf(rooms['leave']) ?? {})) {
    noteRoom(id, undefined);
    kvDelete(`invite:${id}`);
  }
  const messages: Message[] = [];
  for (const [id, given] of Object.entries(objectOf(rooms['join']) ?? {}))
    messages.push(...inRoom(id, objectOf(given) ?? {}, since));
  taken = next;
  if (limit() < timelineLimit) kvSet('limit', `${limit() + 1}`);
  return bounded(messages);
}

/** Each of these is in the inbox when this returns: the rest fits into one answer. */
function bounded(messages: Message[]): Message[] {
  let size = 0;
  let at = messages.length;
  for (; at > 0; at--) {
    size += JSON.stringify(messages[at - 1]).length;
    if (size > mostReturned) break;
  }
  for (const message of messages.slice(0, at)) emitMessage(message);
  return messages.slice(at);
}

function inRoom(id: string, given: JsonObject, since: string | undefined): Message[] {
  const timeline = objectOf(given['timeline']) ?? {};
  const state = eventsOf(objectOf(given['state'])?.['events']);
  const known = roomOf(id);
  let events = eventsOf(timeline['events']);
  const room = updated(known ?? {}, objectOf(given['summary']), [...state, ...events]);
  noteRoom(id, room);
  // What was said before px came here for the first time is not for px.
  if (since === undefined) return [];
  const names = namesIn([...state, ...events]);
  const from = textOf(timeline['prev_batch']);
  if (timeline['limited'] === true && from !== undefined) {
    const missed = known ? between(id, from, since, names) : beforeUs(id, from, events, names);
    events = [...missed, ...events];
  }
  if (!known) events = events.slice(invitationIn(events) + 1);
  if (room.encrypted && !known?.encrypted) tellEncrypted(id);
  return events.flatMap((event) => understood(id, room, event, names) ?? []);
}

const eventsOf = (list: Json | undefined): Event[] =>
  listOf(list).flatMap((e) => (objectOf(e) as Event | undefined) ?? []);

/** Display names by account, as rooms have them. */
function namesIn(events: Event[]): Map<string, string> {
  return new Map(
    events.flatMap(({ type, state_key, content }): [string, string][] => {
      const name = textOf(content?.['displayname']);
      return type === 'm.room.member' && state_key !== undefined && name ? [[state_key, name]] : [];
    }),
  );
}

/** Where px was asked in, or came in when nobody asked; -1: before these events. */
function invitationIn(events: Event[]): number {
  const { id } = me();
  const became = (membership: string) =>
    events.findLastIndex(
      (e) => e.type === 'm.room.member' && e.state_key === id && e.content?.['membership'] === membership,
    );
  const asked = became('invite');
  return asked < 0 ? became('join') : asked;
}

/** What happened after a token of an earlier sync and is too much for this one, oldest first. */
function between(room: string, from: string, since: string, names: Map<string, string>): Event[] {
  const missed: Event[] = [];
  for (let at: string | undefined = from; at !== undefined; ) {
    const { events, end } = page(room, at, names, { to: since });
    missed.unshift(...events);
    at = events.length > 0 ? end : undefined;
    if (missed.length < mostMissed || at === undefined) continue;
    log('warn', `more than ${mostMissed} messages came in ${room} while px was away: the oldest are not read`);
    break;
  }
  return missed;
}

/** What happened in a room px has just joined since it was asked in, as far as the sync does not have it, oldest first. */
function beforeUs(room: string, from: string, events: Event[], names: Map<string, string>): Event[] {
  const missed: Event[] = [];
  for (let at: string | undefined = from; at !== undefined && missed.length < 300; ) {
    if (invitationIn([...missed, ...events]) >= 0) break;
    const found = page(room, at, names);
    missed.unshift(...found.events);
    at = found.events.length > 0 ? found.end : undefined;
  }
  return missed;
}

/** A page of a room's past, oldest first, and the token of the one before; adds the names of who wrote. Throws {@link Refusal}. */
export function page(
  room: string,
  from: string | undefined,
  names: Map<string, string>,
  more: JsonObject = {},
  size = 50,
): { events: Event[]; end: string | undefined } {
  const only = JSON.stringify({ types: [...eventTypes, 'm.sticker'], ...members });
  const query = { dir: 'b', limit: size, filter: only, ...(from === undefined ? {} : { from }), ...more };
  let told: JsonObject;
  try {
    told = call(request('GET', v3('rooms', room, 'messages'), undefined, query));
  } catch (e) {
    if (!(e instanceof Error && e.message.startsWith('too-large')) || size === 1) throw e;
    return page(room, from, names, more, Math.ceil(size / 4));
  }
  const events = eventsOf(told['chunk']).reverse();
  for (const [who, name] of namesIn([...eventsOf(told['state']), ...events])) if (!names.has(who)) names.set(who, name);
  return { events, end: events.length > 0 ? textOf(told['end']) : undefined };
}

/** One event that is not as expected must not hold up all that come after it; a network that fails is another matter. */
function understood(id: string, room: Room, event: Event, names: Map<string, string>): Message | undefined {
  try {
    return toMessage(id, room, event, names);
  } catch (e) {
    const passing = e instanceof Refusal && e.status !== 429 && e.status !== 401 && e.status < 500;
    if (!(e instanceof TypeError) && !passing) throw e;
    log('warn', `an event of an unknown form was passed over: ${e.message}`);
    return undefined;
  }
}
