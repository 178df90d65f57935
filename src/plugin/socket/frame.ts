/** One WebSocket frame (RFC 6455) as the server sent it. */
export interface Frame {
  opcode: number;
  /** Whether it is the last one of its message. */
  last: boolean;
  payload: Uint8Array;
}

/** What a frame is. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The other side broke the protocol or a bound; `code` is what the connection is closed with. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** A frame of the client: always whole, and masked as the protocol wants it. */
export function encodeFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const out = new Uint8Array(2 + extra + 4 + length);
  const view = new DataView(out.buffer);
  out[0] = 0x80 | opcode;
  out[1] = 0x80 | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) view.setUint16(2, length);
  if (extra === 8) view.setBigUint64(2, BigInt(length));
  const mask = crypto.getRandomValues(new Uint8Array(4));
  out.set(mask, 2 + extra);
  const body = 2 + extra + 4;
  for (let i = 0; i < length; i++) out[body + i] = (payload[i] ?? 0) ^ (mask[i & 3] ?? 0);
  return out;
}

/** Puts what comes over a connection together to frames. */
export interface FrameReader {
  push(chunk: Uint8Array): void;
  /** The next whole frame. Throws {@link ProtocolError}, as soon as a frame's head shows that it cannot be taken. */
  next(): Frame | undefined;
  /** Bytes that wait. */
  readonly size: number;
  /** Bytes the frame that has begun needs in all; 0 while that is not known. */
  readonly needs: number;
}

/** Makes a reader of frames of at most `maxBytes`. */
export function createFrameReader(maxBytes: number): FrameReader {
  let chunks: Uint8Array[] = [];
  let size = 0;
  let needs = 0;

  /** All that waits in one piece: only put together when a head or a whole frame is there. */
  const whole = (): Uint8Array => {
    const [only] = chunks;
    if (only && chunks.length === 1) return only;
    const one = Buffer.concat(chunks);
    chunks = [one];
    return one;
  };

  return {
    get size() {
      return size;
    },
    get needs() {
      return needs;
    },
    push(chunk) {
      chunks.push(chunk);
      size += chunk.length;
    },
    next() {
      if (size < Math.max(needs, 2)) return undefined;
      const bytes = whole();
      const head = readHead(bytes, maxBytes);
      if (!head) return undefined;
      needs = head.start + head.length;
      if (size < needs) return undefined;
      const payload = bytes.slice(head.start, needs);
      const rest = bytes.subarray(needs);
      chunks = rest.length === 0 ? [] : [rest];
      size = rest.length;
      needs = 0;
      return { opcode: head.opcode, last: head.last, payload };
    },
  };
}

function readHead(bytes: Uint8Array, maxBytes: number) {
  const [first = 0, second = 0] = bytes;
  const opcode = first & 0x0f;
  const last = (first & 0x80) !== 0;
  // Nothing was agreed on that would use them; a packed message says so here.
  if ((first & 0x70) !== 0) throw new ProtocolError(1002, 'a frame with an extension that was not agreed on');
  if ((second & 0x80) !== 0) throw new ProtocolError(1002, 'a masked frame of a server');
  const short = second & 0x7f;
  const control = opcode >= 8;
  if (control && (!last || short > 125)) throw new ProtocolError(1002, 'a control frame that is cut or too long');
  if (!Object.values<number>(opcodes).includes(opcode)) throw new ProtocolError(1002, `a frame of kind ${opcode}`);
  const extra = short < 126 ? 0 : short === 126 ? 2 : 8;
  if (bytes.length < 2 + extra) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = extra === 0 ? short : extra === 2 ? view.getUint16(2) : Number(view.getBigUint64(2));
  if (length > maxBytes) throw new ProtocolError(1009, `a message of more than ${maxBytes} bytes`);
  return { opcode, last, start: 2 + extra, length };
}
