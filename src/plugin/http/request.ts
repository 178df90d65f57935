import type { PluginConfig } from '../../config/config.ts';
import { PxError } from '../../error/error.ts';
import { checkAddress, checkEgress, parseEgress, secretMayGo } from '../../policy/policy.ts';
import type { Secrets } from '../../secret/secret.ts';
import type { HeldFiles } from '../plugin.ts';
import { hostPort, literalAddress, pinned, type Resolve } from './address.ts';
import { BodyTooLarge, keepBody, readBody, withFiles } from './body.ts';
import { isCredential, isHeaderValue, refuseHeaders, responseHeaders } from './header.ts';
import { secretsIn } from './placeholder.ts';
import { fillBody, fillHeader, readUrlSecrets, type ValueAt } from './secret.ts';

/** One request as a guest asks for it: secrets are still placeholders. */
export interface GuestRequest {
  method: string;
  url: string;
  headers: [string, string][];
  body: Uint8Array | undefined;
  timeoutMs: number;
}

/** What the guest gets, scrubbed of secrets. */
export interface GuestResponse {
  status: number;
  headers: [string, string][];
  body: Uint8Array;
}

/** host-api's `http-error`. */
export type HttpError = { denied: string } | 'timeout' | { 'too-large': number } | { network: string };

export interface HttpOptions {
  /** What the plugin may do at this moment. */
  grants: PluginConfig['grants'];
  secrets: Secrets;
  resolve: Resolve;
  /** Largest body in either direction, in bytes. */
  maxBytes: number;
  /** Files in the body, and where the answer's is kept: what px does for a connector. */
  files?: HeldFiles;
  /** Certificates to trust besides the system's, as PEM. */
  ca?: string;
}

const maxRedirects = 5;
const maxUrl = 8192;
/** Connection failures after which another address of the same host may be tried: nothing has been sent yet. */
const unreachable = /^(ConnectionRefused|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL)$/;

/** Ends a request with a typed error. */
class Refusal extends Error {
  readonly error: HttpError;
  constructor(error: HttpError) {
    super(JSON.stringify(error));
    this.error = error;
  }
}
const denied = (reason: string) => new Refusal({ denied: reason });

/**
 * Does a request under a plugin's grants. Each hop is checked anew: the rule, then every address of its host, and the connection
 * goes to the checked address. Secrets are filled in on the way out, each only to where it is granted. Never throws.
 */
export async function guestRequest(
  request: GuestRequest,
  options: HttpOptions,
  signal: AbortSignal,
): Promise<{ ok: GuestResponse } | { err: HttpError }> {
  const timeout = AbortSignal.timeout(request.timeoutMs);
  const both = AbortSignal.any([signal, timeout]);
  try {
    return { ok: await follow(request, options, both) };
  } catch (thrown) {
    if (thrown instanceof Refusal) return { err: thrown.error };
    if (thrown instanceof BodyTooLarge)
      return { err: { 'too-large': options.files?.into?.maxBytes ?? options.maxBytes } };
    // A rule in px.yaml that cannot be read allows nothing.
    if (thrown instanceof PxError) return { err: { denied: thrown.message } };
    if (timeout.aborted) return { err: 'timeout' };
    if (signal.aborted) return { err: { network: 'the call was stopped' } };
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return { err: { network: options.secrets.scrub(message).slice(0, 500) } };
  }
}

async function follow(request: GuestRequest, options: HttpOptions, signal: AbortSignal): Promise<GuestResponse> {
  const { secrets } = options;
  let method = request.method.toUpperCase();
  if (!/^[A-Z]{1,20}$/.test(method) || method === 'CONNECT' || method === 'TRACE')
    throw denied(`the method ${method.slice(0, 20)}`);
  const wrong = refuseHeaders(request.headers);
  if (wrong) throw denied(wrong);
  if ((request.body?.length ?? 0) > options.maxBytes) throw new Refusal({ 'too-large': options.maxBytes });

  let url = openUrl(request.url, method, options);
  let headers = request.headers;
  let body = request.body;
  for (let hop = 0; ; hop++) {
    const response = await send(url, method, headers, body, options, signal);
    const location = response.headers.get('location');
    if (location === null || ![301, 302, 303, 307, 308].includes(response.status)) {
      const into = response.ok ? options.files?.into : undefined;
      return {
        status: response.status,
        headers: responseHeaders(response.headers, secrets.scrub),
        body: into ? await keepBody(response, into) : secrets.scrubBytes(await readBody(response, options.maxBytes)),
      };
    }
    await response.body?.cancel();
    if (hop === maxRedirects) throw new Refusal({ network: `more than ${maxRedirects} redirects` });
    const next = parseUrl(location, url);
    if (next.origin !== url.origin) {
      if (secrets.scrub(next.href) !== next.href) throw denied('a redirect that carries a secret to another place');
      headers = headers.filter(([name, value]) => !isCredential(name) && secretsIn(value).length === 0);
    }
    if (response.status === 303 || (response.status < 303 && method === 'POST')) {
      method = method === 'HEAD' ? 'HEAD' : 'GET';
      body = undefined;
      headers = headers.filter(([name]) => !/^content-/i.test(name));
    }
    checkUrl(next, method, options);
    url = next;
  }
}

