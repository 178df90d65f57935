import { expect, test } from 'bun:test';
import { createLog, isJournal, journalLogSink } from '../../src/log/log.ts';

test('every line of a message has the priority of its entry: no text can choose one', () => {
  let out = '';
  const log = createLog({ level: 'debug', sinks: [journalLogSink((text) => (out += text))] });
  log.scope('plugin/x').warn('one\n<0>two', { n: 1 });
  log.error('\u001b[31mred');
  log.debug('small');
  expect(out).toBe('<4>plugin/x: one\n<4>    <0>two n=1\n<3>px: \\u001b[31mred\n<7>px: small\n');
});

test('a journal is what JOURNAL_STREAM names, and nothing else', () => {
  for (const stream of [undefined, '', '1:2', 'x']) expect(isJournal(stream)).toBe(false);
});
