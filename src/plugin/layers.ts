import { toPxError } from '../error/error.ts';
import { startGuest } from './guest.ts';

/**
 * (module (memory 1) (func (export "grow") (result i32)
 *   (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (memory.size)))
 */
const greedy = Uint8Array.fromHex(
  '0061736d010000000105016000017f0302010005030100010708010467726f7700000a12011000034041014000417f470d000b3f000b',
);
const capMb = 1;
const pagesPerMib = 16;

/** What runs in the place of a plugin: it takes all memory it can get, opens a folder, and asks the host for what nobody granted. */
const probe = `return function instantiate(getModule, imports) {
  const { grow } = new WebAssembly.Instance(getModule('m.wasm')).exports;
  const attempt = (work) => { try { work(); return 'done'; } catch (e) { return e.code ?? 'refused'; } };
  return { run() {
    return JSON.stringify({
      pages: grow(),
      file: attempt(() => process.getBuiltinModule('fs').readdirSync('/')),
      host: attempt(() => imports['project-x:core/host-api'].kvSet('probe', new Uint8Array())),
    });
  } };
}`;

/**
 * Which layers of the sandbox hold on this machine, each tried out in a locked process that is started for the question and ends with it:
 * `active`, or what is the matter.
 */
export async function readLayers(command: string[]): Promise<Record<string, string>> {
  try {
    const { capModules } = await import('./child/core.ts');
    const guest = await startGuest(
      {
        command,
        mode: 'best-effort',
        engine: false,
        settings: [],
        limits: { memoryMb: capMb, cpuMs: 5000, wallMs: 15_000, outputBytes: 4096, hostCalls: 10 },
        host: () => ({ err: 'denied' }),
        image: {
          code: new TextEncoder().encode(probe),
          modules: capModules([['m.wasm', greedy]], capMb),
          imports: [],
          functions: [
            { name: 'run', jsPath: ['run'], params: [], result: { kind: 'string' }, docs: '', notCallable: '' },
          ],
        },
      },
      4096,
    );
    try {
      const seen = JSON.parse(String(await guest.call('run', []))) as { pages: number; file: string; host: string };
      const { seccomp = 'absent', ...kernel } = guest.layers;
      return {
        wasm: 'active',
        caps: seen.pages === capMb * pagesPerMib ? 'active' : `${capMb} MiB became ${seen.pages} pages`,
        seccomp: seccomp === 'active' && seen.file !== 'EPERM' ? `a folder could be opened: ${seen.file}` : seccomp,
        ...kernel,
        deadlines: 'active',
        broker: seen.host === 'done' ? 'a host call nobody granted was answered' : 'active',
      };
    } finally {
      await guest.end();
    }
  } catch (thrown) {
    return { seccomp: `unknown: ${toPxError(thrown).message}` };
  }
}
