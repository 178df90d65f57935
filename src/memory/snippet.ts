/** Length of a snippet, in characters. */
const wanted = 320;

/** The part of a passage that holds most of the words asked for, as plain text, and how many lines into the passage the first of them stands. */
export function snippetOf(body: string, words: string[]): { text: string; lineOffset: number } {
  const lower = folded(body);
  const hits: { at: number; word: number }[] = [];
  words.slice(0, 24).forEach((word, index) => {
    const stem = stemOf(folded(word));
    for (let at = lower.indexOf(stem), n = 0; at >= 0 && n < 8; at = lower.indexOf(stem, at + stem.length), n++) {
      if (stem.length > 1 && !isBoundary(lower, at)) continue;
      hits.push({ at, word: index });
    }
  });
  hits.sort((a, b) => a.at - b.at);
  let best = { at: 0, score: 0 };
  for (const [index, hit] of hits.entries()) {
    const seen = new Set<number>();
    for (let next = index; next < hits.length && (hits[next]?.at ?? 0) < hit.at + wanted - 40; next++)
      seen.add(hits[next]?.word ?? 0);
    if (seen.size > best.score) best = { at: hit.at, score: seen.size };
  }
  const start = startOf(body, best.at);
  const end = body.length - start <= wanted ? body.length : endOf(body, start + wanted);
  const text = plainText(body.slice(start, end).toWellFormed());
  return {
    text: `${start > 0 && body[start - 1] !== '\n' ? '…' : ''}${text}${end < body.length ? '…' : ''}`,
    lineOffset: body.slice(0, best.at).split('\n').length - 1,
  };
}

/** Markdown without its marks and headings (a hit tells its heading), line by line. */
function plainText(markdown: string): string {
  return markdown.replace(/^#{1,6} .*$/gm, '').trim() === ''
    ? lines(markdown)
    : lines(markdown.replace(/^#{1,6} .*$/gm, ''));
}

function lines(markdown: string): string {
  return markdown
    .replace(/<!--[\s\S]*?(?:-->|$)/g, ' ')
    .replace(/!?\[([^\]\n]*)\]\([^)\n]*\)/g, '$1')
    .replace(/!?\[\[(?:[^\]|\n]*\|)?([^\]\n]*)\]\]/g, '$1')
    .replace(/^\s*(?:#{1,6}|>|[-*+]|\d+[.)]|`{3,}\w*|~{3,}\w*|-{3,})(?:\s+|$)/gm, '')
    .replace(/\*\*|__|`/g, '')
    .replace(/[^\S\n]*\n\s*/g, '\n')
    .replace(/[^\S\n]+|[\0-\x09\x0b-\x1f\x7f]+/g, ' ')
    .trim();
}

/** The part of a word that its inflections share, roughly. */
export function stemOf(word: string): string {
  const stem = word.replace(/(?:ies|ied|ing|ed|es|s|y|e)$/, '');
  return stem.length >= 3 ? stem : word;
}

/** In small letters and without accents, as long as it was, so that places stay what they are. */
const folded = (text: string): string =>
  text.toLowerCase().replace(/[\u00c0-\u024f\u1e00-\u1eff]/g, (letter) => letter.normalize('NFD').charAt(0));

const isBoundary = (text: string, at: number): boolean =>
  at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? '') || /[^\x00-\u024f]/.test(text[at] ?? '');

/** A readable place to start: the start of the line, or of the sentence, or of a word, a little before the match. */
function startOf(body: string, at: number): number {
  if (at < 120) return 0;
  const line = body.lastIndexOf('\n', at - 1) + 1;
  if (at - line <= 160) return line;
  const sentence = body.lastIndexOf('. ', at) + 2;
  if (at - sentence <= 160 && sentence > line) return sentence;
  return body.indexOf(' ', at - 80) + 1 || at;
}

function endOf(body: string, at: number): number {
  const space = body.slice(at - 40, at).search(/\s\S*$/);
  return space < 0 ? at : at - 40 + space;
}
