import { type ErrorCode, PxError, toPxError } from '../error/error.ts';
import type { ToolCallPart, ToolResultPart } from '../wire/wire.ts';

/** Most bytes of text a tool's result may add to the conversation. */
const RESULT_BYTES = 24 * 1024;

/** Text cut to at most `bytes` of UTF-8: its beginning and its end, and between them a note of what was left out. */
export function elide(text: string, bytes = RESULT_BYTES): string {
  // A character of a string takes three bytes at most.
  if (text.length * 3 <= bytes) return text;
  const whole = Buffer.from(text);
  if (whole.length <= bytes) return text;
  const head = boundary(whole, Math.floor((bytes - NOTE_ROOM) * 0.7), -1);
  const tail = boundary(whole, whole.length - (bytes - NOTE_ROOM - head), 1);
  return `${whole.toString('utf8', 0, head)}\n[… ${tail - head} of ${whole.length} bytes left out …]\n${whole.toString('utf8', tail)}`;
}

/** Room for the note in the middle, in bytes. */
const NOTE_ROOM = 80;

/** The nearest place where a character begins, so that none is cut in two. */
function boundary(bytes: Buffer, at: number, step: 1 | -1): number {
  let place = at;
  while (place > 0 && place < bytes.length && ((bytes[place] ?? 0) & 0xc0) === 0x80) place += step;
  return place;
}

/** A tool's answer as the model gets it. */
export function toolResult(call: ToolCallPart, text: string, isError = false): ToolResultPart {
  return { type: 'tool-result', callId: call.id, name: call.name, content: [{ type: 'text', text }], isError };
}

/** A failure as the model gets it: code, message and what to do about it. */
export function errorText(thrown: unknown): string {
  const error = thrown instanceof PxError ? thrown : failed(thrown);
  return `Error ${error.code}: ${error.message}${error.hint ? `\nHint: ${error.hint}` : ''}`;
}

function failed(thrown: unknown): PxError {
  const code: ErrorCode = 'tool.failed';
  return new PxError(code, toPxError(thrown).message, { cause: thrown });
}
