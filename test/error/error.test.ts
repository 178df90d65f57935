import { expect, test } from 'bun:test';
import { errorCodes, fromErrorShape, PxError, toPxError } from '../../src/error/error.ts';

test('as data an error has code, message, hint and payload, never a stack or a cause', () => {
  const error = new PxError('timeout', 'too slow', {
    hint: 'Try again.',
    retryable: true,
    cause: new Error('inner'),
    data: { ms: 5 },
  });
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    code: 'timeout',
    message: 'too slow',
    hint: 'Try again.',
    retryable: true,
    data: { ms: 5 },
  });
  expect(error.cause).toBeInstanceOf(Error);
});

test('what is not said is left out', () => {
  expect(new PxError('internal', 'x').toJSON()).toEqual({ code: 'internal', message: 'x', retryable: false });
  expect('cause' in new PxError('internal', 'x')).toBe(false);
});

test('anything thrown becomes a PxError, one that is stays itself', () => {
  const error = new PxError('usage', 'x');
  expect(toPxError(error)).toBe(error);
  const failure = new TypeError('broken');
  expect(toPxError(failure)).toMatchObject({ code: 'internal', message: 'broken', cause: failure });
  expect(toPxError('text').message).toBe('text');
  expect(toPxError(undefined).message).toBe('undefined');
  expect(toPxError(Object.create(null)).code).toBe('internal');
});

test('an error survives the wire; an unknown code becomes internal', () => {
  const error = new PxError('model.auth', 'no', { hint: 'px secret set X', data: [1] });
  expect(fromErrorShape(error.toJSON())).toEqual(error);
  const foreign = { ...error.toJSON(), code: JSON.parse('"model.future"') };
  expect(fromErrorShape(foreign).code).toBe('internal');
  expect(fromErrorShape({ ...foreign, code: JSON.parse('"constructor"') }).code).toBe('internal');
});

test('codes are words and dashes, each with a sentence', () => {
  for (const [code, meaning] of Object.entries(errorCodes)) {
    expect(code).toMatch(/^[a-z]+(?:-[a-z]+)*(?:\.[a-z]+(?:-[a-z]+)*)?$/);
    expect(meaning).toMatch(/^(?:[A-Z]|px).*\.$/);
  }
});
