import { configGet, kvDelete, kvGetText, kvList, kvSet, log } from 'px';
import { call, type JsonObject, listOf, objectOf, Refusal, request, textOf, v3 } from './api.ts';
import type { Event } from './message.ts';

/** What px keeps of a room it is in. */
export interface Room {
  /** People in it and people asked into it, px among them. */
  joined?: number;
  invited?: number;
  title?: string;
  encrypted?: boolean;
  /** Whether people there were told that px cannot read it. */
  told?: boolean;
}

/** What is to be kept, once px has stored what came with it; nothing: to be forgotten. */
const changes = new Map<string, Room | undefined>();

/** A room px is in; nothing when px has seen none of it. */
export function roomOf(id: string): Room | undefined {
  if (changes.has(id)) return changes.get(id);
  const kept = kvGetText(`room:${id}`);
  return kept === undefined ? undefined : JSON.parse(kept);
}

/** Keeps a room, or forgets it, with the next {@link keepRooms}. */
export function noteRoom(id: string, room: Room | undefined): void {
  changes.set(id, room);
}

/** Drops what was noted: it comes again. */
export function dropNotes(): void {
  changes.clear();
}

export function keepRooms(): void {
  for (const [id, room] of changes)
    if (room) kvSet(`room:${id}`, JSON.stringify(room));
    else kvDelete(`room:${id}`);
  changes.clear();
}

/** Whether several people can read what is written in a room. The server tells how many there are with each change. */
export function isGroup(id: string): boolean {
  const room = roomOf(id) ?? {};
  if (room.joined === undefined) {
    const members = objectOf(call(request('GET', v3('rooms', id, 'joined_members')))['joined']) ?? {};
    room.joined = Object.keys(members).length;
    noteRoom(id, room);
  }
  return room.joined + (room.invited ?? 0) > 2;
}

/** The room with what a sync says of it. */
export function updated(room: Room, summary: JsonObject | undefined, events: Event[]): Room {
  const next = { ...room };
  const { 'm.joined_member_count': joined, 'm.invited_member_count': invited } = summary ?? {};
  if (typeof joined === 'number') next.joined = joined;
  if (typeof invited === 'number') next.invited = invited;
  for (const { type, state_key, content } of events) {
    if (state_key !== '') continue;
    if (type === 'm.room.encryption') next.encrypted = true;
    if (type === 'm.room.name') next.title = textOf(content?.['name']) ?? '';
  }
  return next;
}

/** Rooms px was asked into that are joined in one go, so that a server that answers slowly holds up little. */
const joinsAtOnce = 3;
const joinMs = 10_000;
const joinTries = 3;

/** Puts invitations on the list of those to be followed, as `settings.invites` allows. */
export function invited(rooms: JsonObject, myself: string): void {
  for (const [id, room] of Object.entries(rooms)) {
    const events = listOf(objectOf(objectOf(room)?.['invite_state'])?.['events']).flatMap(
      (e) => (objectOf(e) as Event | undefined) ?? [],
    );
    const by = events.find((e) => e.type === 'm.room.member' && e.state_key === myself)?.sender;
    const allowed = mayInvite(by ?? '');
    log(allowed ? 'info' : 'warn', `${by} invites px to ${id}${allowed ? '' : ': not allowed by settings.invites'}`);
    kvSet(`invite:${id}`, allowed ? '0' : 'no');
  }
}

/** `settings.invites`: `all` (when left out), `none`, or a list of people (`@ada:example.org`) and servers (`:example.org`). */
function mayInvite(by: string): boolean {
  const rule = configGet('invites') ?? 'all';
  if (!Array.isArray(rule)) return rule === 'all';
  return rule.some((one) => one === by || (typeof one === 'string' && one.startsWith(':') && by.endsWith(one)));
}

/** Joins rooms px was asked into and turns the others down; true when some are left. */
export function followInvitations(): boolean {
  const waiting = kvList('invite:');
  for (const key of waiting.slice(0, joinsAtOnce)) {
    const id = key.slice('invite:'.length);
    const tries = kvGetText(key) ?? 'no';
    const joins = tries !== 'no' && Number(tries) < joinTries;
    try {
      call({ ...request('POST', v3('rooms', id, joins ? 'join' : 'leave'), {}), timeoutMs: joinMs });
      kvDelete(key);
    } catch (e) {
      if (e instanceof Refusal && (e.status === 429 || e.status === 401)) throw e;
      log('warn', `could not ${joins ? 'join' : 'turn down'} ${id}: ${e instanceof Error ? e.message : e}`);
      if (joins) kvSet(key, `${Number(tries) + 1}`);
      else kvDelete(key);
    }
  }
  return waiting.length > joinsAtOnce;
}
