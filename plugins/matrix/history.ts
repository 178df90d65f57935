import type { Message } from 'px';
import { call, listOf, localpart, me, objectOf, request, textOf } from './api.ts';
import { type Event, placeOf } from './message.ts';
import { page } from './receive.ts';

/** The latest messages of a room or a thread, px's own among them, oldest first, as they read now. */
export function history(channel: string, limit: number): Message[] {
  const { room, thread } = placeOf(channel);
  const names = new Map([[me().id, me().name]]);
  const said: Message[] = [];
  for (let from: string | undefined, left = true; left && said.length < limit; ) {
    const found = thread === undefined ? page(room, from, names) : inThread(room, thread, from);
    said.unshift(...found.events.flatMap((event) => past(channel, event, names) ?? []));
    from = found.end;
    left = from !== undefined;
  }
  return said.slice(-limit);
}

function past(channel: string, event: Event, names: Map<string, string>): Message | undefined {
  const { event_id: id, sender, content = {}, origin_server_ts: at = 0, unsigned = {} } = event;
  const relation = objectOf(content['m.relates_to']) ?? {};
  if (event.type !== 'm.room.message' || !id || !sender || relation['rel_type'] === 'm.replace') return undefined;
  // Messages of threads are conversations of their own.
  if (relation['rel_type'] === 'm.thread' && placeOf(channel).thread === undefined) return undefined;
  const edit = objectOf(objectOf(unsigned['m.relations'])?.['m.replace']);
  const latest = objectOf(objectOf(edit?.['content'])?.['m.new_content']) ?? content;
  const text = textOf(latest['body']);
  if (text === undefined) return undefined;
  const key = textOf(unsigned['transaction_id']);
  return {
    id,
    sender: { id: sender, displayName: names.get(sender) ?? localpart(sender) },
    text,
    metadata: { channel, date: Math.floor(at / 1000), ...(key === undefined ? {} : { key }) },
  };
}

function inThread(
  room: string,
  thread: string,
  from: string | undefined,
): { events: Event[]; end: string | undefined } {
  const query = { limit: 50, ...(from === undefined ? {} : { from }) };
  const path = ['client', 'v1', 'rooms', room, 'relations', thread, 'm.thread'];
  const told = call(request('GET', path, undefined, query));
  const events = listOf(told['chunk']).flatMap((e) => (objectOf(e) as Event | undefined) ?? []);
  return { events: events.reverse(), end: textOf(told['next_batch']) };
}
