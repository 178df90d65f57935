import { backUpHome, backupName, isSealedFile, restoreHome } from '../../backup/backup.ts';
import { PxError } from '../../error/error.ts';
import { some } from '../count.ts';
import { readHidden } from '../hidden.ts';
import { withProgress } from '../progress.ts';
import { verb } from '../verb.ts';

const mega = 1024 * 1024;
const inMegabytes = (counted: { done: number; total: number }) => () => ({
  done: counted.done / mega,
  total: counted.total / mega,
  unit: 'MB',
});

/** A passphrase from the person, or from stdin; never a word of the command line. */
async function passphrase(twice: boolean): Promise<string> {
  if (!process.stdin.isTTY) {
    const given = (await Bun.stdin.text()).replace(/\r?\n$/, '');
    if (given !== '') return given;
    throw new PxError('usage', 'There is no passphrase on standard input.', { hint: 'px backup --passphrase < file' });
  }
  const given = await readHidden('Passphrase: ');
  if (given === '') throw new PxError('usage', 'The passphrase is empty.');
  if (twice && (await readHidden('Again: ')) !== given) throw new PxError('usage', 'The two are not the same.');
  return given;
}

/** `px backup`. */
export const backup = verb({
  name: 'backup',
  asRoot: true,
  summary: 'Write the whole home into one file, also while px runs.',
  details:
    'Memory, plugins, px.yaml, what is in flight, and secrets with the key that opens them: whoever has the file has your keys, unless it is sealed with --passphrase. What px makes again by itself (the index, compiled plugins) is left out. `px restore` takes it back.',
  args: {
    file: {
      type: 'positional',
      required: false,
      description: 'Where it is written; there must be nothing yet. Left out: px-backup-DATE.tar.zst here.',
    },
    passphrase: {
      type: 'boolean',
      description: 'Seal it (AES-256-GCM). The passphrase is asked for, or read from stdin.',
    },
    key: { type: 'boolean', default: true, description: 'Leave the master key out: secrets stay closed.' },
  },
  examples: ['px backup', 'px backup /mnt/usb/px.tar.zst', 'px backup --passphrase < passphrase.txt'],
  async run({ args, home, version, io, json }) {
    const sealed = args.passphrase === true;
    const counted = { done: 0, total: 0 };
    const work = backUpHome({
      home,
      version,
      file: args.file ?? backupName(new Date(), sealed),
      ...(sealed ? { passphrase: await passphrase(true) } : {}),
      key: args.key,
      counted,
    });
    const done = await withProgress(io, 'backing up', work, inMegabytes(counted));
    if (json) {
      io.data(done);
      return 0;
    }
    const size = done.bytes < mega ? `${Math.ceil(done.bytes / 1024)} KB` : `${(done.bytes / mega).toFixed(1)} MB`;
    io.line(`${done.file}: ${done.files} files, ${size}.`);
    if (!done.withKey) io.line('It has no master key: what is stored as a secret has to be set again after a restore.');
    else if (done.sealed) io.line('It is sealed: without the passphrase nobody can open it, you neither.');
    else io.line('It holds your keys in the clear. Keep it as you keep them, or seal it: px backup --passphrase');
    if (done.leftOut.length > 0) io.line(io.dim(`Links are left out: ${done.leftOut.join(', ')}`));
    return 0;
  },
});

/** `px restore`. */
export const restore = verb({
  name: 'restore',
  asRoot: true,
  summary: 'Make a home from a backup.',
  details:
    'Everything is unpacked beside the home and checked before anything is moved. A home that is there is refused; with --force it is moved aside and named. Do not run both: two px with one Telegram token take each other’s messages.',
  args: {
    file: { type: 'positional', required: true, description: 'What `px backup` wrote.' },
    force: { type: 'boolean', description: 'Move aside what is in the home.' },
  },
  examples: ['px restore px-backup-2026-05-27-1403.tar.zst --home ~/.px', 'px restore px.tar.zst --force'],
  async run({ args, home, env, io, json }) {
    const counted = { done: 0, total: 0 };
    const sealed = await isSealedFile(args.file);
    const work = restoreHome({
      home,
      file: args.file,
      force: args.force === true,
      ...(sealed ? { passphrase: await passphrase(false) } : {}),
      ...(env.executable === undefined ? {} : { executable: env.executable }),
      counted,
    });
    const done = await withProgress(io, 'restoring', work, inMegabytes(counted));
    if (json) {
      io.data(done);
      return 0;
    }
    const { conversations, entries, problems } = done.journals;
    io.line(`${done.home} is as of ${new Date(done.at).toLocaleString()}: ${done.files} files.`);
    if (done.moved !== '') io.line(`What was there is now ${done.moved}`);
    for (const problem of problems) io.line(`The journal was not whole when the backup was taken: ${problem}`);
    if (problems.length === 0)
      io.line(`Journals: ${some(conversations, 'conversation')}, entries: ${entries}; every hash fits.`);
    if (!done.withKey) io.line('It has no master key: set your secrets again with `px secret set`.');
    io.line(io.dim(`Start it: px --home '${done.home}' serve`));
    return 0;
  },
});
