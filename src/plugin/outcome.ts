import { PxError } from '../error/error.ts';
import type { Json } from '../wire/wire.ts';
import type { FromChild } from './protocol.ts';

/** A finished call as its value or its error; the guest lives on in each case. */
export function outcomeOf(
  frame: Extract<FromChild, { t: 'done' | 'failed' | 'refused' }>,
): { ok: Json } | { error: PxError } {
  if (frame.t === 'done') return { ok: frame.ok };
  if (frame.t === 'failed') {
    // Of a `result` without an error type that is all there is.
    if (frame.err === null)
      return { error: new PxError('plugin.guest', 'it failed and did not say why', { data: null }) };
    const text = typeof frame.err === 'string' ? frame.err : JSON.stringify(frame.err);
    return { error: new PxError('plugin.guest', text.slice(0, 4000), { data: frame.err }) };
  }
  if (frame.why === 'arguments') return { error: new PxError('plugin.function', frame.message) };
  if (frame.why === 'output')
    return { error: new PxError('plugin.output', frame.message, { hint: 'See limits.output_bytes in px.yaml.' }) };
  return { error: new PxError('plugin.invalid', frame.message) };
}
