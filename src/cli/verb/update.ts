import { openConfig } from '../../config/config.ts';
import { PxError } from '../../error/error.ts';
import { releaseTarget, rollBackPx, updatePx } from '../../update/update.ts';
import { verb } from '../verb.ts';

/** Keys that were given to `scripts/build`, separated by commas; not there in a build without any. */
declare const PX_RELEASE_KEYS: string | undefined;

/** `px update`. */
export const update = verb({
  name: 'update',
  summary: 'Put a newer px in the place of this one, and back if it does not get ready.',
  details:
    'The file must be signed by a key px trusts (update.keys, and those it was built with): nothing of it is executed before that is certain. It is then started in a home that is thrown away, moved into place in one step, and the service is started with it. The old one is kept as px.old.',
  args: {
    source: {
      type: 'positional',
      required: false,
      description: 'A file, or an https address, with its .sig beside it. Left out: update.url of px.yaml.',
    },
    check: { type: 'boolean', description: 'Check and try it; change nothing.' },
    rollback: { type: 'boolean', description: 'Go back to px.old.' },
    force: { type: 'boolean', description: 'Take also a version that is not newer.' },
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
    const config = await openConfig(home, env);
    config.close();
    const { url, keys } = config.current.update;
    const source = args.source ?? url?.replaceAll('{target}', releaseTarget());
    if (source === undefined)
      throw new PxError('usage', 'There is no address to update from.', {
        hint: 'Name a file, or the address of your releases once: px config set update.url https://…/px-{target}',
      });
    const built = typeof PX_RELEASE_KEYS === 'string' ? PX_RELEASE_KEYS.split(',').filter((key) => key !== '') : [];
    const done = await updatePx({
      home,
      env,
      version,
      source,
      keys: [...built, ...keys],
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
