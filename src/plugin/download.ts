import { open } from 'node:fs/promises';
import { PxError } from '../error/error.ts';
import { BodyTooLarge, readBody } from './http/body.ts';

/** What a server answered. */
export interface Fetched {
  status: number;
  headers: Headers;
  bytes: Uint8Array;
}

/** Told how far a download has come, in bytes; `total` where the server says it. */
export type Told = (host: string, done: number, total?: number) => void;

const toldEveryMs = 150;
const wallMs = 60_000;
/** For a file of a hundred megabytes over a slow line. */
const longWallMs = 30 * 60_000;
const maxRedirects = 5;
const isLocal = (url: URL) => ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);

/**
 * Gets a file for a person who installs it. Encrypted, except from this machine; what is sent as proof of who asks goes to the
 * first place only. An error status comes without its body. Throws PxError `plugin.invalid`, `too-large`.
 */
export async function download(
  source: string,
  max: number,
  headers: Record<string, string> = {},
  told?: Told,
): Promise<Fetched> {
  const { host, response } = await reach(source, headers, AbortSignal.timeout(wallMs));
  if (!response.ok) return { status: response.status, headers: response.headers, bytes: new Uint8Array() };
  // fetch has unpacked it already: what is left to bound is its size.
  const bytes = await whole(host, max, () => readBody(new Response(bodyOf(host, response, told)), max));
  return { status: 200, headers: response.headers, bytes };
}

/** The same for a large file, straight onto the disk (0600). Throws PxError `not-found` too. */
export async function downloadTo(source: string, path: string, max: number, told?: Told): Promise<void> {
  const { host, response } = await reach(source, {}, AbortSignal.timeout(longWallMs));
  if (!response.ok)
    throw new PxError('not-found', `${source} is answered with ${response.status}.`, {
      retryable: response.status >= 500,
    });
  const file = await open(path, 'wx', 0o600);
  try {
    let size = 0;
    await whole(host, max, async () => {
      for await (const chunk of bodyOf(host, response, told) ?? []) {
        size += chunk.length;
        if (size > max) throw new BodyTooLarge();
        await file.writeFile(chunk);
      }
    });
  } finally {
    await file.close();
  }
}

/** Follows redirects to an answer, and says whose it is. One that is not ok has lost its body. */
async function reach(
  source: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<{ host: string; response: Response }> {
  const first = new URL(source);
  let url = first;
  for (let hop = 0; ; hop++) {
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal(url) && isLocal(first)))
      throw hop === 0
        ? new PxError('plugin.invalid', `${url.host} is asked without encryption`, { hint: 'Use an https URL.' })
        : new PxError('plugin.invalid', `${first.host} sends on to ${url.origin}, without encryption`);
    const { authorization, ...open } = headers;
    const sent = authorization !== undefined && url.origin === first.origin ? { ...open, authorization } : open;
    let response: Response;
    try {
      response = await fetch(url, { signal, redirect: 'manual', headers: sent });
    } catch (cause) {
      const { why, hint } = whyNot(cause);
      throw new PxError('plugin.invalid', `${url.host} cannot be reached: ${why}`, {
        cause,
        retryable: true,
        ...(hint === undefined ? {} : { hint }),
      });
    }
    const location = response.headers.get('location');
    if (location !== null && [301, 302, 303, 307, 308].includes(response.status)) {
      await response.body?.cancel();
      const next = URL.parse(location, url.href);
      if (!next || hop === maxRedirects) throw new PxError('plugin.invalid', `${url.host} sends on without end`);
      url = next;
      continue;
    }
    if (!response.ok) await response.body?.cancel();
    return { host: url.host, response };
  }
}

/** A body, counted where somebody wants to be told. */
function bodyOf(host: string, { body, headers }: Response, told?: Told): ReadableStream<Uint8Array> | null {
  return told && body ? body.pipeThrough(counted(host, headers, told)) : body;
}

/** Reads a body to its end, and says what is the matter when that fails. */
async function whole<T>(host: string, max: number, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof BodyTooLarge)
      throw new PxError('too-large', `${host} sends more than ${sizeOf(max)}`, { cause });
    const why = isTimeout(cause) ? 'takes too long' : 'broke off in the middle';
    throw new PxError('plugin.invalid', `${host} ${why}`, { cause, retryable: true, hint: 'Try again.' });
  }
}

/** Passes bytes on and tells how many there were, now and then. What was packed on its way has another size than announced. */
function counted(host: string, headers: Headers, told: Told): TransformStream<Uint8Array, Uint8Array> {
  const announced = headers.has('content-encoding') ? 0 : Number(headers.get('content-length') ?? 0);
  let done = 0;
  let last = 0;
  return new TransformStream({
    transform(chunk, controller) {
      done += chunk.length;
      if (performance.now() - last >= toldEveryMs) {
        last = performance.now();
        told(host, done, announced > 0 ? announced : undefined);
      }
      controller.enqueue(chunk);
    },
  });
}

const sizeOf = (bytes: number) =>
  bytes >= 1_048_576 ? `${Math.floor(bytes / 1_048_576)} MiB` : `${Math.ceil(bytes / 1024)} KiB`;
const isTimeout = (cause: unknown) => cause instanceof Error && cause.name === 'TimeoutError';

const untrusted =
  'Is it the right server? If its certificate is of an authority of your own: start px with NODE_EXTRA_CA_CERTS=FILE.pem';
/** What is the matter, by the runtime's code for it. */
const causes: Record<string, string> = {
  ENOTFOUND: 'nobody knows this name',
  EAI_AGAIN: 'nobody answers where names are asked for',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet (is the clock right?)',
};

/** Why nothing came, and what helps. */
function whyNot(cause: unknown): { why: string; hint?: string } {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const known = causes[code];
  if (known !== undefined) return { why: known };
  if (/^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/.test(code))
    return { why: 'nobody this machine trusts has signed its certificate', hint: untrusted };
  if (isTimeout(cause)) return { why: 'it does not answer' };
  const said = cause instanceof Error ? cause.message : String(cause);
  return {
    why: said.includes('Unable to connect')
      ? 'nothing listens there'
      : said.replace(/\.? For more information, .*$/s, ''),
  };
}
