import type { ModelEvent } from '../model.ts';

/**
 * Ends the stream before the first of these words in its text, for an API that knows no such words, or not for every model.
 * Nothing of a word is shown, so an end that could be the beginning of one waits for what follows.
 */
export async function* stopAt(words: string[], events: AsyncIterable<ModelEvent>): AsyncIterable<ModelEvent> {
  let held = '';
  for await (const event of events) {
    if (event.type !== 'text') {
      if (held !== '') yield { type: 'text', text: held };
      held = '';
      yield event;
      continue;
    }
    const text = held + event.text;
    const at = Math.min(...words.map((word) => text.indexOf(word)).filter((found) => found >= 0));
    const until = Number.isFinite(at) ? at : text.length - begunAtEnd(text, words);
    if (until > 0) yield { type: 'text', text: text.slice(0, until) };
    if (Number.isFinite(at)) {
      yield { type: 'end', reason: 'stop' };
      return;
    }
    held = text.slice(until);
  }
  if (held !== '') yield { type: 'text', text: held };
}

/** How many characters at the end of a text could be the beginning of a word. */
function begunAtEnd(text: string, words: string[]): number {
  const most = Math.min(text.length, Math.max(...words.map((word) => word.length)) - 1);
  for (let length = most; length > 0; length--) {
    const end = text.slice(-length);
    if (words.some((word) => word.startsWith(end))) return length;
  }
  return 0;
}
