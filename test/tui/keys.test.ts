import { describe, expect, test } from 'bun:test';
import { edit, type Input } from '../../src/tui/input.ts';
import { createKeyReader, type Key } from '../../src/tui/keys.ts';

const read = (bytes: string) => createKeyReader().read(bytes);

describe('keys', () => {
  test('arrows, pages, home and end of several terminals', () => {
    const names = (bytes: string) => read(bytes).map((key) => ('name' in key ? key.name : key.text));
    expect(names('\u001b[A\u001b[B\u001bOC\u001b[D')).toEqual(['up', 'down', 'right', 'left']);
    expect(names('\u001b[5~\u001b[6~\u001b[H\u001bOF\u001b[1~\u001b[4~')).toEqual([
      'pageup',
      'pagedown',
      'home',
      'end',
      'home',
      'end',
    ]);
    expect(names('\u001b[Z\t\u007f\u001bOP\u001b[11~')).toEqual(['shift-tab', 'tab', 'backspace', 'f1', 'f1']);
    expect(names('\u0003\u001a\u001b1')).toEqual(['ctrl-c', 'ctrl-z', 'alt-1']);
    expect(names('\u001b[1;5A')).toEqual(['up']);
  });

  test('text, also what is more than one unit long', () => {
    expect(read('héllo 👍')).toEqual([{ text: 'héllo 👍' }]);
  });

  test('a sequence that comes in two pieces is one key', () => {
    const keys = createKeyReader();
    expect(keys.read('\u001b')).toEqual([]);
    expect(keys.waiting).toBe(true);
    expect(keys.read('[5')).toEqual([]);
    expect(keys.read('~')).toEqual([{ name: 'pageup' }]);
    expect(keys.waiting).toBe(false);
  });

  test('a lone escape is a key once nothing follows', () => {
    const keys = createKeyReader();
    keys.read('\u001b');
    expect(keys.idle()).toEqual([{ name: 'escape' }]);
  });

  test('a paste is text: keys in it are not pressed', () => {
    expect(read('\u001b[200~rm -rf\rq\u0003\u001b[201~x')).toEqual([{ text: 'rm -rf\nq\u0003' }, { text: 'x' }]);
  });

  test('a paste in pieces waits for its end', () => {
    const keys = createKeyReader();
    expect(keys.read('\u001b[200~one ')).toEqual([]);
    expect(keys.waiting).toBe(false);
    expect(keys.read('two\u001b[201~')).toEqual([{ text: 'one two' }]);
  });

  test('answers of a terminal nobody asked are no text', () => {
    expect(read('\u001b[?62;22c\u001b[<0;10;10M')).toEqual([{ name: 'unknown' }, { name: 'unknown' }]);
  });
});

describe('a line that is typed', () => {
  const type = (start: string, ...keys: Key[]) =>
    keys.reduce<Input>((line, key) => edit(line, key) ?? line, { text: start, caret: start.length });

  test('backspace takes a whole character', () => {
    expect(type('a👨‍👩‍👧', { name: 'backspace' }).text).toBe('a');
    expect(type('e\u0301', { name: 'backspace' }).text).toBe('');
  });

  test('the caret moves by characters and text goes where it stands', () => {
    expect(type('a👍b', { name: 'left' }, { name: 'left' }, { text: 'X' }).text).toBe('aX👍b');
    expect(type('abc', { name: 'home' }, { name: 'delete' }, { name: 'end' }, { text: '!' }).text).toBe('bc!');
  });

  test('words and lines are deleted as in a shell', () => {
    expect(type('one two', { name: 'ctrl-w' }).text).toBe('one ');
    expect(type('one two', { name: 'ctrl-u' }).text).toBe('');
    expect(type('one two', { name: 'ctrl-a' }, { name: 'ctrl-k' }).text).toBe('');
  });

  test('other keys do nothing to it', () => {
    expect(edit({ text: 'a', caret: 1 }, { name: 'pageup' })).toBeUndefined();
  });
});
