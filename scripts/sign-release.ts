/**
 * Signs files of px itself: writes FILE.sig beside each; with --public prints the public key.
 * usage: bun scripts/sign-release.ts KEY-FILE FILE... | bun scripts/sign-release.ts --public KEY-FILE
 */
import { signPlugin } from '../src/plugin/plugin.ts';

const [first = '', ...rest] = process.argv.slice(2);
const keyFile = first === '--public' ? (rest[0] ?? '') : first;
const key = await Bun.file(keyFile).text();
if (first === '--public') console.log((await signPlugin(new Uint8Array(), key, 'release')).split(' ')[0]);
else
  for (const file of rest)
    await Bun.write(`${file}.sig`, await signPlugin(await Bun.file(file).bytes(), key, 'release'));
