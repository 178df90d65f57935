import { describe, expect, test } from 'bun:test';
import { signs, sparkline } from '../../src/tui/look.ts';
import { cut, fit, oneLine, safe, tail, width, wrap } from '../../src/tui/text.ts';
import { asciiOnly, colourful } from './world.ts';

describe('hostile text', () => {
  const attacks = {
    'a colour': '\u001b[31mred',
    'the title of the window (OSC)': '\u001b]0;owned\u0007',
    'the clipboard (OSC 52)': '\u001b]52;c;aGk=\u001b\\',
    'a C1 control sequence': '\u009b2J',
    'a bell and backspaces': 'a\u0007\b\b\bb',
    'a carriage return over the line': 'safe\rEVIL',
    'a bidirectional override': 'abc\u202edcba\u202c',
    isolates: '\u2066x\u2069',
    'a zero-width space': 'a\u200bb',
    'a line separator': 'a\u2028b',
    'invisible tags': 'hi\u{e0068}\u{e0069}',
    'a device control string': '\u001bPq#0;2;0;0;0\u001b\\',
  };
  for (const [what, text] of Object.entries(attacks))
    test(`${what} does nothing`, () => {
      for (const look of [colourful, asciiOnly]) {
        const drawn = oneLine(text, look);
        expect(drawn).not.toMatch(
          /[\u0000-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2066-\u2069]|[\u{e0000}-\u{e007f}]/u,
        );
      }
    });

  test('marks piled on one letter are cut to a few', () => {
    expect(safe(`Z${'\u0301'.repeat(500)}`, colourful).length).toBeLessThan(10);
  });

  test('half a surrogate pair is no character', () => {
    expect(safe('a\ud83d', colourful)).toBe('a\ufffd');
  });

  test('newlines stay, in oneLine they are spaces', () => {
    expect(safe('a\r\nb\tc', colourful)).toBe('a\nb    c');
    expect(oneLine('a\n  b', colourful)).toBe('a b');
  });

  test('only ASCII is left for a terminal that has no more, as wide as before where nothing fits', () => {
    expect(safe('“Über” – naïve… 日本 👍', asciiOnly)).toBe('"Uber" - naive... ???? ??');
  });
});

describe('measuring', () => {
  test('wide characters and emoji take two columns', () => {
    expect(width('日本')).toBe(4);
    expect(width('👍🏽')).toBe(2);
    expect(width('👨‍👩‍👧')).toBe(2);
    expect(width('e\u0301')).toBe(1);
  });

  test('a cut never tears a character and never is too wide', () => {
    for (let columns = 0; columns < 12; columns++) {
      const got = cut('a日👨‍👩‍👧e\u0301本語x', columns);
      expect(width(got)).toBeLessThanOrEqual(columns);
      expect(width(fit('a日👨‍👩‍👧e\u0301本語x', columns))).toBe(columns);
      expect(width(tail('a日👨‍👩‍👧e\u0301本語x', columns))).toBeLessThanOrEqual(columns);
    }
    expect(cut('a👨‍👩‍👧b', 2)).toBe('a');
    expect(cut('hello world', 8, '…')).toBe('hello w…');
  });

  test('lines break between words, long words and wide text inside', () => {
    expect(wrap('the quick brown fox', 10)).toEqual(['the quick', 'brown fox']);
    expect(wrap('aaaaaaaaaaaa b', 5)).toEqual(['aaaaa', 'aaaaa', 'aa b']);
    expect(wrap('日本語です', 4)).toEqual(['日本', '語で', 'す']);
    expect(wrap('a\n\nb', 10)).toEqual(['a', '', 'b']);
    expect(wrap('', 10)).toEqual(['']);
  });

  test('no wrapped line is too wide, whatever the text', () => {
    const text = 'Ein 日本 lorem👍🏽 ipsumdolorsitamet e\u0301e\u0301 … fin '.repeat(5);
    for (let columns = 2; columns < 30; columns++)
      for (const row of wrap(text, columns)) expect(width(row)).toBeLessThanOrEqual(columns);
  });
});

describe('plots', () => {
  test('the largest value is the highest bar, the newest is last', () => {
    expect(sparkline([0, 1, 8], 5, colourful)).toBe('   ▁█');
    expect(sparkline([1, 2, 4, 8], 2, asciiOnly)).toBe('=#');
    expect(sparkline([], 3, colourful)).toBe('   ');
  });
});

test('on the console of Linux only signs its fonts have are drawn, and letters stay as they are', () => {
  const look = { ...colourful, linuxConsole: true };
  // Of Debian's Lat15 and Uni2 fonts, which console-setup loads.
  expect(Object.values(signs(look)).join('')).toMatch(/^[ -~│─●•…›░▒█]*$/);
  expect(sparkline([1, 2, 3], 3, look)).toBe('░▒█');
  expect(safe('Über', look)).toBe('Über');
});
