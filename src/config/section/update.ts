import * as v from 'valibot';
import { publicKey } from './text.ts';

/** `update:` where new versions of px come from, and whose count. */
export const update = v.strictObject({
  url: v.optional(
    v.pipe(
      v.string(),
      v.url(),
      v.startsWith('https://'),
      v.description(
        'Address of the newest px, for `px update` without a word; `{target}` stands for the kind of machine (linux-x64). Its signature is beside it, as `….sig`.',
      ),
    ),
  ),
  keys: v.optional(
    v.pipe(
      v.array(publicKey),
      v.description('Public keys whose signatures of px are trusted, beside those it was built with: `ed25519:…`.'),
    ),
    [],
  ),
});
