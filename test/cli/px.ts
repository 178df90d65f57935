import { resolve } from 'node:path';

const main = resolve(import.meta.dir, '../../src/main.ts');

/** What a command line did. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `px` from its sources. */
export async function px(args: string[], options: { stdin?: string; env?: Record<string, string> } = {}): Promise<Ran> {
  const child = Bun.spawn([process.execPath, main, ...args], {
    stdin: options.stdin === undefined ? 'ignore' : new TextEncoder().encode(options.stdin),
    stdout: 'pipe',
    stderr: 'pipe',
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...options.env },
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}
