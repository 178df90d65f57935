/** One press: a named key (`enter`, `pageup`, `ctrl-c`, `alt-1`) or text that was typed or pasted. */
export type Key = { name: string } | { text: string };

const named: Record<string, string> = {
  '\r': 'enter',
  '\n': 'ctrl-j',
  '\t': 'tab',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u001b': 'escape',
};

const sequences: Record<string, string> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'shift-tab',
  P: 'f1',
  '1~': 'home',
  '7~': 'home',
  '3~': 'delete',
  '4~': 'end',
  '8~': 'end',
  '5~': 'pageup',
  '6~': 'pagedown',
  '11~': 'f1',
};

const pasteEnd = '\u001b[201~';
/** The most one paste may bring, in characters: the gateway takes no more. */
const maxPaste = 100_000;

/**
 * Makes a reader of what a terminal sends. Bytes that stop in the middle of a sequence or a paste wait for the rest; a lone
 * escape is a key when `idle` is called, which its owner does shortly after the bytes stopped.
 */
export function createKeyReader(): { read(chunk: string): Key[]; idle(): Key[]; readonly waiting: boolean } {
  let rest = '';
  const next = (final: boolean): Key | undefined => {
    if (rest.startsWith('\u001b[200~')) {
      const end = rest.indexOf(pasteEnd);
      if (end < 0) {
        rest = rest.slice(0, maxPaste * 2);
        return undefined;
      }
      const text = rest.slice(6, end).slice(0, maxPaste);
      rest = rest.slice(end + pasteEnd.length);
      return { text: text.replace(/\r\n?/g, '\n') };
    }
    const sequence = /^\u001b(?:\[([0-9;?<>=]*)([ -/]*[@-~])|O([A-Za-z]))/.exec(rest);
    if (sequence) {
      rest = rest.slice(sequence[0].length);
      const [, parameters = '', last = '', application] = sequence;
      const key = application ?? (last === '~' ? `${parameters.split(';')[0]}~` : last);
      return { name: sequences[key] ?? 'unknown' };
    }
    if (/^\u001b(\[[0-9;?<>=]*[ -/]*|O)?$/.test(rest)) {
      if (!final) return undefined;
      rest = '';
      return { name: 'escape' };
    }
    const alt = /^\u001b([ -~])/.exec(rest);
    if (alt) {
      rest = rest.slice(2);
      return { name: `alt-${alt[1]}` };
    }
    const first = rest[0] ?? '';
    const name = named[first];
    if (name !== undefined || first < ' ') {
      rest = rest.slice(1);
      return { name: name ?? `ctrl-${String.fromCharCode(first.charCodeAt(0) + 96)}` };
    }
    const text = /^[^\u0000-\u001f\u007f]+/.exec(rest)?.[0] ?? first;
    rest = rest.slice(text.length);
    return { text };
  };
  const all = (final: boolean): Key[] => {
    const keys: Key[] = [];
    while (rest !== '') {
      const key = next(final);
      if (!key) break;
      keys.push(key);
    }
    return keys;
  };
  return {
    read(chunk) {
      rest += chunk;
      return all(false);
    },
    idle: () => all(true),
    get waiting() {
      return rest !== '' && !rest.startsWith('\u001b[200~');
    },
  };
}
