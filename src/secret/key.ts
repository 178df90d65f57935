import {
  chmodSync,
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Home } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import { seal, unseal } from './seal.ts';
import type { SecretTable } from './table.ts';

const keyBytes = 32;
const checkOwner = 'key-check';
const checkText = new TextEncoder().encode('px master key');

/** The master key in use: seals and unseals for an owner. */
export interface MasterKey {
  seal(owner: string, plain: Uint8Array): Uint8Array;
  unseal(owner: string, sealed: Uint8Array): Uint8Array;
}

/** The key of a home; nothing is read or made before the first use. */
export function openMasterKey(home: Home, table: SecretTable, log?: Log): MasterKey {
  const path = join(home.state, 'master.key');
  let key: Uint8Array | undefined;
  const use = () => {
    key ??= load(path, table, log);
    return key;
  };
  return {
    seal: (owner, plain) => seal(use(), owner, plain),
    unseal: (owner, sealed) => unseal(use(), owner, sealed),
  };
}

function load(path: string, table: SecretTable, log?: Log): Uint8Array {
  const check = table.readKeyCheck();
  const key = read(path, log) ?? (check ? missing(path) : make(path));
  if (!check) {
    table.writeKeyCheck(seal(key, checkOwner, checkText));
    return key;
  }
  try {
    unseal(key, checkOwner, check);
  } catch (cause) {
    throw new PxError('secret.corrupt', `${path} is not the key the values in px.db were sealed with`, {
      cause,
      hint: 'Put the master.key and px.db of the same backup together. Without it, move px.db away and set the secrets again.',
    });
  }
  return key;
}

function missing(path: string): never {
  throw new PxError('secret.corrupt', `${path} is missing, and px.db holds values sealed with it`, {
    hint: 'Put master.key back from a backup. Without it, move px.db away and set the secrets again.',
  });
}

/** The key in the file; undefined when there is none. A key others could read is closed to them, and that is logged. */
function read(path: string, log?: Log): Uint8Array | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw new PxError('secret.corrupt', `${path} cannot be read`, {
      cause: thrown,
      hint: 'px needs to own this file.',
    });
  }
  try {
    const { mode, size } = fstatSync(file);
    if (mode & 0o077) {
      // Before the word of it: what is logged is scrubbed, for which the key is read.
      chmodSync(path, 0o600);
      log?.warn('master.key was open to other users: its rights are now 0600', { was: (mode & 0o777).toString(8) });
    }
    const key = new Uint8Array(keyBytes);
    if (size !== keyBytes || readSync(file, key, 0, keyBytes, 0) !== keyBytes)
      throw new PxError('secret.corrupt', `${path} is damaged: a key has ${keyBytes} bytes, it has ${size}`, {
        hint: 'Put master.key back from a backup.',
      });
    return key;
  } finally {
    closeSync(file);
  }
}

/** Writes a new key. It appears under its name whole and synced or not at all, and never replaces one. */
function make(path: string): Uint8Array {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  const key = crypto.getRandomValues(new Uint8Array(keyBytes));
  const partial = `${path}.${process.pid}.${crypto.randomUUID()}`;
  const file = openSync(partial, 'wx', 0o600);
  try {
    writeSync(file, key);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(partial, path);
    syncFolder(join(path, '..'));
    return key;
  } catch (thrown) {
    // Another px made one at the same moment: that one counts.
    const theirs = read(path);
    if (theirs) return theirs;
    // A file system without hard links (FAT on a memory card).
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code !== 'EEXIST')) throw thrown;
    renameSync(partial, path);
    return key;
  } finally {
    rmSync(partial, { force: true });
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
