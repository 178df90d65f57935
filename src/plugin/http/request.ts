import { PxError } from '../../error/error.ts';
import type { HeldFiles } from '../plugin.ts';
import { pinned } from './address.ts';
import { BodyTooLarge, keepBody, readBody, withFiles } from './body.ts';
import { asksForPart, isCredential, otherMethods, refuseHeaders, responseHeaders } from './header.ts';
import { secretsIn } from './placeholder.ts';
import {
  addressesOf,
  checkUrl,
  denied,
  fillHeaders,
  firstReachable,
  type HttpError,
  openUrl,
  parseUrl,
  type ReachOptions,
  Refusal,
  secretFor,
} from './reach.ts';
import { fillBody, holdsSecret } from './secret.ts';

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

/** What a request is made with. */
export interface HttpOptions extends ReachOptions {
  /** Largest body in either direction, in bytes. */
  maxBytes: number;
  /** Files in the body, and where the answer's is kept: what px does for a connector. */
  files?: HeldFiles;
  /** Does what was checked and filled in; the network when left out. */
  send?: Send | undefined;
}

/** Sends one request to a checked address; the name that was asked for stands in the header `host`. */
export type Send = (url: string, init: BunFetchRequestInit) => Promise<Response>;

const maxRedirects = 5;

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
    if (timeout.aborted || (thrown instanceof Error && thrown.name === 'TimeoutError')) return { err: 'timeout' };
    if (signal.aborted) return { err: { network: 'the call was stopped' } };
    // What Bun's fetch adds is a hint for its programmers.
    const message = (thrown instanceof Error ? thrown.message : String(thrown)).replace(
      /\.? For more information, .*$/s,
      '',
    );
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
  // Of a value that comes back piece by piece no piece would be known.
  if (asksForPart(request.headers) && holdsSecret(request))
    throw denied('a part of the answer to a request with a secret');

  let url = openUrl(request.url, method, options);
  for (const instead of otherMethods(request.headers)) checkUrl(url, instead, options);
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
      // As it was written too: in a host's name a URL has small letters only.
      if ([location, next.href].some((text) => secrets.scrub(text) !== text))
        throw denied('a redirect that carries a secret to another place');
      headers = headers.filter(([name, value]) => !isCredential(name) && secretsIn(value).length === 0);
    }
    if (response.status === 303 || (response.status < 303 && method === 'POST')) {
      method = method === 'HEAD' ? 'HEAD' : 'GET';
      body = undefined;
      headers = headers.filter(([name]) => !/^content-/i.test(name));
    }
    for (const one of [method, ...otherMethods(headers)]) checkUrl(next, one, options);
    url = next;
  }
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
  const deliver = options.send ?? fetch;
  return firstReachable(addresses, (address) =>
    deliver(pinned(url, address), {
      method,
      headers: filled,
      redirect: 'manual',
      decompress: false,
      // Not through a proxy the environment names: it would look the host up anew, past the check, and could read what is sent.
      proxy: false,
      signal,
      ...(bytes && method !== 'GET' && method !== 'HEAD' ? { body: bytes } : {}),
      ...(url.protocol === 'https:' ? { tls } : {}),
    }),
  );
}
