import { PxError } from '../error/error.ts';
import type { EgressRule, Verdict } from './policy.ts';
import { matchTarget, parseTarget, readUrl } from './target.ts';

/** Rules that were read, by their text: each request is checked against them. */
const known = new Map<string, EgressRule>();
const mostKnown = 500;

/**
 * Reads a rule of `grants.egress`: `GET,POST https://api.example.com/v1/`. No methods means GET, `*` all of them.
 * Throws PxError `config.invalid` with a hint.
 */
export function parseEgress(rule: string): EgressRule {
  const found = known.get(rule);
  if (found) return found;
  const read = readRule(rule);
  if (known.size >= mostKnown) known.clear();
  known.set(rule, read);
  return read;
}

function readRule(rule: string): EgressRule {
  const match = /^(?:(\S+)\s+)?(\S+)$/.exec(rule.trim());
  const methods = (match?.[1] ?? 'GET').toUpperCase().split(',');
  const bad = methods.find((method) => method !== '*' && !/^[A-Z]{1,20}$/.test(method));
  if (!match?.[2] || bad !== undefined)
    throw new PxError('config.invalid', `${JSON.stringify(rule)} is no egress rule`, {
      hint: 'Write methods, a space and a URL: `GET,POST https://api.example.com/v1/`.',
    });
  return { methods: [...new Set(methods)], ...parseTarget(match[2], rule) };
}

/** Whether one of the rules lets this request out. Redirects have to be asked again. */
export function checkEgress(rules: EgressRule[], method: string, url: URL | string): Verdict {
  const read = readUrl(url);
  if ('reason' in read) return { allow: false, reason: `not allowed: ${read.reason}` };
  const verb = method.toUpperCase();
  const place = `${verb} ${read.url.protocol}//${read.url.host}${read.url.pathname}`;
  let closest: string | undefined;
  for (const rule of rules) {
    const verdict = matchTarget(rule, read);
    if (!verdict.allow) {
      if (sameHost(rule, read.url)) closest = verdict.reason;
      continue;
    }
    if (rule.methods.includes('*') || rule.methods.includes(verb)) return verdict;
    closest = `${rule.methods.join(', ')} only`;
  }
  const why = closest === undefined ? '' : ` (${closest})`;
  return { allow: false, reason: `no egress rule allows ${place}${why}` };
}

function sameHost(rule: EgressRule, url: URL): boolean {
  return rule.host === url.hostname;
}
