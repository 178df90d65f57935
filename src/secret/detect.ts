import { base64Cores, hexGap } from './form.ts';

/**
 * Makes the quick look that runs on every text: undo all the escaping there is and compare. Returns the name of the value
 * the text holds, `true` when it may hold the hex or base64 of one, and `false` when it holds none.
 */
export function detector(pieces: [name: string, piece: string][]): (text: string) => string | boolean {
  const plain = pieces.map(([name, piece]): [string, string] => [name, canonical(piece)]);
  const coded = [...new Set(pieces.flatMap(([, piece]) => codedEnds(piece)))].join('|');
  const pattern = new RegExp(coded, 'i');
  return (text) => {
    const bare = /[\\%&+\r\0]/.test(text) ? canonical(text) : text;
    for (const [name, piece] of plain) if (bare.includes(piece)) return name;
    // The long expression is seldom needed, and it is slow to begin with.
    return codedRun.test(text) && pattern.test(text);
  };
}

/** What any of {@link codedEnds} matches holds: so many characters that hex and base64 are written with. */
const codedRun = /[A-Za-z0-9+/_\-\\% :,\r\n]{7}/;

/** Both ends of each hex and base64 form (letters may stand for a `+` or `/` of either alphabet): a line break can hit one only. */
function codedEnds(piece: string): string[] {
  const hex = Buffer.from(piece.slice(0, 8)).toString('hex').slice(0, 10);
  const ends = base64Cores(piece).flatMap((core) => [core.slice(0, 7), core.slice(-7)]);
  return [
    [...(hex.match(/../g) ?? [])].join(hexGap),
    ...ends.map((end) => end.replace(/[+/]/g, '(?:[-_+]|\\\\{0,3}\\/|%2[BF]|\\\\u002[BF])')),
  ];
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const short: Record<string, string> = { n: '\n', r: '', t: '\t', b: '\b', f: '\f' };

/** The text without any escaping and without what escaping makes ambiguous: equal values stay equal however they were written. */
function canonical(text: string): string {
  let bare = text;
  // Most texts hold one of these characters and nothing that is written with it; and each step may bring out what the next one undoes.
  if (bare.includes('%')) bare = bare.replace(/(?:%(?:25)*[0-9a-f]{2})+/gi, percent);
  if (bare.includes('&')) bare = bare.replace(entity, named);
  if (bare.includes('\\')) bare = unescaped(bare);
  // Between the bytes of UTF-16 stand zeros.
  return bare.replace(/[\r\0]/g, '').replaceAll('+', ' ');
}

const entity = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi;

function named(all: string, dec?: string, hex?: string, name?: string): string {
  if (name) return entities[name.toLowerCase()] ?? all;
  return point(dec ? Number(dec) : Number.parseInt(hex ?? '', 16));
}

function unescaped(text: string): string {
  return text
    .replace(/(?<!\\)(?:\\+(?:u005c|x5c))+/gi, '\\')
    .replace(/\\+(?:u([0-9a-f]{4})|x([0-9a-f]{2})|([nrtbf]))?/gi, (_, unit, byte, letter) =>
      letter
        ? (short[letter.toLowerCase()] ?? '')
        : unit || byte
          ? String.fromCharCode(Number.parseInt(unit ?? byte, 16))
          : '',
    );
}

function percent(run: string): string {
  return Buffer.from(run.replace(/%(?:25)*(?=[0-9a-f]{2})/gi, ''), 'hex').toString();
}

function point(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}
