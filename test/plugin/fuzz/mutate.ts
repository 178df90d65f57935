import type { Random } from './random.ts';

/** Names that would be code, paths, terminal sequences or other trouble where they are not escaped. */
export const evilNames = [
  `f'];globalThis.PLANTED=1//`,
  '`${globalThis.PLANTED=1}`',
  '*/globalThis.PLANTED=1/*',
  '\u2028globalThis.PLANTED=1//',
  '"+(globalThis.PLANTED=1)+"',
  '../../PLANTED',
  '\u001b]0;PLANTED\u0007\u001b[2J',
  'a\nPLANTED b\r\n',
  '\u202eDETNALP',
  '__proto__',
  'constructor',
  '',
  'x'.repeat(3000),
] as const;

const interesting = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xff, 0x0d, 0x60, 0x70] as const;
const sizes = [0, 1, 0x7f, 0x80, 0x3fff, 0xffff, 0x7fffffff, 0xffffffff] as const;

function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

/** Reads an unsigned LEB128 number: its value and where it ends. */
function unleb(bytes: Uint8Array, at: number): [value: number, end: number] | undefined {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const b = bytes[at + i];
    if (b === undefined) return undefined;
    value += (b & 0x7f) * 2 ** (7 * i);
    if (b < 0x80) return [value, at + i + 1];
  }
  return undefined;
}

/** A section somewhere in a component or in a module inside it. */
interface Section {
  /** Where its header begins, its body, and its end. */
  from: number;
  body: number;
  end: number;
  id: number;
  /** The sections it lies in, outermost first. */
  around: Section[];
}

/** All sections, those of nested modules and components too. */
function sections(bytes: Uint8Array, at = 8, end = bytes.length, around: Section[] = []): Section[] {
  const found: Section[] = [];
  for (let from = at; from < end; ) {
    const size = unleb(bytes, from + 1);
    if (!size || size[1] + size[0] > end) return found;
    const [length, body] = size;
    const one: Section = { from, body, end: body + length, id: bytes[from] ?? 0, around };
    found.push(one);
    const nested = bytes[body] === 0 && bytes[body + 1] === 0x61 && bytes[body + 2] === 0x73;
    if (nested && around.length < 8) found.push(...sections(bytes, body + 8, one.end, [...around, one]));
    from = one.end;
  }
  return found;
}

const joined = (...parts: (Uint8Array | number[])[]) => Uint8Array.from(parts.flatMap((p) => [...p]));

/** The file with a section's body replaced, and the lengths of all sections around it put right. */
function replaceBody(bytes: Uint8Array, section: Section, body: Uint8Array | number[]): Uint8Array {
  let made = joined([section.id], leb(body.length), body);
  let inner = section;
  for (const outer of section.around.toReversed()) {
    const whole = joined(bytes.subarray(outer.body, inner.from), made, bytes.subarray(inner.end, outer.end));
    made = joined([outer.id], leb(whole.length), whole);
    inner = outer;
  }
  return joined(bytes.subarray(0, inner.from), made, bytes.subarray(inner.end));
}

/** Places in a section's body that look like a name: a length, and as many printable letters. */
function names(bytes: Uint8Array, section: Section): { at: number; end: number }[] {
  const found: { at: number; end: number }[] = [];
  for (let at = section.body; at < section.end; at++) {
    const length = bytes[at] ?? 0;
    if (length === 0 || length > 100 || at + 1 + length > section.end) continue;
    const text = bytes.subarray(at + 1, at + 1 + length);
    if (text.every((b) => b >= 0x20 && b < 0x7f)) found.push({ at, end: at + 1 + length });
  }
  return found;
}

/** One name of a section replaced wherever it stands, so that what refers to it still finds it. */
function renameEverywhere(bytes: Uint8Array, section: Section, random: Random): Uint8Array {
  const places = names(bytes, section);
  const place = places[random.below(places.length)];
  if (!place) return bytes;
  const old = Buffer.from(bytes.subarray(place.at, place.end));
  const evil = new TextEncoder().encode(random.pick(evilNames));
  const made = joined(leb(evil.length), evil);
  let copy = bytes;
  for (let n = 0; n < 16; n++) {
    // The innermost sections alone: those around them hold the same bytes.
    const all = sections(copy);
    const inner = all.filter((s) => !all.some((other) => other.around.at(-1)?.from === s.from));
    const found = inner.find((s) => Buffer.from(copy.subarray(s.body, s.end)).includes(old));
    if (!found) return copy;
    const at = found.body + Buffer.from(copy.subarray(found.body, found.end)).indexOf(old);
    const before = copy.subarray(found.body, at);
    copy = replaceBody(copy, found, joined(before, made, copy.subarray(at + old.length, found.end)));
  }
  return copy;
}

/** Edits that keep the file's frame whole, so that they reach what lies deep. */
function structured(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const all = sections(bytes);
  const section = all[random.below(all.length)];
  if (!section) return plain(bytes, other, random);
  const body = bytes.subarray(section.body, section.end);
  switch (random.below(8)) {
    case 0: {
      const places = names(bytes, section);
      const place = places[random.below(places.length)];
      if (!place) return replaceBody(bytes, section, plain(body, other, random));
      const evil = new TextEncoder().encode(random.pick(evilNames));
      return replaceBody(
        bytes,
        section,
        joined(bytes.subarray(section.body, place.at), leb(evil.length), evil, bytes.subarray(place.end, section.end)),
      );
    }
    case 1:
      return replaceBody(bytes, section, plain(body, other, random));
    case 2:
      // Twice, or gone.
      return replaceBody(bytes, section, random.below(2) === 0 ? joined(body, body) : []);
    case 3: {
      const theirs = sections(other);
      const donor = theirs[random.below(theirs.length)];
      return replaceBody(bytes, section, donor ? other.subarray(donor.body, donor.end) : []);
    }
    case 4: {
      const copy = bytes.slice();
      copy[section.from] = random.below(14);
      return copy;
    }
    case 5:
      // A count that lies.
      return replaceBody(bytes, section, joined(leb(random.pick(sizes)), body.subarray(1)));
    case 6:
      return renameEverywhere(bytes, section, random);
    default: {
      const name = new TextEncoder().encode(random.pick(evilNames));
      const custom = joined(leb(name.length), name, body.subarray(0, 64));
      return joined(bytes, [0], leb(custom.length), custom);
    }
  }
}

function flip(bytes: Uint8Array, at: number, bit: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
}

/** Edits of bytes, whatever they mean. */
function plain(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + random.below(32));
  switch (random.below(6)) {
    case 0:
      for (let n = random.below(4); n >= 0; n--) flip(copy, random.below(bytes.length), random.below(8));
      return copy;
    case 1:
      if (at < copy.length) copy[at] = random.pick(interesting);
      return copy;
    case 2:
      return joined(bytes.subarray(0, at), bytes.subarray(end));
    case 3:
      return joined(bytes.subarray(0, end), bytes.subarray(at));
    case 4: {
      const from = random.below(other.length);
      return joined(bytes.subarray(0, at), other.subarray(from, from + random.below(64)), bytes.subarray(at));
    }
    default:
      return joined(bytes.subarray(0, at), leb(random.pick(sizes)), bytes.subarray(at));
  }
}

/** One file broken in one to four ways, mostly one; `other` lends parts. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let made = bytes;
  const edits = random.below(2) === 0 ? 1 : 1 + random.below(4);
  for (let n = 0; n < edits; n++)
    made = random.below(3) === 0 ? plain(made, other, random) : structured(made, other, random);
  return made.length > 200_000 ? made.subarray(0, 200_000) : made;
}
