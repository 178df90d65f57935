import { PxError } from '../../error/error.ts';
import type { PrepareFrame } from '../protocol.ts';
import { capModules } from './core.ts';
import { beginBundling, withoutDebug } from './glue.ts';
import { lockProcess } from './lock.ts';
import { readBlob, readFrame, writeFrame } from './pipe.ts';
import { isInertWasi } from './wasi.ts';

/** Interfaces a plugin may import besides inert WASI: the host's, with and without a version px speaks. */
const hostInterface = /^project-x:core\/host-api(@0\.1\.\d+)?$/;

/** Processor time of one preparation, in seconds. */
const cpuSeconds = 60;

/**
 * The hidden verb `__prepare component|script|folder`: locks itself, takes a component (or a script) over its pipe, checks it, reads
 * its types, caps its memories, transpiles it and hands back files. It runs once and sees nothing but untrusted input; a
 * transpiler that panics or runs wild dies here.
 */
export async function prepareChild(args: string[]): Promise<never> {
  // Everything that must be read from disk is read before the lock; nothing of the plugin has been seen yet.
  const prepare = await toolsFor(args[0]);
  writeFrame({ t: 'locked', layers: lockProcess({ cpuSeconds }) });
  const job = readFrame<PrepareFrame>();
  try {
    await prepare(job, readBlob());
  } catch (thrown) {
    writeFrame(refusal(thrown));
  }
  process.exit(0);
}

type Prepare = (job: PrepareFrame, input: Uint8Array) => void | Promise<void>;

function toolsFor(what: string | undefined): Promise<Prepare> {
  if (what === 'script') return scriptTools();
  return what === 'folder' ? folderTools() : componentTools();
}

async function folderTools(): Promise<Prepare> {
  return (await import('./folder.ts')).beginBundling();
}

async function scriptTools(): Promise<Prepare> {
  const { bundleScript } = await import('../engine/bundle.ts');
  return async (job, input) =>
    writeFrame({ t: 'bundled', code: await bundleScript(new TextDecoder().decode(input), job.filename) });
}

async function componentTools(): Promise<Prepare> {
  const [{ $init, generate }, { readComponent }, bundle] = await Promise.all([
    import('#bindgen'),
    import('../wit/read.ts'),
    beginBundling(),
  ]);
  await $init;
  return async (job, component) => {
    const { imports, functions } = readComponent(component);
    const foreign = imports.filter((name) => !hostInterface.test(name) && !isInertWasi(name));
    if (foreign.length > 0)
      throw new PxError('plugin.imports', `the component wants what px does not give: ${foreign.join(', ')}`, {
        hint: 'A plugin may import project-x:core/host-api and WASI clocks, random, standard streams and environment.',
      });
    const { files } = generate(component, {
      name: 'plugin',
      instantiation: { tag: 'sync' },
      noTypescript: true,
      base64Cutoff: 0,
      map: [],
    });
    const code = withoutDebug(text(files.find(([name]) => name === glueFile)?.[1]));
    const modules = files.filter(([name]) => name.endsWith('.wasm'));
    // The caps are shared by what the code says of its instances, as jco wrote it.
    const capped = capModules([[glueFile, bytes(code)], ...modules], job.memoryMb).slice(1);
    const out: [string, Uint8Array][] = [[glueFile, bytes(await bundle(code))], ...capped];
    writeFrame(
      { t: 'prepared', imports, functions, files: out.map(([name]) => name) },
      out.map(([, content]) => content),
    );
  };
}

const glueFile = 'plugin.js';
const text = (of: Uint8Array | undefined) => new TextDecoder().decode(of);
const bytes = (of: string) => new TextEncoder().encode(of);

function refusal(thrown: unknown) {
  if (thrown instanceof PxError)
    return {
      t: 'refused',
      code: thrown.code.startsWith('plugin.') ? thrown.code : 'plugin.invalid',
      message: thrown.message.slice(0, 4000),
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
    };
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    t: 'refused',
    code: 'plugin.invalid',
    message: `the component cannot be translated: ${message.slice(0, 2000)}`,
  };
}
