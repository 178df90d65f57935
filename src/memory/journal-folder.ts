import { basename } from 'node:path';
import type { ConversationId } from '../wire/wire.ts';

/** Longest folder name, in bytes; file systems stop at 255. */
const longest = 180;

/**
 * The folder of a conversation below `journal/`: `telegram/4711` → `telegram-4711`. Letters, digits, `_`, `-` and `.` stay, every other byte becomes `=hh`.
 * A very long id is cut and ends in `=~` and a hash: then only the header of its files tells the id.
 */
export function folderOf(conversation: ConversationId): string {
  const slash = conversation.indexOf('/');
  const channel = escapeBytes(conversation.slice(0, slash).toWellFormed()).replaceAll('-', '=2d');
  const name = `${channel}-${escapeBytes(conversation.slice(slash + 1).toWellFormed())}`
    .replace(/^\./, '=2e')
    .replace(/\.$/, '=2e');
  if (name.length <= longest) return name;
  const hash = new Bun.CryptoHasher('sha256').update(conversation).digest('hex').slice(0, 16);
  return `${name.slice(0, 120).replace(/=.?$/, '')}=~${hash}`;
}

/** The conversation of a folder name, or undefined when the name was not made by {@link folderOf} or was cut. */
export function conversationOf(folder: string): ConversationId | undefined {
  const dash = folder.indexOf('-');
  if (dash < 0 || !/^(?:[\w.-]|=[0-9a-f]{2})+$/.test(folder)) return undefined;
  const plain = (part: string) =>
    Buffer.from(
      part.replace(/[^=]|=(..)/g, (c, hex) => (hex === undefined ? c : String.fromCharCode(Number.parseInt(hex, 16)))),
      'latin1',
    ).toString('utf8');
  return `${plain(folder.slice(0, dash))}/${plain(folder.slice(dash + 1))}`;
}

function escapeBytes(text: string): string {
  if (/^[\w.-]*$/.test(text)) return text;
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[\w.-]/.test(char) ? char : `=${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

/** `2025-11-22` in the local time zone; a time outside the years 1970 to 9999 counts as now. */
export function dayOf(at: number): string {
  const time = new Date(at >= 0 && at < 253_370_764_800_000 ? at : Date.now());
  const two = (value: number) => String(value).padStart(2, '0');
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** True for the name of a day's file. */
export const isDayFile = (name: string): boolean => /^\d{4}-\d\d-\d\d\.md$/.test(basename(name));
