import { connect } from '../../client/client.ts';
import { PxError } from '../../error/error.ts';
import { verb } from '../verb.ts';

/** `px portal`. */
export const portal = verb({
  name: 'portal',
  summary: 'Print a fresh one-time link that signs a browser in.',
  args: {},
  examples: ['px portal'],
  async run({ io, home, json }) {
    const client = await connect(home);
    if (!client)
      throw new PxError('gateway.unreachable', `No px is running for ${home.root}.`, {
        hint: 'Start it with `px serve`.',
      });
    const { code, expiresAt } = await client.createCode();
    const link = `${client.url}/#${code}`;
    if (json) io.data({ link, expiresAt });
    else io.line(link);
    return 0;
  },
});
