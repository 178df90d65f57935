import type { LogEntry } from './log.ts';

/** An entry's fields as one short text, `port=7979 host="a b"`; empty when it has none. */
export function fieldsText(entry: LogEntry): string {
  return Object.entries(entry.fields ?? {})
    .map(([key, value]) => {
      const text = typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : (JSON.stringify(value) ?? '');
      return `${key}=${text}`;
    })
    .join(' ');
}

/** Local time of day, `14:03:09`. */
export function clock(at: number): string {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
}

/** Local date, `2031-05-27`. */
export function day(at: number): string {
  const time = new Date(at);
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}
