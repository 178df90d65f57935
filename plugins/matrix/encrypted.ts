import { log } from 'px';
import { call, Refusal, request, v3 } from './api.ts';
import { noteRoom, roomOf } from './room.ts';

const words =
  'This room is end-to-end encrypted, and I cannot read what is written in it. Please invite me to a room without encryption ' +
  '(in Element: New room, and switch off “Enable end-to-end encryption”).';

/** Says once in a room that px cannot read it. */
export function tellEncrypted(id: string): void {
  const room = roomOf(id) ?? {};
  if (room.told) return;
  log('warn', `${id} is end-to-end encrypted: px cannot read what is written there`);
  try {
    // The same transaction each time: the server shows it once, whatever happens before this is kept.
    const body = { msgtype: 'm.notice', body: words };
    call(request('PUT', v3('rooms', id, 'send', 'm.room.message', 'px-encrypted'), body));
  } catch (e) {
    if (!(e instanceof Refusal) || e.status === 429 || e.status === 401) throw e;
    log('warn', `could not say so in ${id}: ${e.message}`);
  }
  noteRoom(id, { ...room, told: true });
}
