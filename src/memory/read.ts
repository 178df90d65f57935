import type { Match } from './index-db.ts';

/** How many characters of a passage are read, and how many first letters tell one word from another. */
const read = { characters: 2000, letters: 6 };

/** How many times its text a heading counts, as in the index. */
const headingWeight = 4;

/** A passage as it is looked at, its words counted from 0: those of path and heading, then those of the text. */
export interface Read {
  /** All of it in small letters. */
  text: string;
  /** Where each word begins in `text`. */
  starts: number[];
  /** The first letters of each word as one number: up to six Latin letters are told apart without fail. */
  keys: number[];
  /** How many words are path and heading. */
  heading: number;
  /** Which word a place is, and which stem stands there, in order. */
  places: { at: number; stem: number }[];
  /** How often each stem stands in it; in a heading it counts more. */
  times: number[];
}

/** The part of a word that is compared where only first letters are. */
export const firstLetters = (word: string): string => word.slice(0, read.letters);

/** The word of a text in small letters that begins here. */
export function wordAt(text: string, start: number): string {
  const word = /[\p{L}\p{N}\p{M}]+/uy;
  word.lastIndex = start;
  return word.exec(text)?.[0] ?? '';
}

/** Reads passages and finds the places of these stems in them; each passage is read once. */
export function reader(stems: string[]): (match: Match) => Read {
  // Most words of a passage begin with another letter than any that is sought.
  const sought = Map.groupBy(stems.keys(), (index) => stems[index]?.charCodeAt(0) ?? 0);
  const known = new Map<Match, Read>();
  const isOtherLetter = otherLetters();

  const readOnce = (match: Match): Read => {
    const heading = `${match.path}\n${match.heading}\n`.toLowerCase();
    const text = heading + match.body.slice(0, read.characters).toLowerCase();
    const found: Read = { text, starts: [], keys: [], heading: 0, places: [], times: stems.map(() => 0) };
    const { starts, keys, places, times } = found;
    for (let at = 0; at < text.length; at++) {
      let code = text.charCodeAt(at);
      if (code < 128 ? plain[code] === 0 : !isOtherLetter(text, at)) continue;
      for (const stem of sought.get(code) ?? none)
        if (text.startsWith(stems[stem] ?? '', at)) {
          places.push({ at: starts.length, stem });
          times[stem] = (times[stem] ?? 0) + (at < heading.length ? headingWeight : 1);
        }
      if (at < heading.length) found.heading++;
      starts.push(at);
      const most = at + read.letters;
      let key = 0;
      do {
        if (at < most) key = (Math.imul(key, 31) + code) | 0;
        at++;
        code = at < text.length ? text.charCodeAt(at) : 0;
      } while (code < 128 ? plain[code] === 1 : isOtherLetter(text, at));
      keys.push(key);
    }
    return found;
  };

  return (match) => {
    const before = known.get(match);
    if (before) return before;
    const found = readOnce(match);
    known.set(match, found);
    return found;
  };
}

const none: number[] = [];

/** Which of the first 128 characters are letters and digits of a text in small letters. */
const plain = Uint8Array.from({ length: 128 }, (_, code) => Number(/[0-9a-z]/.test(String.fromCharCode(code))));

/** Tells whether Unicode has the character at a place of a text for one of those that words are made of; each is asked for once. */
function otherLetters(): (text: string, at: number) => boolean {
  const known = new Map<number, boolean>();
  return (text, at) => {
    const isSecondHalf = (text.charCodeAt(at) & 0xfc00) === 0xdc00;
    const code = text.codePointAt(isSecondHalf ? at - 1 : at) ?? 0;
    let is = known.get(code);
    if (is === undefined) {
      is = /[\p{L}\p{N}\p{M}]/u.test(String.fromCodePoint(code));
      known.set(code, is);
    }
    return is;
  };
}
