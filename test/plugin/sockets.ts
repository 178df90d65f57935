import { encodeFrame } from '../../src/plugin/socket/frame.ts';

/** A WebSocket server on bare TCP, so that a test can say what no proper server says. */
export interface RawServer extends AsyncDisposable {
  port: number;
  /** Heads of the requests that came. */
  heads: string[];
  /** Texts that clients sent, unmasked. */
  texts: string[];
  /** Codes clients closed with. */
  closes: number[];
  pings: number;
  /** Bytes that were written so far and taken by the network. */
  written: number;
  /** Sends bytes as they are to the latest client. */
  raw(bytes: Uint8Array): void;
  /** Sends a text message. */
  say(text: string): void;
  /** Cuts the latest connection. */
  cut(): void;
}

/** How a server answers the handshake. */
export type Answer = (accept: string, head: string) => string;
const upgrade: Answer = (accept) =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;

/** A frame of a server: not masked. */
export function serverFrame(opcode: number, payload: Uint8Array | string, { last = true, rsv = 0 } = {}): Uint8Array {
  const body = Buffer.from(payload as string);
  const head =
    body.length < 126
      ? Buffer.from([0, body.length])
      : body.length < 65_536
        ? Buffer.from([0, 126, body.length >> 8, body.length & 255])
        : Buffer.concat([Buffer.from([0, 127]), bigLength(body.length)]);
  head[0] = (last ? 0x80 : 0) | (rsv << 4) | opcode;
  return Buffer.concat([head, body]);
}

function bigLength(length: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(length));
  return out;
}

/** The masked frame of a client, as an impostor of a server would send it. */
export const maskedFrame = (text: string) => encodeFrame(1, Buffer.from(text));

/** Starts a server. */
export async function rawServer(answer: Answer = upgrade, tls?: { cert: string; key: string }): Promise<RawServer> {
  let latest: Bun.Socket<{ head: string; buffer: Buffer }> | undefined;
  let unsent: Buffer[] = [];
  const flush = () => {
    while (latest && unsent[0]) {
      const sent = latest.write(unsent[0]);
      server.written += Math.max(0, sent);
      if (sent < unsent[0].length) {
        unsent[0] = unsent[0].subarray(Math.max(0, sent));
        return;
      }
      unsent.shift();
    }
  };
  const listener = Bun.listen<{ head: string; buffer: Buffer }>({
    hostname: '127.0.0.1',
    port: 0,
    ...(tls ? { tls } : {}),
    socket: {
      open(socket) {
        socket.data = { head: '', buffer: Buffer.alloc(0) };
        latest = socket;
        unsent = [];
      },
      data(socket, chunk) {
        const state = socket.data;
        if (!state.head) {
          state.head = chunk.toString();
          server.heads.push(state.head);
          const key = /sec-websocket-key: (\S+)/i.exec(state.head)?.[1] ?? '';
          const accept = new Bun.CryptoHasher('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
          socket.write(answer(accept.digest('base64'), state.head));
          return;
        }
        state.buffer = Buffer.concat([state.buffer, chunk]);
        state.buffer = read(state.buffer);
      },
      drain: flush,
    },
  });
  const read = (buffer: Buffer): Buffer => {
    if (buffer.length < 6) return buffer;
    const short = (buffer[1] ?? 0) & 127;
    const extra = short < 126 ? 0 : short === 126 ? 2 : 8;
    const length = extra === 0 ? short : extra === 2 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
    const start = 2 + extra + 4;
    if (buffer.length < start + length) return buffer;
    const mask = buffer.subarray(start - 4, start);
    const payload = Buffer.from(buffer.subarray(start, start + length).map((b, i) => b ^ (mask[i % 4] ?? 0)));
    const opcode = (buffer[0] ?? 0) & 15;
    if (opcode === 1) server.texts.push(payload.toString());
    if (opcode === 8) server.closes.push(payload.length >= 2 ? payload.readUInt16BE(0) : 1005);
    if (opcode === 9) server.pings += 1;
    return read(buffer.subarray(start + length));
  };
  const server: RawServer = {
    port: listener.port,
    heads: [],
    texts: [],
    closes: [],
    pings: 0,
    written: 0,
    raw(bytes) {
      unsent.push(Buffer.from(bytes));
      flush();
    },
    say: (text) => server.raw(serverFrame(1, text)),
    cut: () => latest?.terminate(),
    async [Symbol.asyncDispose]() {
      listener.stop(true);
    },
  };
  return server;
}
