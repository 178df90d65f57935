import { hostPort } from '../http/address.ts';
import { createFrameReader, encodeFrame, type Frame, opcodes, ProtocolError } from './frame.ts';
import { readHandshake, writeHandshake } from './handshake.ts';

/** What a connection is made with; everything in it was checked. */
export interface Dial {
  url: URL;
  /** Where the connection goes. */
  address: string;
  headers: Headers;
  protocols: string[];
  /** Largest message, in bytes. */
  maxBytes: number;
  /** Certificates to trust besides the system's, as PEM. */
  ca: string | undefined;
}

/** How a connection ended: the code and the words of whoever closed it; 1006 when it just broke. */
export interface Ended {
  code: number;
  reason: string;
}

/** An open WebSocket. */
export interface Connection {
  /** The next text message; undefined once the connection has ended. What is not read is not taken off the network. */
  read(): Promise<string | undefined>;
  /** Sends a text message. What does not go out at once waits, up to a bound; past that the connection ends. */
  send(text: string): void;
  ping(): void;
  /** When something last came, as `performance.now()` counts. */
  readonly heard: number;
  /** Whether there is more to read than was asked for: what is not heard then may be on its way. */
  readonly behind: boolean;
  readonly ended: Ended | undefined;
  /** Says goodbye with this code and ends it. */
  close(code: number, reason?: string): void;
}

/** Bytes that may wait to be read, or to be sent. */
const mostWaiting = { in: 65_536, out: 4_194_304 };
/** Frames one message may be cut into. */
const mostFrames = 4_096;
/** How long the other side may take to say goodbye, in ms. */
const goodbyeMs = 2_000;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Opens a WebSocket to one address, over TLS with the URL's host as the name to be shown. It is px's own: the runtime's can bound
 * neither the size of a message nor what waits, and offers to unpack. Throws what the network or the handshake fails with.
 */
