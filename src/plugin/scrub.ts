import { PxError } from '../error/error.ts';
import type { Secrets } from '../secret/secret.ts';
import type { Json } from '../wire/wire.ts';

type Scrub = Secrets['scrub'];

/** A value of a guest with each secret in its texts and keys covered; the very same value when it holds none. */
export function scrubJson(value: Json, scrub: Scrub): Json {
  if (typeof value === 'string') return scrub(value);
  if (typeof value !== 'object' || value === null) return value;
  // Nearly always there is nothing to find, and one look at the whole tells.
  const text = JSON.stringify(value);
  return scrub(text) === text ? value : covered(value, scrub);
}

function covered(value: Json, scrub: Scrub): Json {
  if (typeof value === 'string') return scrub(value);
  if (Array.isArray(value)) return value.map((item) => covered(item, scrub));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [scrub(key), covered(item, scrub)]));
}

/** An error with each secret in it covered; the very same error when it holds none. */
export function scrubError(error: PxError, scrub: Scrub): PxError {
  const message = scrub(error.message);
  // What a guest threw came as JSON.
  const data = error.data === undefined ? undefined : scrubJson(error.data as Json, scrub);
  if (message === error.message && data === error.data) return error;
  const { code, hint, retryable } = error;
  return new PxError(code, message, { retryable, data, ...(hint === undefined ? {} : { hint }) });
}