function parseUrl(text: string, base?: URL): URL {
  if (text.length > maxUrl) throw denied('a URL that is too long');
  const url = URL.parse(text, base?.href);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw denied('a URL that is not http or https');
  if (url.username !== '' || url.password !== '') throw denied('a URL with a user name or password in it');
  url.hash = '';
  return url;
}

function checkUrl(url: URL | string, method: string, options: HttpOptions): void {
  const verdict = checkEgress(options.grants.egress.map(parseEgress), method, url);
  if (!verdict.allow) throw denied(options.secrets.scrub(verdict.reason));
}

/**
 * The guest's URL with its secrets in place. Rules are checked with a word in the place of each secret, so that a value can neither
 * choose the host nor satisfy a path, and once more on what is really asked for.
 */
function openUrl(template: string, method: string, options: HttpOptions): URL {
  const { shown, text, open } = readUrlSecrets(template, parseUrl);
  // As text, so that what two programs could read differently is refused.
  checkUrl(text, method, options);
  if (text === template) return shown;
  const url = parseUrl(open(secretFor(shown, options)));
  if (url.origin !== shown.origin) throw denied('a secret that changes where a URL points');
  checkUrl(url, method, options);
  return url;
}

/** Gives a secret's value, when it may go into this place of a request for this URL. */
function secretFor(url: URL, options: HttpOptions): ValueAt {
  return (name, place) => {
    const verdict = secretMayGo(options.grants.secrets, name, url, place);
    if (!verdict.allow) throw denied(verdict.reason);
    const value = options.secrets.get(name);
    if (value === undefined) throw denied(`the secret ${name} is not set (px secret set ${name})`);
    return value;
  };
}

/** Headers with their secrets, each checked against this very hop. */
function fillHeaders(headers: [string, string][], url: URL, options: HttpOptions): Headers {
  const filled = new Headers();
  for (const [name, value] of headers) {
    const full = fillHeader(name, value, secretFor(url, options));
    if (!isHeaderValue(full)) throw denied(`the value of the header ${name.toLowerCase()}`);
    filled.append(name, full);
  }
  return filled;
}

async function send(
  url: URL,
  method: string,
  headers: [string, string][],
  body: Uint8Array | undefined,
  options: HttpOptions,
  signal: AbortSignal,
): Promise<Response> {
  const filled = fillHeaders(headers, url, options);
  const own = body && fillBody(body, filled.get('content-type') ?? undefined, secretFor(url, options));
  const bytes = own && (await withFiles(own, options.files?.out));
  filled.set('host', url.host);
  filled.set('accept-encoding', 'gzip');
  if (!filled.has('user-agent')) filled.set('user-agent', 'px');
  const addresses = await addressesOf(url, options, signal);
  const tls = {
    serverName: url.hostname,
    rejectUnauthorized: true,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  };
  for (const [i, address] of addresses.entries()) {
    try {
      return await fetch(pinned(url, address), {
        method,
        headers: filled,
        redirect: 'manual',
        decompress: false,
        // Not through a proxy the environment names: it would look the host up anew, past the check, and could read what is sent.
        proxy: false,
        signal,
        ...(bytes && method !== 'GET' && method !== 'HEAD' ? { body: bytes } : {}),
        ...(url.protocol === 'https:' ? { tls } : {}),
      });
    } catch (thrown) {
      const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
      if (i === addresses.length - 1 || !unreachable.test(code)) throw thrown;
    }
  }
  throw new Refusal({ network: 'the host has no address' });
}

/** The addresses of a hop, every one of them checked: a name that also points inside is refused as a whole. */
async function addressesOf(url: URL, options: HttpOptions, signal: AbortSignal): Promise<string[]> {
  const literal = literalAddress(url.hostname);
  const addresses = literal === undefined ? await lookUp(url.hostname, options, signal) : [literal];
  if (addresses.length === 0) throw new Refusal({ network: `${url.hostname} has no address` });
  for (const address of addresses) {
    const verdict = checkAddress(address, hostPort(url), options.grants.private_hosts);
    if (!verdict.allow) throw denied(verdict.reason);
  }
  return addresses.slice(0, 4);
}

async function lookUp(host: string, options: HttpOptions, signal: AbortSignal): Promise<string[]> {
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
