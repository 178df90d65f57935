/**
 * The world of ../example.wit in TypeScript. componentize-qjs makes a component of it, with QuickJS inside; as a plain script px runs it in the
 * engine it carries. A thrown value is the error arm of a result.
 */
import { httpRequest, kvGet, kvSet, log, now, randomBytes } from 'project-x:core/host-api@0.1.0';

interface OrderLine {
  item: string;
  price: number;
  amount: number;
}

export function greet(name: string): string {
  const greeting = `Hello, ${name || 'whoever you are'}!`;
  log('info', greeting);
  return greeting;
}

export function add(a: number, b: number): number {
  const sum = a + b;
  if (sum !== (sum | 0)) throw 'the sum does not fit in 32 bits';
  return sum;
}

export function total(lines: OrderLine[]): { items: string[]; amount: number; price: number } {
  return {
    items: lines.map((line) => line.item),
    amount: lines.reduce((sum, line) => sum + line.amount, 0),
    price: lines.reduce((sum, line) => sum + line.price * line.amount, 0),
  };
}

export function remember(key: string, text: string): string | undefined {
  const before = stored(key);
  kvSet(key, new TextEncoder().encode(text));
  return before;
}

function stored(key: string): string | undefined {
  try {
    return new TextDecoder().decode(kvGet(key));
  } catch {
    return undefined;
  }
}

/** What px answers with instead of a page, `{ tag: 'denied', val: … }`, is thrown by `httpRequest` and goes to the caller as it is. */
export function fetch(url: string): { status: number; body: string } {
  const { status, body } = httpRequest({ method: 'GET', url, headers: [], body: undefined, timeoutMs: undefined });
  return { status, body: new TextDecoder().decode(body) };
}

/** The language has no environment, no files and no network of its own. A u64 is a number here, exact up to 2^53. */
export function lookAround(): {
  variables: string[];
  files: string[];
  connected: boolean;
  clock: number;
  random: number;
} {
  const [high = 0, low = 0] = new Uint32Array(randomBytes(8).slice().buffer);
  const random = (high % 2 ** 21) * 2 ** 32 + low;
  return { variables: [], files: [], connected: false, clock: Number(now()), random };
}

export function spin(): void {
  for (;;);
}

/** The function has no error arm, so that what it throws is a trap. */
export function crash(): void {
  throw new Error('crash');
}
