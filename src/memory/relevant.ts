import type { SearchHit } from '../wire/wire.ts';
import type { IndexDb } from './index-db.ts';
import { isStopWord, parseQuestion } from './query.ts';
import { searchIndex } from './search.ts';
import { stemOf } from './snippet.ts';

/** How much of a message is looked at, in characters; how many passages are weighed. */
const looked = { characters: 1500, passages: 12 };

/** What a passage must hold of what the telling words of a message tell together; of a long message only so many words are asked for. */
const enough = { part: 0.5, words: 5 };

/** A word that stands in more than this part of all passages says nothing about what is meant; one that stands in `few` always does. */
const everywhere = { part: 0.1, few: 3 };

/** Words of greeting, thanking and asking for something: alone they are about nothing. */
const smallTalk = new Set(
  `hi hello hey hiya thanks thank thx ok okay yes yeah yep no nope great good nice fine cool sure morning evening night bye lol haha please stop go now again today tonight
  tomorrow yesterday just want need help do done make give get write remind something anything really well right`.split(
    /\s+/,
  ),
);

/**
 * What may matter to a message without having been asked for, best first: passages that hold most of its telling words, a rare one among them. Nothing is
 * found for small talk. Never throws.
 */
export function relevantTo(db: IndexDb, text: string): SearchHit[] {
  const message = text.slice(0, looked.characters);
  const question = parseQuestion(message);
  if (!question) return [];
  try {
    const telling = db.asking(() => weighed(db, question.terms));
    const rare = telling.filter((one) => one.rare);
    if (rare.length === 0) return [];
    const weights = telling.map((one) => one.tells).sort((a, b) => b - a);
    const need = enough.part * weights.slice(0, enough.words).reduce((sum, one) => sum + one, 0);
    return searchIndex(db, message, { limit: looked.passages }).filter((hit) => {
      const words = `${hit.path}\n${hit.heading}\n${hit.snippet}`.toLowerCase().normalize('NFC');
      const held = telling.filter((one) => one.stems.every((stem) => startsWord(words, stem)));
      return held.some((one) => one.rare) && held.reduce((sum, one) => sum + one.tells, 0) >= need;
    });
  } catch {
    return [];
  }
}

/** How much each term that stands anywhere tells (as bm25 weighs it), and what shows that a text holds it. */
function weighed(db: IndexDb, terms: string[]): { stems: string[]; tells: number; rare: boolean }[] {
  const all = Math.max(1, db.passages);
  const most = Math.max(everywhere.few, all * everywhere.part);
  return terms.flatMap((term) => {
    const count = db.count(term, Math.ceil(most) + 1);
    if (count === 0) return [];
    const words = /"([^"]*)"/.exec(term)?.[1] ?? '';
    return [
      {
        stems: words.split(' ').map(stemOf),
        tells: Math.log(1 + all / count),
        rare: count <= most && !smallTalk.has(words) && !isStopWord(words),
      },
    ];
  });
}

/** Whether a word of a text begins so; in scripts without spaces, whether it stands anywhere. */
function startsWord(text: string, stem: string): boolean {
  for (let at = text.indexOf(stem); at >= 0; at = text.indexOf(stem, at + 1))
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? '') || /[^\x00-\u024f]/.test(stem[0] ?? '')) return true;
  return false;
}
