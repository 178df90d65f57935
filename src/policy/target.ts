import { PxError } from '../error/error.ts';
import type { Verdict } from './policy.ts';

/** How a place is spoken to; a WebSocket has to be granted as one. */
export type Scheme = 'http' | 'https' | 'ws' | 'wss';

/** A place on the network a rule names: everything below a path of one host, or of all its subdomains. */
export interface Target {
  scheme: Scheme;
  /** `api.example.com`, `*.example.com`, or `*` for any. */
  host: string;
  port: number;
  pathPrefix: string;
}

const defaultPort: Record<Scheme, number> = { http: 80, https: 443, ws: 80, wss: 443 };

/** The port a scheme means when none is written. */
export function usualPort(scheme: Scheme): number {
  return defaultPort[scheme];
}

const isScheme = (text: string): text is Scheme => Object.hasOwn(defaultPort, text);

/** Reads `https://*.example.com:8443/v1/`. Throws PxError `config.invalid` that says what is wrong with it. */
export function parseTarget(text: string, whole = text): Target {
  const wrong = (why: string, hint: string) =>
    new PxError('config.invalid', `${JSON.stringify(whole)}: ${why}`, { hint, data: { expected: hint } });
  const example = 'Write a rule like `GET,POST https://api.example.com/v1/`.';
  const match = /^(https?|wss?):\/\/([^/?#\\\s@]+)(\/[^?#\\\s]*)?$/.exec(text);
  if (!match)
    throw wrong('is not scheme://host/path', `${example} A user name, \`?\`, \`#\` and spaces have no place in it.`);
  const [, scheme = '', authority = '', path = '/'] = match;
  if (!isScheme(scheme)) throw wrong('is neither http, https, ws nor wss', example);
  const [, wildcard = '', rest = ''] = /^(\*\.)?(.*)$/.exec(authority) ?? [];
  const anyHost = wildcard === '' && /^\*(?::\d+)?$/.test(rest);
  if (!anyHost && rest.includes('*'))
    throw wrong('a `*` stands inside its host', 'Only `*.` at the beginning is a wildcard.');
  const url = URL.parse(`${scheme}://${anyHost ? rest.replace('*', 'any.invalid') : rest}${path}`);
  if (!url || url.port === '0') throw wrong('has no valid host or port', example);
  const written = rest.replace(/:\d+$/, '').toLowerCase();
  // What a browser would silently turn into another host (1.2.3 → 1.2.0.3, аpi → xn--pi-7kc) is not what was read and granted.
  if (!anyHost && url.hostname !== written)
    throw wrong(
      `its host means ${url.hostname}`,
      `If that is right, write ${url.hostname}; otherwise beware of look-alikes.`,
    );
  if (written.endsWith('.')) throw wrong('its host ends with a dot', 'Leave the dot out.');
  if (wildcard !== '' && (!/^[^.]+\.[^.]/.test(written) || /^[\d.]+$|^\[/.test(written)))
    throw wrong('the wildcard covers too much', '`*.` stands before a name of at least two parts: `*.example.com`.');
  const unsafe = pathProblem(path);
  if (unsafe !== undefined || url.pathname !== path)
    throw wrong(unsafe ?? 'its path is not in plain form', `Write the path as ${url.pathname}.`);
  return {
    scheme,
    host: anyHost ? '*' : wildcard + url.hostname,
    port: url.port === '' ? defaultPort[scheme] : Number(url.port),
    pathPrefix: url.pathname,
  };
}

/**
 * A URL as text or URL, ready to be matched; a reason when it is written in a way that two programs could read differently.
 */
export function readUrl(url: URL | string): { url: URL; port: number } | { reason: string } {
  if (typeof url === 'string' && /[\\\u0000-\u0020\u007f]/.test(url))
    return { reason: 'a URL with a backslash, a space or a control character' };
  const parsed = typeof url === 'string' ? URL.parse(url) : url;
  if (!parsed) return { reason: 'not a URL' };
  const scheme = parsed.protocol.slice(0, -1);
  if (!isScheme(scheme)) return { reason: `${scheme} is neither http, https, ws nor wss` };
  if (typeof url === 'string' && !/^(?:https?|wss?):\/\/[^/]/i.test(url)) return { reason: 'not scheme://host/path' };
  if (parsed.username !== '' || parsed.password !== '') return { reason: 'a user name or password stands in the URL' };
  if (parsed.hostname.endsWith('.')) return { reason: 'the host ends with a dot' };
  return { url: parsed, port: parsed.port === '' ? defaultPort[scheme] : Number(parsed.port) };
}

/** Whether a URL from {@link readUrl} is at a target. */
export function matchTarget(target: Target, { url, port }: { url: URL; port: number }): Verdict {
  const no = (reason: string): Verdict => ({ allow: false, reason });
  if (url.protocol !== `${target.scheme}:`) return no(`the scheme is ${url.protocol.slice(0, -1)}`);
  if (!hostMatches(target.host, url.hostname)) return no(`the host is ${url.hostname}`);
  if (port !== target.port) return no(`the port is ${port}`);
  if (target.pathPrefix === '/') return { allow: true };
  const problem = pathProblem(url.pathname);
  if (problem !== undefined) return no(problem);
  return url.pathname.startsWith(target.pathPrefix) ? { allow: true } : no('the path is outside');
}

function hostMatches(rule: string, host: string): boolean {
  if (rule === '*') return true;
  // `.example.com` has to be at the end and something before it: neither example.com itself nor notexample.com.
  if (rule.startsWith('*.')) return host.endsWith(rule.slice(1)) && host.length > rule.length - 1;
  return host === rule;
}

/** A dot or slash in more bytes of UTF-8 than it needs (`%c0%ae`), or in the form of some Windows servers (`%u002e`). */
const overlong = /[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]|%u[0-9a-fA-F]{4}/;

/**
 * Why a path could be read as another one by the server behind it. URL parsing has already resolved `..` and `%2e%2e`; what is
 * left are dots behind an encoded slash or backslash (`/v1/..%2f..%2fadmin`), also encoded twice.
 */
function pathProblem(path: string): string | undefined {
  let decoded = path;
  for (let i = 0; i < 4; i++) {
    if (/%00|\0/.test(decoded)) return 'a zero byte stands in the path';
    if (overlong.test(decoded)) return 'a character of the path is written in a form that only some servers read';
    const segments = decoded.replaceAll('\\', '/').split('/');
    if (segments.some((segment) => /^\.\.?(?:;.*)?$/.test(segment))) return 'the path climbs out of itself';
    const next = decoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    if (next === decoded) return undefined;
    decoded = next;
  }
  return 'the path is encoded too many times';
}
