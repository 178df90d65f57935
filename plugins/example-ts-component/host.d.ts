/** host-api as componentize-qjs hands it to JavaScript: camelCase, the `err` of a result thrown, a 64-bit number in one of two types. */
declare module 'project-x:core/host-api@0.1.0' {
  export function kvSet(key: string, value: Uint8Array): void;
  export function kvGet(key: string): Uint8Array;
  export function log(level: 'info' | 'warn' | 'error' | 'debug', message: string): void;
  export function now(): number | bigint;
  export function randomBytes(count: number): Uint8Array;
  export function httpRequest(request: {
    method: string;
    url: string;
    headers: [string, string][];
    body: Uint8Array | undefined;
    timeoutMs: number | undefined;
  }): { status: number; headers: [string, string][]; body: Uint8Array };
}
