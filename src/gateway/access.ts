import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const cookieName = 'px_session';
const cookieDays = 30;
const linkMinutes = 60;
const maxLinks = 100;

/** Who may ask: the bearer token of a home, one-time sign-in codes for a browser and the cookies they become. */
export interface Access {
  /** The bearer token: 32 random bytes, base64url. */
  readonly token: string;
  /** True when this is the token. Takes the same time whatever differs. */
  isToken(given: string): boolean;
  /** A fresh one-time code for a browser, good for an hour and one use. */
  createCode(): { code: string; expiresAt: number };
  /** Spends a code: the `Set-Cookie` value of a new session, or undefined when the code is wrong, used or old. */
  redeem(code: string): string | undefined;
  /** True when a `Cookie` header holds a session made with this token. */
  isSession(cookieHeader: string): boolean;
  /** The `Set-Cookie` value that takes the session out of a browser. */
  readonly signOut: string;
  /** The secret that each form of a session's pages carries, so that no other page can fill one in; empty without a session. */
  formToken(cookieHeader: string): string;
}

/** Reads `state/token`, or makes it (0600) on the first run. */
export function openAccess(stateFolder: string): Access {
  const path = join(stateFolder, 'token');
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  return createAccess(readToken(path) ?? makeToken(path));
}

/** Access for a token that is known already. */
export function createAccess(token: string): Access {
  const codes = new Map<string, number>();
  const sign = (body: string, use = 'session') =>
    createHmac('sha256', token).update(`${use}:${body}`).digest('base64url');
  const sessionOf = (cookieHeader: string): string | undefined => {
    const value = cookieHeader
      .split(/;\s*/)
      .find((c) => c.startsWith(`${cookieName}=`))
      ?.slice(cookieName.length + 1);
    const cut = value?.lastIndexOf('.') ?? -1;
    if (value === undefined || cut < 0) return undefined;
    const body = value.slice(0, cut);
    return sameText(value.slice(cut + 1), sign(body)) && Number(body.split('.')[0]) > Date.now() ? body : undefined;
  };
  return {
    token,
    isToken: (given) => sameText(given, token),
    createCode() {
      const code = randomBytes(24).toString('base64url');
      const expiresAt = Date.now() + linkMinutes * 60_000;
      // The oldest goes first, so that asking for links cannot fill memory.
      if (codes.size >= maxLinks) codes.delete(codes.keys().next().value ?? '');
      codes.set(code, expiresAt);
      return { code, expiresAt };
    },
    redeem(code) {
      const expiresAt = codes.get(code);
      codes.delete(code);
      if (expiresAt === undefined || expiresAt < Date.now()) return undefined;
      const maxAge = cookieDays * 86_400;
      const body = `${Date.now() + maxAge * 1000}.${randomBytes(12).toString('base64url')}`;
      return `${cookieName}=${body}.${sign(body)}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAge}`;
    },
    signOut: `${cookieName}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`,
    isSession: (cookieHeader) => sessionOf(cookieHeader) !== undefined,
    formToken(cookieHeader) {
      const session = sessionOf(cookieHeader);
      return session === undefined ? '' : sign(session, 'form');
    },
  };
}

/** Counts failed sign-ins by remote address: more than `most` in `windowMs` and the address has to wait. */
export interface FailureLimit {
  /** Seconds this address has to wait, 0 when it may try. */
  wait(address: string): number;
  failed(address: string): void;
}

/** Makes a failure limit; it remembers at most a thousand addresses. */
export function createFailureLimit(most = 10, windowMs = 60_000, now: () => number = Date.now): FailureLimit {
  const seen = new Map<string, { count: number; until: number }>();
  return {
    wait(address) {
      const entry = seen.get(address);
      if (!entry || entry.until <= now() || entry.count < most) return 0;
      return Math.max(1, Math.ceil((entry.until - now()) / 1000));
    },
    failed(address) {
      const entry = seen.get(address);
      const fresh = !entry || entry.until <= now();
      if (fresh && seen.size >= 1000) seen.delete(seen.keys().next().value ?? '');
      seen.set(address, fresh ? { count: 1, until: now() + windowMs } : { ...entry, count: entry.count + 1 });
    },
  };
}

/** Compares two texts in a time that tells nothing of where they differ. */
export function sameText(a: string, b: string): boolean {
  // Hashing first makes both the same length, which timingSafeEqual needs and which hides the length too.
  const hash = (text: string) => createHmac('sha256', 'px').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

function readToken(path: string): string | undefined {
  try {
    const token = readFileSync(path, 'utf8').trim();
    if (token.length < 32) return undefined;
    chmodSync(path, 0o600);
    return token;
  } catch {
    return undefined;
  }
}

function makeToken(path: string): string {
  const token = randomBytes(32).toString('base64url');
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  return token;
}
