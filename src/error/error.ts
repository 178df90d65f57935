import { type ErrorCode, errorCodes } from './codes.ts';

export { type ErrorCode, errorCodes };

/** What a {@link PxError} is made from. */
export interface ErrorDetail {
  /** The next thing a person should type or do. */
  hint?: string;
  /** True when the same call may succeed later without a change. */
  retryable?: boolean;
  cause?: unknown;
  /** Typed payload for programs: a guest's error value, a config place, an HTTP status. */
  data?: unknown;
}

/** The one error type of px: a stable code, what happened, what to do next, and whether trying again can help. */
export class PxError extends Error {
  override readonly name = 'PxError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly data: unknown;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.hint = detail.hint;
    this.retryable = detail.retryable ?? false;
    this.data = detail.data;
  }

  /** The error as data: what the API, the journal and `--json` show. Never holds a stack or a cause. */
  toJSON(): ErrorShape {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.data === undefined ? {} : { data: this.data }),
    };
  }
}

/** A {@link PxError} on the wire. */
export interface ErrorShape {
  code: ErrorCode;
  message: string;
  hint?: string;
  retryable: boolean;
  data?: unknown;
}

/** Any thrown value as a PxError; an unknown one becomes `internal`, with the original as its cause. */
export function toPxError(thrown: unknown): PxError {
  if (thrown instanceof PxError) return thrown;
  return new PxError('internal', messageOf(thrown), { cause: thrown });
}

/** What any thrown value says; an object that cannot even be shown as text is called so. */
function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  try {
    return String(thrown);
  } catch {
    return 'something was thrown that is no error';
  }
}

/** A PxError rebuilt from its wire form; an unknown code becomes `internal`. */
export function fromErrorShape(shape: ErrorShape): PxError {
  const code = Object.hasOwn(errorCodes, shape.code) ? shape.code : 'internal';
  return new PxError(code, shape.message, {
    retryable: shape.retryable,
    ...(shape.hint === undefined ? {} : { hint: shape.hint }),
    ...(shape.data === undefined ? {} : { data: shape.data }),
  });
}
