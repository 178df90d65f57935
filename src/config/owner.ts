import { accessSync, constants, statSync } from 'node:fs';
import { PxError } from '../error/error.ts';
import type { Home } from './config.ts';

/** Who a home belongs to, as the kernel counts them. */
export interface Owner {
  uid: number;
  gid: number;
}

/** Who the home belongs to, when root works on what is not root's; undefined for everybody else, and where there is no home yet. */
export function otherOwner(home: Home): Owner | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const found = statSync(home.root, { throwIfNoEntry: false });
  return found && found.uid !== 0 ? { uid: found.uid, gid: found.gid } : undefined;
}

/**
 * Makes this process one of the home's owner, for good, when root has started it for the home of somebody else (`sudo px status`): no file in there
 * comes to belong to root, and nothing in there (a link, a program that px.yaml names) is followed with root's rights.
 * Throws PxError `conflict` for a home that this user may not read, or whose owner root cannot become.
 */
export function enterHome(home: Home): void {
  const owner = otherOwner(home);
  if (owner) become(home, owner, true);
  const found = statSync(home.root, { throwIfNoEntry: false });
  if (!found || found.uid === process.geteuid?.()) return;
  try {
    for (const path of [home.root, home.state]) accessSync(path, constants.R_OK | constants.X_OK);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return;
    throw new PxError('conflict', `${home.root} belongs to another user (${found.uid}), and you may not read it.`, {
      hint: `sudo px --home ${home.root} …`,
      cause,
    });
  }
}

/** The same until it is disposed, for what needs root besides: only what is opened meanwhile is opened as the owner. Not for starting programs. */
export function asOwner(home: Home): Disposable {
  const owner = otherOwner(home);
  if (!owner) return { [Symbol.dispose]: () => {} };
  const groups = process.getgroups?.() ?? [];
  const gid = process.getegid?.() ?? 0;
  become(home, owner, false);
  return {
    [Symbol.dispose]() {
      process.seteuid?.(0);
      process.setegid?.(gid);
      process.setgroups?.(groups);
    },
  };
}

/** Groups first: who is no longer root cannot change them. */
function become(home: Home, { uid, gid }: Owner, forGood: boolean): void {
  try {
    process.setgroups?.([gid]);
    if (forGood) {
      process.setgid?.(gid);
      process.setuid?.(uid);
    } else {
      process.setegid?.(gid);
      process.seteuid?.(uid);
    }
  } catch (cause) {
    throw new PxError('conflict', `${home.root} belongs to user ${uid}, and root cannot work as that user here.`, {
      hint: `Type it as that user, or: chown -R root: ${home.root}`,
      cause,
    });
  }
}
