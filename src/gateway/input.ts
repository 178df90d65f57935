import * as v from 'valibot';
import { PxError } from '../error/error.ts';
import type { Params, Schema } from './route.ts';

const hint = 'See /openapi.json for what this call takes.';

/** Validates what came in; throws PxError `gateway.bad-request` that names the place. */
export function check<S extends Schema>(schema: S, input: unknown, what: string): v.InferOutput<S> {
  // To valibot a list is an object whose names are all left out.
  if (Array.isArray(input) && schema.type === 'object')
    throw new PxError('gateway.bad-request', `${what}: a list, where an object was expected`, { hint });
  const result = v.safeParse(schema, input, { abortPipeEarly: true });
  if (result.success) return result.output;
  const { path, message } = innermost(result.issues[0]);
  throw new PxError('gateway.bad-request', `${path ? `${what}, ${path}` : what}: ${message}`, {
    hint,
    ...(path ? { data: { param: path } } : {}),
  });
}

/** Where something takes this or that, what is wrong within the one that came nearest: `input.0.role` says more than `input`. */
function innermost(issue: v.BaseIssue<unknown>, above: string[] = []): { path: string; message: string } {
  const own = (issue.path ?? []).map((item) => String(item.key));
  const path = [...above, ...own];
  const depth = (one: v.BaseIssue<unknown>) => one.path?.length ?? 0;
  const [deepest] = (issue.issues ?? []).toSorted((a, b) => depth(b) - depth(a));
  if (deepest && depth(deepest) > 0) return innermost(deepest, path);
  return { path: path.join('.'), message: issue.message };
}

/** Query parameters as the schema wants them: numbers where it has numbers; a repeated or unknown name is refused. */
export function checkQuery(schema: Params, search: URLSearchParams): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const [name, value] of search) {
    const entry = schema.entries[name];
    if (!entry) throw new PxError('gateway.bad-request', `query: there is no parameter "${name.slice(0, 50)}"`);
    if (name in given) throw new PxError('gateway.bad-request', `query: "${name}" is given twice`);
    given[name] = wantsNumber(entry) && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  }
  return check(schema, given, 'query');
}

function wantsNumber(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  if ('pipe' in schema && Array.isArray(schema.pipe)) return wantsNumber(schema.pipe[0]);
  if ('wrapped' in schema) return wantsNumber(schema.wrapped);
  return 'type' in schema && schema.type === 'number';
}
