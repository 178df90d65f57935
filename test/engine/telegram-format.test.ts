import { expect, test } from 'bun:test';
import { toHtml } from '../../plugins/telegram/format.ts';
import { parseHtml } from '../e2e/telegram-html.ts';

const bits = [
  '*',
  '**',
  '***',
  '_',
  '__',
  '~~',
  '||',
  '`',
  '```',
  '[',
  '](',
  ')',
  '!',
  '<',
  '>',
  '&',
  '|',
  '\\',
  '\n',
  '\n\n',
  '> ',
  '- ',
  '1. ',
  '# ',
  ' ',
  'a',
  'word',
  'é',
  '😀',
  '👩‍👩‍👧',
  'https://x.y/?a=1&b="2"',
  '|---|',
  '~~~',
  '\u202e',
  '\0',
  '\ud800',
  'javascript:',
  '<b>',
  '</b>',
  '&amp;',
  '{{secret:X}}',
];

/** The same numbers each time. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state % below;
  };
}

test('whatever a model writes becomes HTML that Telegram takes', () => {
  const next = dice(7);
  for (let i = 0; i < 4_000; i++) {
    const text = Array.from({ length: 1 + next(60) }, () => bits[next(bits.length)]).join('');
    const { error } = parseHtml(toHtml(text));
    expect([text, error]).toEqual([text, undefined]);
  }
});

test('no text takes long, however it is nested', () => {
  const long = (bit: string) => bit.repeat(Math.ceil(4_096 / bit.length)).slice(0, 4_096);
  const odd = [
    ...bits,
    '**a ',
    '*a',
    '_a ',
    '[a](',
    '[[a]',
    '`a',
    '``a`',
    '> *a',
    '|a|\n',
    '- **',
    '***a',
    '||a',
    '![',
    '](https://a',
    '\\*',
    '*_~~',
  ];
  for (const bit of odd) {
    // The engine is some thirty times slower than this and may take five seconds. Processor time, the best of three: a busy machine is no slow text.
    const took = Array.from({ length: 3 }, () => {
      const begun = process.cpuUsage();
      const { error } = parseHtml(toHtml(long(bit)));
      expect([bit, error]).toEqual([bit, undefined]);
      return process.cpuUsage(begun).user / 1000;
    });
    expect([bit, Math.min(...took) < 150]).toEqual([bit, true]);
  }
});
