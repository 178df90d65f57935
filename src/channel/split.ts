/** A code block that is open at some place of a text. */
interface Fence {
  /** The run of backticks or tildes that closes it. */
  mark: string;
  /** The line that opens it again in the next part. */
  line: string;
  /** Where its opening line starts in the piece that was looked at; -1 when it was open before. */
  at: number;
}

/**
 * Splits a text into parts of at most `max` UTF-16 units, in order and none of them blank. Cuts between paragraphs, then lines, then
 * words; a longer word is cut between visible characters. A code block that must be cut is closed and opened again.
 */
export function splitText(text: string, max: number): string[] {
  const parts: string[] = [];
  let rest = text;
  let fence: Fence | undefined;
  while (rest.trim() !== '') {
    const head = fence ? `${fence.line}\n` : '';
    if (head.length + rest.length <= max) {
      parts.push(head + rest);
      break;
    }
    const { cut, open } = chooseCut(rest, max - head.length, fence);
    const body = rest.slice(0, cut).trimEnd();
    if (body !== '') parts.push(`${head}${body}${open ? `\n${open.mark}` : ''}`);
    rest = rest.slice(cut).replace(open ? /^[ \t]*\n/ : /^\s+/, '');
    fence = open;
    const closing = open && closingLine(rest, open.mark);
    if (closing !== undefined) {
      rest = rest.slice(closing.length);
      fence = undefined;
    }
    if (fence && fence.line.length + fence.mark.length + 18 > max) fence = undefined;
  }
  return parts;
}

function chooseCut(text: string, room: number, before: Fence | undefined): { cut: number; open: Fence | undefined } {
  const cut = cutBefore(text, room);
  const open = openFence(text.slice(0, cut), before);
  if (!open) return { cut, open };
  // A block that starts late in this part moves to the next one whole.
  if (open.at > room / 2) return { cut: open.at, open: before };
  const closed = cutBefore(text, Math.max(1, room - open.mark.length - 1));
  return { cut: closed, open: openFence(text.slice(0, closed), before) };
}

/** The best place to cut at or before `room`: always at least 1. */
function cutBefore(text: string, room: number): number {
  if (text.length <= room) return text.length;
  const paragraph = text.lastIndexOf('\n\n', room);
  if (paragraph > room / 2) return paragraph;
  const line = text.lastIndexOf('\n', room);
  if (line > room / 3) return line;
  for (let at = room; at > 0; at--) if (/\s/.test(text.charAt(at))) return at;
  return betweenCharacters(text, room);
}

/** The last border between visible characters at or before `room`. */
function betweenCharacters(text: string, room: number): number {
  const base = Math.max(0, room - 64);
  const border = base + (new Intl.Segmenter().segment(text.slice(base, room + 64)).containing(room - base)?.index ?? 0);
  if (border > base) return border;
  const high = text.charCodeAt(room - 1);
  return high >= 0xd800 && high <= 0xdbff && room > 1 ? room - 1 : Math.max(1, room);
}

/** The code block that is still open after a piece. */
function openFence(piece: string, before: Fence | undefined): Fence | undefined {
  let open = before && { ...before, at: -1 };
  let at = 0;
  for (const line of piece.split('\n')) {
    const match = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line);
    const mark = match?.[1] ?? '';
    const info = match?.[2] ?? '';
    if (open && mark.startsWith(open.mark) && info.trim() === '') open = undefined;
    else if (!open && mark && !(mark.startsWith('`') && info.includes('`'))) open = { mark, line: line.trim(), at };
    at += line.length + 1;
  }
  return open;
}

/** The line at the start of a text that closes the block, with its newline. */
function closingLine(text: string, mark: string): string | undefined {
  const line = /^ {0,3}(`{3,}|~{3,})[ \t]*(?:\n|$)/.exec(text);
  return line?.[1]?.startsWith(mark) ? line[0] : undefined;
}
