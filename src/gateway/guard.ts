import { isIP } from 'node:net';
import { PxError } from '../error/error.ts';

/** What the guard has to know of the configuration, read anew for each request. */
export interface GuardRules {
  /** `gateway.host` of px.yaml. */
  host: string;
  /** `gateway.origins` of px.yaml. */
  origins: string[];
}

/**
 * Refuses requests a browser was tricked into. A page of another site reaches a loopback server in two ways: by a request
 * across origins (its `Origin` gives it away) or by pointing its own name at 127.0.0.1 (its `Host` does).
 */
export function checkPlace(request: Request, rules: GuardRules): void {
  const host = request.headers.get('host') ?? new URL(request.url).host;
  if (!hostAllowed(host, rules))
    throw new PxError('gateway.forbidden', `The Host header "${host.slice(0, 100)}" is not a name of this px.`, {
      hint: 'Use http://127.0.0.1, or add the address to gateway.origins in px.yaml.',
    });
  const origin = request.headers.get('origin');
  if (origin !== null && !originAllowed(origin, host, rules))
    throw new PxError('gateway.forbidden', `Pages of ${origin.slice(0, 100)} may not call this px.`, {
      hint: 'Add the origin to gateway.origins in px.yaml if it is yours.',
    });
}

/** True for an origin that may read answers: one of `gateway.origins`. Same-origin pages need no permission. */
export function isConfiguredOrigin(origin: string, rules: GuardRules): boolean {
  return rules.origins.includes(origin);
}

function hostAllowed(host: string, rules: GuardRules): boolean {
  const name = nameOf(host);
  if (name === undefined) return false;
  if (isLoopback(name)) return true;
  if (name === rules.host.toLowerCase()) return true;
  if (rules.origins.some((origin) => URL.canParse(origin) && new URL(origin).host === host.toLowerCase())) return true;
  // An address cannot be re-bound to another one, a name can: addresses are fine once px listens beyond loopback.
  return !isLoopback(rules.host) && isIP(name) !== 0;
}

function originAllowed(origin: string, host: string, rules: GuardRules): boolean {
  if (isConfiguredOrigin(origin, rules)) return true;
  if (!URL.canParse(origin)) return false;
  return new URL(origin).host === host.toLowerCase();
}

/** True for the names and addresses of this machine itself. */
function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}

function nameOf(host: string): string | undefined {
  if (!/^[A-Za-z0-9.\-_:[\]]+$/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.toLowerCase().replace(/^\[|\]$/g, '');
}

/** Headers every answer carries. Nothing px serves needs inline script or another origin. */
export const securityHeaders: Record<string, string> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Not `no-referrer`: a browser would then hide the origin of the portal's own forms, which is what they are judged by.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};
