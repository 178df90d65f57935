import { type ErrorCode, type ErrorShape, toPxError } from '../error/error.ts';

/** HTTP status of each error code; what is not named here is 500. */
const statuses: Partial<Record<ErrorCode, number>> = {
  usage: 400,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  interrupted: 409,
  timeout: 504,
  'config.unreadable': 409,
  'config.invalid': 400,
  'config.unknown-key': 400,
  'secret.missing': 409,
  'secret.invalid': 400,
  'store.locked': 503,
  'store.newer': 409,
  'memory.path': 400,
  'memory.search': 400,
  'model.unknown': 404,
  'model.auth': 502,
  'model.rate-limit': 429,
  'model.overloaded': 503,
  'model.overflow': 400,
  'model.bad-request': 400,
  'model.unreachable': 502,
  'model.stream': 502,
  'model.refusal': 422,
  'plugin.unknown': 404,
  'plugin.invalid': 422,
  'plugin.imports': 422,
  'plugin.unsafe': 422,
  'plugin.function': 400,
  'plugin.guest': 422,
  'plugin.crashed': 502,
  'plugin.cpu': 502,
  'plugin.wall': 504,
  'plugin.memory': 502,
  'plugin.output': 502,
  'plugin.quarantined': 409,
  'plugin.asks': 409,
  'plugin.signature': 422,
  'plugin.rate': 429,
  'plugin.disabled': 409,
  'sandbox.unavailable': 503,
  'policy.denied': 403,
  'tool.unknown': 404,
  'tool.arguments': 400,
  'tool.failed': 502,
  'mcp.unknown': 404,
  'mcp.unavailable': 502,
  'channel.unknown': 404,
  'channel.delivery': 502,
  'pairing.unknown': 404,
  'pairing.locked': 429,
  'agent.limit': 422,
  'gateway.stopping': 503,
  'gateway.unauthorized': 401,
  'gateway.forbidden': 403,
  'gateway.rate-limit': 429,
  'gateway.bad-request': 400,
  'gateway.media-type': 415,
  'gateway.method': 405,
  'gateway.accept': 406,
  'model.budget': 402,
};

/** The HTTP status an error is answered with. */
export function statusOf(code: ErrorCode): number {
  return statuses[code] ?? 500;
}

/** An error as a response: `{error:{code,message,hint,retryable}}`. */
export function errorResponse(thrown: unknown, headers: Record<string, string> = {}): Response {
  const error = toPxError(thrown);
  return Response.json({ error: error.toJSON() } satisfies { error: ErrorShape }, {
    status: statusOf(error.code),
    headers,
  });
}
