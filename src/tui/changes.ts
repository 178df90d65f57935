import type { Client } from '../client/client.ts';
import type { Key } from './keys.ts';
import { type Line, line } from './line.ts';
import { type Look, signs } from './look.ts';
import type { Effect } from './press.ts';
import { cut, oneLine } from './text.ts';

/** What px wrote to notes, latest first; with `diff`, one change as lines that came and went. */
export interface ChangesOverlay {
  kind: 'changes';
  list: Awaited<ReturnType<Client['changes']>>;
  /** The change that is picked. */
  at: number;
  /** Its diff, once it was asked for, and how many rows of it are scrolled away. `clash`: both sides of the note instead, since it could not be taken back. */
  diff?: { text: string; from: number; clash?: true };
}

/** Takes a key; escape goes back from a diff to the list. A change is undone where it is seen. */
export function pressInChanges(overlay: ChangesOverlay, key: Key, close: () => void): Effect | undefined {
  const name = 'name' in key ? key.name : '';
  const by = { up: -1, down: 1, pageup: -10, pagedown: 10 }[name];
  const { diff } = overlay;
  const picked = overlay.list[overlay.at];
  if (name === 'escape') {
    if (diff) delete overlay.diff;
    else close();
  } else if (by !== undefined && diff) {
    diff.from = Math.max(0, Math.min(diff.text.split('\n').length - 1, diff.from + by));
  } else if (by !== undefined) {
    overlay.at = Math.max(0, Math.min(overlay.list.length - 1, overlay.at + by));
  } else if (name === 'enter' && picked && !diff) {
    return { do: 'show-change', n: picked.n };
  } else if ('text' in key && key.text === 'u' && picked && diff && !diff.clash && picked.undoneBy === undefined) {
    return { do: 'undo', n: picked.n };
  }
  return undefined;
}

/** The rows of the list, or of the diff, at most `room` and `inner` wide. */
export function drawChanges({ list, at, diff }: ChangesOverlay, inner: number, room: number, look: Look): Line[] {
  const sign = signs(look);
  const picked = list[at];
  if (picked && diff) {
    const path = oneLine(picked.path, look);
    const title = diff.clash ? `${path} was changed at the same lines since` : `Change ${picked.n} of ${path}`;
    const undoable = picked.undoneBy === undefined ? 'u: take it back   ' : '';
    const rows = diff.text.split('\n').map((row) => {
      const style = row.startsWith('+') ? 'good' : row.startsWith('-') ? 'bad' : row.startsWith('@@') ? 'dim' : 'plain';
      return line(cut(oneLine(row, look), inner, sign.more), style);
    });
    const head = line(cut(title, inner, sign.more), 'title');
    const keys = diff.clash ? 'Nothing was written: edit it by hand.   Esc: back' : `${undoable}Esc: back`;
    return [head, line(keys, 'bold'), line(''), ...rows.slice(diff.from, diff.from + room - 1)];
  }
  const from = Math.max(0, Math.min(at - room + 1, list.length - room));
  const rows = list.slice(from, from + room).map((one, i) => {
    const time = new Date(one.at).toLocaleString('sv').slice(0, 16);
    const who = one.by ? one.by.conversation : 'you';
    const what = one.undoes === undefined ? `+${one.added} -${one.removed}` : `took ${one.undoes} back`;
    const since = one.undoneBy === undefined ? '' : ', taken back since';
    const text = oneLine(`#${one.n} ${time} ${one.path} ${what}, ${who}${since}`, look);
    return line(cut(text, inner, sign.more), from + i === at ? 'picked' : one.undoneBy === undefined ? 'plain' : 'dim');
  });
  const head = line('Changes in memory', 'title');
  return [
    head,
    line('Enter: look at it   Esc: close', 'bold'),
    line(''),
    ...(rows.length > 0 ? rows : [line('Nothing was changed yet.', 'dim')]),
  ];
}
