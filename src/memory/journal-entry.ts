import * as v from 'valibot';
import { type ErrorCode, errorCodes } from '../error/error.ts';
import type { Json, JsonObject, ModelRef } from '../wire/wire.ts';

const json = v.custom<Json>((value) => value !== undefined);
const modelRef = v.custom<ModelRef>((value) => typeof value === 'string' && value.includes('/'));
const count = v.pipe(v.number(), v.minValue(0));
const error = v.object({
  code: v.custom<ErrorCode>((value) => typeof value === 'string' && Object.hasOwn(errorCodes, value)),
  message: v.string(),
  hint: v.exactOptional(v.string()),
  retryable: v.boolean(),
  data: v.exactOptional(v.unknown()),
});
/** Where text from outside comes from. */
const outside = v.exactOptional(v.array(v.string()));
const common = {
  /** Milliseconds since the epoch. */
  at: v.number(),
  crlf: v.exactOptional(v.literal(true)),
  esc: v.exactOptional(v.literal(true)),
};

/** The data in an entry's closing line, by kind; what a person can read stands in the entry's body instead. */
export const entryData = {
  user: v.object({
    ...common,
    from: v.string(),
    name: v.string(),
    channel: v.string(),
    id: v.string(),
    outside,
    /** What came with it, with the file beside the journal or the data; a name makes it a document. */
    files: v.exactOptional(
      v.array(
        v.object({
          mime: v.string(),
          name: v.exactOptional(v.string()),
          file: v.exactOptional(v.string()),
          data: v.exactOptional(v.string()),
        }),
      ),
    ),
    /** The last line is a fence that px added. */
    fence: v.exactOptional(v.literal(true)),
  }),
  assistant: v.object({ ...common, turn: v.string(), model: modelRef, fence: v.exactOptional(v.literal(true)) }),
  thinking: v.object({
    ...common,
    turn: v.string(),
    provider: v.exactOptional(v.string()),
    signature: v.exactOptional(v.string()),
  }),
  'tool-call': v.object({
    ...common,
    turn: v.string(),
    id: v.string(),
    name: v.string(),
    provider: v.exactOptional(v.string()),
    signature: v.exactOptional(v.string()),
  }),
  'tool-result': v.object({
    ...common,
    turn: v.string(),
    id: v.string(),
    name: v.string(),
    ms: v.number(),
    outside,
    error: v.exactOptional(v.literal(true)),
    /** Where the parts are not texts only, in order: `0` for a text, else the picture's type and its file or data. */
    parts: v.exactOptional(
      v.array(
        v.union([
          v.literal(0),
          v.object({ mime: v.string(), file: v.exactOptional(v.string()), data: v.exactOptional(v.string()) }),
        ]),
      ),
    ),
  }),
  'turn-end': v.object({
    ...common,
    turn: v.string(),
    id: v.string(),
    reason: v.picklist(['stop', 'tool-calls', 'length', 'refusal', 'aborted', 'limit', 'error']),
    usage: v.object({ input: count, output: count, cachedInput: count }),
    error: v.exactOptional(error),
  }),
  model: v.object({ ...common, model: modelRef, by: v.string() }),
  note: v.object({ ...common, data: v.exactOptional(json) }),
};

/** A tool call's arguments as they stand in its JSON block. */
export const callArguments = v.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);
