import { chmod, copyFile, rm } from 'node:fs/promises';
import { PxError } from '../error/error.ts';
import { downloadFile, releaseSigner } from '../plugin/plugin.ts';
import { headBytes, releaseTarget, targetOf } from './platform.ts';
import type { UpdateOptions } from './update.ts';

/** Largest file that is taken for a px, and largest signature, in bytes. */
const most = { file: 512 * 1024 * 1024, signature: 4096 };

/** A file that is of somebody trusted and for this machine. It may be executed. */
export interface Staged {
  path: string;
  sha256: string;
  /** `ed25519:…` */
  signer: string;
}

/**
 * Brings a release to `path`, which is not executable until its signature is known to be of one of the keys, and it is known to be for this kind of machine.
 * What is checked is the copy that will run. Throws PxError `update.signature`, `update.failed`, `not-found`, `plugin.invalid`, `too-large`.
 */
export async function stageRelease(
  source: string,
  path: string,
  { keys, addKey }: Pick<UpdateOptions, 'keys' | 'addKey'>,
  step: (what: string) => void,
): Promise<Staged> {
  if (keys.length === 0)
    throw new PxError('update.signature', 'px trusts nobody to sign a new px.', {
      hint: `Add the key of who makes the releases, after you have it from them: ${addKey}`,
    });
  const signature = await bring(source, path, step);
  const file = Bun.file(path);
  const hasher = new Bun.CryptoHasher('sha256');
  for await (const chunk of file.stream()) hasher.update(chunk);
  const sha256 = hasher.digest('hex');
  const signer = await releaseSigner(sha256, signature, keys);
  if (signer === undefined)
    throw new PxError('update.signature', `${source} is not signed by anybody px trusts.`, {
      hint: signature === '' ? `There is no ${source}.sig beside it.` : `If you trust its key: ${addKey}`,
    });
  const target = targetOf(await file.slice(0, headBytes).bytes());
  if (target !== releaseTarget())
    throw new PxError(
      'update.failed',
      `${source} is for ${target ?? 'no machine px knows'}, and this is ${releaseTarget()}.`,
      {
        hint: `Take the file px-${releaseTarget()}.`,
      },
    );
  await chmod(path, 0o755);
  return { path, sha256, signer };
}

/** Copies or downloads the file (0600), and returns its signature; empty when there is none. */
async function bring(source: string, path: string, step: (what: string) => void): Promise<string> {
  await rm(path, { force: true });
  if (/^https?:\/\//.test(source)) {
    const url = new URL(source);
    const beside = new URL(url);
    beside.pathname += '.sig';
    const mega = (bytes: number) => (bytes / 1024 / 1024).toFixed(0);
    await downloadFile(url.href, path, most.file, (host, done, total) =>
      step(`fetching from ${host}: ${mega(done)}${total === undefined ? '' : ` of ${mega(total)}`} MB`),
    );
    const at = `${path}.sig`;
    try {
      await downloadFile(beside.href, at, most.signature);
      return await Bun.file(at).text();
    } catch (thrown) {
      if (thrown instanceof PxError && thrown.code === 'not-found') return '';
      throw thrown;
    } finally {
      await rm(at, { force: true });
    }
  }
  if (!(await Bun.file(source).exists())) throw new PxError('not-found', `There is no file ${source}.`);
  await copyFile(source, path);
  await chmod(path, 0o600);
  const beside = Bun.file(`${source}.sig`);
  if (!(await beside.exists())) return '';
  if (beside.size > most.signature) throw new PxError('too-large', `${source}.sig is no signature.`);
  return beside.text();
}
