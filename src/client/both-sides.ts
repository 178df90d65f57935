import * as v from 'valibot';
import { PxError } from '../error/error.ts';

const clash = v.object({ merged: v.string() });

/** Of an undo that was refused because the note was changed at the same lines since: the note with both sides between conflict marks. Undefined for any other error. */
export function bothSides(thrown: unknown): string | undefined {
  if (!(thrown instanceof PxError && thrown.code === 'conflict')) return undefined;
  const found = v.safeParse(clash, thrown.data);
  return found.success ? found.output.merged : undefined;
}
