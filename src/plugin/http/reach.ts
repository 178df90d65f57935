import type { PluginConfig } from '../../config/config.ts';
import { checkAddress, checkEgress, parseEgress, secretMayGo } from '../../policy/policy.ts';
import type { Secrets } from '../../secret/secret.ts';
import { hostPort, literalAddress, type Resolve } from './address.ts';
import { isHeaderValue } from './header.ts';
import { fillHeader, readUrlSecrets, type ValueAt } from './secret.ts';

/** host-api's `http-error`. */
export type HttpError = { denied: string } | 'timeout' | { 'too-large': number } | { network: string };

/** Under what a plugin reaches out, by request or by WebSocket: the same checks hold for both. */
export interface ReachOptions {
  /** What the plugin may do at this moment. */
  grants: PluginConfig['grants'];
  secrets: Secrets;
  resolve: Resolve;
  /** Certificates to trust besides the system's, as PEM. */
  ca?: string;
}

/** Ends a request with a typed error. */
export class Refusal extends Error {
  readonly error: HttpError;
  constructor(error: HttpError) {
    super(JSON.stringify(error));
    this.error = error;
  }
}

/** A refusal that names the rule that is missing. */
export const denied = (reason: string) => new Refusal({ denied: reason });

const maxUrl = 8192;
const schemes = { http: /^https?:$/, ws: /^wss?:$/ };

/** A URL of a request (`http`) or a WebSocket (`ws`), absolute or relative to `base`. Throws {@link Refusal}. */
export function parseUrl(text: string, base?: URL, family: keyof typeof schemes = 'http'): URL {
  if (text.length > maxUrl) throw denied('a URL that is too long');
  const url = URL.parse(text, base?.href);
  if (!url || !schemes[family].test(url.protocol)) throw denied(`a URL that is not ${family} or ${family}s`);
  if (url.username !== '' || url.password !== '') throw denied('a URL with a user name or password in it');
  url.hash = '';
  return url;
}

/** Throws {@link Refusal} when no rule allows it. */
export function checkUrl(url: URL | string, method: string, options: ReachOptions): void {
  const verdict = checkEgress(options.grants.egress.map(parseEgress), method, url);
  if (!verdict.allow) throw denied(options.secrets.scrub(verdict.reason));
}

/**
 * The guest's URL with its secrets in place. Rules are checked with a word in the place of each secret, so that a value can neither
 * choose the host nor satisfy a path, and once more on what is really asked for. Throws {@link Refusal}.
 */
export function openUrl(
  template: string,
  method: string,
  options: ReachOptions,
  family: keyof typeof schemes = 'http',
): URL {
  const parse = (text: string) => parseUrl(text, undefined, family);
  const { shown, text, open } = readUrlSecrets(template, parse);
  // As text, so that what two programs could read differently is refused.
  checkUrl(text, method, options);
  if (text === template) return shown;
  const url = parse(open(secretFor(shown, options)));
  if (url.origin !== shown.origin) throw denied('a secret that changes where a URL points');
  checkUrl(url, method, options);
  return url;
}

/** Gives a secret's value, when it may go into this place of a request for this URL. */
export function secretFor(url: URL, options: ReachOptions): ValueAt {
  return (name, place) => {
    const verdict = secretMayGo(options.grants.secrets, name, url, place);
    if (!verdict.allow) throw denied(verdict.reason);
    const value = options.secrets.get(name);
    if (value === undefined) throw denied(`the secret ${name} is not set (px secret set ${name})`);
    return value;
  };
}

/** Headers with their secrets, each checked against this very hop. */
export function fillHeaders(headers: [string, string][], url: URL, options: ReachOptions): Headers {
  const filled = new Headers();
  for (const [name, value] of headers) {
    const full = fillHeader(name, value, secretFor(url, options));
    if (!isHeaderValue(full)) throw denied(`the value of the header ${name.toLowerCase()}`);
    filled.append(name, full);
  }
  return filled;
}

/** The addresses of a hop, every one of them checked: a name that also points inside is refused as a whole. */
export async function addressesOf(url: URL, options: ReachOptions, signal: AbortSignal): Promise<string[]> {
  const literal = literalAddress(url.hostname);
  const addresses = literal === undefined ? await lookUp(url.hostname, options, signal) : [literal];
  if (addresses.length === 0) throw new Refusal({ network: `${url.hostname} has no address` });
  for (const address of addresses) {
    const verdict = checkAddress(address, hostPort(url), options.grants.private_hosts);
    if (!verdict.allow) throw denied(verdict.reason);
  }
  return addresses.slice(0, 4);
}

/** Connection failures after which another address of the same host may be tried: nothing has been sent yet. */
const unreachable = /^(ConnectionRefused|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL)$/;

/** Tries one address after the other until one can be reached. Throws what the last one failed with. */
export async function firstReachable<T>(addresses: string[], reach: (address: string) => Promise<T>): Promise<T> {
  for (const [i, address] of addresses.entries()) {
    try {
      return await reach(address);
    } catch (thrown) {
      const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
      if (i === addresses.length - 1 || !unreachable.test(code)) throw thrown;
    }
  }
  throw new Refusal({ network: 'the host has no address' });
}

async function lookUp(host: string, options: ReachOptions, signal: AbortSignal): Promise<string[]> {
  const stopped = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true }),
  );
  try {
    return await Promise.race([options.resolve(host), stopped]);
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new Refusal({ network: `${host} cannot be found` });
  }
}
