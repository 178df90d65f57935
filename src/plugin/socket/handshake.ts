/** The server did not make the connection a WebSocket. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
  /** HTTP status of its answer; 0 when that was none. */
  readonly status: number;
  /** Seconds after which it may be tried again, where the server says so. */
  readonly retryAfter: number | undefined;
  constructor(message: string, status = 0, retryAfter?: number) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Longest head of an answer, in bytes. */
const maxHead = 16_384;
const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The request that asks for a WebSocket, and what the server has to answer to it. No extension is offered: nothing comes packed. */
export async function writeHandshake(
  url: URL,
  headers: Headers,
  protocols: string[],
): Promise<{ request: Uint8Array; accept: string }> {
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64');
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
    ...(protocols.length > 0 ? [`Sec-WebSocket-Protocol: ${protocols.join(', ')}`] : []),
    ...(headers.has('user-agent') ? [] : ['User-Agent: px']),
    ...[...headers].map(([name, value]) => `${name}: ${value}`),
  ];
  const accept = new Bun.CryptoHasher('sha1').update(key + magic).digest('base64');
  return { request: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), accept };
}

/** What follows the head of the answer; undefined while the head is not whole. Throws {@link HandshakeError}; redirects are not followed. */
export function readHandshake(bytes: Uint8Array, accept: string, protocols: string[]): Uint8Array | undefined {
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf('\r\n\r\n');
  if ((end < 0 ? bytes.length : end) > maxHead) throw new HandshakeError('an answer with too long a head');
  if (end < 0) return undefined;
  const [first = '', ...lines] = Buffer.from(bytes.subarray(0, end)).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first)?.[1] ?? 0);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ''] = /^([^:\s]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) throw new HandshakeError('an answer that is not HTTP');
    headers.set(name.toLowerCase(), value);
  }
  const wait = /^\d+$/.exec(headers.get('retry-after') ?? '')?.[0];
  if (status !== 101)
    throw new HandshakeError(
      status === 0 ? 'an answer that is not HTTP' : `the server answered HTTP ${status}`,
      status,
      wait === undefined ? undefined : Number(wait),
    );
  const has = (name: string, wanted: string) =>
    (headers.get(name) ?? '').split(',').some((one) => one.trim().toLowerCase() === wanted);
  if (!has('upgrade', 'websocket') || !has('connection', 'upgrade') || headers.get('sec-websocket-accept') !== accept)
    throw new HandshakeError('the server does not speak WebSocket', status);
  const protocol = headers.get('sec-websocket-protocol');
  if (headers.has('sec-websocket-extensions') || (protocol !== undefined && !protocols.includes(protocol)))
    throw new HandshakeError('the server wants what was not offered', status);
  return bytes.subarray(end + 4);
}
