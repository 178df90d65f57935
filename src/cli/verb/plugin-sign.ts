import { existsSync, writeFileSync } from 'node:fs';
import { PxError } from '../../error/error.ts';
import { newKeys, packPlugin, signPlugin } from '../../plugin/plugin.ts';
import { verb } from '../verb.ts';

async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = Bun.file(path);
  if (!(await file.exists())) throw new PxError('not-found', `There is no file ${path}.`);
  return file.bytes();
}

/** `px plugin pack`. */
export const pack = verb({
  name: 'pack',
  summary: 'Put plugin.yaml into a component, so that its one .wasm file is enough.',
  details: 'The manifest becomes the custom section `px:plugin`, as JSON. One that is in there already is replaced.',
  args: {
    file: { type: 'positional', required: true, description: 'A component.' },
    manifest: { type: 'string', description: 'The manifest.', valueHint: 'FILE', default: 'plugin.yaml' },
    out: { type: 'string', description: 'Where it is written. Left out: over the component.', valueHint: 'FILE' },
  },
  examples: ['px plugin pack weather.wasm', 'px plugin pack target/weather.wasm --out weather.wasm'],
  async run({ args, ...context }) {
    const text = new TextDecoder().decode(await bytesOf(args.manifest));
    const packed = await packPlugin(await bytesOf(args.file), Bun.YAML.parse(text));
    const out = args.out ?? args.file;
    writeFileSync(out, packed);
    if (context.json) context.io.data({ file: out, bytes: packed.length });
    else context.io.line(`${out} carries its manifest (${packed.length} bytes).`);
    return 0;
  },
});

/** `px plugin keygen`. */
export const keygen = verb({
  name: 'keygen',
  summary: 'Make a key to sign plugins with.',
  args: { file: { type: 'positional', required: true, description: 'Where the private key is written.' } },
  examples: ['px plugin keygen px.key'],
  async run({ args, ...context }) {
    if (existsSync(args.file))
      throw new PxError('conflict', `${args.file} is there already.`, { hint: 'Name another file.' });
    const { privateKey, publicKey } = await newKeys();
    writeFileSync(args.file, privateKey, { mode: 0o600, flag: 'wx' });
    if (context.json) context.io.data({ file: args.file, publicKey });
    else {
      context.io.line(
        `The private key is in ${args.file}: keep it to yourself. People who trust you put this into px.yaml:`,
      );
      context.io.line('');
      context.io.line(`trust:\n  keys:\n    - ${publicKey} your name`);
    }
    return 0;
  },
});

/** `px plugin sign`. */
export const sign = verb({
  name: 'sign',
  summary: 'Sign a plugin’s file: writes FILE.sig, to be published beside it.',
  args: {
    file: { type: 'positional', required: true, description: 'A .wasm, .ts or .js file.' },
    key: { type: 'string', required: true, description: 'The private key `px plugin keygen` made.', valueHint: 'FILE' },
  },
  examples: ['px plugin sign weather.wasm --key px.key'],
  async run({ args, ...context }) {
    const key = new TextDecoder().decode(await bytesOf(args.key));
    const signature = await signPlugin(await bytesOf(args.file), key);
    writeFileSync(`${args.file}.sig`, signature);
    if (context.json) context.io.data({ file: `${args.file}.sig`, signature: signature.trim() });
    else
      context.io.line(
        `${args.file}.sig is written. In an OCI registry it stands as the annotation px.plugin.signature.`,
      );
    return 0;
  },
});
