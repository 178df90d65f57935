import { expect, test } from 'bun:test';
import { periodOf, periodsIn, spellings } from '../../src/memory/when.ts';

/** A Thursday. */
const now = new Date(2025, 10, 20, 15).getTime();
const day = (at: number) => new Date(at).toLocaleDateString('sv-SE');
const span = (text: string) => {
  const period = periodOf(text, now);
  return period && `${day(period.from)} ${day(period.to - 1)}`;
};

test.each([
  ['today', '2025-11-20 2025-11-20'],
  ['thursday', '2025-11-20 2025-11-20'],
  ['last thursday', '2025-11-13 2025-11-13'],
  ['last tuesday', '2025-11-18 2025-11-18'],
  ['3 days ago', '2025-11-17 2025-11-17'],
  ['2 weeks ago', '2025-11-06 2025-11-06'],
  ['this week', '2025-11-17 2025-11-23'],
  ['last week', '2025-11-10 2025-11-16'],
  ['last weekend', '2025-11-15 2025-11-16'],
  ['last month', '2025-10-01 2025-10-31'],
  ['last year', '2024-01-01 2024-12-31'],
  ['last 7 days', '2025-11-14 2025-11-20'],
  ['march', '2025-03-01 2025-03-31'],
  ['december', '2024-12-01 2024-12-31'],
  ['5 december', '2024-12-05 2024-12-05'],
  ['march 5th', '2025-03-05 2025-03-05'],
  ['5th of march 2023', '2023-03-05 2023-03-05'],
  ['2024-02', '2024-02-01 2024-02-29'],
  ['30 february 2025', undefined],
  ['2025-13', undefined],
  ['someday', undefined],
])('%s', (text, meant) => expect(span(text)).toBe(meant));

test.each([
  ['What did I do last Tuesday?', ['2025-11-18']],
  ['what happened in March', ['2025-03-01']],
  ['Between 3 May 2023 and May 7th, who came?', ['2023-05-03', '2025-05-07']],
  ['may I march to the second monitor in the marching band', []],
  ['version 2025-99-99 of 31 February', []],
])('times in: %s', (question, days) =>
  expect(periodsIn(question, now).map(({ period }) => day(period.from))).toEqual(days),
);

test('a time is spelled as notes write it; a long one by months or years, a very long one not at all', () => {
  const of = (text: string) => spellings(periodOf(text, now) ?? { from: 0, to: 0 });
  expect(of('2025-03-05')).toEqual(['2025 03 05', '5 march 2025', 'march 5 2025']);
  expect(of('last week')).toHaveLength(21);
  expect(of('march')).toEqual(['2025 03', 'march 2025']);
  expect(of('last year')).toEqual(['2024']);
  expect(of('2020-01..2024-12')).toEqual([]);
  expect(of('..2024')).toEqual([]);
});
