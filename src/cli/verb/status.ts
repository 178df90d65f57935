import { connect } from '../../client/client.ts';
import { PxError } from '../../error/error.ts';
import { table } from '../io.ts';
import { verb } from '../verb.ts';

/** `px status`. */
export const status = verb({
  name: 'status',
  summary: 'Show what the running px is doing.',
  args: {},
  examples: ['px status', 'px status --json'],
  async run({ io, home, json }) {
    const client = await connect(home);
    if (!client)
      throw new PxError('gateway.unreachable', `No px is running for ${home.root}.`, {
        hint: 'Start it with `px serve`, or ask `px doctor`.',
      });
    const now = await client.status();
    if (json) {
      io.data({ ...now, url: client.url });
      return 0;
    }
    const mb = (now.memory.rssBytes / 1_048_576).toFixed(1);
    io.line(
      table([
        ['px', `${now.version}, pid ${now.pid}, up ${duration(now.uptimeMs)}, ${mb} MB`],
        ['address', client.url],
        ['home', now.home],
        ['model', `${now.model.ref}${now.model.offline ? ' (offline)' : ''} — ${now.model.note}`],
        ...(now.config.problem
          ? [['config', `not taken over, the last good one is in force: ${now.config.problem}`]]
          : []),
        ['memory', `${now.memory.notes} notes, ${now.memory.chunks} passages indexed`],
        ...now.channels.map((c) => [`channel ${c.id}`, c.detail ? `${c.state}: ${c.detail}` : c.state]),
        ...now.plugins.map((p) => [
          `plugin ${p.name}`,
          [p.state, p.pid === null ? '' : `, pid ${p.pid}`, p.detail === '' ? '' : `: ${p.detail}`].join(''),
        ]),
        ['sandbox', now.sandbox.mode],
        ...Object.entries(now.sandbox.layers).map(([layer, state]) => [`  ${layer}`, state]),
      ]),
    );
    return 0;
  },
});

function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}
