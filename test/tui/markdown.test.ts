import { describe, expect, test } from 'bun:test';
import { answerWriter } from '../../src/tui/answer.ts';
import { draw, plain } from '../../src/tui/line.ts';
import { markdownLines } from '../../src/tui/markdown.ts';
import { width } from '../../src/tui/text.ts';
import { asciiOnly, colourful } from './world.ts';

const rows = (text: string, columns = 60, look = colourful) => markdownLines(text, columns, look).map(plain);
const styles = (text: string) =>
  markdownLines(text, 60, colourful)
    .flat()
    .filter((span) => span.style !== 'plain')
    .map((span) => [span.style, span.text]);

describe('Markdown on a terminal', () => {
  test('styles stand for marks', () => {
    const text = 'a **bold** *word*, ***both***, ~~gone~~, `code_x`';
    expect(rows(text)).toEqual(['a bold word, both, gone, code_x']);
    expect(styles(text)).toEqual([
      ['bold', 'bold'],
      ['italic', 'word'],
      ['bold-italic', 'both'],
      ['struck', 'gone'],
      ['code', 'code_x'],
    ]);
  });

  test('headings, paragraphs and line breaks', () => {
    expect(rows('# One\nfirst\nsecond\n\nthird\n## Two\nfourth')).toEqual([
      'One',
      'first',
      'second',
      '',
      'third',
      '',
      'Two',
      'fourth',
    ]);
  });

  test('lists hang beside their marks, also one in another', () => {
    expect(rows('- a long item that does not fit\n  - inner\n- [x] done\n- [ ] open', 18)).toEqual([
      '• a long item that',
      '  does not fit',
      '  • inner',
      '[x] done',
      '[ ] open',
    ]);
    expect(rows('9. nine\n10. ten')).toEqual([' 9. nine', '10. ten']);
    expect(rows('- a', 60, asciiOnly)).toEqual(['- a']);
  });

  test('code is set apart, and keeps its blanks and marks', () => {
    expect(rows('so:\n```js\nif (a)\n    **b**\n```\ndone')).toEqual([
      'so:',
      '',
      '  if (a)',
      '      **b**',
      '',
      'done',
    ]);
  });

  test('a link says where it leads', () => {
    expect(rows('[docs](https://px.test/a) and https://px.test')).toEqual([
      'docs (https://px.test/a) and https://px.test',
    ]);
    expect(rows('![cat](https://evil.test/x.png)')).toEqual(['picture cat (https://evil.test/x.png)']);
  });

  test('quotes and rules', () => {
    expect(rows('> said\n> so\n\n---')).toEqual(['│ said', '│ so', '', '─'.repeat(40)]);
    expect(rows('> said', 60, asciiOnly)).toEqual(['| said']);
  });

  test('a table has columns as wide as they must be, and none where there is no room', () => {
    const table = '| name | n |\n|---|--:|\n| Gudrun | 2 |\n| a much longer name | 10 |';
    expect(rows(table)).toEqual([
      'name                 n',
      '──────────────────  ──',
      'Gudrun               2',
      'a much longer name  10',
    ]);
    expect(rows(table, 14)).toEqual([
      'name         n',
      '──────────  ──',
      'Gudrun       2',
      'a much      10',
      'longer        ',
      'name          ',
    ]);
    expect(rows(table, 6)[0]).toBe('name:');
  });

  test('what is no Markdown yet stands as it is', () => {
    expect(rows('5 * 3 * 2, a_b_c, **not clo')).toEqual(['5 * 3 * 2, a_b_c, **not clo']);
    expect(rows('<b>not</b> markup')).toEqual(['<b>not</b> markup']);
  });
});

