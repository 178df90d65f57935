import type { Key } from './keys.ts';
import { characters } from './text.ts';

/** A line that is being typed. */
export interface Input {
  text: string;
  /** Where the next character goes, in UTF-16 units; always between two characters. */
  caret: number;
}

/** The line after a key; undefined when the key does nothing to a line. */
export function edit({ text, caret }: Input, key: Key): Input | undefined {
  const before = text.slice(0, caret);
  const after = text.slice(caret);
  const put = (head: string, rest: string): Input => ({ text: head + rest, caret: head.length });
  if ('text' in key) return put(before + key.text, after);
  const back = () => characters(before).at(-1)?.length ?? 0;
  const on = () => characters(after)[0]?.length ?? 0;
  switch (key.name) {
    case 'backspace':
      return put(before.slice(0, before.length - back()), after);
    case 'delete':
      return put(before, after.slice(on()));
    case 'left':
      return { text, caret: caret - back() };
    case 'right':
      return { text, caret: caret + on() };
    case 'home':
    case 'ctrl-a':
      return { text, caret: 0 };
    case 'end':
    case 'ctrl-e':
      return { text, caret: text.length };
    case 'ctrl-u':
      return put('', after);
    case 'ctrl-k':
      return put(before, '');
    case 'ctrl-w':
      return put(before.replace(/\S*\s*$/, ''), after);
    case 'ctrl-j':
      return put(`${before}\n`, after);
    default:
      return undefined;
  }
}
