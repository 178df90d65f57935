import type { Verdict } from './policy.ts';
import { matchTarget, parseTarget, readUrl, type Target } from './target.ts';

/** One place of a request: `header`, `bearer` and `basic` (of `Authorization`), `query`, `path`, `body`. */
export interface SecretPlace {
  in: 'header' | 'bearer' | 'basic' | 'query' | 'path' | 'body';
  /** A header's name in small letters, a query's or a body's field; left out: any. */
  name?: string;
}

/** One line of `grants.secrets`: where a secret may go. No places means any. */
interface SecretTarget {
  places: SecretPlace[];
  target: Target;
}

/** Reads `bearer,query:key https://api.example.com/v1/`. Throws PxError `config.invalid`. */
export function parseSecretTarget(text: string): SecretTarget {
  const [, words, url = text] = /^([a-z]\S*)\s+(\S+)$/.exec(text.trim()) ?? [];
  return { places: words === undefined ? [] : words.split(',').map(placeOf), target: parseTarget(url, text) };
}

function placeOf(word: string): SecretPlace {
  const colon = word.indexOf(':');
  const kind = colon < 0 ? word : word.slice(0, colon);
  const name = colon < 0 ? undefined : word.slice(colon + 1);
  // The config's own schema has checked it; a word nobody knows covers nothing.
  return {
    in: kind as SecretPlace['in'],
    ...(name === undefined ? {} : { name: kind === 'header' ? name.toLowerCase() : name }),
  };
}

/** Whether a secret may be sent to a URL, in this place of the request, by what `grants.secrets` says. */
export function secretMayGo(
  grants: Record<string, string[]>,
  name: string,
  url: URL | string,
  place?: SecretPlace,
): Verdict {
  const lines = Object.hasOwn(grants, name) ? (grants[name] ?? []) : [];
  if (lines.length === 0) return { allow: false, reason: `the secret ${name} is not granted` };
  const read = readUrl(url);
  if ('reason' in read) return { allow: false, reason: `the secret ${name} may not go there: ${read.reason}` };
  const there = lines.map(parseSecretTarget).filter(({ target }) => matchTarget(target, read).allow);
  if (there.length === 0)
    return { allow: false, reason: `the secret ${name} may not go to ${read.url.protocol}//${read.url.host}` };
  if (there.some(({ places }) => places.length === 0 || (place && places.some((one) => placeCovers(one, place)))))
    return { allow: true };
  const allowed = [...new Set(there.flatMap(({ places }) => places.map(placeText)))].join(', ');
  const where = place ? placeText(place) : 'a place that is not plain';
  return { allow: false, reason: `the secret ${name} may not go into ${where} there, only into ${allowed}` };
}

/** Whether what is granted for one place holds for another: `header` also for `bearer`, `query` for `query:key`. */
export function placeCovers(granted: SecretPlace, place: SecretPlace): boolean {
  if (granted.in === place.in) return granted.name === undefined || granted.name === place.name;
  const authorization = place.in === 'bearer' || place.in === 'basic';
  return granted.in === 'header' && authorization && (granted.name ?? 'authorization') === 'authorization';
}

/** `query:key`, as a grant has it. */
function placeText({ in: kind, name }: SecretPlace): string {
  return name === undefined ? kind : `${kind}:${name}`;
}
