/** More lines than this on one side, where two texts differ, are not compared line by line: the work grows with their product. */
const mostLines = 4000;

/** Lines of both texts around a change that are shown, to see where it is. */
const around = 2;

/** What became of two changes of one text. */
export interface Merged {
  /** The merged text; where both changed the same lines it holds both, between conflict marks. */
  text: string;
  conflicts: number;
}

/** The difference of two texts as a unified diff without its file header; empty when there is none. */
export async function unifiedDiff(before: string, after: string): Promise<string> {
  if (before === after) return '';
  const [a, b] = [linesOf(before), linesOf(after)];
  const hunks = await differences(a, b);
  const out: string[] = [];
  for (let at = 0; at < hunks.length; ) {
    let last = at;
    while (last + 1 < hunks.length && (hunks[last + 1]?.a ?? 0) - endOf(hunks[last]) <= around * 2) last++;
    const group = hunks.slice(at, last + 1);
    const first = Math.max(0, (group[0]?.a ?? 0) - around);
    const end = Math.min(a.length, endOf(group.at(-1)) + around);
    const shift = (group[0]?.b ?? 0) - (group[0]?.a ?? 0);
    const grown = group.reduce((sum, hunk) => sum + hunk.bLines - hunk.aLines, 0);
    const range = (from: number, lines: number) => `${lines === 0 ? from : from + 1},${lines}`;
    out.push(`@@ -${range(first, end - first)} +${range(first + shift, end - first + grown)} @@`);
    let line = first;
    for (const hunk of group) {
      for (; line < hunk.a; line++) out.push(` ${a[line]}`);
      for (; line < hunk.a + hunk.aLines; line++) out.push(`-${a[line]}`);
      for (let n = hunk.b; n < hunk.b + hunk.bLines; n++) out.push(`+${b[n]}`);
    }
    for (; line < end; line++) out.push(` ${a[line]}`);
    at = last + 1;
  }
  return out.join('\n');
}

/** How many lines came and went between two contents, as far as that is told by what is the same at their start and end. */
export function changedLines(
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
): { added: number; removed: number } {
  const [a, b] = [before, after].map((bytes) => linesOf(new TextDecoder().decode(bytes ?? new Uint8Array())));
  const { a: left, b: right } = trimmed(a ?? [], b ?? []);
  return { added: right.length, removed: left.length };
}

/**
 * Joins two changes of one text, `mine` and `theirs`. Lines that stand beside changed ones, but were not changed themselves, are no conflict: a line
 * somebody added right below what is taken back stays.
 */
export async function mergeTexts(base: string, mine: string, theirs: string): Promise<Merged> {
  if (mine === base || mine === theirs) return { text: theirs, conflicts: 0 };
  if (theirs === base) return { text: mine, conflicts: 0 };
  const { diff3Merge } = await import('node-diff3');
  const [o, a, b] = [linesOf(base), linesOf(mine), linesOf(theirs)];
  if (Math.max(a.length, o.length, b.length) > mostLines) return conflict([mine], [theirs]);
  const out: string[] = [];
  let conflicts = 0;
  for (const region of diff3Merge(a, o, b, { excludeFalseConflicts: true })) {
    if (region.ok) {
      out.push(...region.ok);
      continue;
    }
    const { a: ours = [], o: old = [], b: other = [] } = region.conflict ?? {};
    const joined = beside(old, ours, other) ?? beside(old, other, ours);
    if (joined) {
      out.push(...joined);
      continue;
    }
    conflicts++;
    out.push('<<<<<<< as it is now', ...ours, '=======', ...other, '>>>>>>> with the change undone');
  }
  return { text: out.length === 0 ? '' : `${out.join('\n')}\n`, conflicts };
}

function conflict(ours: string[], other: string[]): Merged {
  const text = ['<<<<<<< as it is now', ...ours, '=======', ...other, '>>>>>>> with the change undone'].join('\n');
  return { text: `${text}\n`, conflicts: 1 };
}

/** When one side only added lines before or after those the other side changed: both. */
function beside(old: string[], added: string[], changed: string[]): string[] | undefined {
  const same = (lines: string[]) => lines.length === old.length && lines.every((line, at) => line === old[at]);
  if (added.length < old.length) return undefined;
  if (same(added.slice(0, old.length))) return [...changed, ...added.slice(old.length)];
  if (same(added.slice(added.length - old.length))) return [...added.slice(0, added.length - old.length), ...changed];
  return undefined;
}

/** Where two texts differ: `aLines` from line `a` became `bLines` from line `b`, counted from 0. */
interface Hunk {
  a: number;
  aLines: number;
  b: number;
  bLines: number;
}

const endOf = (hunk: Hunk | undefined): number => (hunk ? hunk.a + hunk.aLines : 0);

/** Two texts without the lines that are the same at their start and end. */
function trimmed(a: string[], b: string[]): { a: string[]; b: string[]; start: number } {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return { a: a.slice(start, a.length - end), b: b.slice(start, b.length - end), start };
}

async function differences(a: string[], b: string[]): Promise<Hunk[]> {
  const { a: left, b: right, start } = trimmed(a, b);
  if (left.length === 0 || right.length === 0 || Math.max(left.length, right.length) > mostLines)
    return [{ a: start, aLines: left.length, b: start, bLines: right.length }];
  const { diffIndices } = await import('node-diff3');
  return diffIndices(left, right).map(({ buffer1, buffer2 }) => ({
    a: start + buffer1[0],
    aLines: buffer1[1],
    b: start + buffer2[0],
    bLines: buffer2[1],
  }));
}

/** The lines of a text; a final line break does not start another line. */
function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
