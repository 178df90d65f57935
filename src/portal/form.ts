import { PxError } from '../error/error.ts';

/** The largest form: a plugin to be added may be in it. */
const mostBytes = 64 * 1024 * 1024;

/** The fields of a form, as text; files apart. */
export interface Form {
  /** Empty when the field is not there. Line ends are `\n`. */
  text(name: string): string;
  has(name: string): boolean;
  all(name: string): string[];
  names(): string[];
  /** The files that were chosen, empty ones left out. */
  files(name: string): File[];
}

/** A form nothing was sent with. */
export const emptyForm: Form = formOf(new FormData());

/** Reads a form that was sent. Throws PxError `gateway.media-type`, `too-large`, `gateway.bad-request`. */
export async function readForm(request: Request): Promise<Form> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^(?:multipart\/form-data|application\/x-www-form-urlencoded)\s*(?:;|$)/i.test(type))
    throw new PxError('gateway.media-type', 'The portal takes forms only.');
  const tooLarge = () => new PxError('too-large', `The form is larger than ${mostBytes} bytes.`);
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > mostBytes) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return formOf(await new Response(Buffer.concat(chunks), { headers: { 'content-type': type } }).formData());
  } catch (cause) {
    throw new PxError('gateway.bad-request', 'The form cannot be read.', { cause });
  }
}

/** What is used of a FormData, whichever library's it is. */
interface Fields {
  get(name: string): unknown;
  getAll(name: string): unknown[];
  has(name: string): boolean;
  keys(): Iterable<string>;
}

function formOf(data: Fields): Form {
  const textOf = (value: unknown) => (typeof value === 'string' ? value.replaceAll('\r\n', '\n') : '');
  return {
    text: (name) => textOf(data.get(name)),
    has: (name) => data.has(name),
    all: (name) => data.getAll(name).map(textOf),
    names: () => [...new Set(data.keys())],
    files: (name) => data.getAll(name).filter((value): value is File => value instanceof File && value.size > 0),
  };
}