export async function dial(options: Dial, signal: AbortSignal): Promise<Connection> {
  const { url, maxBytes } = options;
  const reader = createFrameReader(maxBytes);
  const waiting: Uint8Array[] = [];
  let unsent = 0;
  let heard = performance.now();
  let ended: Ended | undefined;
  let paused = false;
  let head: Uint8Array[] | undefined = [];
  let wake = () => {};
  const upgraded = Promise.withResolvers<void>();
  const { request, accept } = await writeHandshake(url, options.headers, options.protocols);

  const end = (code: number, reason: string) => {
    ended ??= { code, reason };
    wake();
  };
  const fail = (error: Error) => {
    upgraded.reject(error);
    end(1006, error.message);
    socket?.terminate();
  };

  const flush = () => {
    while (socket && waiting[0]) {
      const sent = socket.write(waiting[0]);
      if (sent < 0) return;
      unsent -= sent;
      if (sent < waiting[0].length) {
        waiting[0] = waiting[0].subarray(sent);
        return;
      }
      waiting.shift();
    }
  };
  const write = (bytes: Uint8Array) => {
    if (ended) return;
    waiting.push(bytes);
    unsent += bytes.length;
    if (unsent > mostWaiting.out) return fail(new Error('the other side does not take what is sent'));
    flush();
  };

  const take = (chunk: Uint8Array) => {
    heard = performance.now();
    if (head) {
      head.push(chunk);
      let rest: Uint8Array | undefined;
      try {
        rest = readHandshake(Buffer.concat(head), accept, options.protocols);
      } catch (thrown) {
        return fail(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
      if (!rest) return;
      head = undefined;
      upgraded.resolve();
      if (rest.length > 0) reader.push(rest);
    } else reader.push(chunk);
    if (!paused && reader.size > Math.max(mostWaiting.in, reader.needs)) {
      paused = true;
      socket?.pause();
    }
    wake();
  };

  const port = Number(hostPort(url).split(':').at(-1));
  const secure = url.protocol === 'wss:';
  const closed = (error?: Error | null) => fail(error ?? new Error('the connection was closed'));
  let socket: Bun.Socket<undefined> | undefined;
  socket = await Bun.connect({
    hostname: options.address,
    port,
    ...(secure
      ? {
          tls: {
            serverName: url.hostname,
            rejectUnauthorized: true,
            ...(options.ca === undefined ? {} : { ca: options.ca }),
          },
        }
      : {}),
    socket: {
      open(opened) {
        socket = opened;
        if (!secure) write(request);
      },
      handshake(opened, success, error) {
        socket = opened;
        // Nothing is said before it is known who listens.
        if (success && opened.authorized && !error) write(request);
        else fail(error ?? new Error('the certificate was not accepted'));
      },
      data: (_, chunk) => take(chunk),
      drain: flush,
      end: () => closed(),
      close: (_, error) => closed(error),
      error: (_, error) => closed(error),
    },
  });
  const stop = () => fail(new Error('stopped'));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await upgraded.promise;
  } finally {
    signal.removeEventListener('abort', stop);
  }

  const goodbye = (code: number, reason: string) => {
    if (ended) return;
    const words = Buffer.from(reason).subarray(0, 120);
    const payload = Buffer.alloc(2 + words.length);
    payload.writeUInt16BE(code);
    payload.set(words, 2);
    write(encodeFrame(opcodes.close, payload));
    end(code, reason);
    socket?.end();
    // A paused connection never sees that the other side has closed it.
    setTimeout(() => socket?.terminate(), goodbyeMs).unref();
  };

  /** One frame: the text it completes, or nothing. */
  const parts: Uint8Array[] = [];
  let partBytes = 0;
  const handle = ({ opcode, last, payload }: Frame): string | undefined => {
    switch (opcode) {
      case opcodes.ping:
        write(encodeFrame(opcodes.pong, payload));
        return undefined;
      case opcodes.pong:
        return undefined;
      case opcodes.close: {
        const code = payload.length >= 2 ? new DataView(payload.buffer, payload.byteOffset).getUint16(0) : 1005;
        const reason = new TextDecoder().decode(payload.subarray(2));
        if (!ended) write(encodeFrame(opcodes.close, payload.subarray(0, 2)));
        end(code, reason);
        socket?.end();
        return undefined;
      }
      case opcodes.binary:
        throw new ProtocolError(1003, 'a binary message');
      default:
        if ((opcode === opcodes.text) !== (parts.length === 0))
          throw new ProtocolError(1002, 'messages that are mixed up');
        parts.push(payload);
        partBytes += payload.length;
        if (partBytes > maxBytes) throw new ProtocolError(1009, `a message of more than ${maxBytes} bytes`);
        if (parts.length > mostFrames) throw new ProtocolError(1008, 'a message in too many pieces');
        if (!last) return undefined;
        return decoded(parts.splice(0));
    }
  };
  const decoded = (pieces: Uint8Array[]): string => {
    partBytes = 0;
    try {
      return utf8.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
    } catch {
      throw new ProtocolError(1007, 'a text that is not UTF-8');
    }
  };

  return {
    get heard() {
      return heard;
    },
    get behind() {
      return paused || reader.size > 0;
    },
    get ended() {
      return ended;
    },
    async read() {
      for (;;) {
        if (ended && ended.code !== 1006) return undefined;
        try {
          const frame = reader.next();
          if (frame) {
            const text = handle(frame);
            if (text !== undefined) return text;
            continue;
          }
        } catch (thrown) {
          if (!(thrown instanceof ProtocolError)) throw thrown;
          goodbye(thrown.code, thrown.message);
          return undefined;
        }
        // A connection that broke is still read to its end.
        if (ended) return undefined;
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        if (paused) {
          paused = false;
          socket?.resume();
        }
        await promise;
      }
    },
    send: (text) => write(encodeFrame(opcodes.text, new TextEncoder().encode(text))),
    ping: () => write(encodeFrame(opcodes.ping, new Uint8Array())),
    close: (code, reason = '') => goodbye(code, reason),
  };
}
