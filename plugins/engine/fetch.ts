import { PlainAbortSignal, timeoutError } from './abort.ts';
import { Body, type BodyGiven, readBody } from './body.ts';
import { type HeadersGiven, PlainHeaders } from './headers.ts';
import { HttpError, px } from './px.ts';
import { lastTimer } from './timer.ts';
import { PlainUrl } from './url.ts';

interface RequestGiven {
  method?: string;
  headers?: HeadersGiven;
  body?: BodyGiven;
  redirect?: string;
  signal?: PlainAbortSignal | null;
}

const withoutBody = new Set(['GET', 'HEAD']);

/** As in browsers, for http and https. What only makes sense with a page (mode, credentials, cache) is taken and has no effect. */
export class PlainRequest extends Body {
  readonly method: string;
  readonly url: string;
  readonly headers: PlainHeaders;
  readonly redirect: string;
  readonly signal: PlainAbortSignal;

  constructor(input: string | PlainUrl | PlainRequest, init: RequestGiven = {}) {
    const from = input instanceof PlainRequest ? input : undefined;
    const { bytes, type } = init.body === undefined ? { bytes: from?.content, type: undefined } : readBody(init.body);
    super(bytes);
    this.method = usual(init.method ?? from?.method ?? 'GET');
    if (bytes && withoutBody.has(this.method)) throw new TypeError(`a ${this.method} request has no body`);
    this.url = from?.url ?? new PlainUrl(input instanceof PlainRequest ? input.url : input).href;
    this.headers = new PlainHeaders(init.headers ?? from?.headers);
    if (type && !this.headers.has('content-type')) this.headers.set('content-type', type);
    this.redirect = init.redirect ?? from?.redirect ?? 'follow';
    this.signal = init.signal ?? from?.signal ?? new PlainAbortSignal();
  }
  clone(): PlainRequest {
    if (this.bodyUsed) throw new TypeError('the body has been read already');
    return new PlainRequest(this);
  }
}

const usual = (method: string) =>
  /^(get|head|post|put|delete|options|patch)$/i.test(method) ? method.toUpperCase() : method;

/** As in browsers. */
export class PlainResponse extends Body {
  readonly status: number;
  readonly statusText: string;
  readonly headers: PlainHeaders;
  readonly type = 'default';
  readonly redirected = false;
  url = '';

  constructor(body?: BodyGiven, init: { status?: number; statusText?: string; headers?: HeadersGiven } = {}) {
    const { bytes, type } = readBody(body);
    super(bytes);
    this.status = init.status ?? 200;
    this.statusText = init.statusText ?? '';
    this.headers = new PlainHeaders(init.headers);
    if (type && !this.headers.has('content-type')) this.headers.set('content-type', type);
  }
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }
  clone(): PlainResponse {
    if (this.bodyUsed) throw new TypeError('the body has been read already');
    const { status, statusText, headers } = this;
    const made = new PlainResponse(this.content, { status, statusText, headers });
    made.url = this.url;
    return made;
  }
  static json(value: unknown, init: { status?: number; headers?: HeadersGiven } = {}): PlainResponse {
    const headers = new PlainHeaders(init.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new PlainResponse(JSON.stringify(value), { ...init, headers });
  }
}

/** Requests that follow each other: the host answers before this returns, under the plugin's grants. */
export async function hostFetch(input: string | PlainUrl | PlainRequest, init?: RequestGiven): Promise<PlainResponse> {
  const request = new PlainRequest(input, init);
  const { signal } = request;
  signal.throwIfAborted();
  if (request.redirect !== 'follow')
    throw new TypeError(`redirect: '${request.redirect}' is not to be had: px follows redirects to granted places`);
  const given = init?.signal ?? (input instanceof PlainRequest ? input.signal : undefined);
  const body = withoutBody.has(request.method) ? undefined : await request.bytes();
  // No timer can run during a request: what would end it is looked at before. A timer may be there to call `abort`.
  const until = given ? (given.deadline ?? lastTimer()) : undefined;
  try {
    const answer = px.httpRequest({
      method: request.method,
      url: request.url,
      headers: [...request.headers],
      ...(body?.length ? { body } : {}),
      ...(until === undefined ? {} : { timeoutMs: Math.max(1, until - px.now()) }),
    });
    const empty = [101, 204, 205, 304].includes(answer.status) || request.method === 'HEAD';
    const response = new PlainResponse(empty ? null : answer.body, {
      status: answer.status,
      headers: answer.headers,
    });
    response.url = request.url.replace(/#.*/s, '');
    return response;
  } catch (e) {
    if (!(e instanceof HttpError)) throw e;
    if (e.kind === 'timeout' && until !== undefined) {
      // Its timer is due now: it runs before what comes after this.
      await new Promise((resolve) => setTimeout(resolve, 0));
      signal.throwIfAborted();
      throw timeoutError();
    }
    throw new TypeError(`fetch failed: ${e.kind}: ${e.message}`, { cause: e });
  }
}
