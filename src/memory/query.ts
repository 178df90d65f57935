import { isUnspaced, pairs, unspacedRuns } from './script.ts';

/** A question as FTS5 takes it. */
export interface Question {
  /** FTS5 expressions, each valid by itself, to be joined by OR. */
  terms: string[];
  /** The single words asked for, in lower case. */
  words: string[];
  /** Those of them that are written as names: with a capital, but not as the first word of a sentence. */
  names: string[];
}

/** How much of a query is looked at, in characters, and how many terms are searched for. */
const bounds = { characters: 4000, terms: 48 };

/** English words that say nothing about what is sought. */
const stopWords = new Set(
  `a about am an and any are as at be been but by can could did do does for from had has have he her him his how i if in into is it its
  me my of on or our out s she should so some t that the their them then there they this to up us was we were what when where which who whom whose why will
  with would you your ll ve re d m tell please know`.split(/\s+/),
);

/**
 * Turns what a person or a model asks into FTS5 expressions that cannot be an error: the words of the question without stop words;
 * `"…"` stays a phrase, `word*` a prefix; scripts without spaces are asked for by pairs of characters. Undefined when there is nothing to look for.
 */
export function parseQuestion(query: string): Question | undefined {
  const text = query.slice(0, bounds.characters).toWellFormed().normalize('NFC');
  const terms = new Set<string>();
  const words = new Set<string>();
  const rest = text.replace(/["“„]([^"“”„]{1,300})["”]/g, (_, phrase: string) => {
    const inside = wordsOf(phrase);
    if (inside.length > 1 && !inside.some(isUnspaced)) {
      terms.add(`"${inside.join(' ')}"`);
      for (const word of inside) words.add(word);
      return ' ';
    }
    return ` ${phrase} `;
  });
  const asked = wordsOf(rest, true);
  const telling = asked.filter((word) => !stopWords.has(word));
  for (const word of telling.length > 0 || terms.size > 0 ? telling : asked) {
    const plain = word.replace(/\*$/, '');
    words.add(plain);
    if (isUnspaced(plain)) for (const term of unspacedTerms(plain)) terms.add(term);
    if (!isUnspaced(plain) || /[a-z0-9]/.test(plain)) for (const term of spacedTerms(word, plain)) terms.add(term);
  }
  if (terms.size === 0) return undefined;
  const names = [...text.matchAll(/(?<=[^.!?\s] )\p{Lu}\p{Ll}+/gu)].map(([name]) => name.toLowerCase());
  return { terms: [...terms].slice(0, bounds.terms), words: [...words], names: names.filter((one) => words.has(one)) };
}

/** The words of a text in lower case, as the tokeniser sees them. */
export function wordsOf(text: string, stars = false): string[] {
  const found = text.toLowerCase().match(stars ? /[\p{L}\p{N}\p{M}]+\*?/gu : /[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return found.filter((word) => /[\p{L}\p{N}]/u.test(word)).map((word) => word.slice(0, 100).toWellFormed());
}

/** True for a word that carries no meaning of its own. */
export const isStopWord = (word: string): boolean => stopWords.has(word);

/** A word, or what begins so. */
function spacedTerms(word: string, plain: string): string[] {
  if (word === plain) return [`"${plain}"`];
  // FTS5 stems what is only a beginning, too: of bicy* it makes bici*. Behind an e, which is stemmed away, the y stays.
  return plain.endsWith('y') ? [`"${plain}"*`, `"${plain}e"*`] : [`"${plain}"*`];
}

function unspacedTerms(word: string): string[] {
  return unspacedRuns(word).flatMap((one) =>
    [...one].length === 1 ? [`grams : "${one}"*`] : pairs(one).map((pair) => `grams : "${pair}"`),
  );
}
