/** host-api as componentize-qjs hands it to JavaScript: camelCase, `err` of a result is thrown. */
declare module 'project-x:core/host-api@0.1.0' {
  export function kvSet(key: string, value: Uint8Array): void;
  export function kvGet(key: string): Uint8Array;
  export function kvDelete(key: string): void;
  export function kvList(prefix: string): string[];
  export function log(level: 'info' | 'warn' | 'error' | 'debug', message: string): void;
  export function now(): number | bigint;
  export function randomBytes(count: number): Uint8Array;
  export function configGet(key: string): string | undefined | null;
  export function secretExists(name: string): boolean;
  export function httpRequest(request: {
    method: string;
    url: string;
    headers: [string, string][];
    body: Uint8Array | undefined;
    timeoutMs: number | undefined;
  }): { status: number; headers: [string, string][]; body: Uint8Array };
  export interface FileEntry {
    name: string;
    kind: 'file' | 'folder' | 'other';
    size: number | bigint;
    modified: number | bigint;
  }
  export function fileList(path: string): FileEntry[];
  export function fileStat(path: string): FileEntry;
  export function fileRead(path: string, offset: number, length: number): Uint8Array;
  export function fileWrite(path: string, content: Uint8Array): void;
  export function fileDelete(path: string): void;
  export function emitMessage(message: {
    id: string;
    senderId: string;
    senderName: string;
    text: string;
    metadata: string | undefined;
  }): void;
}
declare module 'project-x:core/plugin-source@0.1.0' {
  export function source(): string;
}
/** What the engine's runtime keeps for exports that are asynchronous in WIT. */
declare const __cqjs: { asyncExports: Record<string, () => void> };
