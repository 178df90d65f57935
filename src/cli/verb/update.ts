import { asOwner, type Environment, type Home, openConfig, otherOwner } from '../../config/config.ts';
import { PxError } from '../../error/error.ts';
import { releaseTarget, rollBackPx, updatePx } from '../../update/update.ts';
import { verb } from '../verb.ts';

/** Keys that were given to `scripts/build`, separated by commas; not there in a build without any. */
declare const PX_RELEASE_KEYS: string | undefined;

/** `px update`. */
export const update = verb({
  name: 'update',
  asRoot: true,
  summary: 'Put a newer px in the place of this one, and back if it does not get ready.',
  details:
    'The file must be signed by a key px trusts (update.keys, those it was built with, --key): nothing of it is executed before that is certain. It is then started in a home that is thrown away, moved into place in one step, and the service is started with it. The old one is kept as px.old.',
  args: {
    source: {
      type: 'positional',
      required: false,
      description: 'A file, or an https address, with its .sig beside it. Left out: update.url of px.yaml.',
    },
    check: { type: 'boolean', description: 'Check and try it; change nothing.' },
    rollback: { type: 'boolean', description: 'Go back to px.old.' },
    force: { type: 'boolean', description: 'Take also a version that is not newer.' },
    key: { type: 'string', description: 'A key that is trusted this time, beside the others.', valueHint: 'KEY' },
  },
  examples: ['px update', 'px update ./px-linux-x64', 'px update --check', 'px update --rollback'],
  async run({ args, home, env, version, io, json }) {
    const yours = (pid: number | undefined) =>
      `px runs as process ${pid}, and not as a service: stop it and start it again. Until then the one before goes on.`;
    if (args.rollback) {
      const back = await rollBackPx({ home, env });
      if (json) io.data(back);
      else {
        io.line(`${back.executable} is the one from before the last update.`);
        if (back.daemon === 'restarted') io.line('The service runs with it.');
        if (back.daemon === 'yours') io.line(yours(back.pid));
      }
      return 0;
    }
    const { url, keys: known } = await updateSection(home, env);
    // Who may write a px.yaml that is not root's must not decide what root puts in the place of px.
    const keys = otherOwner(home) ? [] : known;
    if (args.key !== undefined && !/^ed25519:\S+$/.test(args.key))
      throw new PxError('usage', '--key takes a key as `px plugin keygen` prints it: ed25519:…');
    const source = args.source ?? url?.replaceAll('{target}', releaseTarget());
    if (source === undefined)
      throw new PxError('usage', 'There is no address to update from.', {
        hint: 'Name a file, or the address of your releases once: px config set update.url https://…/px-{target}',
      });
    const built = typeof PX_RELEASE_KEYS === 'string' ? PX_RELEASE_KEYS.split(',') : [];
    const done = await updatePx({
      home,
      env,
      version,
      source,
      keys: [
        ...built.map((key) => `${key} the key px was built with`),
        ...(args.key === undefined ? [] : [args.key]),
        ...keys,
      ],
      addKey: otherOwner(home)
        ? `px update --key ed25519:… (root takes none from the px.yaml of another user)`
        : 'px config set update.keys \'["ed25519:…"]\'',
      check: args.check === true,
      force: args.force === true,
      step: (what) => io.progress(io.watched ? `${what}…` : ''),
    }).finally(() => io.progress(''));
    if (json) {
      io.data(done);
      return 0;
    }
    io.line(`px ${done.to}, signed by ${done.signer}, works here.`);
    if (!done.changed) return 0;
    io.line(`${done.executable} is replaced; px ${done.from} is kept as ${done.old}`);
    if (done.daemon === 'restarted') io.line('The service runs with it, and is ready.');
    if (done.daemon === 'yours') io.line(yours(done.pid));
    return 0;
  },
});

/** As the owner of the home, where root updates a px that is not root's. */
async function updateSection(home: Home, env: Environment) {
  using _ = asOwner(home);
  const config = await openConfig(home, env);
  config.close();
  return config.current.update;
}
