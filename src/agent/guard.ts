import { PxError } from '../error/error.ts';
import type { Json, ToolCallPart } from '../wire/wire.ts';

/** How often the same call may be made in one turn. */
const MOST = 3;

/** Notices a model that makes the same call over and over in one turn. */
export class LoopGuard {
  readonly #seen = new Map<string, number>();

  /** The error the call gets instead of a run when it was made too often; undefined lets it run. */
  check(call: ToolCallPart): PxError | undefined {
    const key = `${call.name} ${canonical(call.args)}`;
    const times = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.set(key, times);
    if (times <= MOST) return undefined;
    return new PxError('agent.limit', `${call.name} was already called ${MOST} times with these arguments.`, {
      hint: 'Use the results you have, change the arguments, or answer the person.',
    });
  }
}

/** JSON with sorted keys: the same arguments in another order are the same call. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`)
    .join(',')}}`;
}
