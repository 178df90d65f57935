import type { Json } from '../../wire/wire.ts';
import { createRate } from '../rate.ts';
import type { Connection, Ended } from './connection.ts';
import { holds, readJson, valueAt } from './pattern.ts';

/** What came over a connection and what of it the plugin is told, in order. */
export interface Inflow {
  /** Which messages are told from now on: those that hold one of these patterns, all when there are none. */
  wake(patterns: Json[]): void;
  /** Messages that have come together, or that the connection has ended once all were told. */
  next(): Promise<{ messages: string[] } | { closed: Ended }>;
  /** What `next` gave is taken care of: the cursor moves past it, or to what it is set to. */
  handled(cursor: string | undefined): void;
  /** Whether something is there to be told. */
  readonly waiting: boolean;
  /** How far everything is taken care of, as JSON text. */
  readonly cursor: string | undefined;
}

/** Messages told at a time, and how much text, unless a single one is longer. */
const atOnce = { messages: 100, units: 262_144 };
/** Messages taken in a minute; what comes faster waits on the network. */
const mostPerMinute = 12_000;
const rateNap = 1_000;

interface Waiting {
  text: string;
  /** The cursor once this message and the quiet ones behind it are taken care of. */
  cursor: string | undefined;
}

/** Reads a connection as fast as the plugin takes in what it is told, within a bound; what is told to nobody moves the cursor only. */
export function createInflow(options: {
  connection: Connection;
  maxBytes: number;
  /** Where a message says how far the stream has come. */
  pointer: string | undefined;
  scrub(text: string): string;
  cursor: string | undefined;
  /** Every message, as JSON where it is that. */
  heard(message: Json | undefined): void;
}): Inflow {
  const { connection, pointer } = options;
  const rate = createRate();
  let patterns: Json[] = [];
  let queue: Waiting[] = [];
  let units = 0;
  let told: Waiting[] = [];
  let { cursor } = options;
  let latest = cursor;
  let over = false;
  let changed = () => {};
  let room = () => {};
  const change = () => new Promise<void>((resolve) => (changed = resolve));

  const notice = (text: string) => {
    const message = readJson(text);
    options.heard(message);
    const at = pointer === undefined || message === undefined ? undefined : cursorText(valueAt(message, pointer));
    if (at !== undefined) latest = options.scrub(at);
    const wakes = patterns.length === 0 || patterns.some((pattern) => holds(message, pattern));
    if (wakes) {
      queue.push({ text: options.scrub(text), cursor: latest });
      units += text.length;
      return changed();
    }
    const before = queue.at(-1) ?? told.at(-1);
    if (before) before.cursor = latest;
    else cursor = latest;
  };

  const read = async () => {
    for (;;) {
      if (units > options.maxBytes) await new Promise<void>((resolve) => (room = resolve));
      const text = await connection.read();
      if (text === undefined) break;
      while (!rate.take(mostPerMinute)) await Bun.sleep(rateNap);
      notice(text);
    }
    over = true;
    changed();
  };
  void read();

  return {
    wake(given) {
      patterns = given;
    },
    get waiting() {
      return queue.length > 0 || over;
    },
    get cursor() {
      return cursor;
    },
    async next() {
      while (queue.length === 0) {
        if (over) return { closed: connection.ended ?? { code: 1006, reason: '' } };
        await change();
      }
      let length = 0;
      let count = 0;
      for (const { text } of queue) {
        length += text.length;
        if (count > 0 && (count >= atOnce.messages || length > atOnce.units)) break;
        count += 1;
      }
      told = queue.slice(0, count);
      queue = queue.slice(count);
      return { messages: told.map(({ text }) => text) };
    },
    handled(given) {
      for (const { text } of told) units -= text.length;
      const last = told.at(-1);
      told = [];
      if (given !== undefined) {
        cursor = given === 'null' ? undefined : (cursorText(readJson(given)) ?? cursor);
        if (queue.length === 0) latest = cursor;
      } else if (last) cursor = last.cursor;
      room();
    },
  };
}

/** A cursor as it stands in a message: a number or a short text, and nothing px would take for a placeholder. */
function cursorText(value: Json | undefined): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value !== 'string' || value.length > 1_000 || value.includes('{{')) return undefined;
  return JSON.stringify(value);
}