describe('hostile Markdown', () => {
  const evil = [
    '\u001b[2J\u001b]0;owned\u0007',
    '&#27;[2J &#x9b;31m &#x202e;abc &#8203;',
    '`\u001b[31m` **\u009b1m** [a\u001b[2J](https://x/\u001b[2J) [b](<https://x/&#27;[2J>)',
    '```\u001b[2J\n\u001b]52;c;aGk=\u0007\n```',
    '| \u001b[2J | &#27; |\n|---|---|\n| \u0007 | \u202e |',
    '![\u001b[2J&#27;](https://x/&#27;)',
    '- [x] &#27;\n1. \r\u001b[1;1Hpx ● live',
    `Z${'\u0301'.repeat(500)}**${'\u0301'.repeat(500)}**`,
  ];

  test('nothing in it reaches the terminal raw, nothing is wider than there is room', () => {
    for (const text of [...evil, evil.join('\n\n')])
      for (const look of [colourful, asciiOnly])
        for (const columns of [2, 7, 20, 78])
          for (const row of markdownLines(text, columns, look)) {
            expect(plain(row)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2066-\u2069]/);
            expect(plain(row)).not.toMatch(/\p{M}{20}/u);
            expect(width(plain(row))).toBeLessThanOrEqual(columns);
            if (look.ascii) expect(plain(row)).toMatch(/^[ -~]*$/);
          }
  });

  test.each(['> ', '- ', '1. ', '[', '*', '`', '| a ', '&#27;'])('%j ten thousand times is drawn', (mark) => {
    const drawn = markdownLines(`${mark.repeat(10_000)}x`, 40, colourful);
    expect(drawn.every((row) => width(plain(row)) <= 40)).toBe(true);
  });
});

describe('an answer that grows', () => {
  /** What a terminal of so many rows shows after these bytes: it knows the few sequences that are written. */
  function terminal(rowsOnScreen: number) {
    const lines = [''];
    let at = 0;
    return {
      columns: 41,
      rows: rowsOnScreen,
      lines,
      write(bytes: string) {
        for (const [part] of bytes.matchAll(/\r\n|\r|\u001b\[[\d;]*[A-Za-z]|[^\r\u001b]+/g)) {
          if (part === '\r\n') lines[++at] ??= '';
          else if (part.endsWith('A') && part.startsWith('\u001b')) at -= Number(part.slice(2, -1));
          else if (part === '\u001b[J') lines.splice(at, lines.length, '');
          else if (part !== '\r' && !part.startsWith('\u001b')) lines[at] = (lines[at] ?? '') + part;
          expect(at).toBeGreaterThan(lines.length - rowsOnScreen - 1);
        }
      },
    };
  }
  const answer =
    '# Plan\n\n~~~\n```\n\nnot yet\n~~~\n\nOne.\n\n- a\n\n- b\n\n  of b\n\n## Then\n\nFirst **this one** is done, and it is a longer line than fits.\n\n| a | b |\n|---|---|\n| 1 | longest |\n| 22222 | x |\n\n```\ncode\n```\nend\n';

  test('ends as it would have been drawn at once, however it came', () => {
    for (const size of [1, 7, 400]) {
      const screen = terminal(24);
      const out = answerWriter(screen, colourful, 0);
      for (let at = 0; at < answer.length; at += size) out.take(answer.slice(at, at + size));
      out.end();
      expect(screen.lines).toEqual([...rows(answer, 40), '']);
    }
  });

  test('never goes back further than the screen reaches', () => {
    const screen = terminal(4);
    const out = answerWriter(screen, colourful, 0);
    for (const char of answer) out.take(char);
    out.end();
    expect(screen.lines.at(-2)).toBe('end');
  });

  test('without colours there is none, and a second answer begins anew', () => {
    const screen = terminal(24);
    const out = answerWriter(screen, { ascii: false, colour: false });
    out.take('`a`');
    out.end();
    out.take('b');
    out.end();
    out.end();
    expect(screen.lines).toEqual(['a', 'b', '']);
    expect(draw([{ text: 'a', style: 'code' }], { ascii: false, colour: false })).toBe('a');
  });
});
