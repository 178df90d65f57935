import { resolve } from 'node:path';
import { type AnswerHost, type Guest, type GuestLimits, startGuest } from '../../src/plugin/guest.ts';

const main = resolve(import.meta.dir, '../../src/main.ts');
/** The command of a hidden verb; a px that runs the tests itself, as Bun (see scripts/arm-room), needs no source for it. */
export const verb = (name: '__plugin' | '__prepare') =>
  process.env['BUN_BE_BUN'] === '1' ? [process.execPath, name] : [process.execPath, main, name];

/** A guest whose generated code is this JavaScript: what a component would run that broke out of its WebAssembly. `run` is its only function. */
export function forced(
  body: string,
  limits: Partial<GuestLimits> = {},
  host: AnswerHost = async () => ({ ok: null }),
): Promise<Guest> {
  const code = `return function instantiate(getModule, imports) { return { run() { ${body} } }; }`;
  return startGuest(
    {
      command: verb('__plugin'),
      mode: 'required',
      engine: false,
      settings: [],
      host,
      limits: { memoryMb: 16, cpuMs: 2000, wallMs: 5000, outputBytes: 65_536, hostCalls: 1000, ...limits },
      image: {
        code: new TextEncoder().encode(code),
        modules: [],
        imports: ['project-x:core/host-api@0.1.0'],
        functions: [
          { name: 'run', jsPath: ['run'], params: [], result: { kind: 'string' }, docs: '', notCallable: '' },
        ],
      },
    },
    65_536,
  );
}
